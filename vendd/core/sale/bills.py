"""Bills: from the first sight of one until it is in a book or in the customer's hand again.

A bill is money once it is in the stacker or the recycler, never before. One that waits in
escrow can be spent and taken back, and stands in no book.
"""

from dataclasses import replace
from typing import Final

from vendd.core import ledger
from vendd.core.facts import Outcome, Reason
from vendd.core.rows import BoxChanged, CountersAdded, Posted, RecyclerSet, Released, Reserved
from vendd.core.sale import card, doubt, security, tenders
from vendd.core.sale.acts import ReturnBill, StackBill
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillPath,
    BillReading,
    BillRejected,
    BillReturned,
    BillStacked,
    BillType,
    BillUnclear,
)
from vendd.core.sale.cash import add_credit, is_fill
from vendd.core.sale.closing import claim_for, close_sale, leave, restart_time, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.lever import pull
from vendd.core.sale.paying import pay
from vendd.core.sale.pieces import (
    Bill,
    BillDoing,
    UnclearBill,
)
from vendd.core.sale.recycler import store_of
from vendd.core.sale.reports import Timer
from vendd.core.sale.sales import new_sale, start_vending
from vendd.core.sale.states import (
    ClaimShown,
    Credit,
    Idle,
    OverpayAsked,
    Returning,
    Stacking,
    WaitingForTap,
)

_UNCLEAR_KEPT: Final = 4


def on_reading(d: Draft, report: BillReading) -> None:
    """A bill is on its way in, or gone without another word."""
    d.set(bill_reading=report.active)
    if report.active:
        d.hush()
        restart_time(d)
    elif d.state.bill is None:
        _serve_lever(d)


def _serve_lever(d: Draft) -> None:
    """The lever was pressed while the bill moved; now it can mean something."""
    if d.state.bill_lever:
        d.set(bill_lever=False)
        pull(d)


# --- in escrow -------------------------------------------------------------------------


def on_escrow(d: Draft, report: BillInEscrow) -> None:
    """It waits for our word. A second report of the same bill: the word had no effect."""
    d.set(bill_reading=False)
    bill, known, phase = Bill(report.bill, report.type, report.value), d.state.bill, d.state.phase
    if known is not None and known.doing is BillDoing.ESCROW and known.bill == bill.bill:
        return
    d.disarm(Timer.BILL)
    match phase:
        case Stacking(sale):
            d.record(Released(sale.id, sale.selection))
            close_sale(d, sale, Outcome.CANCELLED, Reason.BILL_NOT_STACKED)
            _send_back(d, bill)
            to_credit(d)
        case Returning():
            _send_back(d, bill)
        case _:
            _decide(d, bill)


def _decide(d: Draft, bill: Bill) -> None:
    """R2 once more, with the bill in escrow."""
    d.set(bill=None)
    without = replace(d.state, bill_lever=False)
    kind = BillType(bill.type, bill.value, _recycled(d, bill.type))
    if d.state.bill_lever or not tenders.bill_welcome(without, d.world, kind):
        _send_back(d, bill)
    elif tenders.is_held(without, d.world, bill.value):
        d.set(bill=bill)
        _now_held(d)
    else:
        assert bill.bill is not None
        d.set(bill=replace(bill, doing=BillDoing.STACKING))
        d.do(StackBill(bill.bill))


def _recycled(d: Draft, type_: int) -> bool:
    return any(b.type == type_ and b.recycled for b in d.world.validator.bills)


def _send_back(d: Draft, bill: Bill) -> None:
    assert bill.bill is not None
    d.set(bill=replace(bill, doing=BillDoing.RETURNING))
    d.do(ReturnBill(bill.bill))


def _now_held(d: Draft) -> None:
    """The customer can spend it from now on."""
    d.hush()
    match d.state.phase:
        case WaitingForTap():
            card.cancel_for_cash(d)
        case Idle() | ClaimShown() | OverpayAsked():
            to_credit(d)
        case _:
            restart_time(d)


# --- its end ------------------------------------------------------------------------------


def _is_ours(d: Draft, bill: int | None) -> bool:
    """Whether a report speaks of the bill on record; one of an earlier life has no number."""
    known = d.state.bill
    return known is not None and (bill is None or known.bill is None or known.bill == bill)


def on_stacked(d: Draft, report: BillStacked) -> None:
    """In the stacker or the recycler: this and nothing else is credit."""
    d.set(bill_reading=False)
    ours = _is_ours(d, report.bill)
    if ours:
        d.set(bill=None)
        d.disarm(Timer.BILL)
    if report.value <= 0:
        return
    turned_up = UnclearBill(report.bill, report.value)
    if not ours and report.bill is not None and turned_up in d.state.unclear_bills:
        left = tuple(b for b in d.state.unclear_bills if b != turned_up)
        d.set(unclear_bills=left)
        _store(d, report, ledger.UNEXPLAINED, "bill_turned_up")  # its value is a claim already
    elif not ours and is_fill(d):
        _store(d, report, ledger.FILLS, "fill")
    else:
        _store(d, report, ledger.CUSTOMER, "bill_in")
        d.record(CountersAdded(cash_in=report.value))
        _credit(d, report.value, ours=ours)


def _store(d: Draft, report: BillStacked, source: str, reason: str) -> None:
    value = report.value
    if report.path is BillPath.STACKER:
        d.record(
            Posted(ledger.STACKER, source, value, reason), BoxChanged(ledger.STACKER, value, 1)
        )
        return
    store = store_of(d, report.type, value)
    d.record(
        Posted(ledger.recycler(value), source, value, reason),
        RecyclerSet(report.type, value, store.count + 1, store.full, store.defective),
    )


