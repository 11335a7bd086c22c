"""One hopper on a ccTalk bus: an awaitable payout over `HopperMachine`, and a count kept by hand.

A hopper does not know how many coins it holds. The count starts from what the books say and
follows what is paid and fed; its lifetime counter, where it has one, corrects it afterwards.
Is NOT responsible for which hopper pays what, or for the conversation.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.ports import Refused, Sink
from vendd.wire.cctalk.contact import Declined
from vendd.wire.cctalk.exchange import Reply, Request
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.hopper import HopperMachine, HopperRules
from vendd.wire.cctalk.hopper_data import COUNT_WRAPS
from vendd.wire.cctalk.news import (
    Evidence,
    FaultBegan,
    FaultGone,
    HopperReady,
    Lost,
    News,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
)

EMPTY: Final = "empty"


@dataclass(frozen=True, slots=True)
class HopperFit:
    """Which coin it holds: `position` 1..16 as the acceptor numbers it, worth `value` minor units.

    `count`: coins in it according to the books. `fed_by`: the acceptor's sorter exit that leads
    into it, None when only people fill it. `capacity`: above it, coins go elsewhere.
    """

    position: int
    value: int
    rules: HopperRules
    count: int = 0
    fed_by: int | None = None
    capacity: int = 500

    @property
    def coin_type(self) -> int:
        """As the sale machine numbers coins, 0..15."""
        return self.position - 1


class CcTalkHopper:
    """A `CcTalkDevice`; attaches itself to `bus`, which must not run yet.

    `changed` is called when it came, went, or its count is another; `keep` with how it stands
    before its next payout.
    """

    def __init__(
        self,
        bus: CcTalkBus,
        sink: Sink,
        fit: HopperFit,
        changed: Callable[[], None],
        keep: Callable[[Evidence], None] = lambda _: None,
    ) -> None:
        self._bus = bus
        self._sink = sink
        self._changed = changed
        self._keep = keep
        self.fit = fit
        self.machine = HopperMachine(fit.rules)
        self.count = fit.count
        self.usable: bool | None = None  # None: not known yet
        self.counted = True  # False: `count` is a guess since a payout that nobody can tell
        self._dispensed: int | None = None  # lifetime count when `count` was last right
        self._counted = 0  # coins taken off since then
        self._taken: asyncio.Future[None] | None = None
        self._done: asyncio.Future[PayoutDone] | None = None
        self.device = f"hopper_{fit.position}"
        bus.attach(self)

    # --- orders ------------------------------------------------------------------

    async def pay_out(self, payout_id: str, coins: int) -> "asyncio.Future[PayoutDone]":
        """Returns when the command was taken up, with the future of its end; raises `Refused`
        when certainly nothing moved. Cancelled before anything was sent: nothing will move."""
        try:
            self.machine.pay_out(payout_id, coins)
        except Declined as error:
            raise Refused(f"{self.device}: {error}") from error
        loop = asyncio.get_running_loop()
        taken = self._taken = loop.create_future()
        done = self._done = loop.create_future()
        self._bus.kick()
        try:
            await asyncio.shield(taken)
        except asyncio.CancelledError:
            self.withdraw(payout_id)
            raise
        return done

    def withdraw(self, payout_id: str) -> None:
        """Refuse a payout of which nothing was sent yet; any other goes its way."""
        if self.machine.withdraw(payout_id):
            self._done = None
            self._resolve_taken(Refused(f"{self.device}: withdrawn"))

    def recover(
        self, payout_id: str, coins: int, before: Evidence | None
    ) -> "asyncio.Future[PayoutDone]":
        """Find out what became of a payout of an earlier life (see `HopperMachine.recover`)."""
        try:
            self.machine.recover(payout_id, coins, before)
        except Declined as error:
            raise Refused(f"{self.device}: {error}") from error
        self._dispensed = None if before is None else before.dispensed
        self._done = asyncio.get_running_loop().create_future()
        self._bus.kick()
        return self._done

    def fed(self) -> None:
        """A coin came in from the acceptor."""
        self.count += 1

    # --- CcTalkDevice --------------------------------------------------------------

    @property
    def address(self) -> int:
        return self.machine.address

    @property
    def checksum(self) -> Checksum:
        return self.machine.checksum

    @property
    def wake_at(self) -> float:
        return self.machine.wake_at

    def next(self, now: float) -> Request | None:
        return self.machine.next(now)

    def answered(self, reply: Reply, now: float) -> None:
        for news in self.machine.answered(reply, now):
            self._told(news)

    # --- news -----------------------------------------------------------------------

    def _told(self, news: News) -> None:
        match news:
            case PayoutTaken():
                self._resolve_taken(None)
            case PayoutRefused(_, why):
                self._done = None
                self._resolve_taken(Refused(f"{self.device}: {why}"))
            case PayoutDone():
                self._ended(news)
            case HopperReady(_, evidence):
                self._ready(evidence)
            case Lost():
                self._came_or_went(usable=False)
            case FaultBegan(code, detail):
                self._sink.put(FaultStarted(code, self.device, detail))
            case FaultGone(code):
                self._sink.put(FaultEnded(code, self.device))
            case _:
                raise AssertionError(f"no news of a hopper: {news}")

    def _resolve_taken(self, refused: Refused | None) -> None:
        taken, self._taken = self._taken, None
        if taken is None or taken.done():
            return
        if refused is None:
            taken.set_result(None)
        else:
            taken.set_exception(refused)
            taken.exception()  # perhaps nobody waits any more

    def _ended(self, end: PayoutDone) -> None:
        done, self._done = self._done, None
        self.count = 0 if end.why == EMPTY and end.certain else max(0, self.count - end.paid)
        self._counted += end.paid
        self.counted = self.counted and end.certain
        if done is not None and not done.done():
            done.set_result(end)

    def _ready(self, evidence: Evidence) -> None:
        if self._done is not None:  # how it stood before that payout is what has to be kept
            self._came_or_went(usable=True)
            return
        self._keep(evidence)
        before, self._dispensed = self._dispensed, evidence.dispensed
        if before is not None and evidence.dispensed is not None:
            unseen = (evidence.dispensed - before) % COUNT_WRAPS - self._counted
            self.count = max(0, self.count - unseen)
            self.counted = True
        self._counted = 0
        self._came_or_went(usable=True)

    def _came_or_went(self, *, usable: bool) -> None:
        self.usable = usable
        self._changed()
