"""The return lever: one meaning per state (section 7), and what it is when it is stuck."""

from typing import Final, Literal

from vendd.core.facts import CreditEnd, Fault, Reason, Severity
from vendd.core.policy import ForceVend
from vendd.core.sale import age, card, offer, sources
from vendd.core.sale.closing import restart_time
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import give_back
from vendd.core.sale.reports import LeverPressed, Timer
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ChooseAgain,
    Credit,
    Hold,
    OverpayAsked,
    Owed,
    Refunding,
    Returning,
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)

GAP_MS: Final = 3_000
"""Presses closer together than this are one long press."""
STUCK_MS: Final = 30_000


def on_lever(d: Draft, _: LeverPressed) -> None:
    """A press of the lever itself; without a pause for 30 s it means nothing any more."""
    if not _stuck(d):
        pull(d)


def _stuck(d: Draft) -> bool:
    now, since, last = d.now_ms, d.state.lever_since, d.state.lever_last
    if since is None or last is None or now - last > GAP_MS:
        since = now
    d.set(lever_since=since, lever_last=now)
    stuck = now - since >= STUCK_MS
    if stuck:
        d.arm(Timer.LEVER, GAP_MS)
        if not d.state.lever_stuck:
            d.set(lever_stuck=True)
            d.record(_fault("started"))
    else:
        free(d)
    return stuck


def quiet(d: Draft) -> None:
    """No press for a while: the next one is a new one."""
    free(d)
    d.set(lever_since=None)


def free(d: Draft) -> None:
    """Quiet, pressed anew after a pause, or restarted: the fault is over."""
    if d.state.lever_stuck:
        d.set(lever_stuck=False)
        d.disarm(Timer.LEVER)
        d.record(_fault("ended"))


def _fault(state: Literal["started", "ended"]) -> Fault:
    return Fault("lever_stuck:changer", state, "lever_stuck", "changer", Severity.DEGRADED, (), 1)


def pull(d: Draft) -> None:
    """What the lever means now; the clear key without an entry means the same."""
    if d.world.door_open:
        return
    if d.state.bill_moves and not isinstance(d.state.phase, Stacking | Returning):
        d.set(bill_lever=True)  # remembered until the bill is somewhere
        return
    match d.state.phase:
        case Vending() | Refunding():  # too late: remembered (R8)
            if d.state.customer is not None:
                d.customer_with(lever=True)
        case Stacking():
            d.customer_with(lever=True)
        case WaitingForTap() | Authorising() | SessionOpen() | AgeCheck():
            _leave_reader(d)
        case Owed(_, retried, _):
            if not retried or not sources.ready(d.world):
                give_back(d, CreditEnd.LEVER)
        case ChooseAgain() | Hold():
            give_back(d, CreditEnd.LEVER)
        case Credit() | OverpayAsked():
            _give_back_credit(d)
        case _:
            d.clear_entry()
            d.hush()


def _leave_reader(d: Draft) -> None:
    """No card after all. Mixed tender: the cash that is there goes back as well."""
    match d.state.phase:
        case SessionOpen() if d.state.entry:
            d.clear_entry()
            return
        case SessionOpen():
            card.end_session(d)
        case AgeCheck():
            age.stop(d)
        case _:
            card.cancel(d, Reason.CANCELLED_BY_CUSTOMER)
    if d.state.money and isinstance(d.state.phase, Credit):
        _give_back_credit(d)


def _give_back_credit(d: Draft) -> None:
    if _must_buy_first(d):
        d.clear_entry()
        restart_time(d)
        d.say("buy_first", d.policy.refusal_ms)
    else:
        give_back(d, CreditEnd.LEVER)


def _must_buy_first(d: Draft) -> bool:
    """Force-vend holds until a vend failed or nothing can be bought with this credit."""
    customer, force = d.state.customer, d.policy.force_vend
    if force is ForceVend.OFF:
        return False
    if force is ForceVend.BILLS and (customer is None or not customer.bills):
        return False  # a bill that is still held goes back as itself: nothing is changed
    if customer is None or customer.failures or customer.bought or not d.selling:
        return False
    return any(_buyable(d, price) for price in offer.prices_for_money(d.world))


def _buyable(d: Draft, price: int) -> bool:
    change = d.state.money - price
    if change < 0:
        return False
    return change - sources.payable(d.world, change) <= d.policy.overpay_up_to
