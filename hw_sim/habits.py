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
_PREFERS_LARGE: Final = 0.6
_MANY: Final = 7  # coins that a patient customer has ready for one purchase


def some_habit(chance: random.Random) -> Habit:
    return chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]


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
