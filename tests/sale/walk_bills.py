"""Random walks: what a validator may tell, given what it was told and what is inside it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from tests.sale.bench import Bench
from tests.sale.script_bills import (
    GONE,
    LOST,
    READING,
    RECYCLER,
    STACKER,
    again,
    by_hand,
    escrowed,
    rejected,
    stacked_unseen,
)
from tests.sale.worlds import BILL_OF, BILLS
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillPath,
    BillPayoutEnded,
    BillReturned,
    BillsRemoved,
    BillStacked,
    BillUnclear,
    RecyclerChange,
    RecyclerRead,
    RecyclerStore,
    Stacker,
    StackerRead,
)
from vendd.core.sale.pieces import BillDoing
from vendd.core.sale.states import Paying

Move = Callable[[Bench], object]

_values: Final = st.sampled_from(sorted(BILL_OF))
_small: Final = st.integers(0, 2)


def _busy(bench: Bench) -> bool:
    """A bill is inside, or may be."""
    return bench.state.bill is not None or bench.state.bill_reading


def _insert(value: int, end: str) -> Move:
    """A bill of a kind that is taken (or was, a moment ago) goes in."""

    def insert(bench: Bench) -> None:
        world = bench.world.validator
        if not world.ready or _busy(bench) or (value not in bench.bills and end != "escrow"):
            return
        bench.report(READING)
        if not world.escrow and end in ("escrow", "stacked"):
            bench.report(stacked_unseen(value))
        elif end in ("escrow", "stacked"):
            escrowed(value)(bench)
            if end == "stacked":
                answer("as ordered", to_recycler=False)(bench)
        elif end == "rejected":
            bench.report(rejected())
        elif end == "gone":
            bench.report(GONE)

    return insert


def _come_to_something(value: int, *, good: bool) -> Move:
    """What was being read is in escrow, or gone."""

    def come(bench: Bench) -> None:
        if bench.state.bill_reading and bench.state.bill is None:
            if good and bench.world.validator.escrow:
                escrowed(value)(bench)
            else:
                bench.report(GONE)

    return come


def answer(how: str, *, to_recycler: bool) -> Move:
    """What came of the order for the bill that was in escrow, or of the bill in doubt."""

    def tell(bench: Bench) -> None:
        model, known = bench.validator, bench.state.bill
        number = model.ordered if model.ordered is not None else model.waiting
        in_doubt = known is not None and known.doing is BillDoing.AWAITED
        if known is None or (number is None and not in_doubt):
            return
        if in_doubt:
            number = known.bill
            if not bench.world.validator.ready:
                return
        _tell(bench, how, number, known.type, known.value, _path(bench, known.type, to_recycler))

    return tell


def _path(bench: Bench, type_: int, wanted: bool) -> BillPath:
    kinds = {b.type for b in bench.world.validator.bills if b.recycled}
    return RECYCLER if wanted and type_ in kinds and bench.world.recycler else STACKER


def _tell(
    bench: Bench, how: str, number: int | None, type_: int, value: int, path: BillPath
) -> None:
    known, waiting = bench.state.bill, bench.validator.waiting is not None
    stacking = known is not None and known.doing is BillDoing.STACKING
    match how:
        case "as ordered" if waiting:
            pass
        case "as ordered" if stacking:
            bench.report(BillStacked(number, type_, value, path))
        case "as ordered" | "returned":
            bench.report(BillReturned(number, type_, value, "returned"))
        case "removed":
            bench.report(BillReturned(number, type_, value, "removed"))
        case "again" if number is None:
            bench.report(BillInEscrow(bench.validator.seen + 1, type_, value))
        case "again":
            again(value)(bench)
        case "stacked":
            bench.report(BillStacked(number, type_, value, path))
        case "another value":
            other = BILLS[(type_ + 1) % len(BILLS)]
            bench.report(BillStacked(number, other.type, other.value, STACKER))
        case "unclear":
            bench.report(BillUnclear(number, type_, value, "no_report", None))
        case _:
            bench.report(BillInterrupted(number, type_, value, "stacking", "reset"))


def _turn_up(bench: Bench) -> None:
    """A bill that nobody found is in the stacker after all."""
    for lost in bench.state.unclear_bills[:1]:
        if lost.bill is not None:
            bench.report(BillStacked(lost.bill, BILL_OF[lost.value].type, lost.value, STACKER))


def lose(bench: Bench) -> None:
    """The validator dies, with what is inside it."""
    known = bench.state.bill
    if known is not None and known.doing is not BillDoing.AWAITED:
        bench.report(
            BillInterrupted(known.bill, known.type, known.value, known.doing.value, "lost")
        )
    elif bench.state.bill_reading:
        bench.report(BillInterrupted(None, None, 0, "reading", "lost"))
    bench.report(LOST)


def _shifted(bench: Bench, shift: dict[int, int], *, broken: bool) -> tuple[RecyclerStore, ...]:
    stores = tuple(
        replace(s, count=max(0, s.count + shift.get(s.value, 0)), full=False, defective=False)
        for s in bench.world.recycler
    )
    if broken and stores:
        stores = (replace(stores[0], count=0, full=True, defective=True), *stores[1:])
    return stores


def _up(shift: dict[int, int], *, broken: bool, dead: bool) -> Move:
    """It comes up: after having been away, or after a reset of its own."""

    def up(bench: Bench) -> None:
        if not bench.world.validator.fitted:
            return
        if dead or _busy(bench):
            lose(bench)
        escrow = bench.world.validator.escrow or not bench.world.validator.bills
        bench.validator_up(_shifted(bench, shift, broken=broken), escrow=escrow)

    return up


def _payout(keep: int, more: int, *, certain: bool) -> Move:
    def end(bench: Bench) -> None:
        phase = bench.state.phase
        if isinstance(phase, Paying) and phase.payout.asked and phase.payout.out == "bills":
            bills = dict(phase.payout.bills)
            for type_ in list(bills)[:1]:
                bills[type_] = max(0, bills[type_] - keep + more)
            bench.report(BillPayoutEnded(phase.payout.id, tuple(bills.items()), certain))

    return end


def _by_hand(value: int, change: RecyclerChange) -> Move:
    def move(bench: Bench) -> None:
        if any(s.value == value for s in bench.world.recycler):
            bench.report(by_hand(value, change))

    return move


def _read(shift: dict[int, int], *, broken: bool) -> Move:
    def read(bench: Bench) -> None:
        if bench.world.recycler:
            bench.report(RecyclerRead(_shifted(bench, shift, broken=broken)))

    return read


_HOWS: Final = (
    *3 * ("as ordered",),
    "returned",
    "removed",
    "again",
    "stacked",
    "another value",
    "unclear",
    "interrupted",
)
_STRAYS: Final = (
    BillsRemoved(3),
    StackerRead(Stacker(0, full=True, capacity=500)),
    StackerRead(Stacker(0, full=False, capacity=500)),
    BillReturned(None, 0, 500, "returned"),
    BillReturned(9, 0, 500, "removed"),
    BillUnclear(9, 0, 500, "no_report", None),
    BillStacked(None, 0, 0, STACKER),
    BillPayoutEnded("p0", ((0, 1),), certain=True),
    rejected("disabled"),
)


def bill_moves() -> st.SearchStrategy[Move]:
    ends = st.sampled_from(("escrow", "escrow", "stacked", "reading", "rejected", "gone"))
    shifts = st.dictionaries(st.sampled_from((500, 1_000)), st.integers(-2, 2), max_size=1)
    yes = st.booleans()
    return st.one_of(
        st.builds(_insert, _values, ends),
        st.builds(_insert, _values, st.just("stacked")),
        st.builds(lambda v, g: _come_to_something(v, good=g), _values, yes),
        st.builds(lambda h, r: answer(h, to_recycler=r), st.sampled_from(_HOWS), yes),
        st.builds(lambda h, r: answer(h, to_recycler=r), st.sampled_from(_HOWS), yes),
        st.builds(lambda k, c: _payout(k, 0, certain=c), _small, yes),
        st.builds(lambda m: _payout(0, m, certain=True), _small),
        st.builds(lambda s, b, d: _up(s, broken=b, dead=d), shifts, yes, yes),
        st.sampled_from((lose, _turn_up)),
        st.builds(_by_hand, st.sampled_from((500, 1_000)), st.sampled_from(RecyclerChange)),
        st.builds(lambda s, b: _read(s, broken=b), shifts, yes),
        st.sampled_from(_STRAYS).map(lambda r: lambda b: b.report(r)),
    )
