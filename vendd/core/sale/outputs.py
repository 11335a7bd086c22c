"""What should stand on the display and which coins should be taken: functions of the state alone.

The engine brings the devices here after every step, so a display that was
replaced or a changer that was reset is right again without anyone remembering.
"""

from typing import Final

from vendd.core.change import acceptable_coins
from vendd.core.facts import Channel
from vendd.core.money import format_amount
from vendd.core.planogram import SlotState
from vendd.core.sale import offer
from vendd.core.sale.states import (
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
    SessionOpen,
    Stacking,
    State,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.texts import TEXTS
from vendd.core.snapshot import Snapshot

Screen = tuple[str, str]

_TAKES_COINS: Final = (
    Idle,
    Credit,
    OverpayAsked,
    ChooseAgain,
    Hold,
    Owed,
    ClaimShown,
    WaitingForTap,
)


def accepted_coins(state: State, world: Snapshot) -> frozenset[int]:
    """Coin types to enable now (R2, R11, maximum credit)."""
    selling = world.in_service and not state.locked and world.changer.ready
    highest = offer.highest_price(world)
    if not selling or highest is None or not isinstance(state.phase, _TAKES_COINS):
        return frozenset()
    policy = world.policy
    return acceptable_coins(
        state.credit,
        world.changer.coins,
        world.tubes,
        maximum=highest if policy.max_credit is None else policy.max_credit,
        reserve=0,
        unreturnable=policy.accept_unreturnable_up_to,
    )


def screen(state: State, world: Snapshot, columns: int = 16) -> Screen:
    """Both lines, amounts set to the right edge of `columns`."""
    if world.door_open and not isinstance(state.phase, Vending | Paying):
        text = "door_open_credit" if state.credit else "door_open"
        return _say(text, world, columns, amount=state.credit)
    if (world.out_of_service or state.locked) and not isinstance(state.phase, Vending | Paying):
        ref = getattr(state.phase, "ref", "")
        text = "out_of_service_ref" if ref else "out_of_service"
        return _say(text, world, columns, ref=ref)
    if state.notice is not None:
        return _notice(state.notice, world, columns)
    if state.entry:
        return _say("entry", world, columns, selection=state.entry + "_")
    return _phase(state, world, columns)


def out_of_service(world: Snapshot, columns: int = 16) -> Screen:
    """What stands there when nothing can be sold, whatever the state."""
    return _say("out_of_service", world, columns)


def _phase(state: State, world: Snapshot, columns: int) -> Screen:
    credit = state.credit
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
            return _say("tap", world, columns, selection=sale.selection, amount=sale.price)
        case Vending(sale):
            free = sale.channel is Channel.FREE
            return _say("free" if free else "vending", world, columns, selection=sale.selection)
        case Paying(payout):
            return _say("change" if payout.kind == "change" else "returning", world, columns)
        case phase:
            return _say(_PLAIN[type(phase)], world, columns, amount=credit)


_PLAIN: Final[dict[type, str]] = {
    Credit: "credit",
    Hold: "hold",
    ChooseAgain: "not_delivered",
    SessionOpen: "session",
    Authorising: "authorising",
    Stacking: "wait",
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
    return world.changer.ready or offer.something_free(world)


def tenders(world: Snapshot) -> str:
    """The tenders that work, as the display names them."""
    return "COINS" if world.changer.ready else ""


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
        "tenders": tenders(world),
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
    return isinstance(state.phase, Idle | ClaimShown) and not state.credit and not state.entry
