"""The bill validator on the multi-drop bus: `ports.BillValidator` over `BillValidatorMachine`.

Turns the machine's news into reports and nothing else. Is NOT responsible for
the conversation (`vendd.wire.mdb.bill_validator`), for the wire (`MdbBus`), for
credit, or for deciding what becomes of a bill in escrow.
"""

import asyncio
from functools import singledispatch
from typing import Final

from vendd.core.sale import bill_reports as br
from vendd.core.sale.reports import (
    DeviceIdentity,
    FaultEnded,
    FaultStarted,
    LeverPressed,
    Report,
)
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Refused, Sink
from vendd.wire.mdb import bill_validator_news as bn
from vendd.wire.mdb.bill_validator import BillValidatorMachine
from vendd.wire.mdb.bill_validator_start import BillRules
from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import (
    Description,
    FaultBegan,
    FaultGone,
    Lever,
    Lost,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
)
from vendd.wire.mdb.exchange import Reply

__all__ = ["BillRules", "MdbBillValidator"]

DEVICE: Final = "bill_validator"


class MdbBillValidator:
    """A `ports.BillValidator` and a `BusDevice`; attaches itself to `bus`, which is not running."""

    def __init__(self, bus: MdbBus, sink: Sink, rules: BillRules) -> None:
        self._bus = bus
        self._sink = sink
        self.machine = BillValidatorMachine(rules)
        self._accepted: tuple[frozenset[int], frozenset[int] | None] = (frozenset(), None)
        self._taking_up: tuple[str, asyncio.Future[None]] | None = None
        bus.attach(self)

    # --- ports.BillValidator --------------------------------------------------------

    def accept(self, bill_types: frozenset[int], hold: frozenset[int] | None = None) -> None:
        """See `ports.BillValidator`. Cheap when nothing changes."""
        if (bill_types, hold) != self._accepted:
            self._accepted = (bill_types, hold)
            self.machine.accept(bill_types, hold)
            self._bus.kick()

    def stack(self, bill: int) -> None:
        """See `ports.BillValidator`."""
        try:
            self.machine.stack(bill)
        except Declined as error:
            raise Refused(str(error)) from error
        self._bus.kick()

    def give_back(self, bill: int) -> None:
        """See `ports.BillValidator`."""
        try:
            self.machine.give_back(bill)
        except Declined as error:
            raise Refused(str(error)) from error
        self._bus.kick()

    async def pay_out(self, payout_id: str, bills: tuple[tuple[int, int], ...]) -> None:
        """See `ports.BillValidator`. A lost answer is cleared up before this returns or raises.

        When the caller gives up waiting (cancellation) and nothing was sent yet, the payout
        is withdrawn; otherwise one `BillPayoutEnded` follows all the same.
        """
        try:
            self.machine.pay_out(payout_id, bills)
        except Declined as error:
            raise Refused(str(error)) from error
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taking_up = (payout_id, taken)
        self._bus.kick()
        try:
            await taken
        except asyncio.CancelledError:
            if self.machine.withdraw(payout_id):
                self._taking_up = None
            raise

    async def read_stores(self) -> None:
        """See `ports.BillValidator`; raises `Refused` while it is not initialised."""
        try:
            self.machine.read_stores()
        except Declined as error:
            raise Refused(str(error)) from error
        self._bus.kick()

    # --- BusDevice --------------------------------------------------------------------

    @property
    def wake_at(self) -> float:
        return self.machine.wake_at

    def next(self, now: float) -> bytes | None:
        return self.machine.next(now)

    def answered(self, reply: Reply, now: float) -> None:
        for news in self.machine.answered(reply, now):
            if isinstance(news, PayoutTaken | PayoutRefused):
                self._taken_up(news)
            else:
                self._sink.put(report(news))

    def _taken_up(self, news: PayoutTaken | PayoutRefused) -> None:
        waiting, self._taking_up = self._taking_up, None
        if waiting is not None and not waiting[1].done():
            if isinstance(news, PayoutRefused):
                waiting[1].set_exception(Refused(news.why))
            else:
                waiting[1].set_result(None)
        elif isinstance(news, PayoutRefused):
            # Nobody waits for the refusal any more, so it has to be a report.
            self._sink.put(br.BillPayoutEnded(news.id, (), certain=True, why=news.why))


@singledispatch
def report(news: object) -> Report:
    """One piece of news in the words of the sale machine."""
    raise AssertionError(f"not a report: {news}")


@report.register
def _(it: bn.BillsReady) -> Report:
    bills = tuple(br.BillType(k.type, k.value, k.recycled) for k in it.kinds)
    return br.BillValidatorReady(
        _identity(it.description), bills, it.escrow, _stacker(it.stacker), _stores(it.recycler)
    )


@report.register
def _(it: Lost) -> Report:
    return br.BillValidatorLost(it.why)


@report.register
def _(it: bn.StackerSeen) -> Report:
    return br.StackerRead(_stacker(it))


@report.register
def _(it: bn.StackerEmptied) -> Report:
    return br.BillsRemoved(it.count)


@report.register
def _(it: bn.RecyclerSeen) -> Report:
    return br.RecyclerRead(_stores(it.levels))


@report.register
def _(it: bn.Reading) -> Report:
    return br.BillReading(it.active)


@report.register
def _(it: bn.InEscrow) -> Report:
    return br.BillInEscrow(it.bill, it.type, it.value)


@report.register
def _(it: bn.Stacked) -> Report:
    path = br.BillPath.RECYCLER if it.recycled else br.BillPath.STACKER
    return br.BillStacked(it.bill, it.type, it.value, path)


@report.register
def _(it: bn.Returned) -> Report:
    return br.BillReturned(it.bill, it.type, it.value, it.why)


@report.register
def _(it: bn.Refusal) -> Report:
    return br.BillRejected(it.why, it.type, it.count)


@report.register
def _(it: bn.Interrupted) -> Report:
    return br.BillInterrupted(it.bill, it.type, it.value, it.phase.value, it.why)


@report.register
def _(it: bn.Unclear) -> Report:
    return br.BillUnclear(it.bill, it.type, it.value, it.why, it.stacker_rose)


@report.register
def _(it: bn.RecyclerByHand) -> Report:
    return br.RecyclerHandled(it.type, it.value, br.RecyclerChange(it.what))


@report.register
def _(it: bn.BillOffered) -> Report:
    return br.BillOffered(it.waiting)


@report.register
def _(it: bn.FillKey) -> Report:
    return br.RecyclerKeyPressed()


@report.register
def _(it: Lever) -> Report:
    return LeverPressed()


@report.register
def _(it: FaultBegan) -> Report:
    return FaultStarted(it.code, DEVICE, it.detail)


@report.register
def _(it: FaultGone) -> Report:
    return FaultEnded(it.code, DEVICE)


@report.register
def _(it: PayoutDone) -> Report:
    return br.BillPayoutEnded(it.id, it.paid, it.certain, it.why)


def _stacker(it: bn.StackerSeen) -> br.Stacker:
    return br.Stacker(it.count, it.full, it.capacity)


def _stores(levels: tuple[bn.RecyclerLevel, ...]) -> tuple[br.RecyclerStore, ...]:
    return tuple(br.RecyclerStore(s.type, s.value, s.count, s.full, s.defective) for s in levels)


def _identity(it: Description) -> DeviceIdentity:
    return DeviceIdentity(
        manufacturer=it.identity.manufacturer,
        serial=it.identity.serial,
        model=it.identity.model,
        firmware=it.identity.software,
        level=it.level,
        options=it.identity.options,
        currency=it.currency,
        scale=it.scale,
        decimals=it.decimals,
    )
