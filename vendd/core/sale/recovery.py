"""After a start: what the previous life left open is read from evidence, never guessed silently.

The table is section 9 of the behaviour rules. Nothing moves by itself here: no
motor is homed, no coin is paid before the changer has said what it holds.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from vendd.core.facts import CreditEnd, MachineStarted, Outcome, Proof, Reason
from vendd.core.rows import Released
from vendd.core.sale import lever, refund, revalue
from vendd.core.sale.closing import close_sale, leave, to_credit
from vendd.core.sale.doubt import doubtful_vend
from vendd.core.sale.draft import Draft
from vendd.core.sale.drops import remember, watch_lock
from vendd.core.sale.paying import give_back, pay
from vendd.core.sale.pieces import (
    Bill,
    BillDoing,
    Sale,
)
from vendd.core.sale.reports import Started, Timer
from vendd.core.sale.slots import slot_failed
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.vending import deliver

_DAY: Final = timedelta(hours=24)
_DOUBTS_KEPT: Final = 10


def on_started(d: Draft, report: Started) -> None:
    """First report of a boot."""
    d.set(booting=True)
    lever.free(d)
    watch_lock(d)
    last = d.state.last_vend
    if last is not None and last.delivered and last.dropped:
        d.set(last_vend=None)  # nobody knows how long ago that was
    sale = d.state.sale
    d.set(unclear_bills=tuple(replace(b, bill=None) for b in d.state.unclear_bills))
    bill = d.state.bill
    if bill is not None:  # its validator's report decides
        d.set(bill=Bill(None, bill.type, bill.value, BillDoing.AWAITED))
        d.arm(Timer.BILL, d.policy.idle_credit_ms)
    outcome = _resume(d, report)
    refund.resume(d)
    d.record(
        MachineStarted(
            cause=report.cause,
            off_time_s=report.off_time_s,
            sale_in_flight=sale.id if sale else None,
            sale_outcome=outcome,
            credit_restored=d.state.credit,
            db_check=report.db_check,
            software_old=report.software_old,
            software=report.software,
            off_time_known=report.off_time_s is not None,
            controller_serial=report.controller_serial,
        )
    )


def _resume(d: Draft, report: Started) -> str | None:
    match d.state.phase:
        case Vending(sale):
            return _resume_vending(d, sale, dict(report.homes))
        case Paying() as phase:
            return _resume_payout(d, phase)
        case WaitingForTap(sale) | Authorising(sale) | Stacking(sale):
            d.record(Released(sale.id, sale.selection))
            if sale.card is not None and sale.card.sent:
                refund.remember_asked(d, sale)
            close_sale(d, sale, Outcome.CANCELLED, Reason.POWER_LOSS)
            _back(d)
            return "cancelled"
        case Refunding():
            return "refund_pending"
        case Returning(kind, why, sale):
            _resume_returning(d, kind, why, sale)
        case SessionOpen() | AgeCheck() | Revaluing():
            _leave_reader(d)
        case ClaimShown():
            d.go(Idle())
        case Owed() as owed:
            d.go(owed, None if d.world.door_open else d.policy.idle_credit_ms)
        case Credit() | OverpayAsked() | ChooseAgain() | Hold():
            _credit_again(d)
        case Idle():
            pass
    return None


def _credit_again(d: Draft) -> None:
    if d.state.credit:
        to_credit(d)
    else:  # all there was is a bill whose validator has the word
        d.go(Credit())
        leave(d)


def _back(d: Draft) -> None:
    """Credit is shown again and its idle time starts anew; a remembered lever returns it."""
    customer = d.state.customer
    if d.state.credit == 0:
        leave(d)
        return
    to_credit(d)
    if customer is not None and customer.lever:
        d.customer_with(lever=False)
        if not d.world.door_open:
            give_back(d, CreditEnd.LEVER)


def _leave_reader(d: Draft) -> None:
    """No card is there any more; what was being put on one is in doubt."""
    if isinstance(d.state.phase, Revaluing):
        revalue.unknown(d, power_loss=True)
    else:
        _back(d)


def _resume_returning(
    d: Draft, kind: Literal["change", "refund"], why: CreditEnd | None, sale: Sale | None
) -> None:
    """The bill is its own story now; the rest of the credit is paid as it would have been."""
    if sale is not None or d.state.credit:
        pay(d, kind, why or CreditEnd.POWER_LOSS, sale)
    else:
        leave(d)


def _resume_payout(d: Draft, phase: Paying) -> str:
    """The changer's own counts decide once it is up; until then nothing is paid again."""
    payout = phase.payout
    if payout.asked:
        payout = replace(payout, unknown=True, power_lost=True)
    d.go(replace(phase, payout=payout), d.policy.payout_answer_ms)
    return "payout_pending"


