"""Tubes as they really are: the books follow the changer's own counts, every difference booked."""

from typing import Final

from vendd.core import ledger
from vendd.core.facts import CashMoved, CoinCount
from vendd.core.rows import Posted, TubeSet
from vendd.core.sale.acts import ReadTubes
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import on_tubes_after
from vendd.core.sale.reports import Timer, Tube, TubesRead
from vendd.core.sale.states import (
    Paying,
)

LOOK_AGAIN_MS: Final = 2_000
"""A coin's own report follows its fall into the tube within a few polls."""


def on_tubes_read(d: Draft, report: TubesRead) -> None:
    """A status taken at rest. A difference counts when it is seen twice running: a coin may
    have fallen into its tube a moment before its report."""
    phase = d.state.phase
    if isinstance(phase, Paying):
        if phase.payout.unknown:
            on_tubes_after(d, report.tubes)
            take_tubes(d, report.tubes, "correction")
        return
    odd = _odd(d, report.tubes)
    if odd and odd != d.state.tubes_doubted:
        d.set(tubes_doubted=odd)
        d.arm(Timer.TUBES, LOOK_AGAIN_MS)
        return
    take_tubes(d, report.tubes, "fill" if d.world.door_open else "correction")


def look_again(d: Draft) -> None:
    """The second reading that a doubt needs: the changer tells of changes only."""
    if d.state.tubes_doubted:
        d.do(ReadTubes())


def _odd(d: Draft, now: tuple[Tube, ...]) -> tuple[tuple[int, int], ...]:
    book = {t.type: t.count for t in d.world.tubes}
    return tuple(
        (t.type, t.count) for t in now if not t.defective and t.count != book.get(t.type, 0)
    )


def take_tubes(d: Draft, now: tuple[Tube, ...], reason: str) -> None:
    """Make the books say what the changer says of all its tubes.

    A defective tube's count is unknown, not 0: the books keep theirs, and nothing is paid from
    it. A tube that is not there any more holds nothing.
    """
    d.set(tubes_doubted=())
    known = {t.type: t for t in d.world.tubes}
    for tube in now:
        book = known.pop(tube.type, None)
        if book != tube:
            _take(d, book, tube, reason)
    for gone in known.values():
        if gone.count or gone.full or gone.defective:
            _take(d, gone, Tube(gone.type, gone.value, 0), reason)


def _take(d: Draft, book: Tube | None, tube: Tube, reason: str) -> None:
    if book is not None and book.value != tube.value:  # another kind of coin in its place
        _move(d, book.value, -book.count, reason)
        book = None
    held = book.count if book else 0
    count = held if tube.defective else tube.count
    _move(d, tube.value, count - held, reason)
    d.record(TubeSet(tube.type, tube.value, count, tube.full, tube.defective))


def _move(d: Draft, coin: int, delta: int, reason: str) -> None:
    """`delta` coins more (or fewer) in the tubes of `coin` than the books knew."""
    if not delta:
        return
    store, value = ledger.tube(coin), abs(delta) * coin
    account = ledger.FILLS if reason == "fill" else ledger.UNEXPLAINED
    other = "operator" if reason == "fill" else "unexplained"
    debit, credit = (store, account) if delta > 0 else (account, store)
    src, dst = (other, "tube") if delta > 0 else ("tube", other)
    counts = (CoinCount(coin, abs(delta)),)
    d.record(
        Posted(debit, credit, value, reason),
        CashMoved(src, dst, counts, value, reason, d.world.door_open),
    )
