"""Vends by card that came to nothing: VEND FAILURE and what its end means for the holder.

Card money goes back to the card or not at all (M6). What a reader does not confirm is a refund
due: published with everything a person needs to find it, and closed only by a person.
"""

from dataclasses import replace
from typing import Final

from vendd.core import facts, ledger
from vendd.core.facts import (
    ClaimClosed,
    Evidence,
    Outcome,
    Reason,
    RefundDue,
    SaleDoubtful,
)
from vendd.core.rows import ClaimSet, Posted
from vendd.core.sale.acts import CancelVend, ConfirmVend, FailVend, ReleaseReader
from vendd.core.sale.card_reports import (
    RefundState,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.closing import claim_ref, close_sale
from vendd.core.sale.draft import Draft
from vendd.core.sale.failed import not_delivered
from vendd.core.sale.pieces import (
    CardPart,
    OpenVend,
    Order,
    Sale,
)
from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    Refunding,
)

_KEPT: Final = 8
"""Vends whose end a reader still owes us; more than one is rare already."""

_SAID: Final = {
    RefundState.CONFIRMED: facts.RefundState.CONFIRMED,
    RefundState.FAILED: facts.RefundState.FAILED,
    RefundState.UNCONFIRMED: facts.RefundState.UNKNOWN,
    RefundState.UNSUPPORTED: facts.RefundState.DUE,
}


def begin(d: Draft, sale: Sale, reason: Reason) -> None:
    """Not delivered: tell the reader, and nothing to the customer before it has answered."""
    assert sale.card is not None
    d.go(Refunding(replace(sale, failed=reason)), d.policy.refund_ms)
    d.do(FailVend(sale.card.reader, sale.id))


def on_settled(d: Draft, report: VendFailureSettled) -> None:
    """The reader's last word on a failed vend."""
    phase = d.state.phase
    if isinstance(phase, Refunding) and phase.sale.id == report.vend_id:
        _finish(d, phase.sale, report.state)
        return
    entry = _find(d, report.reader, report.vend_id)
    if entry is None or entry.order is Order.CONFIRM:
        return
    _drop(d, entry)
    if report.state is RefundState.CONFIRMED:
        if entry.ref is not None:
            _no_longer_due(d, entry, entry.ref)
    elif entry.ref is None:
        _due(d, entry, Reason.LATE_APPROVAL)


def on_time(d: Draft) -> None:
    """No word from the reader: due, unless it still comes."""
    phase = d.state.phase
    if isinstance(phase, Refunding):
        _finish(d, phase.sale, RefundState.UNCONFIRMED, still_open=True)


def _finish(d: Draft, sale: Sale, state: RefundState, *, still_open: bool = False) -> None:
    assert sale.card is not None
    assert sale.failed is not None
    ref = None
    if state is not RefundState.CONFIRMED:
        entry = _due(d, _entry(d, sale, Order.FAIL), sale.failed)
        ref = entry.ref
        if still_open:
            _keep(d, entry)
    due = Outcome.PARTLY_REFUNDED if sale.from_credit else Outcome.DOUBTFUL
    outcome = Outcome.REFUNDED if ref is None else due
    close_sale(d, sale, outcome, sale.failed, refund_state=_SAID[state])
    not_delivered(d, sale, ref)


# --- what is due -------------------------------------------------------------------------


def _due(d: Draft, entry: OpenVend, reason: Reason) -> OpenVend:
    """Booked, published, and given a reference. Returns the entry with that; as it was if the
    card was to pay nothing."""
    card = entry.card
    amount = card.asked if card.approved is None else card.approved
    if amount == 0:
        return entry
    ref = claim_ref(d.number("claim"))
    d.record(
        Posted(ledger.cashless(card.reader), ledger.REFUNDS_DUE, amount, "refund_due", ref),
        ClaimSet(ref, amount, "refund_due", entry.vend_id),
        RefundDue(
            sale_id=entry.vend_id,
            claim_ref=ref,
            amount=amount,
            tender="card",
            item_no=entry.item_no,
            reason=reason,
            reader_serial=card.serial or None,
            media_hash=card.media_hash or None,
            approved_at=card.approved_at,
        ),
    )
    return replace(entry, ref=ref, due=amount)


def _no_longer_due(d: Draft, entry: OpenVend, ref: str) -> None:
    """The reader gave it back after all."""
    amount = entry.due
    d.record(
        Posted(ledger.REFUNDS_DUE, ledger.cashless(entry.card.reader), amount, "refunded", ref),
        ClaimSet(ref, amount, "refund_due", entry.vend_id, "refunded_elsewhere", "reader"),
        ClaimClosed(ref, amount, "refunded_elsewhere", "reader"),
    )


# --- vends that are over for the customer ----------------------------------------------------


def _entry(d: Draft, sale: Sale, order: Order) -> OpenVend:
    assert sale.card is not None
    return OpenVend(sale.id, order, sale.card, d.world.slots[sale.selection].slot.item_no)


def _keep(d: Draft, entry: OpenVend) -> None:
    others = tuple(v for v in d.state.open_vends if v.vend_id != entry.vend_id)
    d.set(open_vends=(*others, entry)[-_KEPT:])


def _drop(d: Draft, entry: OpenVend) -> None:
    d.set(open_vends=tuple(v for v in d.state.open_vends if v != entry))


