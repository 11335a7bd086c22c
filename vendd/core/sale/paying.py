"""Money on its way out: change, refunds, and what happens when a payout falls short."""

from dataclasses import replace
from typing import Final, Literal

from vendd.core.change import largest_payable
from vendd.core.facts import CreditEnd, Outcome, Reason
from vendd.core.sale import sources
from vendd.core.sale.acts import PayBills, PayOut, ReadStores, ReadTubes, ReturnBill
from vendd.core.sale.bill_reports import BillPayoutEnded, RecyclerStore
from vendd.core.sale.closing import close_credit, close_sale, forfeit, leave, open_claim, owe
from vendd.core.sale.doubt import doubtful_payout
from vendd.core.sale.draft import Draft
from vendd.core.sale.payout_books import Coins, back_to_credit, book_bills, book_coins, decide
from vendd.core.sale.pieces import (
    BillDoing,
    Payout,
    Sale,
)
from vendd.core.sale.reports import PayoutEnded, Timer, Tube
from vendd.core.sale.states import (
    Hold,
    Owed,
    Paying,
    Returning,
)
from vendd.core.snapshot import Snapshot

NOBODY_THERE: Final = frozenset({CreditEnd.IDLE, CreditEnd.OUT_OF_SERVICE, CreditEnd.POWER_LOSS})
"""Refunds for these reasons: nobody waits for the rest, so it is a claim at once."""

ASKED_MS: Final = 10_000
"""A changer that is asked for its tubes after silence has this long to answer."""


def give_back(d: Draft, why: CreditEnd) -> None:
    """All credit back to the customer, as far as the tubes allow."""
    if isinstance(d.state.phase, Hold) and why in (CreditEnd.LEVER, CreditEnd.IDLE):
        pay(d, "change", why, None)
    else:
        pay(d, "refund", why, None)


def pay(
    d: Draft, kind: Literal["change", "refund"], why: CreditEnd | None, sale: Sale | None
) -> None:
    """Give back a held bill as itself, then the whole credit; what can't be paid stays credit.

    A bill that moves has the way: the recycler can't pay meanwhile, and the credit may grow.
    """
    d.clear_entry()
    d.hush()
    bill = d.state.bill
    if bill is not None and bill.doing is BillDoing.ESCROW and bill.bill is not None:
        d.set(bill=replace(bill, doing=BillDoing.RETURNING))
        d.go(Returning(kind, why, sale), d.policy.stack_ms)
        d.do(ReturnBill(bill.bill))
    elif d.state.bill_moves:
        d.go(Returning(kind, why, sale), d.policy.stack_ms)
    elif d.state.credit == 0:
        _nothing_to_pay(d, why, sale)
    elif kind == "refund" and why is CreditEnd.IDLE and _forfeited(d):
        forfeit(d)
    else:
        _pay_credit(d, kind, why, sale)


def _forfeited(d: Draft) -> bool:
    """The owner's option; never what a reference was given out for."""
    return d.policy.forfeit_idle_credit and d.customer().owed_ref is None


def _nothing_to_pay(d: Draft, why: CreditEnd | None, sale: Sale | None) -> None:
    """The bill was all there was."""
    _close_sold(d, sale, 0, 0)
    if sale is None and d.state.customer is not None and d.state.customer.inserted:
        close_credit(d, why or CreditEnd.LATE_COIN)
    leave(d)
    if sale is not None:
        d.say("thanks", d.policy.thanks_ms)


def _pay_credit(
    d: Draft, kind: Literal["change", "refund"], why: CreditEnd | None, sale: Sale | None
) -> None:
    due, phase = d.state.credit, d.state.phase
    changer = d.world.changer
    waits = d.state.booting and changer.fitted and not changer.ready
    ready = sources.ready(d.world) and not waits
    amount, coins, bills = _plan(d, kind)
    if not ready:  # just started: decide when the changer is up and the tubes are known
        amount, coins, bills = (due if d.state.booting else 0), (), ()
    if amount == 0:
        fall_short(d, kind, why, sale, due=due, paid=0, untried=not ready)
        return
    retry = isinstance(phase, Owed) and (phase.retried or why is CreditEnd.LEVER)
    number = d.number("payout")
    payout = Payout(
        f"p{number}",
        kind,
        amount,
        due,
        coins,
        why,
        asked=ready,
        retry=retry,
        bills=bills,
        out="bills" if bills else "coins",
    )
    decide(d, payout)
    d.go(Paying(payout, sale), d.policy.payout_answer_ms)
    if ready:
        _ask_for(d, payout)


def _plan(d: Draft, kind: Literal["change", "refund"]) -> tuple[int, Coins, Coins]:
    """Change keeps the tube reserve, unless the customer would be owed money then."""
    reserve = d.policy.tube_reserve if kind == "change" else 0
    recycler = d.state.bill is None  # one that nobody has found yet may be in its way
    best = sources.plan(d.world, d.state.credit, reserve, recycler=recycler)
    if best[0] < d.state.credit and reserve:
        return sources.plan(d.world, d.state.credit, recycler=recycler)
    return best


def _ask_for(d: Draft, payout: Payout) -> None:
    """Bills first: if they don't come out, coins can still make it up."""
    if payout.out == "bills":
        bills = {s.type: s.value for s in d.world.recycler}
        d.do(PayBills(payout.id, payout.bills, _value(payout.bills, bills)))
    else:
        tubes = {t.type: t.value for t in d.world.tubes}
        d.do(PayOut(payout.id, payout.coins, _value(payout.coins, tubes)))


