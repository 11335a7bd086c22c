"""Card readers: sessions, requests to pay and their answers; what follows a failed vend is
`vendd.core.sale.refund`.

A holder is asked only after everything else was checked (R5), and once. Whatever ends a
request takes it back at the reader first; an approval that comes all the same is a failed vend.
"""

from dataclasses import replace
from typing import Final

from vendd.core.facts import (
    DeviceFound,
    Outcome,
    Reason,
    RefundState,
    RefusalReason,
    SaleRefused,
)
from vendd.core.rows import Released, Reserved
from vendd.core.sale import refund, security, tenders
from vendd.core.sale.acts import CancelVend, CompleteSession, RequestVend
from vendd.core.sale.card_reports import (
    CardReaderLost,
    CardReaderReady,
    Pricing,
    ReaderFault,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
)
from vendd.core.sale.closing import close_sale, leave, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.pieces import (
    CardPart,
    Order,
    Sale,
    Session,
)
from vendd.core.sale.sales import new_sale, start_vending
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    Revaluing,
    SessionOpen,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.tariff import Tariff

_WHY: Final = {
    "denied": Reason.DECLINED,
    "cancelled by reader": Reason.CANCELLED_BY_READER,
    "session ended": Reason.CANCELLED_BY_READER,
    "no answer": Reason.READER_TIMEOUT,
    "reset": Reason.READER_LOST,
    "reader failure": Reason.READER_LOST,
}
_NOT_ASKED: Final = frozenset({"refused", "gone"})
"""Nothing of the request is under way at the reader: no end of a session follows."""
_ASKED: Final = (WaitingForTap, Authorising)


# --- sessions ---------------------------------------------------------------------------


def on_session(d: Draft, report: SessionBegun) -> None:
    """A card is there: first come, first served (R7)."""
    phase, engaged = d.state.phase, report.reader in d.state.engaged
    _engage(d, report.reader)
    if isinstance(phase, WaitingForTap) and _reader(phase.sale) == report.reader:
        _tapped(d, phase.sale, report)
    elif isinstance(phase, SessionOpen) and phase.session.reader == report.reader:
        pass  # the same card, said twice
    elif engaged and refund.unsettled(d, report.reader):
        send_away(d, report.reader)  # it was held there for a request that is over
    elif d.selling and tenders.open_to_cards(d.state, d.world):
        d.hush()
        d.go(SessionOpen(_session(report)), d.policy.session_ms)
    elif isinstance(phase, AgeCheck) and _shows_age(d, phase, report.reader):
        d.update(replace(phase, session=_session(report)))
    elif not (isinstance(phase, Authorising) and _reader(phase.sale) == report.reader):
        d.do(CompleteSession(report.reader))


def _shows_age(d: Draft, phase: AgeCheck, reader: int) -> bool:
    """The card that is there for an age check can pay as well."""
    return phase.reader == reader and (d.policy.mixed_tender or not d.state.money)


def _session(report: SessionBegun) -> Session:
    data, pricing = report.pricing_data, report.pricing
    return Session(
        reader=report.reader,
        funds=None if report.hide_funds else report.funds,
        media_hash=report.media_id,
        price_list=f"list_{data & 0xFF}" if pricing is Pricing.PRICE_LIST else "",
        discount=min(data & 0xFF, 100) if pricing is Pricing.DISCOUNT else 0,
        surcharge=data & 0xFF if pricing is Pricing.SURCHARGE else 0,
        revaluable=bool(report.revaluable),
    )


def _tapped(d: Draft, sale: Sale, report: SessionBegun) -> None:
    assert sale.card is not None
    card = replace(sale.card, media_hash=report.media_id)
    sale = replace(sale, card=card, session=_session(report))
    d.go(Authorising(sale), _authorise_ms(d, card.reader))
    if not card.sent:
        _request(d, sale)


def on_session_ended(d: Draft, report: SessionEnded) -> None:
    """The reader is free again."""
    _over(d, report.reader)


def on_lost(d: Draft, report: CardReaderLost) -> None:
    """No card any more. Vends that were under way are told by reports of their own."""
    _over(d, report.reader)


