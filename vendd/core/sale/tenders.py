"""Which tenders are open now: coin types, bill types and card readers, functions of the state.

Two rules meet here. R2: a coin or bill is taken only while credit and that piece could be given
back. R7: one customer, one tender; the first credit closes the readers, an open session closes
coins and bills, unless the owner allows mixed tender.
"""

from typing import Final

from vendd.core.change import acceptable_coins
from vendd.core.sale import offer, sources
from vendd.core.sale.bill_reports import BillType
from vendd.core.sale.remembered import Remembered
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
    Refunding,
    Revaluing,
    SessionOpen,
    State,
    WaitingForTap,
)
from vendd.core.snapshot import Snapshot

COINS, BILLS, CARD = "COINS", "BILLS", "CARD"

_TAKES_CASH: Final = (
    Idle,
    Credit,
    OverpayAsked,
    ChooseAgain,
    Hold,
    Owed,
    ClaimShown,
    WaitingForTap,
)

_coins: Final = Remembered[frozenset[int]]()
_bills: Final = Remembered[frozenset[int]]()


def fitted(world: Snapshot) -> tuple[str, ...]:
    """The tenders that the machine is built with, whether they work or not."""
    there = (world.changer.fitted, world.validator.fitted, bool(world.readers))
    return tuple(name for name, has in zip((COINS, BILLS, CARD), there, strict=True) if has)


def usable(world: Snapshot) -> tuple[str, ...]:
    """The tenders that work, in the order in which the display names them."""
    works = (
        world.changer.ready,
        world.validator.ready and not _no_room(world),
        any(reader.ready for reader in world.readers),
    )
    return tuple(name for name, does in zip((COINS, BILLS, CARD), works, strict=True) if does)


def _no_room(world: Snapshot) -> bool:
    """A full stacker refuses every bill that the recycler does not take."""
    return world.validator.stacker_full and not world.recycler


def _cash_open(state: State, world: Snapshot) -> bool:
    if not world.in_service or state.locked:
        return False
    if isinstance(state.phase, SessionOpen):
        revalue = world.policy.revalue and state.phase.session.revaluable
        return world.policy.mixed_tender or revalue
    return isinstance(state.phase, _TAKES_CASH)


def maximum(world: Snapshot) -> int | None:
    """The credit from which on no more cash is taken; None when nothing is sold for money."""
    highest = offer.highest_price(world)
    return (
        highest if highest is None or world.policy.max_credit is None else (world.policy.max_credit)
    )


def accepted_coins(state: State, world: Snapshot) -> frozenset[int]:
    """Coin types to enable now (R2, R11, maximum credit)."""
    most = maximum(world)
    if not world.changer.ready or most is None or not _cash_open(state, world):
        return frozenset()
    if state.money >= most:
        return frozenset()
    return _coins.ask(
        world,
        (state.credit, most),
        lambda: acceptable_coins(
            state.credit,
            world.changer.coins,
            sources.stock(world),
            maximum=most,
            unreturnable=world.policy.accept_unreturnable_up_to,
        ),
    )


def accepted_bills(state: State, world: Snapshot) -> frozenset[int]:
    """Bill types to enable now; none while one is inside."""
    if state.bill is not None or state.bill_lever or not _bills_open(state, world):
        return frozenset()
    return _bills.ask(
        world,
        state.credit,
        lambda: frozenset(b.type for b in world.validator.bills if bill_welcome(state, world, b)),
    )


def _bills_open(state: State, world: Snapshot) -> bool:
    """Any bill at all may come now."""
    if not world.validator.ready or not _cash_open(state, world):
        return False
    most = maximum(world)
    return most is not None and state.money < most


def bill_welcome(state: State, world: Snapshot, bill: BillType) -> bool:
    """Whether this bill would be taken now: decided before it goes in and again in escrow."""
    if bill.value <= 0 or not _bills_open(state, world):
        return False
    if is_held(state, world, bill.value):
        left = sources.left_of(world, state.credit)
        back = left <= world.policy.accept_unreturnable_up_to
        return back and _buys_something(state, world, bill.value)
    kinds = [c for c in sources.bill_coins(world) if c.type == sources.BILLS + bill.type]
    return bool(
        acceptable_coins(
            state.credit,
            kinds,
            sources.stock(world),
            maximum=state.credit + 1,
            unreturnable=world.policy.accept_unreturnable_up_to,
        )
    )


def is_held(state: State, world: Snapshot, value: int) -> bool:
    """The bill that reaches the highest price waits in escrow: it can go back as itself."""
    highest = offer.highest_price(world)
    if highest is None or not (world.policy.hold_last_bill and world.validator.escrow):
        return False
    return state.credit + value >= highest


def _buys_something(state: State, world: Snapshot, value: int) -> bool:
    """A held bill is always returnable; one that no change can be given for is of no use."""
    money, most = state.credit + value, world.policy.overpay_up_to
    there = sum(t.value * t.count for t in sources.stock(world, world.policy.tube_reserve))
    over = {
        money - price
        for price in offer.prices_for_money(world)
        if price <= money <= price + there + most  # the rest is too much, however it is made up
    }
    return any(left <= most for left in sources.unpayable(world, over).values())


def enabled_readers(state: State, world: Snapshot) -> frozenset[int]:
    """Card readers that may take a card now (R7, R11)."""
    if not world.in_service or state.locked or not offer.card_prices(world):
        return frozenset()
    ready = frozenset(r.number for r in world.readers if r.ready)
    mine = _reader_in_use(state)
    if mine is not None:
        return ready & {mine}
    return ready if open_to_cards(state, world) else frozenset()


def open_to_cards(state: State, world: Snapshot) -> bool:
    """A card may be tapped first."""
    match state.phase:
        case Idle() | ClaimShown():
            return not state.bill_moves
        case Credit() | ChooseAgain() | Hold():
            return world.policy.mixed_tender and not state.bill_moves
        case _:
            return False


def _reader_in_use(state: State) -> int | None:
    match state.phase:
        case SessionOpen(session) | Revaluing(session):
            return session.reader
        case AgeCheck(_, reader):
            return reader
        case WaitingForTap(sale) | Authorising(sale) | Refunding(sale):
            return sale.card.reader if sale.card is not None else None
        case _:
            return None


def card_price_range(world: Snapshot) -> tuple[int, int] | None:
    """(highest, lowest) card price, as readers are told; None when nothing is sold by card."""
    prices = offer.card_prices(world)
    return (max(prices), min(prices)) if prices else None


def first_asked(state: State, world: Snapshot) -> int | None:
    """The reader that is asked for a selection before a card is there: one that is free now, or
    else the one that will be."""
    able = [r.number for r in world.readers if r.ready and r.selection_first]
    return min(able, key=lambda number: (number in state.engaged, number), default=None)