def _find(d: Draft, reader: int, vend_id: str) -> OpenVend | None:
    return next(
        (v for v in d.state.open_vends if v.vend_id == vend_id and v.card.reader == reader), None
    )


def unsettled(d: Draft, reader: int) -> bool:
    """Whether the reader has not yet told the end of a vend that is over for the customer."""
    return any(v.card.reader == reader and v.order is not Order.DENIED for v in d.state.open_vends)


def forget_denied(d: Draft, reader: int) -> None:
    """The reader is asked anew: what it has denied before can't come back."""
    kept = (v for v in d.state.open_vends if v.card.reader != reader or v.order is not Order.DENIED)
    d.set(open_vends=tuple(kept))


def remember_over(
    d: Draft, sale: Sale, order: Order, reason: Reason, *, doubtful: bool = False
) -> str | None:
    """Keep what a late approval would have to be matched with; the reference if it is due."""
    entry = _entry(d, sale, order)
    if doubtful:
        entry = _in_doubt(d, entry, reason)
    _keep(d, entry)
    return entry.ref


def remember_asked(d: Draft, sale: Sale) -> None:
    """The power went while the reader was asked: it is asked to take that back."""
    _keep(d, replace(_entry(d, sale, Order.CANCEL), power_lost=True))


def _in_doubt(d: Draft, entry: OpenVend, reason: Reason, *, power_loss: bool = False) -> OpenVend:
    """An approval may have been given that nobody could take back for certain."""
    entry = _due(d, entry, reason)
    if entry.ref is None:
        return entry
    d.record(
        SaleDoubtful(
            sale_id=entry.vend_id,
            amount=entry.card.asked,
            tender="card",
            policy="approval_unknown",
            booked_as="refund_due",
            evidence=Evidence(reader_state="no answer"),
            power_loss=power_loss,
        )
    )
    return entry


def delivered(d: Draft, sale: Sale, *, keep_session: bool) -> None:
    """VEND SUCCESS, and the note that it was not confirmed yet."""
    assert sale.card is not None
    _keep(d, _entry(d, sale, Order.CONFIRM))
    d.do(ConfirmVend(sale.card.reader, sale.id, keep_session))


def on_success(d: Draft, report: VendSuccessSettled) -> None:
    """Heard or not: the sale stands, and VEND SUCCESS is never repeated."""
    entry = _find(d, report.reader, report.vend_id)
    if entry is not None and entry.order is Order.CONFIRM:
        _drop(d, entry)


def on_denied(d: Draft, report: VendDenied) -> bool:
    """The answer to a request that was taken back; False when there is no such request."""
    entry = _find(d, report.reader, report.vend_id)
    if entry is None or entry.order is not Order.CANCEL:
        return False
    if report.doubtful and entry.ref is None:
        entry = _in_doubt(d, entry, Reason.LATE_APPROVAL, power_loss=entry.power_lost)
    _keep(d, replace(entry, order=Order.DENIED))
    return True


def of_nothing(d: Draft, report: VendApproved) -> None:
    """An approval that nobody waits for (any more): a failed vend, at once."""
    known = _find(d, report.reader, report.vend_id)
    if known is not None and known.order in (Order.FAIL, Order.CONFIRM):
        return  # said twice
    if d.state.sale is not None and d.state.sale.id == report.vend_id:
        return
    if known is None:
        part = CardPart(report.reader, report.amount)
        known = OpenVend(report.vend_id, Order.FAIL, part, item_no=0)
    part = replace(known.card, approved=report.amount, approved_at=d.world.now.wall)
    _keep(d, replace(known, order=Order.FAIL, card=part))
    d.do(FailVend(report.reader, report.vend_id))


# --- after a start ----------------------------------------------------------------------------


def resume(d: Draft) -> None:
    """Readers start held: each is told what is still open with it, the newest first, for it can
    settle one vend of an earlier life; or that nothing is."""
    phase = d.state.phase
    told = {act.vend_id for act in d.acts if isinstance(act, ConfirmVend | FailVend)}
    if isinstance(phase, Refunding) and phase.sale.id not in told:
        assert phase.sale.card is not None
        d.do(FailVend(phase.sale.card.reader, phase.sale.id))
        d.arm(Timer.REFUND, d.policy.refund_ms)
    for entry in reversed(d.state.open_vends):
        if entry.vend_id not in told:
            _resume_one(d, entry)
    busy = {act.reader for act in d.acts if isinstance(act, ConfirmVend | FailVend | CancelVend)}
    for fitted in d.world.readers:
        if fitted.number not in busy:
            d.do(ReleaseReader(fitted.number))


def _resume_one(d: Draft, entry: OpenVend) -> None:
    orders = (ConfirmVend, FailVend, CancelVend)
    reader = entry.card.reader
    busy = any(isinstance(act, orders) and act.reader == reader for act in d.acts)
    match entry.order:
        case Order.CONFIRM:
            d.do(ConfirmVend(reader, entry.vend_id))
        case Order.FAIL:
            d.do(FailVend(reader, entry.vend_id))
        case Order.CANCEL if not busy:
            d.do(CancelVend(reader, entry.vend_id))
        case _:  # answered, or before a newer vend that the reader took: nothing is open
            _drop(d, entry)