def _credit(d: Draft, value: int, *, ours: bool) -> None:
    phase = d.state.phase
    add_credit(d, value, bills=True)
    match phase:
        case Stacking(sale) if ours:
            _vend(d, sale.selection)
        case Returning(kind, why, sale) if ours:  # it did not give it back: coins, then
            pay(d, kind, why, sale)
        case _:
            _serve_lever(d)


def _vend(d: Draft, selection: str) -> None:
    """The held bill is in: what it was taken for may begin, if nothing speaks against it now."""
    phase = d.state.phase
    assert isinstance(phase, Stacking)
    if d.selling:
        start_vending(d, phase.sale)
        return
    d.record(Released(phase.sale.id, selection))
    close_sale(d, phase.sale, Outcome.CANCELLED, Reason.DOOR_OPENED)
    to_credit(d)


def on_returned(d: Draft, report: BillReturned) -> None:
    """The customer has it again."""
    d.set(bill_reading=False)
    known = d.state.bill
    if known is None or not _is_ours(d, report.bill):
        _serve_lever(d)
        return
    d.set(bill=None)
    d.disarm(Timer.BILL)
    if report.why == "removed" and known.doing is BillDoing.ESCROW:
        security.tell(d, "bill_pulled_back", "bill_validator", 1, "not_credited")
    _without_bill(d)


def _without_bill(d: Draft) -> None:
    """The bill is out of the game: what was waiting for it goes on."""
    match d.state.phase:
        case Stacking(sale):
            d.record(Released(sale.id, sale.selection))
            close_sale(d, sale, Outcome.CANCELLED, Reason.BILL_NOT_STACKED)
            lever = d.state.customer is not None and d.state.customer.lever
            _credit_or_gone(d)
            d.say("bill_returned", d.policy.refusal_ms)
            if lever or d.state.bill_lever:
                d.set(bill_lever=False)
                pull(d)
        case Returning(kind, why, sale):
            pay(d, kind, why, sale)
        case Credit() if d.state.credit == 0:
            leave(d)
        case _:
            _serve_lever(d)


def _credit_or_gone(d: Draft) -> None:
    if d.state.credit:
        to_credit(d)
    else:
        leave(d)


def on_rejected(d: Draft, report: BillRejected) -> None:
    """It came back before it was any money."""
    d.set(bill_reading=False)
    if report.why == "rejected":
        security.tell(d, "bill_rejected", "bill_validator", report.count, "no_credit")
    restart_time(d)
    if d.state.bill is None:
        _serve_lever(d)


def on_interrupted(d: Draft, report: BillInterrupted) -> None:
    """The validator was reset or lost with a bill inside: its own report decides."""
    d.set(bill_reading=False)
    known = d.state.bill
    if known is not None and _is_ours(d, report.bill):
        d.set(bill=replace(known, doing=BillDoing.AWAITED))
        d.arm(Timer.BILL, d.policy.idle_credit_ms)


def on_stack_time(d: Draft) -> None:
    """30 s: treated as not stacked (or not returned). What becomes of the bill is still told."""
    bill = d.state.bill
    if bill is not None:
        d.set(bill=replace(bill, doing=BillDoing.AWAITED))
        d.arm(Timer.BILL, d.policy.idle_credit_ms)
    _without_bill(d)


# --- nobody knows ---------------------------------------------------------------------------


def on_unclear(d: Draft, report: BillUnclear) -> None:
    """The validator can't say where it is: a claim, published as doubtful."""
    if report.value > 0 and (report.bill is None or _is_ours(d, report.bill)):
        rose = {None: "unknown", True: "yes", False: "no"}[report.stacker_rose]
        _lost_bill(d, report.bill, report.value, f"{report.why}, stacker rose: {rose}")


def on_bill_time(d: Draft) -> None:
    """No word in time."""
    bill = d.state.bill
    if bill is not None and bill.doing is BillDoing.AWAITED:
        _lost_bill(d, bill.bill, bill.value, "no report")


def _lost_bill(d: Draft, bill: int | None, value: int, status: str) -> None:
    d.disarm(Timer.BILL)
    phase = d.state.phase
    sale = phase.sale if isinstance(phase, Stacking) else None
    d.set(
        bill=None,
        unclear_bills=(*d.state.unclear_bills, UnclearBill(bill, value))[-_UNCLEAR_KEPT:],
    )
    sale_id = sale.id if sale else ""
    doubt.doubtful_bill(d, sale_id, value, status, power_loss=bill is None)
    ref = claim_for(d, value, "bill_unclear", sale.id if sale else None)
    if isinstance(phase, Stacking | Returning):
        _without_bill(d)
    if d.state.credit == 0 and isinstance(d.state.phase, Idle | Credit):
        d.set(customer=None)
        d.go(ClaimShown(ref, value), d.policy.claim_ms)
    elif not isinstance(d.state.phase, ClaimShown):
        d.say("claim", d.policy.claim_ms, amount=value, ref=ref)


# --- a selection with a held bill --------------------------------------------------------------


def stack_for(d: Draft, selection: str, overpay: int) -> None:
    """Reserve, then stack; the motor waits for `BillStacked`."""
    bill = d.state.bill
    assert bill is not None
    assert bill.bill is not None
    sale = new_sale(d, selection, overpay=overpay)
    d.clear_entry()
    d.hush()
    d.record(Reserved(sale.id, selection))
    d.set(bill=replace(bill, doing=BillDoing.STACKING))
    d.go(Stacking(sale), d.policy.stack_ms)
    d.do(StackBill(bill.bill))
