"""The bill validator as a device: coming and going, its recycler's counts, bills moved by hand."""

from typing import Final

from vendd.core import ledger
from vendd.core.facts import CashMoved, CoinCount, DeviceFound
from vendd.core.rows import BoxChanged, Posted, RecyclerSet
from vendd.core.sale import security, sources
from vendd.core.sale.bill_reports import (
    BillsRemoved,
    BillValidatorReady,
    RecyclerChange,
    RecyclerHandled,
    RecyclerRead,
    RecyclerStore,
)
from vendd.core.sale.closing import to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import ask_again, on_stores_after
from vendd.core.sale.pieces import (
    BillDoing,
)
from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    Owed,
    Paying,
)

READY_MS: Final = 35_000
"""A validator tells within 30 s of its initialisation what became of a bill inside."""


def store_of(d: Draft, type_: int, value: int) -> RecyclerStore:
    """What the books know of one store of the recycler."""
    empty = RecyclerStore(type_, value, 0)
    return next((s for s in d.world.recycler if s.type == type_), empty)


def on_ready(d: Draft, report: BillValidatorReady) -> None:
    """It is up: what it says of a bill inside comes soon, and its recycler is counted."""
    who = report.identity
    d.record(
        DeviceFound(
            "bill_validator",
            who.manufacturer,
            who.model,
            who.serial,
            who.firmware,
            who.level,
            who.options,
            who.currency,
            who.scale,
            who.decimals,
        )
    )
    bill = d.state.bill
    if bill is not None and bill.doing is BillDoing.AWAITED:
        d.arm(Timer.BILL, READY_MS)
    if not d.world.changer.fitted:
        d.set(booting=False)
    phase = d.state.phase
    if isinstance(phase, Paying) and phase.payout.out == "bills" and phase.payout.asked:
        if not phase.payout.unknown:
            return  # its own end is still to come
        on_stores_after(d, report.recycler)
    by_hand = not d.world.recycler or (d.world.door_open and bill is None)
    take_stores(d, report.recycler, "fill" if by_hand else "restart_difference")
    _pay_again(d)


def _pay_again(d: Draft) -> None:
    """What waited for something that pays out. A changer that is still to come up has the word."""
    phase = d.state.phase
    if not sources.ready(d.world) or (d.state.booting and not d.world.changer.ready):
        return
    if isinstance(phase, Paying) and not phase.payout.asked:
        ask_again(d)
    elif isinstance(phase, Owed) and phase.dead:
        to_credit(d)


def on_stores_read(d: Draft, report: RecyclerRead) -> None:
    """Counts taken while nothing moves by our doing."""
    phase = d.state.phase
    if isinstance(phase, Paying) and phase.payout.out == "bills":
        if not phase.payout.unknown:
            return
        on_stores_after(d, report.stores)
    take_stores(d, report.stores, "fill" if d.world.door_open else "correction")


def take_stores(d: Draft, now: tuple[RecyclerStore, ...], reason: str) -> None:
    """Make the books say what the recycler says; every difference is booked."""
    known = {s.type: s for s in d.world.recycler}
    for store in now:
        book = known.pop(store.type, None)
        if book != store:
            _take(d, book, store, reason)
    for gone in known.values():
        if gone.count or gone.full or gone.defective:
            _take(d, gone, RecyclerStore(gone.type, gone.value, 0), reason)


def _take(d: Draft, book: RecyclerStore | None, store: RecyclerStore, reason: str) -> None:
    if book is not None and book.value != store.value:
        _move(d, book.value, -book.count, reason)
        book = None
    held = book.count if book else 0
    count = held if store.defective else store.count
    _move(d, store.value, count - held, reason)
    d.record(RecyclerSet(store.type, store.value, count, store.full, store.defective))


def _move(d: Draft, value: int, delta: int, reason: str) -> None:
    if not delta:
        return
    store, amount = ledger.recycler(value), abs(delta) * value
    account = ledger.FILLS if reason == "fill" else ledger.UNEXPLAINED
    other = "operator" if reason == "fill" else "unexplained"
    debit, credit = (store, account) if delta > 0 else (account, store)
    src, dst = (other, "recycler") if delta > 0 else ("recycler", other)
    d.record(
        Posted(debit, credit, amount, reason),
        CashMoved(src, dst, (CoinCount(value, abs(delta)),), amount, reason, d.world.door_open),
    )


def on_handled(d: Draft, report: RecyclerHandled) -> None:
    """A bill moved by hand, or by the recycler's own doing into the stacker."""
    if report.value <= 0:
        return
    store, here = store_of(d, report.type, report.value), ledger.recycler(report.value)
    value, opened = report.value, d.world.door_open
    if report.change is RecyclerChange.FILLED:
        debit, credit, delta, src, dst = here, ledger.FILLS, 1, "operator", "recycler"
    elif report.change is RecyclerChange.DISPENSED:
        debit, credit, delta = ledger.MANUAL_DISPENSE, here, -1
        src, dst = "recycler", "operator"
    else:
        debit, credit, delta, src, dst = ledger.STACKER, here, -1, "recycler", "stacker"
        d.record(BoxChanged(ledger.STACKER, value, 1))
    if delta < 0 and store.count == 0:
        d.record(Posted(here, ledger.UNEXPLAINED, value, "undercounted"))
    d.record(
        Posted(debit, credit, value, report.change.value),
        RecyclerSet(report.type, value, max(0, store.count + delta), False, store.defective),
        CashMoved(src, dst, (CoinCount(value, 1),), value, report.change.value, opened),
    )


def on_removed(d: Draft, report: BillsRemoved) -> None:
    """The stacker was emptied. Behind a closed door nobody should be able to."""
    if not d.world.door_open:
        security.tell(d, "bills_removed", "bill_validator", report.count, "recorded")
