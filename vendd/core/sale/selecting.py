"""Keys and selections: everything that is checked before anything moves (R5, R10)."""

from typing import Final

from vendd.core.facts import Reason, RefusalReason, SaleRefused
from vendd.core.sale import age, bills, card, offer, revalue, sources, tenders
from vendd.core.sale.acts import CompleteSession
from vendd.core.sale.card_reports import AgeVerified
from vendd.core.sale.closing import restart_time, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.lever import pull
from vendd.core.sale.pieces import (
    Session,
)
from vendd.core.sale.reports import KeyPressed, Timer
from vendd.core.sale.sales import begin
from vendd.core.sale.states import (
    AgeCheck,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    SessionOpen,
    WaitingForTap,
)
from vendd.core.sale.tariff import Tariff, for_card, for_cash

CLEAR: Final = "clear"
_OPEN = (
    Idle,
    Credit,
    OverpayAsked,
    ChooseAgain,
    Hold,
    Owed,
    ClaimShown,
    SessionOpen,
    WaitingForTap,
)


def on_key(d: Draft, report: KeyPressed) -> None:
    """One key. While a sale runs, money goes out or nothing is sold keys do nothing (R8),
    nor while a reference is new on the display: it is all that this customer has."""
    if not isinstance(d.state.phase, _OPEN) or not d.selling:
        return
    if d.state.bill_moves or d.state.unread:
        return
    d.hush()
    restart_time(d)
    if isinstance(d.state.phase, WaitingForTap):  # no card yet: a new key is a new wish
        card.cancel(d, Reason.CANCELLED_BY_CUSTOMER)
        if report.key == CLEAR:
            return
    if report.key == CLEAR:
        _on_clear(d)
        return
    if isinstance(d.state.phase, ClaimShown):
        d.go(Idle())
    entry = d.state.entry + report.key
    if len(entry) < d.policy.selection_length:
        d.set(entry=entry)
        d.arm(Timer.ENTRY, d.policy.entry_ms)
        return
    d.clear_entry()
    select(d, entry)


def _on_clear(d: Draft) -> None:
    if d.state.entry:
        d.clear_entry()
    elif d.state.money or isinstance(d.state.phase, SessionOpen):
        pull(d)
    elif isinstance(d.state.phase, ClaimShown):
        d.go(Idle())


def select(d: Draft, selection: str) -> None:
    """A whole selection was keyed."""
    asked = d.state.phase if isinstance(d.state.phase, OverpayAsked) else None
    if asked is not None and asked.selection != selection:
        to_credit(d)
    view = d.world.slots.get(selection)
    if revalue.asked(d, selection):
        revalue.begin(d)
    elif view is None:
        _refuse(d, "invalid", selection)
    elif (obstacle := offer.obstacle(d.world, selection)) is not None:
        _lost(d, *obstacle, selection)
    elif view.slot.product.min_age > d.state.age_checked:
        _check_age(d, selection)
    elif view.slot.free:
        _without_card(d)
        begin(d, selection)
    elif isinstance(d.state.phase, SessionOpen):
        _by_card(d, selection, d.state.phase.session)
    elif d.state.money:
        _buy(d, selection, asked)
    else:
        _before_paying(d, selection)


def _check_age(d: Draft, selection: str) -> None:
    reader = age.reader_for(d)
    if reader is None:
        _lost(d, "not_available", RefusalReason.AGE, selection)
    else:
        age.ask(d, selection, reader)


def on_age(d: Draft, report: AgeVerified) -> None:
    """The reader has looked; who is old enough need not key it again."""
    phase = d.state.phase
    if not isinstance(phase, AgeCheck) or phase.check_id != report.check_id:
        return
    years = d.world.slots[phase.selection].slot.product.min_age
    age.leave_check(d)
    if report.verified:
        d.set(age_checked=max(years, d.state.age_checked))
        select(d, phase.selection)
    else:
        _lost(d, "not_available", RefusalReason.AGE, phase.selection)


def _without_card(d: Draft) -> None:
    """What is paid otherwise needs no card: its session ends."""
    if isinstance(d.state.phase, SessionOpen):
        d.do(CompleteSession(d.state.phase.session.reader))


