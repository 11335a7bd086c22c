"""Money on its way out: change, refunds, and what happens when a payout falls short."""

from dataclasses import replace
from typing import Final, Literal

from vendd.core.change import largest_payable
from vendd.core.facts import CreditEnd, Outcome, Reason
from vendd.core.sale.acts import PayOut, ReadTubes
from vendd.core.sale.closing import close_credit, close_sale, forfeit, leave, open_claim, owe
from vendd.core.sale.doubt import doubtful_payout
from vendd.core.sale.draft import Draft
from vendd.core.sale.payout_books import Coins, back_to_credit, book_coins, decide
from vendd.core.sale.reports import PayoutEnded, Timer, Tube
from vendd.core.sale.states import Hold, Owed, Paying, Payout, Sale

NOBODY_THERE: Final = frozenset({CreditEnd.IDLE, CreditEnd.OUT_OF_SERVICE, CreditEnd.POWER_LOSS})
"""Refunds for these reasons: nobody waits for the rest, so it is a claim at once."""

ASKED_MS: Final = 10_000
"""A changer that is asked for its tubes after silence has this long to answer."""


def give_back(d: Draft, why: CreditEnd) -> None:
    """All credit back to the customer, as far as the tubes allow."""
    if why is CreditEnd.IDLE and d.policy.forfeit_idle_credit:
        forfeit(d)
    elif isinstance(d.state.phase, Hold) and why in (CreditEnd.LEVER, CreditEnd.IDLE):
        pay(d, "change", why, None)
    else:
        pay(d, "refund", why, None)


def pay(
    d: Draft, kind: Literal["change", "refund"], why: CreditEnd | None, sale: Sale | None
) -> None:
    """Start paying the whole credit; what the tubes don't hold stays credit."""
    d.clear_entry()
    d.hush()
    due, ready, phase = d.state.credit, d.world.changer.ready, d.state.phase
    amount, coins = _plan(d, kind)
    if not ready:  # just started: decide when the changer is up and the tubes are known
        amount, coins = (due if d.state.booting else 0), ()
    if amount == 0:
        fall_short(d, kind, why, sale, due=due, paid=0, untried=not ready)
        return
    retry = isinstance(phase, Owed) and (phase.retried or why is CreditEnd.LEVER)
    number = d.number("payout")
    payout = Payout(f"p{number}", kind, amount, due, coins, why, asked=ready, retry=retry)
    decide(d, payout)
    d.go(Paying(payout, sale), d.policy.payout_answer_ms)
    if ready:
        d.do(PayOut(payout.id, coins, amount))


def _plan(d: Draft, kind: Literal["change", "refund"]) -> tuple[int, Coins]:
    """Change keeps the tube reserve, unless the customer would be owed money then."""
    reserve = d.policy.tube_reserve if kind == "change" else 0
    amount, coins = largest_payable(d.state.credit, d.world.tubes, reserve)
    if amount < d.state.credit and reserve:
        return largest_payable(d.state.credit, d.world.tubes)
    return amount, coins


def ask_again(d: Draft) -> None:
    """A payout waited for the changer after a start: decide it with what is known now."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    back_to_credit(d, phase.payout, phase.payout.amount)
    pay(d, phase.payout.kind, phase.payout.why, phase.sale)


def on_ended(d: Draft, report: PayoutEnded) -> None:
    """The changer says how a payout ended, or that it does not know: then it is asked."""
    phase = d.state.phase
    if not isinstance(phase, Paying) or phase.payout.id != report.payout_id:
        return  # an answer to something that is settled already
    if report.certain:
        settle(d, phase, report.paid)
    else:
        _ask_tubes(d, phase)


def _ask_tubes(d: Draft, phase: Paying) -> None:
    d.update(replace(phase, payout=replace(phase.payout, unknown=True)))
    d.do(ReadTubes())


def on_overdue(d: Draft) -> None:
    """The changer neither answered nor came back in time."""
    phase = d.state.phase
    if not isinstance(phase, Paying):
        return
    if not phase.payout.asked:  # nothing was ever asked for: the money is all there
        d.set(booting=False)
        ask_again(d)
    elif phase.payout.unknown:
        cannot_know(d, "no answer")
    else:
        _ask_tubes(d, phase)
        d.arm(Timer.PAYOUT, ASKED_MS)


def on_tubes_after(d: Draft, now: tuple[Tube, ...]) -> None:
    """Tube counts taken after a payout of unknown end decide what it paid."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    before = {t.type: t.count for t in d.world.tubes}
    counted = {t.type: t for t in now if not t.defective}
    gone = {type_: before.get(type_, 0) - t.count for type_, t in counted.items()}
    total = sum(counted[type_].value * n for type_, n in gone.items())
    readable = all(type_ in counted for type_, _ in phase.payout.coins)
    plausible = all(n >= 0 for n in gone.values()) and total <= phase.payout.amount
    if readable and plausible and not phase.payout.door_opened:
        settle(d, phase, tuple((type_, n) for type_, n in gone.items() if n))
    else:
        cannot_know(d, f"tubes moved by {total}", now)


