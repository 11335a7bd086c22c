"""A bench for the purchase machine: state, books and timers in memory, and a moment that is told.

Nothing is faked: `report` does what the engine does (service, snapshot, step, commit, acts), in
that order, with dictionaries for the books. After every report the promises that hold at every
commit are checked (`promises`), so each table row and each random walk checks them all.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tests.sale import promises
from tests.sale.devices import Readers, Validator
from tests.sale.worlds import (
    BILLS,
    COINS,
    DAY_MS,
    FREE,
    FULL_TUBES,
    PRICES,
    TYPE_OF,
    moment,
    tubes_with,
    world_with,
)
from vendd.core import ledger
from vendd.core.facts import ItemDispensed, SaleClosed
from vendd.core.planogram import SlotState
from vendd.core.rows import (
    BoxChanged,
    ClaimSet,
    Posted,
    Record,
    RecyclerSet,
    Released,
    Reserved,
    TubeSet,
)
from vendd.core.sale import outputs, persist
from vendd.core.sale.acts import Acknowledge, Act, Arm, Disarm, PayBills, PayOut, TurnMotor
from vendd.core.sale.bill_reports import (
    BillReading,
    BillRejected,
    BillStacked,
    BillValidatorReady,
    RecyclerStore,
    Stacker,
)
from vendd.core.sale.card_reports import CardReaderReady, SessionBegun
from vendd.core.sale.machine import step
from vendd.core.sale.reports import (
    ChangerReady,
    CoinAccepted,
    CoinRejected,
    DeviceIdentity,
    KeyPressed,
    LeverPressed,
    Report,
    Started,
    Timer,
    TimerFired,
    Tube,
)
from vendd.core.sale.states import State
from vendd.core.service import Service, observe
from vendd.core.snapshot import BillValidator, CardReader, Changer, Snapshot

A = TypeVar("A", bound=Act)
__all__ = [
    "COINS",
    "DAY_MS",
    "FREE",
    "FULL_TUBES",
    "PRICES",
    "TYPE_OF",
    "Bench",
    "tubes_with",
    "world_with",
]
_TOUCHES = (
    KeyPressed,
    LeverPressed,
    CoinAccepted,
    CoinRejected,
    BillReading,
    BillStacked,
    BillRejected,
    SessionBegun,
)


@dataclass
class Bench:
    """One machine on the bench. `records` and `acts` are those of the last report."""

    world: Snapshot = field(default_factory=world_with)
    state: State = field(default_factory=State)
    service: Service = field(default_factory=Service)
    now_ms: int = 1_000
    wall_ms: int = 0
    timers: dict[Timer, int] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    acts: tuple[Act, ...] = ()
    history: list[Record] = field(default_factory=list)
    done: list[Act] = field(default_factory=list)
    accounts: Counter[str] = field(default_factory=Counter)
    reserved: dict[str, str] = field(default_factory=dict)
    boxes: Counter[str] = field(default_factory=Counter)
    claims: dict[str, ClaimSet] = field(default_factory=dict)
    validator: Validator = field(default_factory=Validator)
    readers: Readers = field(default_factory=Readers)

    def __post_init__(self) -> None:
        for tube in self.world.tubes:
            self._post(ledger.tube(tube.value), ledger.FILLS, tube.value * tube.count)
        for store in self.world.recycler:
            self._post(ledger.recycler(store.value), ledger.FILLS, store.value * store.count)
        if self.state.credit:  # a test that starts with credit has it in the coin box
            self._post(ledger.COIN_BOX, ledger.CUSTOMER, self.state.credit)
            self.boxes[ledger.COIN_BOX] += self.state.credit
        if self.state.sale is not None:  # or in the middle of a sale
            reserved = Reserved(self.state.sale.id, self.state.sale.selection)
            self.world = self.world.after((reserved,))
            self.history.append(reserved)
            self._book(reserved)
        self.validator.resume(self.state)
        self.readers.resume(self.state)
        promises.check(self)

    # --- what a test says -----------------------------------------------------------

    def report(self, *reports: Report) -> "Bench":
        """Each in turn, and the time stands still."""
        for report in reports:
            self._one(report)
        return self

    def wait(self, ms: int) -> "Bench":
        """Let time pass; timers fire when they are due. Their records and acts add up."""
        end, records, acts = self.now_ms + ms, (), ()
        while self.timers and min(self.timers.values()) <= end:
            timer = min(self.timers, key=lambda t: (self.timers[t], t.value))
            self._pass_to(max(self.now_ms, self.timers.pop(timer)))
            self._one(TimerFired(timer))
            records, acts = records + self.records, acts + self.acts
        self._pass_to(end)
        self.records, self.acts = records, acts
        return self

    def power_cut(
        self, off_ms: int = 60_000, homes: Mapping[str, bool | None] | None = None
    ) -> "Bench":
        """What is not committed is gone; the machine starts, its money devices do not yet."""
        self.state = persist.load(persist.dump(self.state))
        self.timers.clear()
        self.service = Service(self.service.reasons, self.service.door_open)
        fitted = BillValidator(fitted=self.world.validator.fitted)
        readers = tuple(CardReader(r.number, serial=r.serial) for r in self.world.readers)
        self.world = replace(
            self.world,
            changer=Changer(fitted=self.world.changer.fitted),
            validator=fitted,
            readers=readers,
            drop_sensor_blocked=False,
        )
        self.now_ms, self.wall_ms = 1_000, self.wall_ms + off_ms
        return self.report(Started("power_loss", tuple((homes or {}).items())))

    def changer_up(self, tubes: tuple[Tube, ...] | None = None) -> "Bench":
        """Its initialisation is over. Without `tubes` it holds what the books say."""
        now = self.world.tubes if tubes is None else tubes
        return self.report(ChangerReady(DeviceIdentity("SIM", "1"), COINS, now))

    def validator_up(
        self, stores: tuple[RecyclerStore, ...] | None = None, *, escrow: bool = True
    ) -> "Bench":
        """As `changer_up`. With an empty tuple of stores it has no recycler."""
        now = self.world.recycler if stores is None else stores
        bills = BILLS if now else tuple(replace(b, recycled=False) for b in BILLS)
        who, stacker = DeviceIdentity("SIM", "2"), Stacker(0, full=False, capacity=500)
        return self.report(BillValidatorReady(who, bills, escrow, stacker, now))

    def reader_up(self, number: int = 1, *, selection_first: bool = False) -> "Bench":
        """A card reader is up that can refund and keeps a session for several vends."""
        who = DeviceIdentity("SIM", f"SN{number}")
        return self.report(CardReaderReady(number, who, 5, True, True, selection_first, True))

    def change(self, **changes: Any) -> "Bench":
        """Something about the world is different from now on."""
        self.world = replace(self.world, **changes)
        return self

    def slot(self, selection: str, **changes: Any) -> "Bench":
        slots = dict(self.world.slots)
        slots[selection] = replace(slots[selection], **changes)
        return self.change(slots=slots)

    def all_slots(self, **changes: Any) -> "Bench":
        for selection in self.world.slots:
            self.slot(selection, **changes)
        return self

    # --- what a test sees -----------------------------------------------------------

    @property
    def screen(self) -> str:
        """Both lines with their trailing blanks gone: ``CREDIT      1.00 | MAKE SELECTION``."""
        first, second = outputs.screen(self.state, self.world)
        return f"{first.rstrip()} | {second.rstrip()}"

    @property
    def coins(self) -> set[int]:
        """Values of the coins that are taken now."""
        accepted = outputs.accepted_coins(self.state, self.world)
        return {c.value for c in COINS if c.type in accepted}

    @property
    def bills(self) -> set[int]:
        """Values of the bills that are taken now."""
        accepted = outputs.accepted_bills(self.state, self.world)
        return {b.value for b in self.world.validator.bills if b.type in accepted}

    @property
    def cards(self) -> set[int]:
        """Numbers of the readers that take a card now."""
        return set(outputs.enabled_readers(self.state, self.world))

    def newest(self, kind: type[A]) -> A:
        """The newest act of that kind."""
        return next(a for a in reversed(self.done) if isinstance(a, kind))

    @property
    def payout(self) -> PayOut:
        """The newest payout that was asked for."""
        return self.newest(PayOut)

    @property
    def turn(self) -> TurnMotor:
        """The newest turn that was asked for."""
        return self.newest(TurnMotor)

    def level(self, selection: str) -> int:
        return self.world.slots[selection].level

    def slot_state(self, selection: str) -> SlotState:
        return self.world.slots[selection].state

    def all(self, kind: type) -> list[Any]:
        """Every record of that kind, in order, since the beginning."""
        return [r for r in self.history if isinstance(r, kind)]

    # --- the engine -------------------------------------------------------------------

    def _one(self, report: Report) -> None:
        before = self.screen
        service = self.service.step(report)
        world = observe(self.world, service, report)
        world = replace(world, now=moment(self.now_ms, self.wall_ms))
        self.validator.hear(report)
        self.readers.hear(report)
        self.state, self.records, self.acts = step(self.state, report, world)
        self.service, self.world = service, world.after(self.records)
        self.history.extend(self.records)
        self.done.extend(self.acts)
        for record in self.records:
            self._book(record)
        delivered = {r.sale_id for r in self.history if isinstance(r, ItemDispensed)}
        for act in self.acts:
            self.validator.see(act)
            self.readers.see(act, self.world, delivered)
            self._perform(act)
        if isinstance(report, _TOUCHES):
            noticed = any(isinstance(a, Acknowledge) for a in self.acts)
            assert noticed or self.screen != before, f"R9: nothing shows {report}"
        promises.check(self)
        for record in self.records:
            if isinstance(record, SaleClosed):
                promises.check_sale(self, record)

    def _book(self, record: Record) -> None:
        match record:
            case Posted(debit, credit, amount):
                assert amount > 0
                self._post(debit, credit, amount)
            case Reserved(sale_id, selection, 1):
                assert sale_id not in self.reserved
                self.reserved[sale_id] = selection
            case Released(sale_id, selection, 1):
                assert self.reserved.pop(sale_id) == selection
            case ClaimSet(ref) if record.closed_how is not None:
                assert self.claims.pop(ref).amount == record.amount
            case ClaimSet(ref):
                assert ref not in self.claims, "a reference names one claim"
                self.claims[ref] = record
            case TubeSet() | RecyclerSet():
                assert record.count >= 0
            case BoxChanged(box, value, delta):
                self.boxes[box] += value * delta
            case _:
                pass

    def _post(self, debit: str, credit: str, amount: int) -> None:
        if amount:
            assert amount > 0
            self.accounts[debit] += amount
            self.accounts[credit] -= amount

    def _perform(self, act: Act) -> None:
        match act:
            case Arm(timer, ms):
                assert ms > 0
                self.timers[timer] = self.now_ms + ms
            case Disarm(timer):
                self.timers.pop(timer, None)
            case TurnMotor():
                promises.check_turn(self, act)
            case PayOut(_, coins, amount):
                tubes = {t.type: t for t in self.world.tubes}
                assert self.world.changer.ready
                assert sum(tubes[type_].value * n for type_, n in coins) == amount > 0
                assert all(0 < n <= tubes[type_].count for type_, n in coins)
            case PayBills(_, bills, amount):
                stores = {s.type: s for s in self.world.recycler}
                assert self.world.validator.ready
                assert self.state.bill is None, "a bill is in the way"
                assert sum(stores[type_].value * n for type_, n in bills) == amount > 0
                assert all(0 < n <= stores[type_].count for type_, n in bills)
            case _:
                pass

    def _pass_to(self, at_ms: int) -> None:
        self.wall_ms += at_ms - self.now_ms
        self.now_ms = at_ms
