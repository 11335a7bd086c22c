"""Deeds for bills: what a validator with or without a recycler tells of them."""

from tests.sale.bench import Bench
from tests.sale.script import Deed, several
from tests.sale.worlds import BILL_OF
from vendd.core.sale.acts import PayBills
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillPath,
    BillPayoutEnded,
    BillReading,
    BillRejected,
    BillReturned,
    BillStacked,
    BillUnclear,
    BillValidatorLost,
    RecyclerChange,
    RecyclerHandled,
    RecyclerRead,
)
from vendd.core.sale.reports import Report

READING = BillReading(active=True)
GONE = BillReading(active=False)
LOST = BillValidatorLost("silent")
RECYCLER, STACKER = BillPath.RECYCLER, BillPath.STACKER


def escrowed(value: int) -> Deed:
    """The next bill stands in escrow."""
    return lambda b: b.report(BillInEscrow(b.validator.seen + 1, BILL_OF[value].type, value))


def bill(value: int) -> Deed:
    """It goes in as far as the escrow."""
    return several(READING, escrowed(value))


def again(value: int) -> Deed:
    """The order had no effect: the newest bill stands in escrow once more."""
    return lambda b: b.report(BillInEscrow(b.validator.seen, BILL_OF[value].type, value))


def stacked(value: int, path: BillPath = STACKER) -> Deed:
    """The newest bill is in."""
    return lambda b: b.report(_stacked(b.validator.seen or None, value, path))


def _stacked(number: int | None, value: int, path: BillPath) -> Report:
    return BillStacked(number, BILL_OF[value].type, value, path)


def stacked_unseen(value: int, path: BillPath = STACKER) -> Report:
    """A bill that was never seen in escrow, or in an earlier life."""
    return _stacked(None, value, path)


def swallowed(value: int, path: BillPath = STACKER) -> Deed:
    """A bill goes in and is stacked as the machine wishes."""
    return several(READING, escrowed(value), stacked(value, path))


def returned(value: int, why: str = "ordered") -> Deed:
    """The customer has the newest bill again."""
    return lambda b: b.report(BillReturned(b.validator.seen, BILL_OF[value].type, value, why))


def returned_unseen(value: int) -> Report:
    return BillReturned(None, BILL_OF[value].type, value, "returned")


def interrupted(value: int, phase: str = "stacking") -> Deed:
    """The validator is reset, or lost, with the newest bill inside."""
    kind = BILL_OF[value].type
    return lambda b: b.report(BillInterrupted(b.validator.seen, kind, value, phase, "reset"))


def unclear(value: int, *, rose: bool | None = None) -> Deed:
    """Nobody knows where the newest bill is; None after a power cut."""
    kind = BILL_OF[value].type
    return lambda b: b.report(BillUnclear(b.validator.seen or None, kind, value, "no_report", rose))


def rejected(why: str = "rejected") -> Report:
    return BillRejected(why)


# --- the recycler ---------------------------------------------------------------------------


def paid_bills(*, certain: bool = True, **bills: int) -> Deed:
    """The newest payout from the recycler is over; without bills it paid all it was asked for.

    ``paid_bills(b500=1)`` is one bill of 5.00.
    """

    def end(bench: Bench) -> None:
        asked = bench.newest(PayBills)
        left = tuple((BILL_OF[int(name[1:])].type, n) for name, n in bills.items())
        bench.report(BillPayoutEnded(asked.payout_id, left if bills else asked.bills, certain))

    return end


def no_bills_paid(bench: Bench) -> None:
    bench.report(BillPayoutEnded(bench.newest(PayBills).payout_id, (), certain=True, why="jam"))


def counted(bench: Bench, **counts: int) -> None:
    """The recycler is read; ``counted(b, b500=3)``, as the books say where nothing is named."""
    given = {int(name[1:]): n for name, n in counts.items()}
    stores = (type(s)(s.type, s.value, given.get(s.value, s.count)) for s in bench.world.recycler)
    bench.report(RecyclerRead(tuple(stores)))


def by_hand(value: int, change: RecyclerChange) -> Report:
    return RecyclerHandled(BILL_OF[value].type, value, change)
