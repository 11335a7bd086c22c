"""Keys and selections: everything that is checked before anything moves (R5, R10)."""

from vendd.core.change import can_pay, largest_payable
from vendd.core.facts import CreditEnd, RefusalReason, SaleRefused
from vendd.core.planogram import SlotState
from vendd.core.policy import ForceVend
from vendd.core.sale.acts import Acknowledge
from vendd.core.sale.closing import restart_idle
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import give_back
from vendd.core.sale.reports import KeyPressed, LeverPressed, Timer
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Vending,
)
from vendd.core.sale.vending import begin

CLEAR = "clear"
_OPEN = (Idle, Credit, OverpayAsked, ChooseAgain, Hold, Owed, ClaimShown)


def on_key(d: Draft, report: KeyPressed) -> None:
    """One key. While a sale runs, money goes out or the door is open keys do nothing (R8)."""
    if not isinstance(d.state.phase, _OPEN) or not d.world.in_service:
        d.do(Acknowledge())
        return
    if report.key == CLEAR:
        _on_clear(d)
        return
    d.hush()
    restart_idle(d)
    if isinstance(d.state.phase, Hold):
        d.arm(Timer.HOLD, d.policy.multi_vend_hold_ms)
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
        on_lever(d, LeverPressed())
    elif isinstance(d.state.phase, ClaimShown):
        d.go(Idle())
    elif d.state.notice is None:
        d.do(Acknowledge())
    d.hush()


def select(d: Draft, selection: str) -> None:
    """A whole selection was keyed."""
    view = d.world.slots.get(selection)
    phase = d.state.phase
    confirmed = isinstance(phase, OverpayAsked) and phase.selection == selection
    if isinstance(phase, OverpayAsked) and not confirmed:
        d.go(Credit(), d.policy.idle_credit_ms)
    if view is None:
        _refuse(d, "invalid", selection)
    elif (obstacle := _not_for_sale(d, selection)) is not None:
        text, reason = obstacle
        _lost_sale(d, selection, reason)
        _refuse(d, text, selection)
    elif view.slot.free:
        begin_free(d, selection)
    elif d.state.credit == 0:
        price = view.slot.price("cash")
        d.say("price", d.policy.price_ms, selection=selection, amount=price)
    else:
        _buy(d, selection, confirmed)


def begin_free(d: Draft, selection: str) -> None:
    """A product marked free vends on selection; credit, if any, is not touched."""
    if d.state.credit:
        _refuse(d, "free_first_return", selection)
        return
    begin(d, selection)


def _not_for_sale(d: Draft, selection: str) -> tuple[str, RefusalReason] | None:
    view = d.world.slots[selection]
    if view.state is SlotState.BLOCKED_TIME:
        return "not_now", RefusalReason.BLOCKED_TIME
    if view.state is SlotState.HEALTH:
        return "not_available", RefusalReason.HEALTH
    if view.state is not SlotState.ON_SALE:
        return "not_available", RefusalReason.NOT_AVAILABLE
    if view.available <= 0:
        return "sold_out", RefusalReason.SOLD_OUT
    policy = d.policy
    blind = d.world.drop_sensor_blocked and policy.drop_sensor
    if blind and not policy.home_proves_when_sensor_blocked:
        return "not_available", RefusalReason.NOT_AVAILABLE
    return None


def _buy(d: Draft, selection: str, confirmed: bool) -> None:
    """There is credit and the slot is fine: is it enough, and can the change be paid?"""
    price = d.world.slots[selection].slot.price("cash")
    missing = price - d.state.credit
    if missing > 0:
        _refuse(d, "add", selection, missing)
        return
    change = -missing
    reserve = d.policy.tube_reserve
    if d.world.changer.ready and can_pay(change, d.world.tubes, reserve):
        begin(d, selection)
        return
    if change == 0:
        begin(d, selection)
        return
    payable = largest_payable(change, d.world.tubes, reserve)[0] if d.world.changer.ready else 0
    keeps = change - payable
    if isinstance(d.state.phase, Owed):
        begin(d, selection)  # what was owed before the sale stays owed after it
    elif keeps > d.policy.overpay_up_to:
        _lost_sale(d, selection, RefusalReason.NO_CHANGE)
        _refuse(d, "no_change", selection)
    elif confirmed:
        begin(d, selection, overpay=keeps)
    else:
        d.go(OverpayAsked(selection, keeps), d.policy.overpay_confirm_ms)


def _refuse(d: Draft, text: str, selection: str, amount: int = 0) -> None:
    """Takes no money, keeps the credit, says why for 3 s."""
    d.say(text, d.policy.refusal_ms, selection=selection, amount=amount)


def _lost_sale(d: Draft, selection: str, reason: RefusalReason) -> None:
    """Recorded once per slot and customer."""
    key = f"{selection}:{reason.value}"
    if key in d.state.refused:
        return
    d.set(refused=(*d.state.refused, key))
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


def on_lever(d: Draft, _: LeverPressed) -> None:
    """The return lever, or the clear key without an entry: one meaning per state (section 7)."""
    phase = d.state.phase
    if d.world.door_open:
        d.do(Acknowledge())
    elif isinstance(phase, Vending):
        if d.state.customer is not None:
            d.customer_with(lever=True)
        d.do(Acknowledge())
    elif isinstance(phase, Owed):
        _lever_owed(d, phase)
    elif isinstance(phase, ChooseAgain | Hold):
        give_back(d, CreditEnd.LEVER)
    elif isinstance(phase, Credit | OverpayAsked):
        _lever_credit(d)
    elif d.state.entry:
        d.clear_entry()
    else:
        d.do(Acknowledge())


def _lever_owed(d: Draft, phase: Owed) -> None:
    """Once more, and no more; with a dead changer it becomes a claim at once."""
    if phase.retried and d.world.changer.ready:
        d.do(Acknowledge())
    else:
        give_back(d, CreditEnd.LEVER)


def _lever_credit(d: Draft) -> None:
    d.clear_entry()
    if _must_buy_first(d):
        d.say("buy_first", d.policy.refusal_ms)
    else:
        give_back(d, CreditEnd.LEVER)


def _must_buy_first(d: Draft) -> bool:
    """Force-vend holds until a vend failed or nothing on sale is affordable."""
    if d.policy.force_vend is not ForceVend.ALL:  # 'bills' concerns bills only
        return False
    customer = d.state.customer
    if customer is None or customer.failures or customer.bought or not d.world.in_service:
        return False
    return any(
        v.sellable and not v.slot.free and v.slot.price("cash") <= d.state.credit
        for v in d.world.slots.values()
    )


def forget_if_gone(d: Draft) -> None:
    """An idle customer without money has left: their lost sales count anew."""
    if isinstance(d.state.phase, Idle) and d.state.credit == 0 and d.state.refused:
        d.set(refused=())