def _over(d: Draft, reader: int) -> None:
    free(d, reader)
    match d.state.phase:
        case SessionOpen(session) if session.reader == reader:
            back(d)
        case AgeCheck(_, at, _, session) as phase if session and at == reader:
            d.update(replace(phase, session=None))
        case Revaluing(session) as phase if session.reader == reader:
            d.update(replace(phase, open=False))
        case Vending(sale) if sale.session and sale.session.reader == reader:
            d.update(Vending(replace(sale, session=None)))
        case _:
            pass


def _engage(d: Draft, reader: int) -> None:
    d.set(engaged=tuple(sorted({*d.state.engaged, reader})))


def send_away(d: Draft, reader: int) -> None:
    """No vend: SESSION COMPLETE, which a reader that is at rest does not mind."""
    if reader in d.state.engaged:
        d.do(CompleteSession(reader))


def free(d: Draft, reader: int) -> None:
    """Nothing is under way with it any more: who waited for that is served."""
    d.set(engaged=tuple(n for n in d.state.engaged if n != reader))
    phase = d.state.phase
    if not isinstance(phase, WaitingForTap) or _reader(phase.sale) != reader:
        return
    if phase.sale.card is not None and not phase.sale.card.sent:
        if d.world.reader(reader).ready:
            _request(d, phase.sale)
        else:
            cancel(d, Reason.READER_LOST, "declined")


def end_session(d: Draft) -> None:
    """Send the holder away (lever, time, door)."""
    phase = d.state.phase
    assert isinstance(phase, SessionOpen)
    d.do(CompleteSession(phase.session.reader))
    back(d)


def back(d: Draft) -> None:
    """No card any more: the credit that is there, or nobody."""
    if d.state.money:
        to_credit(d)
    else:
        leave(d)


