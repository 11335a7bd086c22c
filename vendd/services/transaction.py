"""The transaction service, the engine: decide, commit, then act.

One report at a time: the pure machine decides, everything it records goes into
one commit, and only when that is durable are the acts performed. When a commit
fails nothing was changed; money is inhibited, the display says so, and a fact of
the world (a coin, a drop, the end of a turn) is decided again until it is on
record, while a mere wish (a key, the lever) is dropped: nobody wants a vend
five minutes late.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import structlog

from vendd.core.facts import Fact, SaleClosed
from vendd.core.operator.orders import Ordered
from vendd.core.operator.verdicts import Refused, Why
from vendd.core.rows import Record, SettingSet
from vendd.core.sale import outputs
from vendd.core.sale.acts import Acknowledge, Act, Arm, Disarm, TurnMotor
from vendd.core.sale.bill_reports import BillInEscrow
from vendd.core.sale.reports import (
    DoorMoved,
    FaultEnded,
    FaultStarted,
    KeyPressed,
    LeverPressed,
    Report,
    TimerFired,
)
from vendd.core.sale.states import (
    Authorising,
    Paying,
    Refunding,
    Returning,
    Stacking,
    Vending,
)
from vendd.core.snapshot import Moment, Snapshot
from vendd.events.context import Context
from vendd.ports import Books, BooksRefused, Display, Events, StoreFailed
from vendd.services import memory
from vendd.services.deciding import decide
from vendd.services.desk import Desk
from vendd.services.dispensing import Dispensing
from vendd.services.flight import Flight
from vendd.services.inbox import Inbox, Received
from vendd.services.memory import Memory
from vendd.services.notification import Notification
from vendd.services.payment import NOTHING, Accepted, Payment
from vendd.services.telemetry import Telemetry
from vendd.services.timers import Timers

RETRY_S: Final = 1.0
FAULT: Final = ("commit_failed", "disk")
_BUSY: Final = (Vending, Paying, Stacking, Returning, Refunding)
"""Keys pressed in these phases are ignored, not remembered (R8)."""
_UNDER_WAY: Final = (*_BUSY, Authorising)
"""A stop waits for the end of these."""
_NOT_WRITTEN: Final = Refused(Why.STORE, "the books can't be written; nothing was done")
_log = structlog.get_logger()


class Buzzer(Protocol):
    def beep(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Crew:
    """Who carries out what the engine decides."""

    books: Books
    payment: Payment
    dispensing: Dispensing
    notification: Notification
    display: Display
    events: Events
    buzzer: Buzzer | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    flight: Flight | None = None
    desk: Desk = field(default_factory=Desk)


class Engine:
    """`context` makes the events' common part for a moment and an actor kind."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inbox: Inbox,
        crew: Crew,
        snapshot: Snapshot,
        stored: Memory,
        moment: Callable[[float], Moment],
        context: Callable[[Moment, str], Context],
    ) -> None:
        self._loop = loop
        self._inbox = inbox
        self._crew = crew
        self._moment = moment
        self._context = context
        self._timers = Timers(loop, inbox)
        self._tasks: set[asyncio.Task[None]] = set()
        self.memory = stored
        self.snapshot = snapshot
        self.commits = 0
        self.failing = False
        self.progress_at = loop.time()
        self._deaf_until = self.progress_at
        self._notes: dict[str, str] = {}  # settings to go into the next commit
        self._closing = False
        self.at_rest = asyncio.Event()  # set while nothing turns, moves money or asks a card
        self._note_rest()

    async def run(self) -> None:
        """Handle reports for ever; ends by cancellation."""
        try:
            while True:
                await self.handle(await self._inbox.next())
        finally:
            self._timers.close()
            for task in self._tasks:
                task.cancel()

    async def handle(self, received: Received) -> None:
        """One report, to the end: decided, durable, acted on."""
        report = received.report
        self._notes.update(received.notes)
        self.progress_at = self._loop.time()
        ignored = self._ignored(received)
        if ignored:
            if self._crew.flight is not None:
                self._crew.flight.ignored(received, ignored, self.memory, self.snapshot)
            return
        self._crew.dispensing.heard(report)
        self._crew.payment.heard(report)
        busy = isinstance(self.memory.sale.phase, _BUSY)
        acts = await self._decide_and_commit(received)
        if busy:
            self._ignore_keys_until_now()
        for act in acts:
            self._perform(act)
        self._note_rest()
        self._bring_devices()

    def _ignored(self, received: Received) -> str:
        """Why nothing is decided on it, if so."""
        match received.report:
            case TimerFired(timer) if not self._timers.valid(timer, received.token):
                return "disarmed while it waited"
            case DoorMoved(is_open) if is_open == self.memory.service.door_open:
                return "the door as the books have it"  # the switch at a start
            case KeyPressed() if received.at < self._deaf_until:
                self._perform(Acknowledge())  # noticed, and that is all
                return "pressed while the machine was busy"
            case Ordered() as ordered if not self._crew.desk.begin(ordered):
                return "withdrawn by whoever asked"
            case _:
                return ""

    def _ignore_keys_until_now(self) -> None:
        """Keys pressed while a sale ran, money went out or nothing could be committed (R8)."""
        self._deaf_until = self._loop.time()

    def _note_rest(self) -> None:
        if isinstance(self.memory.sale.phase, _UNDER_WAY):
            self.at_rest.clear()
        else:
            self.at_rest.set()

    async def _decide_and_commit(self, received: Received) -> tuple[Act, ...]:
        report, moment, flight = received.report, self._moment(received.at), self._crew.flight
        it = decide(self.memory, self.snapshot, report, moment)
        if flight is not None:
            flight.decided(received, it, self.memory, self.snapshot)
        records = (*it.records, *self._crew.notification.records(report, it.world))
        told = self._crew.telemetry.records(report, it.memory.sale, it.after, records)
        records = (*records, *told)
        changed = it.memory.durable_differs(self.memory)
        if changed or records or self.failing:  # then an empty commit finds out if it still does
            blob = memory.dump(it.memory) if changed else None
            if not await self._commit(
                blob, records, self._context_of(moment, report, it.after), report
            ):
                if it.answer is not None:
                    self._crew.desk.answer(it.answer[0], _NOT_WRITTEN)
                if flight is not None:
                    flight.undone("the commit failed", self.memory, self.snapshot)
                return ()
        self.memory, self.snapshot = it.memory, it.after
        if it.answer is not None:
            self._crew.desk.answer(*it.answer)
        return it.acts

    async def _commit(
        self, blob: bytes | None, records: tuple[Record, ...], context: Context, report: Report
    ) -> bool:
        """Durable, or False when the decision was given up: nothing of it happened."""
        stored, notes = None, tuple(SettingSet(*note) for note in self._notes.items())
        while stored is None:
            try:
                stored = await self._crew.books.commit(blob, (*records, *notes), context)
            except BooksRefused:
                raise  # our own mistake: trying again would fail for ever
            except StoreFailed as failure:
                self._make_safe(failure, report)
                if isinstance(report, KeyPressed | LeverPressed | Ordered):
                    return False
                await asyncio.sleep(RETRY_S)
                self.progress_at = self._loop.time()
        self.commits += 1
        self._notes.clear()
        self._recovered()
        self._crew.events.committed(stored)
        self._tell(records)
        return True

    def _context_of(self, moment: Moment, report: Report, after: Snapshot) -> Context:
        if not isinstance(report, Ordered):
            context = self._context(moment, _actor(report))
        else:
            person = report.person
            kind = str(person.role) if person.role is not None else "system"
            context = replace(self._context(moment, kind), actor_id=person.user)
        trial = self.memory.kept.trial
        if trial is not None:
            context = replace(context, actor_kind=trial.role, actor_id=trial.user)
        if after.price_ver > context.price_ver:  # changed since the start
            context = replace(context, price_ver=after.price_ver)
        return context

    # --- when the store fails -------------------------------------------------------

    def _make_safe(self, failure: StoreFailed, report: Report) -> None:
        """Only what makes things safe: no more money, a bill in escrow goes back, and the
        customer is told."""
        if not self.failing:
            _log.error("commit_failed", why=str(failure))
            self._inbox.put(FaultStarted(*FAULT, detail=str(failure)))  # tried until it is durable
        self.failing = True
        held = self.memory.sale.bill
        known = (BillInEscrow(held.bill, held.type, held.value),) if held and held.bill else ()
        self._crew.payment.make_safe((*known, report, *self._inbox.reports()))
        self._crew.display.show(outputs.out_of_service(self.snapshot, self._crew.display.columns))

    def _recovered(self) -> None:
        if self.failing:
            self.failing = False
            _log.warning("commits_recovered")
            self._ignore_keys_until_now()
            self._inbox.put(FaultEnded(*FAULT))

    # --- after the commit -------------------------------------------------------------

    def _perform(self, act: Act) -> None:
        match act:
            case Arm(timer, ms):
                self._timers.arm(timer, ms)
            case Disarm(timer):
                self._timers.disarm(timer)
            case TurnMotor():
                self._crew.dispensing.turn(act)
            case Acknowledge():
                self._crew.display.blink()
                if self._crew.buzzer is not None:
                    self._crew.buzzer.beep()
            case _:
                work = self._crew.payment.perform(act)
                if work is not None:
                    self._spawn(work)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Asking a device takes time; the next report does not wait for it."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _bring_devices(self) -> None:
        """Display, coin and bill types and readers follow the state, whatever was decided
        before."""
        if self.failing:
            return
        sale, world = self.memory.sale, self.snapshot
        self._crew.payment.bring(self._accepted(), outputs.card_prices(world))
        columns = self._crew.display.columns
        self._crew.display.show(outputs.screen(sale, world, columns))

    def _accepted(self) -> Accepted:
        """What is to be taken now. To disable a reader ends nothing that it does."""
        if self._closing:
            return NOTHING
        sale, world = self.memory.sale, self.snapshot
        return Accepted(
            outputs.accepted_coins(sale, world),
            outputs.accepted_bills(sale, world),
            outputs.enabled_readers(sale, world),
        )

    def close_tenders(self) -> None:
        """The end of this life is near: no money is taken any more; a sale that runs is
        finished."""
        self._closing = True
        self._bring_devices()

    def _tell(self, records: tuple[Record, ...]) -> None:
        facts = [r for r in records if isinstance(r, Fact)]
        self._crew.notification.tell(facts)
        for fact in facts:
            if isinstance(fact, SaleClosed):
                _log.info(
                    "sale_closed",
                    sale=fact.sale_id,
                    slot=fact.slot,
                    outcome=fact.outcome.value,
                    reason=fact.reason.value if fact.reason else None,
                    price=fact.price_charged,
                    change_paid=fact.change_paid,
                    proof=fact.proof.value,
                    total_ms=fact.total_ms,
                )


def _actor(report: Report) -> str:
    return "customer" if isinstance(report, KeyPressed | LeverPressed) else "system"
