"""Keys and selections: everything that is checked before anything moves (R5, R10)."""

from typing import Final

from vendd.core.facts import RefusalReason, SaleRefused
from vendd.core.sale import offer
from vendd.core.sale.closing import restart_time, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.lever import pull
from vendd.core.sale.reports import KeyPressed, Timer
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
)
from vendd.core.sale.vending import begin

CLEAR: Final = "clear"
_OPEN = (Idle, Credit, OverpayAsked, ChooseAgain, Hold, Owed, ClaimShown)


def on_key(d: Draft, report: KeyPressed) -> None:
    """One key. While a sale runs, money goes out or nothing is sold keys do nothing (R8)."""
    if not isinstance(d.state.phase, _OPEN) or not d.selling:
        return
    d.hush()
    restart_time(d)
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
    elif d.state.credit:
        pull(d)
    elif isinstance(d.state.phase, ClaimShown):
        d.go(Idle())


def select(d: Draft, selection: str) -> None:
    """A whole selection was keyed."""
    asked = d.state.phase if isinstance(d.state.phase, OverpayAsked) else None
    if asked is not None and asked.selection != selection:
        to_credit(d)
    view = d.world.slots.get(selection)
    if view is None:
        _refuse(d, "invalid", selection)
    elif (obstacle := offer.obstacle(d.world, selection)) is not None:
        _lost(d, *obstacle, selection)
    elif view.slot.free:
        begin(d, selection)
    elif d.state.credit:
        _buy(d, selection, asked)
    elif not d.world.changer.ready:  # nothing that could take the money
        _lost(d, "not_available", RefusalReason.OUT_OF_SERVICE, selection)
    else:
        price = view.slot.price("cash")
        d.say("price", d.policy.price_ms, selection=selection, amount=price)


def _buy(d: Draft, selection: str, asked: OverpayAsked | None) -> None:
    """There is credit and the slot is fine: is it enough, and can the change be paid?"""
    change = d.state.credit - d.world.slots[selection].slot.price("cash")
    if change < 0:
        _refuse(d, "add", selection, -change)
        return
    keeps = change - offer.change_payable(d.world, change)
    if keeps == 0 or isinstance(d.state.phase, Owed):  # what was owed before stays owed after
        begin(d, selection)
    elif keeps > d.policy.overpay_up_to:
        if asked is not None and isinstance(d.state.phase, OverpayAsked):
            to_credit(d)
        _lost(d, "no_change", RefusalReason.NO_CHANGE, selection)
    elif asked == OverpayAsked(selection, keeps):
        begin(d, selection, overpay=keeps)
    else:
        d.go(OverpayAsked(selection, keeps), d.policy.overpay_confirm_ms)


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
    if isinstance(d.state.phase, Idle) and d.state.credit == 0 and d.state.refused:
        d.set(refused=())
