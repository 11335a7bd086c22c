"""From the committed motor intent to delivered or not: turns, drops and the drop window."""

from dataclasses import replace

from vendd.core import ledger
from vendd.core.facts import (
    Channel,
    CreditEnd,
    ItemDispensed,
    Outcome,
    Proof,
    Reason,
    Security,
    SlotStateChanged,
    StockReason,
)
from vendd.core.planogram import SlotState
from vendd.core.rows import LevelChanged, Posted, Released, Reserved, SlotSet
from vendd.core.sale.acts import TurnMotor
from vendd.core.sale.closing import close_sale, leave
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import give_back, pay
from vendd.core.sale.reports import DropSeen, LeftHome, Timer, TurnEnded, TurnResult
from vendd.core.sale.states import ChooseAgain, Credit, Hold, LastVend, Sale, Vending

_WHY = {
    TurnResult.NEVER_LEFT: Reason.NEVER_LEFT_HOME,
    TurnResult.NO_HOME: Reason.NO_HOME,
    TurnResult.NOT_STARTED: Reason.OTHER,
    TurnResult.STOPPED: Reason.OTHER,
}


def proof_that_decides(d: Draft) -> Proof:
    """The drop sensor, unless there is none, it can't be believed, or the home switch stands in."""
    policy = d.policy
    until = d.state.home_decides_until
    jackpot = until is not None and d.world.now.uptime_ms < until
    blind = d.world.drop_sensor_blocked and policy.home_proves_when_sensor_blocked
    return Proof.HOME if not policy.drop_sensor or jackpot or blind else Proof.DROP


def begin(d: Draft, selection: str, *, overpay: int = 0) -> None:
    """Reserve and commit the intent to turn; the motor starts after that commit (S1)."""
    slot = d.world.slots[selection].slot
    no = d.number("sale")
    customer = d.state.customer
    sale = Sale(
        id=f"s{no}",
        no=no,
        session_id=customer.id if customer else f"c{d.number('session')}",
        selection=selection,
        channel=Channel.FREE if slot.free else Channel.KEYPAD,
        price=slot.price("cash"),
        overpay=overpay,
        started_ms=d.world.now.uptime_ms,
        started_at=d.world.now.wall,
        decides=proof_that_decides(d),
        credit_before=d.state.credit,
        exact_change=d.state.exact_change,
    )
    d.clear_entry()
    d.hush()
    d.record(Reserved(sale.id, selection))
    d.set(last_vend=None)
    d.go(Vending(sale))
    d.do(TurnMotor(sale.attempt_id, slot.motors, sale.turn))


def on_left_home(d: Draft, report: LeftHome) -> None:
    phase = d.state.phase
    if isinstance(phase, Vending) and report.attempt_id == phase.sale.attempt_id:
        d.update(Vending(replace(phase.sale, left_home=True)))


def on_turn_ended(d: Draft, report: TurnEnded) -> None:
    """The motor is off. What counts as delivered depends on which proof decides."""
    phase = d.state.phase
    if not isinstance(phase, Vending) or report.attempt_id != phase.sale.attempt_id:
        return
    sale = replace(phase.sale, ended=report.result, at_home=report.at_home)
    d.update(Vending(sale))
    if sale.delivered is not Proof.NONE:
        _settle(d, sale)
    elif sale.decides is Proof.HOME and report.result is TurnResult.HOME:
        _settle(d, deliver(d, sale, Proof.HOME))
    elif sale.left_home and sale.decides is Proof.DROP:
        d.arm(Timer.DROP_WINDOW, d.policy.drop_window_ms)
    else:
        fail(d, sale, _WHY.get(report.result, Reason.OTHER))


def on_drop(d: Draft, _: DropSeen) -> None:
    """Something fell. Committed when seen, whether the motor still turns or not."""
    phase = d.state.phase
    if not isinstance(phase, Vending):
        _late_drop(d)
        return
    sale = replace(phase.sale, drops=phase.sale.drops + 1)
    d.update(Vending(sale))
    if sale.delivered is not Proof.NONE:
        _one_more(d, sale.id, sale.selection, StockReason.DOUBLE_DROP, "double_drop")
    elif sale.decides is Proof.DROP:
        sale = deliver(d, sale, Proof.DROP)
        if sale.ended is not None:
            _settle(d, sale)


def on_drop_window(d: Draft) -> None:
    """Nothing fell in time: another turn by policy, else not delivered."""
    phase = d.state.phase
    if not isinstance(phase, Vending) or phase.sale.ended is None:
        return
    sale = phase.sale
    if sale.ended is TurnResult.HOME and sale.turn <= d.policy.extra_turns:
        sale = replace(sale, turn=sale.turn + 1, ended=None, at_home=None)
        d.update(Vending(sale))
        motors = d.world.slots[sale.selection].slot.motors
        d.do(TurnMotor(sale.attempt_id, motors, sale.turn))
    else:
        fail(d, sale, _WHY.get(sale.ended or TurnResult.HOME, Reason.NO_DROP))


