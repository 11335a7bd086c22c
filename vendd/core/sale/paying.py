"""Money on its way out: change, refunds, and what happens when a payout falls short.

A payout moves its amount from ``customer`` to ``change`` or ``refunds`` before
the first coin; each coin that left then moves it on from there, and what did not
leave goes back to ``customer``. So a power cut at any instant finds the
remainder in exactly one account.
"""

from dataclasses import replace
from typing import Literal

from vendd.core import ledger
from vendd.core.change import largest_payable
from vendd.core.facts import CreditEnd, Outcome, Reason
from vendd.core.rows import CountersAdded, Posted, TubeSet
from vendd.core.sale.acts import PayOut
from vendd.core.sale.closing import (
    close_credit,
    close_sale,
    forfeit,
    leave,
    open_claim,
    owe,
)
from vendd.core.sale.draft import Draft
from vendd.core.sale.reports import PayoutEnded, Tube
from vendd.core.sale.states import Owed, Paying, Payout, Sale

# The customer has gone, or may not be served any more: what can't be paid is a claim at once.
NOBODY_THERE = frozenset({CreditEnd.IDLE, CreditEnd.OUT_OF_SERVICE, CreditEnd.POWER_LOSS})


def give_back(d: Draft, why: CreditEnd) -> None:
    """All credit back to the customer, as far as the tubes allow."""
    if why is CreditEnd.IDLE and d.policy.forfeit_idle_credit:
        forfeit(d)
        return
    pay(d, "refund", why, None)


def pay(
    d: Draft, kind: Literal["change", "refund"], why: CreditEnd | None, sale: Sale | None
) -> None:
    """Start paying the whole credit. Change keeps the tube reserve, a refund may use it."""
    d.clear_entry()
    d.hush()
    ready = d.world.changer.ready
    if not ready and not d.state.booting:
        fall_short(d, kind, why, sale, due=d.state.credit, paid=0)
        return
    reserve = d.policy.tube_reserve if kind == "change" else 0
    amount, coins = largest_payable(d.state.credit, d.world.tubes, reserve)
    if not ready:  # the tubes are not known yet: decide when the changer is up
        amount, coins = d.state.credit, ()
    if amount == 0:
        fall_short(d, kind, why, sale, due=d.state.credit, paid=0)
        return
    owed = d.state.phase.ref if isinstance(d.state.phase, Owed) else None
    payout = Payout(f"p{d.number('payout')}", kind, amount, coins, why, asked=ready, owed_ref=owed)
    account = ledger.CHANGE if kind == "change" else ledger.REFUNDS
    d.record(Posted(ledger.CUSTOMER, account, amount, kind, payout.id))
    d.set(credit=d.state.credit - amount)
    d.go(Paying(payout, sale), d.policy.payout_answer_ms)
    if ready:
        d.do(PayOut(payout.id, coins, amount))


def ask_again(d: Draft) -> None:
    """The changer came up and a payout was still waiting for it: decide with its tubes."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    _back_to_credit(d, phase.payout, phase.payout.amount)
    pay(d, phase.payout.kind, phase.payout.why, phase.sale)


def _back_to_credit(d: Draft, payout: Payout, amount: int) -> None:
    account = ledger.CHANGE if payout.kind == "change" else ledger.REFUNDS
    if amount > 0:
        d.record(Posted(account, ledger.CUSTOMER, amount, "unpaid", payout.id))
        d.set(credit=d.state.credit + amount)


def book_coins(d: Draft, payout: Payout, paid: tuple[tuple[int, int], ...]) -> int:
    """Coins of this payout left their tubes. Returns their value, all of it booked."""
    account = ledger.CHANGE if payout.kind == "change" else ledger.REFUNDS
    tubes = {t.type: t for t in d.world.tubes}
    total = 0
    room = payout.amount
    for type_, count in paid:
        tube = tubes.get(type_)
        if tube is None or count <= 0:
            continue
        value = tube.value * count
        due = min(value, room)
        room -= due
        if due:
            d.record(Posted(account, ledger.tube(tube.value), due, payout.kind, payout.id))
        if value > due:  # more left the tube than was decided: never hidden
            d.record(
                Posted(
                    ledger.UNEXPLAINED,
                    ledger.tube(tube.value),
                    value - due,
                    "paid_too_much",
                    payout.id,
                )
            )
        left = max(0, tube.count - count)
        if tube.count - count < 0:
            missing = (count - tube.count) * tube.value
            d.record(Posted(ledger.tube(tube.value), ledger.UNEXPLAINED, missing, "undercounted"))
        d.record(TubeSet(tube.type, tube.value, left, False, tube.defective))
        total += value
    if total:
        d.record(CountersAdded(cash_out=total))
        if d.state.customer is not None:
            d.customer_with(returned=d.customer().returned + total)
    return min(total, payout.amount)


def on_ended(d: Draft, report: PayoutEnded) -> None:
    """The changer says how a payout ended, or that it does not know."""
    phase = d.state.phase
    if not isinstance(phase, Paying) or phase.payout.id != report.payout_id:
        return  # an answer to something that is settled already
    if report.certain:
        settle(d, phase, report.paid)
    else:
        d.update(replace(phase, payout=replace(phase.payout, unknown=True)))


def on_tubes_after(d: Draft, now: tuple[Tube, ...]) -> None:
    """Tube counts after the changer came back decide what an unanswered payout paid."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    before = {t.type: t.count for t in d.world.tubes}
    gone = tuple((t.type, before.get(t.type, 0) - t.count) for t in now)
    values = {t.type: t.value for t in now}
    total = sum(values[t] * n for t, n in gone)
    believable = not phase.payout.door_opened and all(n >= 0 for _, n in gone)
    if believable and total <= phase.payout.amount:
        settle(d, phase, tuple((t, n) for t, n in gone if n))
    else:
        cannot_know(d, f"tubes moved by {total}")


