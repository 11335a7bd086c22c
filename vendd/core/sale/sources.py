"""Everything that money can be paid from: the changer's tubes (or hoppers) and the recycler.

For the arithmetic of change a recycler's store is one more tube. Its types are set apart by
`BILLS`, so that a plan can be divided again into what each device is asked for.
"""

from collections.abc import Iterable
from typing import Final

from vendd.core.change import can_pay, largest_payable, most_payable
from vendd.core.sale.reports import Coin, Tube
from vendd.core.snapshot import Snapshot

Pieces = tuple[tuple[int, int], ...]
"""(type, count)."""

BILLS: Final = 1000
"""Added to a bill type; coin types are 0 to 255."""


def stock(world: Snapshot, reserve: int = 0) -> tuple[Tube, ...]:
    """What can be paid now. `reserve` coins of each tube are left alone; bills have no reserve."""
    coins: tuple[Tube, ...] = ()
    if world.changer.ready:
        coins = tuple(
            Tube(t.type, t.value, max(0, t.count - reserve), t.full, t.defective)
            for t in world.tubes
        )
    if not world.validator.ready:
        return coins
    bills = (Tube(BILLS + s.type, s.value, s.count, s.full, s.defective) for s in world.recycler)
    return (*coins, *bills)


def ready(world: Snapshot) -> bool:
    """Something that pays out answers."""
    return world.changer.ready or (world.validator.ready and bool(world.recycler))


def payable(world: Snapshot, amount: int) -> int:
    """How much of `amount` can be paid as change, the tubes' reserve kept."""
    if amount == 0 or not ready(world):
        return 0
    pieces = stock(world, world.policy.tube_reserve)
    if can_pay(amount, pieces):
        return amount
    return largest_payable(amount, pieces)[0]


def unpayable(world: Snapshot, amounts: Iterable[int]) -> dict[int, int]:
    """How much of each of `amounts` can't be paid as change, the tubes' reserve kept."""
    if not ready(world):
        return {amount: amount for amount in amounts}
    payable_of = most_payable(amounts, stock(world, world.policy.tube_reserve))
    return {amount: amount - most for amount, most in payable_of.items()}


def left_of(world: Snapshot, credit: int) -> int:
    """How much of `credit` could not be given back; no reserve is kept for that."""
    return credit - most_payable((credit,), stock(world))[credit]


def plan(
    world: Snapshot, amount: int, reserve: int = 0, *, recycler: bool = True
) -> tuple[int, Pieces, Pieces]:
    """(what of `amount` can be paid, coins, bills); without `recycler` coins only."""
    there = (p for p in stock(world, reserve) if recycler or p.type < BILLS)
    total, pieces = largest_payable(amount, there)
    coins = tuple((t, n) for t, n in pieces if t < BILLS)
    bills = tuple((t - BILLS, n) for t, n in pieces if t >= BILLS)
    return total, coins, bills


def bill_coins(world: Snapshot) -> tuple[Coin, ...]:
    """The validator's bills as the arithmetic of coins sees them: into the recycler or not."""
    return tuple(Coin(BILLS + b.type, b.value, b.recycled) for b in world.validator.bills)
