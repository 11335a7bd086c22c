"""Card readers: sessions, requests to pay and their answers; what follows a failed vend is
`vendd.core.sale.refund`.

A holder is asked only after everything else was checked (R5), and once. Whatever ends a
request takes it back at the reader first; an approval that comes all the same is a failed vend.
"""

from dataclasses import replace
from typing import Final

from vendd.core.facts import DeviceFound, Outcome, Reason, RefusalReason, SaleRefused
from vendd.core.rows import Released, Reserved
from vendd.core.sale import refund, security, tenders
from vendd.core.sale.acts import CancelVend, CompleteSession, RequestVend
from vendd.core.sale.card_reports import (
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
_ASKED: Final = (WaitingForTap, Authorising)


# --- sessions ---------------------------------------------------------------------------


def on_session(d: Draft, report: SessionBegun) -> None:
    """A card is there: first come, first served (R7)."""
    phase = d.state.phase
    if isinstance(phase, WaitingForTap) and _reader(phase.sale) == report.reader:
        _tapped(d, phase.sale, report)
    elif isinstance(phase, SessionOpen) and phase.session.reader == report.reader:
        pass  # the same card, said twice
    elif d.selling and tenders.open_to_cards(d.state, d.world):
        d.hush()
        d.go(SessionOpen(_session(report)), d.policy.session_ms)
    elif not (isinstance(phase, Authorising) and _reader(phase.sale) == report.reader):
        d.do(CompleteSession(report.reader))


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


def on_session_ended(d: Draft, report: SessionEnded) -> None:
    """The reader is free again."""
    match d.state.phase:
        case SessionOpen(session) if session.reader == report.reader:
            back(d)
        case AgeCheck(_, reader, _, session) as phase if session and reader == report.reader:
            d.update(replace(phase, session=None))
        case Vending(sale) if sale.session and sale.session.reader == report.reader:
            d.update(Vending(replace(sale, session=None)))
        case _:
            pass


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
    """Reserve and ask the holder for what the credit does not cover; nothing moves before."""
    part = CardPart(
        reader,
        asked=tariff.price - d.state.credit,
        serial=d.world.reader(reader).serial,
        media_hash=session.media_hash if session else "",
    )
    sale = replace(new_sale(d, selection, tariff), card=part, session=session)
    d.clear_entry()
    d.hush()
    d.record(Reserved(sale.id, selection))
    refund.forget_denied(d, reader)
    if session is None:
        d.go(WaitingForTap(sale), d.policy.tap_ms)
    else:
        d.go(Authorising(sale), _authorise_ms(d, reader))
    d.do(RequestVend(reader, sale.id, part.asked, d.world.slots[selection].slot.item_no))


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
        refund.on_denied(d, report)
        return
    sale, reason = phase.sale, _WHY.get(report.why, Reason.OTHER)
    d.record(Released(sale.id, sale.selection))
    ref = refund.remember_over(d, sale, Order.DENIED, reason, doubtful=report.doubtful)
    if report.doubtful:
        close_sale(d, sale, Outcome.DOUBTFUL, reason)
    else:
        declined = reason is Reason.DECLINED
        close_sale(d, sale, Outcome.DECLINED if declined else Outcome.CANCELLED, reason)
        _lost_sale(d, sale, RefusalReason.CARD_DECLINED if declined else RefusalReason.CARD_TIMEOUT)
    back(d)
    if ref:
        d.say("not_delivered_ref", d.policy.claim_ms, ref=ref)
    elif reason is not Reason.CANCELLED_BY_READER:
        d.say("declined", d.policy.refusal_ms)


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
    refund.remember_over(d, sale, Order.CANCEL, reason)
    close_sale(d, sale, Outcome.CANCELLED, reason)
    d.do(CancelVend(sale.card.reader, sale.id))
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