def deliver(d: Draft, sale: Sale, proof: Proof) -> Sale:
    """Delivery is proven: stock, money and the fact, in this commit."""
    sale = replace(sale, delivered=proof, delivery_ms=d.world.now.uptime_ms - sale.started_ms)
    view = d.world.slots[sale.selection]
    free = sale.channel is Channel.FREE
    reason = StockReason.FREE if free else StockReason.SOLD
    d.record(
        Released(sale.id, sale.selection),
        LevelChanged(sale.selection, -1, reason, sale.id),
    )
    if sale.price:
        d.record(Posted(ledger.CUSTOMER, ledger.SALES, sale.price, "sale", sale.id))
    if sale.overpay:
        d.record(Posted(ledger.CUSTOMER, ledger.OVERPAY, sale.overpay, "overpay", sale.id))
    d.set(credit=d.state.credit - sale.price - sale.overpay)
    if not free:
        d.customer_with(bought=d.customer().bought + 1)
    if view.no_drop_streak:
        d.record(SlotSet(sale.selection, view.state, "delivered", 0))
    d.record(
        ItemDispensed(
            sale_id=sale.id,
            attempt_id=sale.attempt_id,
            slot=sale.selection,
            product_id=view.slot.product.id,
            quantity=1,
            proof=proof,
            drops=sale.drops,
            stock_before=view.level,
            stock_after=view.level - 1,
            channel=sale.channel,
        )
    )
    d.update(Vending(sale))
    return sale


def _settle(d: Draft, sale: Sale) -> None:
    """Delivered and the motor at rest: change, hold or thanks."""
    d.set(last_vend=LastVend(sale.id, sale.selection, delivered=True))
    d.disarm(Timer.DROP_WINDOW)
    lever = d.state.customer is not None and d.state.customer.lever
    if d.state.credit == 0:
        close_sale(d, sale, Outcome.SOLD)
        leave(d)
        d.say("thanks", d.policy.thanks_ms)
    elif d.policy.multi_vend and not lever and d.world.in_service:
        close_sale(d, sale, Outcome.SOLD)
        d.go(Hold(), d.policy.multi_vend_hold_ms)
    else:
        d.customer_with(lever=False)
        pay(d, "change", None, sale)


def fail(d: Draft, sale: Sale, reason: Reason) -> None:
    """Not delivered: the reservation is free, the credit is whole, the slot may be off."""
    d.record(Released(sale.id, sale.selection))
    slot_failed(d, sale.selection, reason)
    d.set(last_vend=LastVend(sale.id, sale.selection, delivered=False))
    if reason is Reason.NO_DROP:
        _count_no_drop(d)
    close_sale(d, sale, Outcome.REFUNDED, reason)
    if d.state.credit == 0:
        leave(d)
        d.say("not_available", d.policy.refusal_ms, selection=sale.selection)
        return
    customer = d.customer()
    d.customer_with(failures=customer.failures + 1, lever=False)
    if d.world.out_of_service:
        give_back(d, CreditEnd.OUT_OF_SERVICE)
    elif d.world.door_open:
        d.go(Credit())  # returned when the door closes
    elif customer.lever or customer.failures + 1 >= 2:
        give_back(d, CreditEnd.VEND_FAILED)
    else:
        d.go(ChooseAgain(), d.policy.choose_again_ms)


def slot_failed(d: Draft, selection: str, reason: Reason) -> None:
    """Count a failure of the slot; off sale when the policy's number is reached."""
    view = d.world.slots[selection]
    streak = view.no_drop_streak + 1
    off = streak >= d.policy.failures_to_slot_off
    state = SlotState.JAMMED if off else view.state
    d.record(SlotSet(selection, state, reason.value, streak))
    if off and view.state is SlotState.ON_SALE:
        d.record(
            SlotStateChanged(selection, view.slot.product.id, "off", reason.value, streak, "system")
        )


def _count_no_drop(d: Draft) -> None:
    """Anti-jackpot: someone may be blocking the sensor to get refunds."""
    now = d.world.now.uptime_ms
    policy = d.policy
    recent = (*(t for t in d.state.no_drop_refunds if now - t < policy.jackpot_window_ms), now)
    d.set(no_drop_refunds=recent)
    if policy.jackpot_refunds and len(recent) >= policy.jackpot_refunds:
        _jackpot(d, len(recent))


def _jackpot(d: Draft, refunds: int) -> None:
    again = d.state.home_decides_until is not None
    if again:
        d.set(locked=(*d.state.locked, "anti_jackpot"))
        action = "out_of_service"
    else:
        action = "home_switch_decides"
    d.set(
        home_decides_until=d.world.now.uptime_ms + d.policy.jackpot_home_ms,
        no_drop_refunds=(),
    )
    d.record(Security("repeated_refunds", "drop_sensor", refunds, action))


def _late_drop(d: Draft) -> None:
    last = d.state.last_vend
    if last is None:
        d.record(Security("drop_without_sale", "drop_sensor", 1, "recorded"))
    elif last.delivered:
        _one_more(d, last.sale_id, last.selection, StockReason.DOUBLE_DROP, "double_drop")
    else:
        reason = StockReason.DROPPED_AFTER_REFUND
        _one_more(d, last.sale_id, last.selection, reason, "dropped_after_refund")
        d.set(last_vend=replace(last, delivered=True))
        _count_no_drop(d)


def _one_more(d: Draft, sale_id: str, selection: str, reason: StockReason, kind: str) -> None:
    """A product more has left than was paid for."""
    if d.world.slots[selection].available > 0:
        d.record(LevelChanged(selection, -1, reason, sale_id))
    d.record(Security(kind, "drop_sensor", 1, "stock_corrected", slot=selection))
