"""From the committed motor intent to delivered or not: turns, drops and the drop window."""

from dataclasses import replace
from typing import Final

from vendd.core import ledger
from vendd.core.facts import (
    Channel,
    ItemDispensed,
    Outcome,
    Proof,
    Reason,
    StockReason,
)
from vendd.core.rows import LevelChanged, Posted, Released, SlotSet
from vendd.core.sale import refund, security
from vendd.core.sale.acts import CompleteSession, ReportCashSale, TurnMotor
from vendd.core.sale.closing import close_sale, leave
from vendd.core.sale.draft import Draft
from vendd.core.sale.drops import count_no_drop, late_drop, one_more, remember
from vendd.core.sale.failed import not_delivered
from vendd.core.sale.paying import pay
from vendd.core.sale.pieces import (
    Sale,
)
from vendd.core.sale.reports import DropSeen, LeftHome, Timer, TurnEnded, TurnResult
from vendd.core.sale.slots import slot_failed
from vendd.core.sale.states import (
    Hold,
    SessionOpen,
    Vending,
)
from vendd.core.sale.tender_books import vended

_WHY: Final = {
    TurnResult.HOME: Reason.NO_DROP,
    TurnResult.NEVER_LEFT: Reason.NEVER_LEFT_HOME,
    TurnResult.NO_HOME: Reason.NO_HOME,
    TurnResult.NOT_STARTED: Reason.OTHER,
    TurnResult.STOPPED: Reason.OTHER,
}
MOST_DROPS: Final = 3
"""More in one vend are no products but a sensor that flickers: stock is left alone."""

_NOT_THE_SLOT: Final = frozenset({Reason.DOOR_OPENED, Reason.SENSOR_BLOCKED})
# Another turn may help; a spiral that stands somewhere or was stopped needs a person.
_TURN_AGAIN: Final = frozenset({TurnResult.HOME, TurnResult.NEVER_LEFT})


def on_left_home(d: Draft, report: LeftHome) -> None:
    """Recorded as soon as it is seen: a power cut now must find it."""
    phase = d.state.phase
    if isinstance(phase, Vending) and report.attempt_id == phase.sale.attempt_id:
        d.update(Vending(replace(phase.sale, left_home=True)))


def on_turn_ended(d: Draft, report: TurnEnded) -> None:
    """The motor is off. What counts as delivered depends on which proof decides."""
    phase = d.state.phase
    if not isinstance(phase, Vending) or report.attempt_id != phase.sale.attempt_id:
        return
    if phase.sale.ended is not None:
        return
    sale = replace(phase.sale, ended=report.result, at_home=report.at_home)
    d.update(Vending(sale))
    if sale.delivered is not Proof.NONE:
        _settle(d, sale)
    elif sale.decides is Proof.HOME and report.result is TurnResult.HOME:
        _settle(d, deliver(d, sale, Proof.HOME))
    elif sale.decides is Proof.DROP and report.result is not TurnResult.NOT_STARTED:
        d.arm(Timer.DROP_WINDOW, d.policy.drop_window_ms)
    else:
        _again_or_fail(d, sale)


def on_drop(d: Draft, _: DropSeen) -> None:
    """Something fell. Committed when seen, whether the motor still turns or not."""
    phase = d.state.phase
    if not isinstance(phase, Vending):
        late_drop(d)
        return
    sale = replace(phase.sale, drops=phase.sale.drops + 1)
    d.update(Vending(sale))
    if sale.drops > MOST_DROPS:
        security.tell(d, "beam_flickers", "drop_sensor", 1, "recorded")
    elif sale.delivered is not Proof.NONE:
        one_more(d, sale.id, sale.selection, StockReason.DOUBLE_DROP, "double_drop")
    elif sale.decides is Proof.DROP or _sensor_sees(d):  # what was seen to fall is delivered
        sale = deliver(d, sale, Proof.DROP)
        if sale.ended is not None:
            _settle(d, sale)


def _sensor_sees(d: Draft) -> bool:
    """The home switch decides for fear of refunds, not because the beam is blind."""
    return d.policy.drop_sensor and not d.world.drop_sensor_blocked


def on_drop_window(d: Draft) -> None:
    """Nothing fell in time."""
    phase = d.state.phase
    if isinstance(phase, Vending) and phase.sale.ended is not None:
        _again_or_fail(d, phase.sale)


