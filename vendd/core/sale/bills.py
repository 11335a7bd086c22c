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
    BillValidatorLost,
)
from vendd.core.sale.cash import add_credit, is_fill
from vendd.core.sale.closing import claim_for, close_sale, leave, restart_time, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.lever import pull
from vendd.core.sale.paying import pay
from vendd.core.sale.pieces import Bill, BillDoing, Sale, UnclearBill
from vendd.core.sale.recycler import store_of
from vendd.core.sale.reports import Timer
from vendd.core.sale.sales import new_sale, start_vending
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Returning,
    Stacking,
    WaitingForTap,
)
from vendd.core.sale.tariff import Tariff

_UNCLEAR_KEPT: Final = 4


def on_reading(d: Draft, report: BillReading) -> None:
    """A bill is on its way in, or gone without another word."""
    if not report.active:
        _read(d)
        return
    d.set(bill_reading=True)
    d.hush()
    restart_time(d)
    if d.state.bill is None:
        d.arm(Timer.BILL, d.policy.stack_ms)


def _read(d: Draft) -> None:
    """Nothing came of it."""
    d.set(bill_reading=False)
    if d.state.bill is None:
        d.disarm(Timer.BILL)
        _go_on(d)


def _go_on(d: Draft) -> None:
    """A payout, or the lever, waited until no bill moved."""
    if d.state.bill_moves:
        return
    lever, phase = d.state.bill_lever, d.state.phase
    d.set(bill_lever=False)
    if isinstance(phase, Returning):
        pay(d, phase.kind, phase.why, phase.sale)
    elif lever:
        pull(d)


def on_lost(d: Draft, _: BillValidatorLost) -> None:
    """What it had inside is told by reports of its own."""
    d.set(bill_reading=False)
    _go_on(d)


# --- in escrow -------------------------------------------------------------------------


def on_escrow(d: Draft, report: BillInEscrow) -> None:
    """It waits for our word. A second report of the same bill: the word had no effect."""
    d.set(bill_reading=False)
    bill, known = Bill(report.bill, report.type, report.value), d.state.bill
    if known is not None and known.doing is BillDoing.ESCROW and known.bill == bill.bill:
        return
    if known is not None and not _same(known, bill):
        _lost_bill(d, known.bill, known.value, "another bill came")
    d.disarm(Timer.BILL)
    if isinstance(d.state.phase, Stacking | Returning):
        _send_back(d, bill)
    else:
        _decide(d, bill)


def _same(known: Bill, bill: Bill) -> bool:
    """A bill of an earlier life has a new number now."""
    alike = known.bill is None and (known.type, known.value) == (bill.type, bill.value)
    return alike or known.bill == bill.bill


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
        _stack(d, bill)
        d.arm(Timer.BILL, d.policy.stack_ms)


def _stack(d: Draft, bill: Bill) -> None:
    assert bill.bill is not None
    d.set(bill=replace(bill, doing=BillDoing.STACKING))
    d.do(StackBill(bill.bill))


def _recycled(d: Draft, type_: int) -> bool:
    return any(b.type == type_ and b.recycled for b in d.world.validator.bills)


def _send_back(d: Draft, bill: Bill) -> None:
    assert bill.bill is not None
    d.set(bill=replace(bill, doing=BillDoing.RETURNING))
    d.do(ReturnBill(bill.bill))
    if not isinstance(d.state.phase, Stacking | Returning):  # those have a timer of their own
        d.arm(Timer.BILL, d.policy.stack_ms)


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
    return d.state.bill is not None and d.state.bill.bill == bill


def on_stacked(d: Draft, report: BillStacked) -> None:
    """In the stacker or the recycler: this and nothing else is credit."""
    if report.value <= 0:
        return
    d.set(bill_reading=False)
    known, ours = d.state.bill, _is_ours(d, report.bill)
    if ours or known is None:
        d.set(bill=None)
        d.disarm(Timer.BILL)
    if not ours and _claimed_before(d, report.bill, report.value):
        _store(d, report, ledger.UNEXPLAINED, "bill_turned_up")  # its value is a claim already
    elif not ours and is_fill(d):
        _store(d, report, ledger.FILLS, "fill")
    else:
        _store(d, report, ledger.CUSTOMER, "bill_in")
        d.record(CountersAdded(cash_in=report.value))
        _credit(d, report.value, known if ours else None)


def _claimed_before(d: Draft, bill: int | None, value: int) -> bool:
    """This bill is a claim already, and now it is accounted for. Where every bill is seen in
    escrow one without a number can only be of an earlier life."""
    one, known = UnclearBill(bill, value), list(d.state.unclear_bills)
    if one not in known or (bill is None and not d.world.validator.escrow):
        return False
    known.remove(one)
    d.set(unclear_bills=tuple(known))
    return True


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


def _credit(d: Draft, value: int, known: Bill | None) -> None:
    """`known`: the bill on record, if it is this one."""
    phase = d.state.phase
    add_credit(d, value, bills=True)
    match phase:
        case Stacking() if known is not None:
            _vend(d, as_expected=known.value == value)
        case _:
            _go_on(d)


def _vend(d: Draft, *, as_expected: bool) -> None:
    """The held bill is in: what it was taken for may begin, if nothing speaks against it now."""
    phase = d.state.phase
    assert isinstance(phase, Stacking)
    if d.selling and as_expected:
        start_vending(d, phase.sale)
    else:
        _cancel(d, phase.sale, Reason.BILL_NOT_STACKED if d.selling else Reason.DOOR_OPENED)


