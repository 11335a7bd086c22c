"""After a start: what the previous life left open is read from evidence, never guessed silently.

The table is section 9 of the behaviour rules. Nothing moves by itself here: no
motor is homed, no coin is paid before the changer has said what it holds.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from vendd.core.facts import CreditEnd, MachineStarted, Outcome, Proof, Reason
from vendd.core.planogram import SlotState
from vendd.core.rows import Released, SlotSet
from vendd.core.sale.acts import FailVend
from vendd.core.sale.closing import close_sale, leave
from vendd.core.sale.doubt import doubtful_vend
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import give_back, pay
from vendd.core.sale.reports import Started
from vendd.core.sale.states import (
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    LastVend,
    OverpayAsked,
    Owed,
    Paying,
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.vending import deliver, slot_failed

_DAY = timedelta(hours=24)


def on_started(d: Draft, report: Started) -> None:
    """First report of a boot."""
    d.set(booting=True)
    phase = d.state.phase
    in_flight = phase.sale.id if d.state.sale is not None and phase.sale else None  # type: ignore[union-attr]
    outcome = _resume(d, report)
    d.record(
        MachineStarted(
            cause=report.cause,
            off_time_s=report.off_time_s,
            sale_in_flight=in_flight,
            sale_outcome=outcome,
            credit_restored=d.state.credit,
            db_check=report.db_check,
            software_old=report.software_old,
            software=report.software,
        )
    )


def _resume(d: Draft, report: Started) -> str | None:
    match d.state.phase:
        case Vending(sale):
            return _resume_vending(d, report)
        case Paying():
            return _resume_payout(d)
        case WaitingForTap(sale) | Authorising(sale) | Stacking(sale):
            d.record(Released(sale.id, sale.selection))
            close_sale(d, sale, Outcome.CANCELLED, Reason.POWER_LOSS)
            d.do(FailVend(sale.id))
            _to_credit(d)
            return "cancelled"
        case ClaimShown() | SessionOpen():
            d.go(Idle())
        case Owed() as owed:
            d.go(owed, d.policy.idle_credit_ms)
        case Credit() | OverpayAsked() | ChooseAgain() | Hold():
            _to_credit(d)
        case _:
            pass
    return None


def _to_credit(d: Draft) -> None:
    """Credit is shown again and its idle time starts anew; out of service it goes back."""
    if d.state.credit == 0:
        leave(d)
        return
    d.go(Credit(), None if d.world.door_open else d.policy.idle_credit_ms)
    if d.world.out_of_service:
        give_back(d, CreditEnd.OUT_OF_SERVICE)


def _resume_payout(d: Draft) -> str:
    """The changer's own counts decide once it is up; until then nothing is paid again."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    payout = phase.payout
    if payout.asked:
        payout = replace(payout, unknown=True, power_lost=True)
    d.go(replace(phase, payout=payout), d.policy.payout_answer_ms)
    return "payout_pending"


def _resume_vending(d: Draft, report: Started) -> str:
    """Motor intent is committed and nobody saw the end."""
    phase = d.state.phase
    assert isinstance(phase, Vending)
    sale = phase.sale
    if sale.delivered is not Proof.NONE:
        d.set(last_vend=LastVend(sale.id, sale.selection, delivered=True))
        if d.state.credit == 0:
            close_sale(d, sale, Outcome.SOLD)
            leave(d)
        else:
            pay(d, "change", None, sale)
        return "sold"
    homes = dict(report.homes)
    motors = d.world.slots[sale.selection].slot.motors
    at_home = all(homes.get(m) is True for m in motors)
    left = sale.left_home or not at_home
    if not left:
        return _not_delivered(d, "never_left_home", at_home, Outcome.REFUNDED)
    if not at_home:
        return _not_delivered(d, "not_at_home", at_home, Outcome.REFUNDED, slot_off=True)
    if sale.decides is Proof.HOME:
        return _delivered(d, "home_no_sensor", Outcome.SOLD)
    if _doubted_today(d):
        return _delivered(d, "home_no_drop_again", Outcome.DOUBTFUL)
    d.set(doubts=(*d.state.doubts[-9:], d.world.now.wall))
    return _not_delivered(d, "home_no_drop", at_home, Outcome.DOUBTFUL)


def _doubted_today(d: Draft) -> bool:
    """The same story twice in 24 h is no accident any more."""
    now = _instant(d.world.now.wall)
    return any(abs(now - _instant(at)) <= _DAY for at in d.state.doubts)


def _instant(wall: str) -> datetime:
    return datetime.fromisoformat(wall)


def _not_delivered(
    d: Draft, policy: str, at_home: bool, outcome: Outcome, *, slot_off: bool = False
) -> str:
    phase = d.state.phase
    assert isinstance(phase, Vending)
    sale = phase.sale
    d.record(Released(sale.id, sale.selection))
    doubtful_vend(d, sale, policy=policy, booked_as="refunded", home_now=at_home)
    if slot_off:
        slot_failed(d, sale.selection, Reason.NO_HOME)
        view = d.world.slots[sale.selection]
        if view.state is SlotState.ON_SALE:  # not home: off whatever the policy's number
            d.record(SlotSet(sale.selection, SlotState.JAMMED, "not_at_home", view.no_drop_streak))
    close_sale(d, sale, outcome, Reason.POWER_LOSS)
    d.set(last_vend=LastVend(sale.id, sale.selection, delivered=False))
    _to_credit(d)
    return outcome.value


def _delivered(d: Draft, policy: str, outcome: Outcome) -> str:
    phase = d.state.phase
    assert isinstance(phase, Vending)
    sale = deliver(d, phase.sale, Proof.HOME)
    doubtful_vend(d, sale, policy=policy, booked_as="sold", home_now=True)
    d.set(last_vend=LastVend(sale.id, sale.selection, delivered=True))
    due = d.state.credit
    if due == 0:
        close_sale(d, sale, outcome, Reason.POWER_LOSS)
        leave(d)
    elif outcome is Outcome.SOLD:
        pay(d, "change", None, sale)
    else:
        close_sale(d, sale, outcome, Reason.POWER_LOSS, change_due=0)
        pay(d, "refund", CreditEnd.POWER_LOSS, None)
    return outcome.value
