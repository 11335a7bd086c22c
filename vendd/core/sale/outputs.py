"""What should stand on the display and which coins should be taken: functions of the state alone.

The engine brings the devices here after every step, so a display that was
replaced or a changer that was reset is right again without anyone remembering.
"""

from typing import Final

from vendd.core.facts import Channel
from vendd.core.money import format_amount
from vendd.core.planogram import SlotState
from vendd.core.sale import offer, revalue, tenders
from vendd.core.sale.pieces import (
    BillDoing,
    Sale,
    Session,
)
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    Notice,
    OverpayAsked,
    Owed,
    Paying,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    State,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.tariff import for_cash
from vendd.core.sale.texts import TEXTS
from vendd.core.snapshot import Snapshot

Screen = tuple[str, str]

# The tenders' side of what devices are brought to; one place to ask for all of it.
accepted_coins = tenders.accepted_coins
accepted_bills = tenders.accepted_bills
enabled_readers = tenders.enabled_readers
card_prices = tenders.card_price_range


def screen(state: State, world: Snapshot, columns: int = 16) -> Screen:
    """Both lines, amounts set to the right edge of `columns`."""
    if world.door_open and not isinstance(state.phase, _BUSY):
        text = "door_open_credit" if state.money else "door_open"
        return _say(text, world, columns, amount=state.money)
    if (world.out_of_service or state.locked) and not isinstance(state.phase, _BUSY):
        ref = getattr(state.phase, "ref", "")
        text = "out_of_service_ref" if ref else "out_of_service"
        return _say(text, world, columns, ref=ref)
    if state.bill_moves and not isinstance(state.phase, _BUSY):
        moving = state.bill is not None and state.bill.doing is BillDoing.RETURNING
        return _say("wait" if moving else "checking_bill", world, columns)
    if state.notice is not None:
        return _notice(state.notice, world, columns)
    if state.entry:
        return _say("entry", world, columns, selection=state.entry + "_")
    return _phase(state, world, columns)


def out_of_service(world: Snapshot, columns: int = 16) -> Screen:
    """What stands there when nothing can be sold, whatever the state."""
    return _say("out_of_service", world, columns)


def _phase(state: State, world: Snapshot, columns: int) -> Screen:
    credit = state.money
    match state.phase:
        case Idle():
            return _idle(state, world, columns)
        case OverpayAsked(selection, keeps):
            return _say("overpay", world, columns, selection=selection, amount=keeps)
        case Owed(ref):
            return _say("owed", world, columns, amount=credit, ref=ref)
        case ClaimShown(ref, amount):
            return _say("claim", world, columns, amount=amount, ref=ref)
        case WaitingForTap(sale):
            return _tap(sale, world, columns)
        case SessionOpen(session):
            return _session(session, state, world, columns)
        case Vending(sale):
            free = sale.channel is Channel.FREE
            return _say("free" if free else "vending", world, columns, selection=sale.selection)
        case Paying(payout):
            return _say("change" if payout.kind == "change" else "returning", world, columns)
        case phase:
            return _say(_PLAIN[type(phase)], world, columns, amount=credit)


def _tap(sale: Sale, world: Snapshot, columns: int) -> Screen:
    """Where a card pays another price than cash, both are shown before paying."""
    cash = for_cash(world.slots[sale.selection].slot).price
    differ = cash != sale.price and sale.credit_before == 0 and tenders.fitted(world) != ("CARD",)
    text = "two_prices" if differ else "tap"
    amount = sale.price if differ or sale.card is None else sale.card.asked
    return _say(text, world, columns, selection=sale.selection, amount=amount)


def _session(session: Session, state: State, world: Snapshot, columns: int) -> Screen:
    """The balance is often a pre-authorisation: shown only where the owner wants it."""
    if state.money and world.policy.revalue and session.revaluable:
        return _say("session_credit", world, columns, amount=state.money)
    if state.money:
        return _say("credit", world, columns, amount=state.money)
    if world.policy.show_card_balance and session.funds is not None:
        return _say("session_funds", world, columns, amount=session.funds)
    return _say("session", world, columns)


_BUSY: Final = (Vending, Paying, Stacking, Returning, Refunding)
_PLAIN: Final[dict[type, str]] = {
    Credit: "credit",
    Hold: "hold",
    ChooseAgain: "not_delivered",
    Authorising: "authorising",
    Revaluing: "wait",
    AgeCheck: "age",
    Refunding: "wait",
    Stacking: "wait",
    Returning: "returning",
}


def _idle(state: State, world: Snapshot, columns: int) -> Screen:
    if not can_be_paid(world):
        return _say("out_of_service", world, columns)
    if all(v.state is not SlotState.ON_SALE or v.available <= 0 for v in world.slots.values()):
        return _say("all_sold_out", world, columns)
    if not offer.prices_for_money(world) and not offer.something_free(world):
        return _say("out_of_service", world, columns)  # nobody can see what falls
    return _say("idle_exact" if state.exact_change else "idle", world, columns)


def can_be_paid(world: Snapshot) -> bool:
    """Something can take money, or something is free."""
    return bool(tenders.usable(world)) or offer.something_free(world)


def tender_line(world: Snapshot) -> str:
    """The tenders that work, as the display names them; those that don't are missed by name."""
    usable, fitted = tenders.usable(world), tenders.fitted(world)
    if usable == (tenders.CARD,) and len(fitted) > 1:
        return "CARD ONLY"
    if tenders.CARD in fitted and tenders.CARD not in usable and usable:
        return "CASH ONLY"
    return " ".join(usable)


def _notice(notice: Notice, world: Snapshot, columns: int) -> Screen:
    return _say(
        notice.text,
        world,
        columns,
        selection=notice.selection,
        amount=notice.amount,
        ref=notice.ref,
    )


def _say(
    text: str,
    world: Snapshot,
    columns: int,
    *,
    selection: str = "",
    amount: int = 0,
    ref: str = "",
) -> Screen:
    view = world.slots.get(selection)
    words = {
        "selection": selection,
        "price": format_amount(view.slot.price("cash") if view else 0, world.policy.exponent),
        "amount": format_amount(amount, world.policy.exponent),
        "ref": ref,
        "tenders": tender_line(world),
        "code": revalue.code(world.policy),
        "support": world.policy.support_line,
    }
    first, second = (_fit(line.format(**words), columns) for line in TEXTS[text])
    return first, second


def _fit(line: str, columns: int) -> str:
    """The first wording that fits; a tab sets what follows to the right edge."""
    wordings = line.split("\n")
    line = next((w for w in wordings if len(w.replace("\t", " ")) <= columns), wordings[-1])
    left, tab, right = line.partition("\t")
    if not tab:
        return line[:columns]
    return left + " " * max(1, columns - len(left) - len(right)) + right


def prices_may_change(state: State) -> bool:
    """New prices wait for the customer: no credit, no order, nothing half typed (R4)."""
    quiet = isinstance(state.phase, Idle | ClaimShown) and not state.entry
    return quiet and not state.money and not state.bill_moves