def on_ready(d: Draft, report: CardReaderReady) -> None:
    """Who it is, for whoever has to match its sales with a statement."""
    free(d, report.reader)
    who = report.identity
    d.record(
        DeviceFound(
            f"card_reader_{report.reader}",
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


def on_fault(d: Draft, report: ReaderFault) -> None:
    """A malfunction that passed: counted, told without a storm."""
    security.tell(d, f"reader_{report.code}", f"card_reader_{report.reader}", 1, "recorded")


# --- asking ---------------------------------------------------------------------------------


def ask(d: Draft, selection: str, tariff: Tariff, reader: int, session: Session | None) -> None:
    """Reserve and ask the holder for what the credit does not cover; nothing moves before.

    Without mixed tender the card pays all of it, and a coin that was still rolling comes back.
    """
    credit = d.state.credit if d.policy.mixed_tender else 0
    part = CardPart(
        reader,
        asked=max(0, tariff.price - credit),
        serial=d.world.reader(reader).serial,
        media_hash=session.media_hash if session else "",
        sent=False,
    )
    sale = replace(new_sale(d, selection, tariff), card=part, session=session)
    d.clear_entry()
    d.hush()
    d.record(Reserved(sale.id, selection))
    if session is None:
        d.go(WaitingForTap(sale), d.policy.tap_ms)
    else:
        d.go(Authorising(sale), _authorise_ms(d, reader))
    if session is not None or reader not in d.state.engaged:
        _request(d, sale)  # else as soon as it is free


def _request(d: Draft, sale: Sale) -> None:
    phase, card = d.state.phase, sale.card
    assert isinstance(phase, _ASKED)
    assert card is not None
    _engage(d, card.reader)
    refund.forget_denied(d, card.reader)
    sale = replace(sale, card=replace(card, sent=True))
    d.update(replace(phase, sale=sale))
    item_no = d.world.slots[sale.selection].slot.item_no
    d.do(RequestVend(card.reader, sale.id, card.asked, item_no))


def _authorise_ms(d: Draft, reader: int) -> int:
    """The reader's own maximum response time, at least 30 s."""
    return max(d.policy.authorise_ms, d.world.reader(reader).max_response_s * 1000)


def _reader(sale: Sale) -> int | None:
    return sale.card.reader if sale.card is not None else None


def on_approved(d: Draft, report: VendApproved) -> None:
    """The holder pays. Only for what was asked, and only while it can still be delivered."""
    phase = d.state.phase
    if not isinstance(phase, _ASKED) or not _answers(phase.sale, report.reader, report.vend_id):
        refund.of_nothing(d, report)
        return
    assert phase.sale.card is not None
    took = max(0, d.now_ms - phase.sale.started_ms)
    card = replace(
        phase.sale.card,
        approved=report.amount,
        approved_at=d.world.now.wall,
        authorise_ms=took,
        token=report.token,
    )
    sale = replace(phase.sale, card=card)
    if isinstance(phase, WaitingForTap):
        d.go(Authorising(sale), _authorise_ms(d, card.reader))
    else:
        d.update(Authorising(sale))
    if d.selling:
        start_vending(d, sale)
        return
    d.record(Released(sale.id, sale.selection))
    refund.begin(d, sale, Reason.DOOR_OPENED if d.world.door_open else Reason.OTHER)


def _answers(sale: Sale, reader: int, vend_id: str) -> bool:
    return sale.id == vend_id and _reader(sale) == reader


def on_denied(d: Draft, report: VendDenied) -> None:
    """No vend, whoever said so."""
    phase = d.state.phase
    if not isinstance(phase, _ASKED) or not _answers(phase.sale, report.reader, report.vend_id):
        if refund.on_denied(d, report):
            _not_paid(d, report)
        return
    sale, reason = phase.sale, _WHY.get(report.why, Reason.OTHER)
    d.record(Released(sale.id, sale.selection))
    ref = refund.remember_over(d, sale, Order.DENIED, reason, doubtful=report.doubtful)
    _not_paid(d, report)
    if ref is not None:
        close_sale(d, sale, Outcome.DOUBTFUL, reason, refund_state=RefundState.UNKNOWN)
    else:
        declined = reason is Reason.DECLINED
        close_sale(d, sale, Outcome.DECLINED if declined else Outcome.CANCELLED, reason)
        _lost_sale(d, sale, RefusalReason.CARD_DECLINED if declined else RefusalReason.CARD_TIMEOUT)
    back(d)
    if ref:
        d.say("not_delivered_ref", d.policy.claim_ms, ref=ref)
    elif reason is not Reason.CANCELLED_BY_READER:
        d.say("declined", d.policy.refusal_ms)


def _not_paid(d: Draft, report: VendDenied) -> None:
    """The reader is at rest soon; where nothing was asked nobody will say so."""
    send_away(d, report.reader)
    if report.why in _NOT_ASKED:
        free(d, report.reader)


def _lost_sale(d: Draft, sale: Sale, reason: RefusalReason) -> None:
    if sale.selection in d.state.refused:
        return
    d.set(refused=(*d.state.refused, sale.selection))
    product = d.world.slots[sale.selection].slot.product.id
    d.record(
        SaleRefused(sale.selection, product, sale.price, d.state.credit, reason, sale.session_id)
    )


# --- taking it back -----------------------------------------------------------------------------


def cancel(d: Draft, reason: Reason, text: str = "") -> None:
    """VEND CANCEL; if the approval crosses it, that is a failed vend and nothing is sold."""
    phase = d.state.phase
    assert isinstance(phase, _ASKED)
    sale = phase.sale
    assert sale.card is not None
    d.record(Released(sale.id, sale.selection))
    if sale.card.sent:
        refund.remember_over(d, sale, Order.CANCEL, reason)
        d.do(CancelVend(sale.card.reader, sale.id))
    close_sale(d, sale, Outcome.CANCELLED, reason)
    back(d)
    if text:
        d.say(text, d.policy.refusal_ms)


def cancel_for_cash(d: Draft) -> None:
    """Cash came while the reader waited for a card: the customer selects again."""
    d.hush()
    cancel(d, Reason.CANCELLED_BY_CUSTOMER)


def let_go(d: Draft) -> None:
    """Door open or out of service: whoever is at a reader is sent away."""
    match d.state.phase:
        case SessionOpen():
            end_session(d)
        case WaitingForTap() | Authorising():
            cancel(d, Reason.DOOR_OPENED if d.world.door_open else Reason.OTHER)
        case _:
            pass