def _by_card(d: Draft, selection: str, session: Session) -> None:
    """In an open session: the cash first, the card for the remainder (mixed tender). Cash that
    is enough for the holder's price pays that, and the card is asked for nothing."""
    slot = d.world.slots[selection].slot
    tariff = for_card(slot, d.policy, session)
    cheaper = min(for_cash(slot), tariff, key=lambda t: t.price)
    for_the_card = d.policy.revalue and session.revaluable
    if (d.policy.mixed_tender or for_the_card) and 0 < cheaper.price <= d.state.money:
        d.do(CompleteSession(session.reader))
        to_credit(d)
        _buy(d, selection, None, cheaper)
    elif d.state.money and for_the_card and not d.policy.mixed_tender:
        _refuse(d, "add", selection, cheaper.price - d.state.money)
    elif not d.world.reader(session.reader).ready:
        _lost(d, "not_available", RefusalReason.OUT_OF_SERVICE, selection)
    else:
        card.ask(d, selection, tariff, session.reader, session)


def _before_paying(d: Draft, selection: str) -> None:
    """No money yet: ask the card reader if it can be asked first, else say what it costs."""
    slot, reader = d.world.slots[selection].slot, tenders.first_asked(d.state, d.world)
    usable = tenders.usable(d.world)
    by_card = for_card(slot, d.policy).price
    if reader is not None:
        card.ask(d, selection, for_card(slot, d.policy), reader, None)
    elif not usable:
        _lost(d, "not_available", RefusalReason.OUT_OF_SERVICE, selection)
    elif usable == (tenders.CARD,):
        d.say("price_card", d.policy.price_ms, selection=selection, amount=by_card)
    elif tenders.CARD in usable and by_card != for_cash(slot).price:
        d.say("two_prices", d.policy.price_ms, selection=selection, amount=by_card)
    else:
        d.say("price", d.policy.price_ms, selection=selection, amount=for_cash(slot).price)


def _buy(
    d: Draft, selection: str, asked: OverpayAsked | None, tariff: Tariff | None = None
) -> None:
    """There is money and the slot is fine: is it enough, and can the change be paid?"""
    tariff = tariff or for_cash(d.world.slots[selection].slot)
    price = tariff.price
    with_bill = d.state.credit < price
    change = (d.state.money if with_bill else d.state.credit) - price
    if change < 0:
        _add_or_tap(d, selection, -change)
        return
    keeps = change - sources.payable(d.world, change)
    if keeps == 0 or isinstance(d.state.phase, Owed):  # what was owed before stays owed after
        _begin(d, selection, tariff, with_bill=with_bill)
    elif keeps > d.policy.overpay_up_to:
        if asked is not None and isinstance(d.state.phase, OverpayAsked):
            to_credit(d)
        _lost(d, "no_change", RefusalReason.NO_CHANGE, selection)
    elif asked == OverpayAsked(selection, keeps):
        _begin(d, selection, tariff, with_bill=with_bill, overpay=keeps)
    else:
        d.go(OverpayAsked(selection, keeps), d.policy.overpay_confirm_ms)


def _begin(d: Draft, selection: str, tariff: Tariff, *, with_bill: bool, overpay: int = 0) -> None:
    if with_bill:
        bills.stack_for(d, selection, tariff, overpay)
    else:
        begin(d, selection, tariff, overpay=overpay)


def _add_or_tap(d: Draft, selection: str, missing: int) -> None:
    """Too little: under mixed tender a card may pay the rest (cash that waits in escrow can't)."""
    slot, reader = d.world.slots[selection].slot, tenders.first_asked(d.state, d.world)
    mixed = d.policy.mixed_tender and d.state.bill is None
    tariff = for_card(slot, d.policy)
    standing = isinstance(d.state.phase, Credit | ChooseAgain | Hold)
    if mixed and standing and reader is not None and tariff.price > d.state.credit:
        card.ask(d, selection, tariff, reader, None)
    else:
        _refuse(d, "add", selection, missing)


def _refuse(d: Draft, text: str, selection: str, amount: int = 0) -> None:
    """Takes no money, keeps the credit, says why for 3 s."""
    d.say(text, d.policy.refusal_ms, selection=selection, amount=amount)


def _lost(d: Draft, text: str, reason: RefusalReason, selection: str) -> None:
    """A refusal that is a lost sale: recorded once per slot and customer."""
    _refuse(d, text, selection)
    if selection in d.state.refused:
        return
    d.set(refused=(*d.state.refused, selection))
    slot = d.world.slots[selection].slot
    d.record(
        SaleRefused(
            slot=selection,
            product_id=slot.product.id,
            price=slot.price("cash"),
            credit=d.state.credit,
            reason=reason,
            session_id=d.state.customer.id if d.state.customer else None,
        )
    )


def forget_if_gone(d: Draft) -> None:
    """An idle customer without money has left: their lost sales count anew."""
    if isinstance(d.state.phase, Idle) and (d.state.refused or d.state.age_checked):
        d.set(refused=(), age_checked=0)