def _value(pieces: Coins, values: dict[int, int]) -> int:
    return sum(values[type_] * count for type_, count in pieces)


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
    if phase.payout.out != "coins":
        return
    if report.certain:
        settle(d, phase, report.paid)
    else:
        _ask_counts(d, phase)


def on_bills_ended(d: Draft, report: BillPayoutEnded) -> None:
    """The recycler says how its part ended; coins follow."""
    phase = d.state.phase
    if not isinstance(phase, Paying) or phase.payout.id != report.payout_id:
        return
    if phase.payout.out != "bills":
        return
    if report.certain:
        _settle_bills(d, phase, report.paid)
    else:
        _ask_counts(d, phase)


def _settle_bills(d: Draft, phase: Paying, paid: Coins) -> None:
    """The bills that left are booked; the rest goes out in coins."""
    value = book_bills(d, phase.payout, paid)
    planned = dict(phase.payout.bills)
    coins = phase.payout.coins
    rest = phase.payout.amount - value
    if dict(paid) != planned:  # not what was planned: coins for whatever is still to come
        coins = coins_for(d.world, rest)
    payout = replace(phase.payout, out="coins", bills_out=value, coins=coins, unknown=False)
    d.update(replace(phase, payout=payout))
    phase = replace(phase, payout=payout)
    if payout.power_lost or not coins or not d.world.changer.ready:
        settle(d, phase, ())
        return
    d.arm(Timer.PAYOUT, d.policy.payout_answer_ms)
    _ask_for(d, payout)


def coins_for(world: Snapshot, amount: int) -> Coins:
    """Coins for as much of `amount` as the tubes can pay."""
    return largest_payable(amount, world.tubes)[1] if world.changer.ready else ()


def _ask_counts(d: Draft, phase: Paying) -> None:
    d.update(replace(phase, payout=replace(phase.payout, unknown=True)))
    d.do(ReadStores() if phase.payout.out == "bills" else ReadTubes())


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
        _ask_counts(d, phase)
        d.arm(Timer.PAYOUT, ASKED_MS)


def on_tubes_after(d: Draft, now: tuple[Tube, ...]) -> None:
    """Tube counts taken after a payout of unknown end decide what it paid."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    before = {t.type: t.count for t in d.world.tubes}
    counted = {t.type: (t.value, t.count) for t in now if not t.defective}
    gone = _gone(phase.payout, before, counted, phase.payout.coins)
    if gone is not None:
        settle(d, phase, gone)
    else:
        cannot_know(d, _moved("tubes", before, counted), now)


def on_stores_after(d: Draft, now: tuple[RecyclerStore, ...]) -> None:
    """As `on_tubes_after`, for the recycler's part."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    before = {s.type: s.count for s in d.world.recycler}
    counted = {s.type: (s.value, s.count) for s in now if not s.defective}
    gone = _gone(phase.payout, before, counted, phase.payout.bills)
    if gone is not None:
        _settle_bills(d, phase, gone)
    else:
        cannot_know(d, _moved("recycler", before, counted))


def _gone(
    payout: Payout, before: dict[int, int], counted: dict[int, tuple[int, int]], asked: Coins
) -> Coins | None:
    """Pieces per type that left; None when the counts can't be about this payout alone."""
    gone = {type_: before.get(type_, 0) - count for type_, (_, count) in counted.items()}
    total = sum(counted[type_][0] * n for type_, n in gone.items())
    readable = all(type_ in counted for type_, _ in asked)
    plausible = all(n >= 0 for n in gone.values()) and total <= payout.amount - payout.bills_out
    if not (readable and plausible) or payout.door_opened:
        return None
    return tuple((type_, n) for type_, n in gone.items() if n)


def _moved(what: str, before: dict[int, int], counted: dict[int, tuple[int, int]]) -> str:
    total = sum((before.get(t, 0) - count) * value for t, (value, count) in counted.items())
    return f"{what} moved by {total}"


def cannot_know(d: Draft, status: str, tubes_now: tuple[Tube, ...] | None = None) -> None:
    """What was paid can't be found out: all of it is a claim, and published as doubtful."""
    phase = d.state.phase
    assert isinstance(phase, Paying)
    payout = phase.payout
    back_to_credit(d, payout, payout.amount - payout.bills_out)
    if phase.sale is not None:
        due, paid = payout.due, payout.bills_out
        doubtful = Outcome.DOUBTFUL
        close_sale(d, phase.sale, doubtful, Reason.OTHER, change_due=due, change_paid=paid)
    doubtful_payout(d, phase, status, tubes_now)
    lost = CreditEnd.POWER_LOSS if payout.power_lost else CreditEnd.OUT_OF_SERVICE
    reason = "power_loss" if payout.power_lost else "changer_lost"
    open_claim(d, payout.why or lost, reason, phase.sale.id if phase.sale else None)


def settle(d: Draft, phase: Paying, paid: Coins) -> None:
    """The payout is known: book it, close what it belonged to, see what is left."""
    payout, sale = phase.payout, phase.sale
    value = payout.bills_out + book_coins(d, payout, paid)
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
        pay(d, "refund", (payout.kind == "refund" and payout.why) or CreditEnd.LATE_COIN, None)


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
    phase, ready = d.state.phase, sources.ready(d.world)
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