def cannot_know(d: Draft, status: str, tubes_now: tuple[Tube, ...] | None = None) -> None:
    """What was paid can't be found out: all of it is a claim, and published as doubtful."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    payout = phase.payout
    back_to_credit(d, payout, payout.amount)
    if phase.sale is not None:
        close_sale(d, phase.sale, Outcome.DOUBTFUL, Reason.OTHER, change_due=payout.due)
    doubtful_payout(d, phase, status, tubes_now)
    lost = CreditEnd.POWER_LOSS if payout.power_lost else CreditEnd.OUT_OF_SERVICE
    reason = "power_loss" if payout.power_lost else "changer_lost"
    open_claim(d, payout.why or lost, reason, phase.sale.id if phase.sale else None)


def settle(d: Draft, phase: Paying, paid: Coins) -> None:
    """The payout is known: book it, close what it belonged to, see what is left."""
    payout, sale = phase.payout, phase.sale
    value = book_coins(d, payout, paid)
    back_to_credit(d, payout, payout.amount - value)
    if payout.power_lost and d.state.credit:
        _close_sold(d, sale, payout.due, value)
        open_claim(d, CreditEnd.POWER_LOSS, "power_loss", sale.id if sale else None)
    elif value < payout.due:
        retried = payout.retry
        fall_short(d, payout.kind, payout.why, sale, due=payout.due, paid=value, retried=retried)
    elif d.state.credit:
        _close_sold(d, sale, value, value)
        _late_coin(d, payout)
    else:
        _all_paid(d, payout, sale, value)


def _close_sold(d: Draft, sale: Sale | None, due: int, paid: int) -> None:
    if sale is not None:
        close_sale(d, sale, Outcome.SOLD, change_due=due, change_paid=paid)


def _late_coin(d: Draft, payout: Payout) -> None:
    """A coin was still rolling when the payout was decided: returned, kept under multi-vend."""
    if d.policy.multi_vend and d.selling:
        d.go(Hold(), d.policy.multi_vend_hold_ms)
    else:
        pay(d, "refund", payout.why or CreditEnd.LATE_COIN, None)


def _all_paid(d: Draft, payout: Payout, sale: Sale | None, value: int) -> None:
    _close_sold(d, sale, value, value)
    if sale is None:
        close_credit(d, payout.why or CreditEnd.LATE_COIN)
    leave(d)
    if payout.kind == "change":
        d.say("thanks_change", d.policy.thanks_ms, amount=value)


def fall_short(
    d: Draft,
    kind: Literal["change", "refund"],
    why: CreditEnd | None,
    sale: Sale | None,
    *,
    due: int,
    paid: int,
    retried: bool = False,
    untried: bool = False,
) -> None:
    """The tubes could not pay it all. `paid` of `due` is out, the rest is credit again.

    `untried`: there was no changer to ask.
    """
    _close_sold(d, sale, due, paid)
    sale_id = sale.id if sale else None
    phase, ready = d.state.phase, d.world.changer.ready
    reason = "payout_incomplete" if ready else "changer_lost"
    if d.shut:
        open_claim(d, CreditEnd.OUT_OF_SERVICE, reason, sale_id)
    elif kind == "refund" and why in NOBODY_THERE:
        open_claim(d, why or CreditEnd.IDLE, reason, sale_id)
    elif isinstance(phase, Owed) and why is CreditEnd.LEVER and not ready:
        open_claim(d, CreditEnd.LEVER, reason, sale_id)
    else:
        lever = isinstance(phase, Owed) and why is CreditEnd.LEVER
        owe(d, retried=retried or lever, dead=untried)
