"""Kinds of customers, what they want, and which coins they take out of the purse."""

import random
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final


class Habit(StrEnum):
    """How a customer behaves; the text completes "who ..."."""

    EXACT = "pays exactly"
    OVERPAYS = "puts in too much"
    SMALL_COINS = "pays with small coins"
    ADDS = "starts with too little and adds"
    LEVER = "changes their mind: lever"
    CLEAR_KEY = "changes their mind: clear key"
    LEVER_LATE = "presses the lever while the motor turns"
    PRICE_FIRST = "asks for the price first"
    LOOKS = "asks for the price and leaves"
    INVALID = "keys a selection that doesn't exist"
    SOLD_OUT = "keys one that is sold out"
    SLOW = "types too slowly"
    WALKS_AWAY = "leaves their money in the machine"
    BILL = "pays with a bill"
    LARGE_BILL = "has only large bills at first"
    BILL_AND_COINS = "puts coins in, then a bill"
    BILL_LEVER = "puts a bill in, then the lever"
    BILL_PULLED = "pulls the bill out again"
    TAP_FIRST = "holds the card to the reader first"
    TAP_LATER = "selects, then holds the card to the reader"
    CARD_DECLINED = "has a card that is declined"
    CARD_REMOVED = "takes the card away while it is asked"
    CARD_CANCELS = "presses the reader's cancel button"
    CARD_LEVER = "has a card there, then the lever"
    CARD_LATE_LEVER = "presses the lever while the card is asked"
    CARD_WALKS_AWAY = "leaves with a session open"
    TWO_CARDS = "holds a card to each reader"
    COIN_FOR_CARD = "puts coins in while the reader waits"
    MIXED = "puts a coin in, then the card"


WEIGHTS: Final[Mapping[Habit, int]] = {
    Habit.EXACT: 24,
    Habit.OVERPAYS: 26,
    Habit.SMALL_COINS: 12,
    Habit.ADDS: 8,
    Habit.LEVER: 5,
    Habit.CLEAR_KEY: 4,
    Habit.LEVER_LATE: 3,
    Habit.PRICE_FIRST: 5,
    Habit.LOOKS: 2,
    Habit.INVALID: 3,
    Habit.SOLD_OUT: 4,
    Habit.SLOW: 2,
    Habit.WALKS_AWAY: 2,
}
BILL_WEIGHTS: Final[Mapping[Habit, int]] = {
    Habit.BILL: 20,
    Habit.LARGE_BILL: 4,
    Habit.BILL_AND_COINS: 5,
    Habit.BILL_LEVER: 4,
    Habit.BILL_PULLED: 2,
}
CARD_WEIGHTS: Final[Mapping[Habit, int]] = {
    Habit.TAP_FIRST: 18,
    Habit.TAP_LATER: 18,
    Habit.CARD_DECLINED: 4,
    Habit.CARD_REMOVED: 3,
    Habit.CARD_CANCELS: 3,
    Habit.CARD_LEVER: 3,
    Habit.CARD_LATE_LEVER: 3,
    Habit.CARD_WALKS_AWAY: 1,
    Habit.TWO_CARDS: 3,
    Habit.COIN_FOR_CARD: 3,
    Habit.MIXED: 4,
}
_PREFERS_LARGE: Final = 0.6
_MANY: Final = 7  # coins that a patient customer has ready for one purchase


def some_habit(chance: random.Random, *, bills: bool = False, cards: bool = False) -> Habit:
    """One that this machine has the devices for."""
    weights = dict(WEIGHTS)
    if bills:
        weights |= BILL_WEIGHTS
    if cards:
        weights |= CARD_WEIGHTS
    return chance.choices(list(weights), list(weights.values()))[0]


def bill_for(amount: int, bills: Sequence[int]) -> int:
    """The smallest one that is enough, else the largest there is; 0 without any."""
    return min((b for b in bills if b >= amount), default=max(bills, default=0))


def coins_for(amount: int, habit: Habit, coins: Sequence[int], chance: random.Random) -> list[int]:
    """Coins out of a full purse for something that costs `amount`; `coins` are the values."""
    if habit is Habit.OVERPAYS:
        return _too_much(amount, coins, chance)
    if habit is Habit.SMALL_COINS:
        return exact(amount, [c for c in coins if c <= max(amount // 3, min(coins))], chance)
    paid = exact(amount, coins, chance)
    if habit is Habit.ADDS and len(paid) > 1:
        chance.shuffle(paid)
        return paid[: chance.randrange(1, len(paid))]
    return paid


def exact(amount: int, coins: Sequence[int], chance: random.Random) -> list[int]:
    """Coins that make `amount`, or as near below it as these coins come, in any mixture."""
    paid: list[int] = []
    left = amount
    while fitting := [c for c in sorted(coins, reverse=True) if c <= left]:
        larger = fitting[0] if len(paid) >= _MANY or chance.random() < _PREFERS_LARGE else None
        paid.append(chance.choice(fitting[:2]) if larger is None else larger)
        left -= paid[-1]
    return paid


def _too_much(amount: int, coins: Sequence[int], chance: random.Random) -> list[int]:
    """One kind of coin until it is enough: mostly the larger kinds."""
    kinds = [c for c in sorted(coins, reverse=True) if amount % c][:3] or [max(coins)]
    kind = chance.choice(kinds)
    count = -(-amount // kind)
    return [kind] * count if count <= _MANY else exact(amount, coins, chance)
