"""What a payout does to the books: coins out of tubes, and what did not leave back to credit.

A payout moves its amount from ``customer`` to ``change`` or ``refunds`` before
the first coin; each coin that left then moves it on from there, and what did not
leave goes back to ``customer``. So a power cut at any instant finds the
remainder in exactly one account.
"""

from typing import Literal

from vendd.core import ledger
from vendd.core.rows import CountersAdded, Posted, RecyclerSet, TubeSet
from vendd.core.sale.draft import Draft
from vendd.core.sale.pieces import (
    Payout,
)
from vendd.core.sale.reports import Tube

Coins = tuple[tuple[int, int], ...]
"""(coin type, count)."""


def account(kind: Literal["change", "refund"]) -> str:
    return ledger.CHANGE if kind == "change" else ledger.REFUNDS


def decide(d: Draft, payout: Payout) -> None:
    """The amount leaves the credit."""
    d.record(Posted(ledger.CUSTOMER, account(payout.kind), payout.amount, payout.kind, payout.id))
    d.set(credit=d.state.credit - payout.amount)


def back_to_credit(d: Draft, payout: Payout, amount: int) -> None:
    """What did not leave the machine."""
    if amount > 0:
        d.record(Posted(account(payout.kind), ledger.CUSTOMER, amount, "unpaid", payout.id))
        d.set(credit=d.state.credit + amount)


def book_coins(d: Draft, payout: Payout, paid: Coins) -> int:
    """Coins of this payout left their tubes. Returns how much of its amount that was."""
    tubes = {t.type: t for t in d.world.tubes}
    total, room = 0, payout.amount - payout.bills_out
    for type_, count in paid:
        tube = tubes.get(type_)
        if tube is not None and count > 0:
            _book(d, payout, ledger.tube(tube.value), tube.value * count, room - min(total, room))
            take_from_tube(d, tube, count)
            total += tube.value * count
    _count_out(d, total)
    return min(total, room)


def book_bills(d: Draft, payout: Payout, paid: Coins) -> int:
    """Bills of this payout left the recycler. Returns how much of its amount that was."""
    stores = {s.type: s for s in d.world.recycler}
    total, room = 0, payout.amount
    for type_, count in paid:
        store = stores.get(type_)
        if store is not None and count > 0:
            name = ledger.recycler(store.value)
            _book(d, payout, name, store.value * count, room - min(total, room))
            missing = (count - store.count) * store.value
            if missing > 0:
                d.record(Posted(name, ledger.UNEXPLAINED, missing, "undercounted"))
            left = max(0, store.count - count)
            d.record(RecyclerSet(store.type, store.value, left, False, store.defective))
            total += store.value * count
    _count_out(d, total)
    return min(total, room)


def _count_out(d: Draft, total: int) -> None:
    if total:
        d.record(CountersAdded(cash_out=total))
        if d.state.customer is not None:
            d.customer_with(returned=d.state.customer.returned + total)


def _book(d: Draft, payout: Payout, store: str, value: int, room: int) -> None:
    due = min(value, room)
    if due:
        d.record(Posted(account(payout.kind), store, due, payout.kind, payout.id))
    if value > due:  # more left the store than was decided: never hidden
        d.record(Posted(ledger.UNEXPLAINED, store, value - due, "paid_too_much", payout.id))


def take_from_tube(d: Draft, tube: Tube, count: int) -> None:
    """`count` coins fewer in this tube; their value is posted by the caller.

    More than the books knew of: then they were there, unexplained.
    """
    missing = (count - tube.count) * tube.value
    if missing > 0:
        d.record(Posted(ledger.tube(tube.value), ledger.UNEXPLAINED, missing, "undercounted"))
    left = max(0, tube.count - count)
    d.record(TubeSet(tube.type, tube.value, left, False, tube.defective))
