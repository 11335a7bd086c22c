"""Change from real tube counts: what can be paid, with which coins, and which coins to take.

Coin counts are bounded and coin sets need not be canonical, so a greedy choice
may be wrong or find nothing. What is payable is a set of amounts, kept as the
bits of one integer (bit *a* set: *a* units can be paid): adding *k* coins of
value *v* is one shift. Amounts are divided by the greatest common divisor of
the coin values first, so that a handful of machine words holds everything.

Money is integer minor units. `reserve` coins stay in each tube; a defective
tube pays nothing. All functions are exact, deterministic and bounded by
(amount / divisor) x coin types.
"""

from collections.abc import Iterable
from functools import lru_cache
from math import gcd
from typing import Final

from vendd.core.sale.reports import Coin, Tube

Plan = tuple[tuple[int, int], ...]
"""(coin type, count), larger coins first; of equal values the highest type first (MDB 0Dh)."""

_Stock = tuple[tuple[int, int], ...]
"""(value, coins there), distinct values, the largest first."""

_REMEMBERED: Final = 256  # answers kept: the same question comes back after every report


def plan_payout(amount: int, tubes: Iterable[Tube], reserve: int = 0) -> Plan | None:
    """The fewest coins that make exactly `amount`; among those, the larger coins.

    () for 0, None when the tubes can't pay it (or it is negative).
    """
    tubes = tuple(tubes)
    stock = _stock(tubes, reserve)
    divisor = _divisor(stock)
    if not 0 <= amount <= _total(stock) or amount % divisor:
        return None
    counts = _fewest(_reduced(stock, divisor), amount // divisor)
    if counts is None:
        return None
    return _by_type(dict(zip((value for value, _ in stock), counts, strict=True)), tubes, reserve)


def largest_payable(amount: int, tubes: Iterable[Tube], reserve: int = 0) -> tuple[int, Plan]:
    """The greatest amount <= `amount` that the tubes can pay, and the plan for it."""
    tubes = tuple(tubes)
    stock = _stock(tubes, reserve)
    divisor = _divisor(stock)
    limit = max(min(amount, _total(stock)), 0) // divisor
    payable = (_reach(_reduced(stock, divisor), limit).bit_length() - 1) * divisor
    plan = plan_payout(payable, tubes, reserve)
    assert plan is not None, payable
    return payable, plan


def most_payable(amounts: Iterable[int], tubes: Iterable[Tube], reserve: int = 0) -> dict[int, int]:
    """The greatest amount that the tubes can pay, for each of `amounts` and not above it."""
    stock = _stock(tubes, reserve)
    divisor, total = _divisor(stock), _total(stock)
    limits = {amount: max(min(amount, total), 0) // divisor for amount in amounts}
    reach = _reach(_reduced(stock, divisor), max(limits.values(), default=0))
    return {
        amount: ((reach & (1 << limit + 1) - 1).bit_length() - 1) * divisor
        for amount, limit in limits.items()
    }


def can_pay(amount: int, tubes: Iterable[Tube], reserve: int = 0) -> bool:
    """Whether the tubes can pay exactly `amount`."""
    stock = _stock(tubes, reserve)
    divisor = _divisor(stock)
    if not 0 <= amount <= _total(stock) or amount % divisor:
        return False
    units = amount // divisor
    return bool(_reach(_reduced(stock, divisor), units) >> units & 1)


def acceptable_coins(
    credit: int,
    coins: Iterable[Coin],
    tubes: Iterable[Tube],
    *,
    maximum: int,
    reserve: int = 0,
    unreturnable: int = 0,
) -> frozenset[int]:
    """The coin types to enable now (behaviour R2, section 4 *maximum credit*; promise M3).

    None once `credit` has reached `maximum`. A type is acceptable while credit
    plus that coin could be returned from the tubes as they would then be: the
    coin itself counts when it falls into its tube. `unreturnable` is how much
    of it may stay behind. `reserve` must be the one that the return itself will
    be planned with, or the promise is not kept.
    """
    coins = [coin for coin in coins if coin.value > 0]
    if credit >= maximum or not coins:
        return frozenset()
    by_type = {tube.type: tube for tube in tubes}
    stock = _stock(by_type.values(), reserve)
    divisor = gcd(_divisor(stock), *(coin.value for coin in coins))
    most = max(coin.value for coin in coins) + min(credit, _total(stock))
    limit = most // divisor
    reach = _reach(_reduced(stock, divisor), limit)
    accepted = []
    for coin in coins:
        wanted = credit + coin.value
        payable = reach
        if _adds_to_payable(coin, by_type.get(coin.type), reserve):
            payable |= reach << coin.value // divisor
        payable &= (1 << min(wanted, most) // divisor + 1) - 1
        if wanted - (payable.bit_length() - 1) * divisor <= unreturnable:
            accepted.append(coin.type)
    return frozenset(accepted)


def exact_change_needed(
    prices: Iterable[int],
    coins: Iterable[Coin],
    tubes: Iterable[Tube],
    *,
    reserve: int = 0,
    unreturnable: int = 0,
) -> bool:
    """Whether the exact-change sign must be lit before money goes in (behaviour section 3).

    True when a customer who pays one of `prices` with coins of one acceptable
    type overpays by an amount that can't be paid out. Those coins themselves
    never help: each is worth more than the overpayment. Free slots (price 0)
    don't count; with no coin acceptable nobody can overpay. `reserve` is kept
    when change is paid; money given back may use it, so it keeps no coin out.
    """
    coins, tubes = tuple(coins), tuple(tubes)
    accepted = acceptable_coins(0, coins, tubes, maximum=1, unreturnable=unreturnable)
    values = {coin.value for coin in coins if coin.type in accepted}
    over = {-price % value for price in set(prices) if price > 0 for value in values}
    if not over:
        return False
    stock = _stock(tubes, reserve)
    divisor = _divisor(stock)
    reach = _reach(_reduced(stock, divisor), max(over) // divisor)
    return any(amount % divisor or not reach >> amount // divisor & 1 for amount in over)


def _adds_to_payable(coin: Coin, tube: Tube | None, reserve: int) -> bool:
    """Whether this coin, once accepted, is one more that can be paid out."""
    if tube is None or not coin.to_tube or tube.full or tube.defective:
        return False
    return tube.count >= reserve


def _available(tube: Tube, reserve: int) -> int:
    return 0 if tube.defective or tube.value <= 0 else max(tube.count - reserve, 0)


def _stock(tubes: Iterable[Tube], reserve: int) -> _Stock:
    counts: dict[int, int] = {}
    for tube in tubes:
        available = _available(tube, reserve)
        if available:
            counts[tube.value] = counts.get(tube.value, 0) + available
    return tuple(sorted(counts.items(), reverse=True))


def _total(stock: _Stock) -> int:
    """No amount above it is payable: the bound of every bit set, whatever was asked."""
    return sum(value * count for value, count in stock)


def _divisor(stock: _Stock) -> int:
    return gcd(*(value for value, _ in stock)) or 1


def _reduced(stock: _Stock, divisor: int) -> _Stock:
    return tuple((value // divisor, count) for value, count in stock)


def _by_type(counts: dict[int, int], tubes: Iterable[Tube], reserve: int) -> Plan:
    """Coins per value -> coins per type, the highest type number first (MDB/ICP 4.2, 0Dh)."""
    plan = []
    for tube in sorted(tubes, key=lambda t: (t.value, t.type), reverse=True):
        taken = min(counts.get(tube.value, 0), _available(tube, reserve))
        if taken:
            plan.append((tube.type, taken))
            counts[tube.value] -= taken
    return tuple(plan)


def _portions(value: int, count: int, amount: int) -> list[int]:
    """Sizes 1, 2, 4 ... and a rest: subsets of them make every number of coins up to `count`."""
    left, size, sizes = min(count, amount // value), 1, []
    while left:
        size = min(size, left)
        sizes.append(size)
        left -= size
        size *= 2
    return sizes


def _add(reach: int, value: int, count: int, amount: int) -> int:
    """`reach` with up to `count` coins of `value` added, amounts above `amount` cut off."""
    for size in _portions(value, count, amount):
        reach |= reach << size * value
    return reach & ((1 << amount + 1) - 1)


@lru_cache(maxsize=_REMEMBERED)
def _reach(stock: _Stock, amount: int) -> int:
    """Bit set of the amounts 0..`amount` that `stock` can pay."""
    reach = 1
    for value, count in stock:
        reach = _add(reach, value, count, amount)
    return reach


@lru_cache(maxsize=_REMEMBERED)
def _fewest(stock: _Stock, amount: int) -> tuple[int, ...] | None:
    """Coins of each value for exactly `amount`, the fewest in all, or None."""
    counts = _larger_first(stock, amount)
    if counts is None or sum(counts) <= _at_least(stock, amount):
        return counts
    # Coins that every best payment contains leave a much smaller question.
    sure = _in_every_best(stock, amount)
    left = tuple((value, count - n) for (value, count), n in zip(stock, sure, strict=True))
    rest = amount - sum(value * n for (value, _), n in zip(stock, sure, strict=True))
    fewer = _fewer(left, rest, sum(counts) - sum(sure) - 1)
    return counts if fewer is None else tuple(map(sum, zip(sure, fewer, strict=True)))


def _in_every_best(stock: _Stock, amount: int) -> list[int]:
    """Coins of each value that every payment of `amount` with the fewest coins contains.

    Of any v smaller coins some add up to a multiple of v (two of their running
    sums leave the same remainder), so coins of value v would replace them and be
    fewer. A best payment therefore has fewer than v coins smaller than v, unless
    fewer than v coins of value v remain.
    """
    sure, rest = [], amount
    for (value, count), (smaller, _) in zip(stock, (*stock[1:], (0, 0)), strict=True):
        needed = -(-(rest - (value - 1) * smaller) // value)
        sure.append(max(0, min(count - value + 1, needed)))
        rest -= count * value  # the least that smaller coins must make
    return sure


def _larger_first(stock: _Stock, amount: int) -> tuple[int, ...] | None:
    """As many as possible of each value in turn, but never so many that the rest can't be paid."""
    reaches = [1]
    for value, count in reversed(stock):
        reaches.append(_add(reaches[-1], value, count, amount))
    if not reaches.pop() >> amount & 1:
        return None
    counts, rest = [], amount
    for value, count in stock:
        reach = reaches.pop()
        possible = range(min(count, rest // value), -1, -1)
        taken = next(n for n in possible if reach >> rest - n * value & 1)
        counts.append(taken)
        rest -= taken * value
    return tuple(counts)


def _at_least(stock: _Stock, amount: int) -> int:
    """A number of coins that no payment of `amount` gets below: largest first, the last one cut."""
    coins = 0
    for value, count in stock:
        if count * value >= amount:
            return coins + -(-amount // value)
        coins += count
        amount -= count * value
    return coins


def _fewer(stock: _Stock, amount: int, most: int) -> tuple[int, ...] | None:
    """The best payment with at most `most` coins, or None.

    The bit set has a row per number of coins: bit (coins x width + amount). A
    row is twice as wide as needed, so that a shift never runs into the next row
    before it is masked.
    """
    width = 2 * amount + 1
    mask, rows = (1 << amount + 1) - 1, 1
    while rows <= most:
        mask |= mask << rows * width
        rows *= 2
    mask &= (1 << (most + 1) * width) - 1
    reaches = [1]
    for value, count in reversed(stock):
        reach = reaches[-1]
        for size in _portions(value, count, amount):
            reach |= (reach << size * (width + value)) & mask
        reaches.append(reach)
    whole = reaches.pop() >> amount
    fewest = next((n for n in range(most + 1) if whole >> n * width & 1), None)
    if fewest is None:
        return None
    counts, left, rest = [], fewest, amount
    for value, count in stock:
        reach = reaches.pop()
        possible = range(min(count, left, rest // value), -1, -1)
        taken = next(n for n in possible if reach >> (left - n) * width + rest - n * value & 1)
        counts.append(taken)
        left -= taken
        rest -= taken * value
    return tuple(counts)