def cannot_know(d: Draft, status: str) -> None:
    """What was paid can't be found out: all of it is a claim, and published as doubtful."""
    from vendd.core.sale.doubt import doubtful_payout

    phase = d.state.phase
    assert isinstance(phase, Paying)
    payout = phase.payout
    _back_to_credit(d, payout, payout.amount)
    if phase.sale is not None:
        close_sale(d, phase.sale, Outcome.DOUBTFUL, Reason.OTHER, change_due=payout.amount)
    doubtful_payout(d, phase, status)
    open_claim(
        d,
        payout.why or CreditEnd.POWER_LOSS,
        "power_loss" if payout.power_lost else "changer_lost",
        phase.sale.id if phase.sale else None,
    )


def settle(d: Draft, phase: Paying, paid: tuple[tuple[int, int], ...]) -> None:
    """The payout is known: book it, close what it belonged to, see what is left."""
    payout = phase.payout
    value = book_coins(d, payout, paid)
    _back_to_credit(d, payout, payout.amount - value)
    if payout.power_lost and d.state.credit:
        _finish_sale(d, phase.sale, payout.amount, value)
        open_claim(d, CreditEnd.POWER_LOSS, "power_loss", phase.sale.id if phase.sale else None)
    elif value < payout.amount:
        fall_short(d, payout.kind, payout.why, phase.sale, due=payout.amount, paid=value)
    else:
        _paid(d, phase, value)


def _finish_sale(d: Draft, sale: Sale | None, due: int, paid: int) -> None:
    if sale is not None:
        close_sale(d, sale, Outcome.SOLD, change_due=due, change_paid=paid)


def _paid(d: Draft, phase: Paying, value: int) -> None:
    """All that was decided is out."""
    payout, sale = phase.payout, phase.sale
    if d.state.credit:  # the tubes did not hold it all, or a coin was still rolling
        unpaid = d.state.credit if _planned_short(d, payout) else 0
        if unpaid:
            fall_short(d, payout.kind, payout.why, sale, due=value + unpaid, paid=value)
            return
        _finish_sale(d, sale, value, value)
        pay(d, "refund", payout.why or CreditEnd.LATE_COIN, None)
        return
    _finish_sale(d, sale, value, value)
    if payout.kind == "refund" and payout.why is not None:
        close_credit(d, payout.why)
    leave(d)
    if payout.kind == "change":
        d.say("thanks_change", d.policy.thanks_ms, amount=value)


def _planned_short(d: Draft, payout: Payout) -> bool:
    """Whether what is left can't be paid now either."""
    reserve = d.policy.tube_reserve if payout.kind == "change" else 0
    return largest_payable(d.state.credit, d.world.tubes, reserve)[0] == 0


def fall_short(
    d: Draft,
    kind: Literal["change", "refund"],
    why: CreditEnd | None,
    sale: Sale | None,
    *,
    due: int,
    paid: int,
) -> None:
    """The tubes could not pay it all. `paid` of `due` is out, the rest is credit again."""
    if sale is not None and kind == "change":
        close_sale(d, sale, Outcome.SOLD, change_due=due, change_paid=paid)
    sale_id = sale.id if sale else None
    if why in NOBODY_THERE:
        open_claim(d, why or CreditEnd.IDLE, "payout_incomplete", sale_id)
    elif isinstance(d.state.phase, Owed) and not d.world.changer.ready:
        open_claim(d, why or CreditEnd.LEVER, "changer_lost", sale_id)
    else:
        owe(d)
