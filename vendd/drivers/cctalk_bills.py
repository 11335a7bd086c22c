"""A bill validator on a ccTalk bus: `ports.BillValidator` over `BillValidatorMachine`.

The validator's bill 1..16 is the sale machine's bill type 0..15. Turns news into reports and
nothing else. Is NOT responsible for the conversation, for credit, or for deciding what
becomes of a bill in escrow. There is no recycler, and the stacker does not count.
"""

from collections.abc import Callable
from typing import Final

from vendd.core.sale import bill_reports as br
from vendd.core.sale.reports import DeviceIdentity, FaultEnded, FaultStarted, Report
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.ports import Refused, Sink
from vendd.wire.cctalk import news as cn
from vendd.wire.cctalk.bill_validator import BillRules, BillValidatorMachine
from vendd.wire.cctalk.contact import Declined, Phase
from vendd.wire.cctalk.exchange import Reply, Request
from vendd.wire.cctalk.frame import Checksum

DEVICE: Final = "bill_validator"
POWER: Final = ("power_loss", DEVICE)
_FULL: Final = "stacker_full"


class CcTalkBills:
    """A `ports.BillValidator` and a `CcTalkDevice`; attaches itself to `bus`, which is not
    running. `counter`: see `BillValidatorMachine`; `note` is given the counter that has to be
    kept with what comes of the very next report."""

    def __init__(
        self,
        bus: CcTalkBus,
        sink: Sink,
        rules: BillRules,
        *,
        counter: int | None = None,
        note: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._bus = bus
        self._sink = sink
        self._note = note
        self._noted = counter
        self.machine = BillValidatorMachine(rules, counter)
        self._power_lost = False
        bus.attach(self)

    # --- ports.BillValidator ---------------------------------------------------------

    def accept(self, bill_types: frozenset[int], hold: frozenset[int] | None = None) -> None:
        """See `ports.BillValidator`."""
        held = None if hold is None else frozenset(t + 1 for t in hold)
        self.machine.accept(frozenset(t + 1 for t in bill_types), held)
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
        """See `ports.BillValidator`; always refused."""
        raise Refused("no recycler")

    async def read_stores(self) -> None:
        """See `ports.BillValidator`; raises `Refused` while it is not initialised."""
        if self.machine.phase is not Phase.RUNNING:
            raise Refused(f"bill validator is {self.machine.phase.value}")
        self._sink.put(br.StackerRead(self._stacker()))

    # --- CcTalkDevice ------------------------------------------------------------------

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
            if isinstance(news, cn.BillStacked):
                self._keep(news.counter)
            for report in self._reports(news):
                self._sink.put(report)
        self._keep(self.machine.log.last)

    def _keep(self, counter: int | None) -> None:
        """Never ahead of what was reported: a bill behind it would not be credited again."""
        if counter is not None and counter != self._noted:
            self._noted = counter
            self._note(counter)

    def _reports(self, news: cn.News) -> tuple[Report, ...]:
        match news:
            case cn.FaultBegan(code, detail):
                begun = FaultStarted(code, DEVICE, detail)
                return (begun, br.StackerRead(self._stacker())) if code == _FULL else (begun,)
            case cn.FaultGone(code):
                ended = FaultEnded(code, DEVICE)
                return (ended, br.StackerRead(self._stacker())) if code == _FULL else (ended,)
            case cn.EventsLost(None) if not self._power_lost:
                self._power_lost = True
                return (FaultStarted(*POWER, detail="bills not yet reported are unknown"),)
            case cn.EventsLost():
                return ()  # its fault says so too
            case cn.BillsReady():
                healed: tuple[Report, ...] = (FaultEnded(*POWER),) if self._power_lost else ()
                self._power_lost = False
                return (*healed, self._ready(news))
            case _:
                return (_report(news),)

    def _ready(self, news: cn.BillsReady) -> Report:
        identity = DeviceIdentity(
            manufacturer=news.identity.manufacturer,
            serial=news.identity.serial,
            model=news.identity.product,
            firmware=news.identity.software,
        )
        bills = tuple(br.BillType(k.position - 1, k.value, recycled=False) for k in news.bills)
        return br.BillValidatorReady(identity, bills, True, self._stacker(), ())

    def _stacker(self) -> br.Stacker:
        full = _FULL in self.machine.faults.active
        return br.Stacker(0, full, 0)  # it does not count


def _report(news: cn.News) -> Report:
    match news:
        case cn.Lost(why):
            return br.BillValidatorLost(why)
        case cn.BillHeld(bill, position, value):
            return br.BillInEscrow(bill, position - 1, value)
        case cn.BillStacked(bill, position, value):
            return br.BillStacked(bill, position - 1, value, br.BillPath.STACKER)
        case cn.BillReturned(bill, position, value, why):
            return br.BillReturned(bill, max(0, position - 1), value, why)
        case cn.BillRefused(why):
            return br.BillRejected(why)
        case cn.BillInterrupted(bill, position, value, phase, why):
            return br.BillInterrupted(bill, position - 1, value, phase, why)
        case cn.BillUnclear(bill, position, value, why):
            return br.BillUnclear(bill, position - 1, value, why, stacker_rose=None)
        case _:
            raise AssertionError(f"no news of a bill validator: {news}")