def _resume_vending(d: Draft, sale: Sale, homes: dict[str, bool | None]) -> str:
    """Motor intent is committed and nobody saw the end."""
    if sale.delivered is not Proof.NONE:
        remember(d, sale, delivered=True)
        _pay_change(d, sale)
        return "sold"
    motors = d.world.slots[sale.selection].slot.motors
    at_home = all(homes.get(m) is True for m in motors)
    if not at_home:
        return _not_delivered(d, sale, "not_at_home", at_home=False)
    if not sale.left_home:
        return _not_delivered(d, sale, "never_left_home", at_home=True)
    if sale.decides is Proof.HOME:
        return _delivered(d, sale, "home_no_sensor", Outcome.SOLD)
    again = _doubted_today(d)
    d.set(doubts=(*d.state.doubts, d.world.now.wall)[-_DOUBTS_KEPT:])
    if again:
        return _delivered(d, sale, "home_no_drop_again", Outcome.DOUBTFUL)
    return _not_delivered(d, sale, "home_no_drop", at_home=True, outcome=Outcome.DOUBTFUL)


def _doubted_today(d: Draft) -> bool:
    """The same story twice in 24 h is no accident any more."""
    now = _instant(d.world.now.wall)
    return any(abs(now - _instant(at)) <= _DAY for at in d.state.doubts)


def _instant(wall: str) -> datetime:
    return datetime.fromisoformat(wall)


def _not_delivered(
    d: Draft, sale: Sale, policy: str, *, at_home: bool, outcome: Outcome = Outcome.REFUNDED
) -> str:
    d.record(Released(sale.id, sale.selection))
    doubtful_vend(d, sale, policy=policy, booked_as="refunded", home_now=at_home)
    if not at_home:  # off until a person has homed it, whatever the policy's number
        slot_failed(d, sale.selection, Reason.NO_HOME, off=True)
    if outcome is Outcome.REFUNDED and not d.state.credit:
        outcome = Outcome.CANCELLED  # a free product: there was nothing to give back
    remember(d, sale, delivered=False)
    if sale.card is not None:
        refund.begin(d, sale, Reason.POWER_LOSS)
        return "refund_pending"
    close_sale(d, sale, outcome, Reason.POWER_LOSS)
    if d.state.customer is not None:
        d.customer_with(failures=d.state.customer.failures + 1)
    _back(d)
    return outcome.value


def _delivered(d: Draft, sale: Sale, policy: str, outcome: Outcome) -> str:
    sale = deliver(d, sale, Proof.HOME)
    doubtful_vend(d, sale, policy=policy, booked_as="sold", home_now=True)
    remember(d, sale, delivered=True)
    if outcome is Outcome.SOLD:
        _pay_change(d, sale, Reason.POWER_LOSS)
    else:
        close_sale(d, sale, outcome, Reason.POWER_LOSS)
        if d.state.credit:
            pay(d, "refund", CreditEnd.POWER_LOSS, None)
        else:
            leave(d)
    return outcome.value


def _pay_change(d: Draft, sale: Sale, reason: Reason | None = None) -> None:
    """Change is paid when the changer is up."""
    if d.state.customer is not None:
        d.customer_with(lever=False)
    if d.state.credit:
        pay(d, "change", None, sale)
    else:
        close_sale(d, sale, Outcome.SOLD, reason)
        leave(d)