def _again_or_fail(d: Draft, sale: Sale) -> None:
    """Another turn by policy, inside the same attempt; else not delivered."""
    ended = sale.ended
    assert ended is not None
    again = ended in _TURN_AGAIN and sale.turn <= d.policy.extra_turns
    if d.world.drop_sensor_blocked and sale.decides is Proof.DROP:
        fail(d, sale, Reason.SENSOR_BLOCKED)  # perhaps by the product: no second one
    elif again and d.world.door_open:
        fail(d, sale, Reason.DOOR_OPENED)  # nothing starts to turn under someone's hands
    elif again:
        sale = replace(sale, turn=sale.turn + 1, ended=None, at_home=None)
        d.update(Vending(sale))
        motors = d.world.slots[sale.selection].slot.motors
        d.do(TurnMotor(sale.attempt_id, motors, sale.turn))
    else:
        fail(d, sale, _WHY[ended])


def deliver(d: Draft, sale: Sale, proof: Proof) -> Sale:
    """Delivery is proven: stock, money and the fact, in this commit."""
    sale = replace(sale, delivered=proof, delivery_ms=max(0, d.now_ms - sale.started_ms))
    view = d.world.slots[sale.selection]
    free = sale.channel is Channel.FREE
    reason = StockReason.FREE if free else StockReason.SOLD
    d.record(
        Released(sale.id, sale.selection),
        LevelChanged(sale.selection, -1, reason, sale.id),
    )
    _collect(d, sale)
    if d.state.customer is not None and not free:
        d.customer_with(bought=d.state.customer.bought + 1)
    d.record(vended(sale, d.policy))
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
    sale = _tell_reader(d, sale)
    d.update(Vending(sale))
    return sale


def _collect(d: Draft, sale: Sale) -> None:
    """What it cost, from each tender (R3): the credit's part, and what the card approved."""
    if sale.from_credit:
        d.record(Posted(ledger.CUSTOMER, ledger.SALES, sale.from_credit, "sale", sale.id))
    if sale.overpay:
        d.record(Posted(ledger.CUSTOMER, ledger.OVERPAY, sale.overpay, "overpay", sale.id))
    d.set(credit=d.state.credit - sale.from_credit - sale.overpay)
    if sale.card is not None and sale.card.approved:
        account = ledger.cashless(sale.card.reader)
        d.record(Posted(account, ledger.SALES, sale.card.approved, "sale", sale.id))


def _tell_reader(d: Draft, sale: Sale) -> Sale:
    """VEND SUCCESS with the proof; the session is kept only where that is wanted and allowed."""
    if sale.card is None:
        return sale
    allowed = d.world.reader(sale.card.reader).multi_vend and d.policy.multi_vend
    keep = allowed and sale.session is not None and d.selling
    refund.delivered(d, sale, keep_session=keep)
    return sale if keep else replace(sale, session=None)


def _settle(d: Draft, sale: Sale) -> None:
    """Delivered and the motor at rest: change, hold or thanks."""
    remember(d, sale, delivered=True)
    if sale.session is not None and (d.state.money or not d.selling):
        d.do(CompleteSession(sale.session.reader))  # kept for the next vend, and there is none
        sale = replace(sale, session=None)
    if sale.ended is TurnResult.NO_HOME:  # this one fell, the next would not
        slot_failed(d, sale.selection, Reason.NO_HOME)
    customer = d.state.customer
    lever = customer is not None and customer.lever
    if customer is not None:
        d.customer_with(lever=False)
    if sale.card is None and sale.channel is not Channel.FREE:
        _report_cash_sale(d, sale)
    if d.state.money == 0:
        close_sale(d, sale, Outcome.SOLD)
        _nothing_left(d, sale)
    elif d.policy.multi_vend and not lever and d.selling:
        close_sale(d, sale, Outcome.SOLD)
        d.go(Hold(), d.policy.multi_vend_hold_ms)
    else:
        pay(d, "change", None, sale)


def _nothing_left(d: Draft, sale: Sale) -> None:
    if sale.session is not None:
        d.go(SessionOpen(sale.session), d.policy.session_ms)
        d.set(customer=None, refused=())
    else:
        leave(d)
    d.say("thanks", d.policy.thanks_ms)


def _report_cash_sale(d: Draft, sale: Sale) -> None:
    if any(r.ready and r.wants_cash_sales for r in d.world.readers):
        item = d.world.slots[sale.selection].slot.item_no
        d.do(ReportCashSale(sale.price, item))


def fail(d: Draft, sale: Sale, reason: Reason) -> None:
    """Not delivered: the reservation is free, the credit is whole, the slot may be off."""
    d.record(Released(sale.id, sale.selection))
    if reason not in _NOT_THE_SLOT:
        slot_failed(d, sale.selection, reason)
    remember(d, sale, delivered=False, counted=reason is Reason.NO_DROP)
    if reason is Reason.NO_DROP:
        count_no_drop(d)
    if sale.card is not None:
        refund.begin(d, sale, reason)
        return
    close_sale(d, sale, Outcome.REFUNDED if d.state.credit else Outcome.CANCELLED, reason)
    not_delivered(d, sale)