def _cancel(d: Draft, sale: Sale, reason: Reason, text: str = "") -> None:
    """No vend: the customer chooses again, unless the lever was pressed meanwhile."""
    lever = d.state.customer is not None and d.state.customer.lever
    d.record(Released(sale.id, sale.selection))
    close_sale(d, sale, Outcome.CANCELLED, reason)
    if d.state.credit:
        d.customer_with(lever=False)
        to_credit(d)
    else:
        leave(d)
    if text:
        d.say(text, d.policy.refusal_ms, selection=sale.selection)
    if lever:
        pull(d)


def on_returned(d: Draft, report: BillReturned) -> None:
    """The customer has it again."""
    known = d.state.bill
    if known is None or not _is_ours(d, report.bill):
        if _claimed_before(d, report.bill, report.value):
            security.tell(d, "claimed_bill_returned", "bill_validator", 1, "claim_open")
        _read(d)
        return
    d.set(bill=None, bill_reading=False)
    d.disarm(Timer.BILL)
    if report.why == "removed" and known.doing is BillDoing.ESCROW:
        security.tell(d, "bill_pulled_back", "bill_validator", 1, "not_credited")
    _without_bill(d, "bill_returned")


def _without_bill(d: Draft, text: str = "") -> None:
    """The bill is out of the game: what was waiting for it goes on. `text`: says so."""
    phase = d.state.phase
    match phase:
        case Stacking(sale):
            _cancel(d, sale, Reason.BILL_NOT_STACKED, text)
        case Credit() | ChooseAgain() | Hold() | OverpayAsked() if d.state.credit == 0:
            d.set(bill_lever=False)
            leave(d)
        case OverpayAsked():  # what was announced counted on it
            to_credit(d)
            _go_on(d)
        case _:
            _go_on(d)


def on_rejected(d: Draft, report: BillRejected) -> None:
    """It came back before it was any money."""
    if report.why == "rejected":
        security.tell(d, "bill_rejected", "bill_validator", report.count, "no_credit")
    restart_time(d)
    _read(d)


def on_interrupted(d: Draft, report: BillInterrupted) -> None:
    """The validator was reset or lost with a bill inside: its own report decides."""
    d.set(bill_reading=False)
    if _is_ours(d, report.bill):
        _await(d)
    _go_on(d)


def _await(d: Draft) -> None:
    """Nobody knows where it is now. For the customer it is not there until it is told."""
    assert d.state.bill is not None
    d.set(bill=replace(d.state.bill, doing=BillDoing.AWAITED))
    d.arm(Timer.BILL, d.policy.idle_credit_ms)
    if isinstance(d.state.phase, OverpayAsked):
        to_credit(d)


def on_stack_time(d: Draft) -> None:
    """30 s: treated as not stacked (or not returned). What becomes of the bill is still told."""
    d.set(bill_reading=False)
    if d.state.bill is not None:
        _await(d)
    _without_bill(d, "not_available")


# --- nobody knows ---------------------------------------------------------------------------


def on_unclear(d: Draft, report: BillUnclear) -> None:
    """The validator can't say where it is: a claim, published as doubtful."""
    if report.value > 0 and (report.bill is None or _is_ours(d, report.bill)):
        rose = {None: "unknown", True: "yes", False: "no"}[report.stacker_rose]
        _lost_bill(d, report.bill, report.value, f"{report.why}, stacker rose: {rose}")


def on_bill_time(d: Draft) -> None:
    """No word in time."""
    d.set(bill_reading=False)
    bill = d.state.bill
    if bill is not None and bill.doing is BillDoing.AWAITED:
        _lost_bill(d, bill.bill, bill.value, "no report")
    elif bill is not None and bill.doing is not BillDoing.ESCROW:
        _await(d)
    _go_on(d)


def _lost_bill(d: Draft, bill: int | None, value: int, status: str) -> None:
    """`bill` None and none of an earlier life on record: one more than was ever seen."""
    phase = d.state.phase
    sale = phase.sale if isinstance(phase, Stacking) else None
    ours = _is_ours(d, bill)
    left = (*d.state.unclear_bills, UnclearBill(bill, value))[-_UNCLEAR_KEPT:]
    d.set(unclear_bills=left)
    doubt.doubtful_bill(d, sale, value, status, power_loss=bill is None and ours)
    ref = claim_for(d, value, "bill_unclear", sale)
    if ours:
        d.set(bill=None)
        d.disarm(Timer.BILL)
        _without_bill(d)
    if d.state.money == 0 and isinstance(d.state.phase, Idle | Credit | ClaimShown):
        d.set(customer=None)
        d.go(ClaimShown(ref, value), d.policy.claim_ms)
    else:
        d.say("claim", d.policy.claim_ms, amount=value, ref=ref)


# --- a selection with a held bill --------------------------------------------------------------


def stack_for(d: Draft, selection: str, tariff: Tariff, overpay: int) -> None:
    """Reserve, then stack; the motor waits for `BillStacked`."""
    bill = d.state.bill
    assert bill is not None
    sale = new_sale(d, selection, tariff, overpay=overpay)
    d.clear_entry()
    d.hush()
    d.record(Reserved(sale.id, selection))
    d.go(Stacking(sale), d.policy.stack_ms)
    _stack(d, bill)
