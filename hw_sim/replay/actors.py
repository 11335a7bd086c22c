"""Who gives the drivers their orders in a replay: what a sale wanted is read off the recording.

A recording holds bytes, not wishes. COIN TYPE tells which coins were wanted, DISPENSE and
PAYOUT tell of a payout, VEND REQUEST of a sale by card. Each order is given at the time of the
command that it led to, or as soon after as the driver can take it. What a driver sends of its
own accord finds its order superfluous, and nothing is ordered.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from hw_sim.replay.exchanges import Exchange
from vendd.core.sale.reports import Report
from vendd.ports import Refused

PATIENCE_S: Final = 2.0


class Pays(Protocol):
    """A driver that can pay out."""

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...], /) -> None: ...


@dataclass(slots=True)
class Order:
    """`give` tells whether the driver took it. `exchange`: the command that it leads to.
    `early`: may it be given before its time, now? `waits`: until no answer is due."""

    at: float
    exchange: Exchange
    give: Callable[[], bool]
    early: Callable[[], bool] = lambda: False
    waits: bool = True


class Actor(Protocol):
    """One driver's orders."""

    orders: list[Order]

    @property
    def free(self) -> bool:
        """No answer is due: an order leads to its command at once, as when it was recorded."""

    def heard(self, report: Report) -> None:
        """What the driver reported: some orders depend on it."""


class Prompter:
    """Gives the orders of one actor when their time has come, in order."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._orders = actor.orders
        self._next = 0
        self._led: Exchange | None = None  # what the newest order has to lead to

    def prompt(self, now: float) -> None:
        while self._next < len(self._orders):
            order = self._orders[self._next]
            if order.exchange.taken is None:
                if now < order.at and not (self._led is None or self._led.taken):
                    return  # what was wished before has not led to its command yet
                if now < order.at and not order.early():
                    return
                if (order.waits and not self._actor.free) or not order.give():
                    return
                self._led = order.exchange
            self._next += 1

    @property
    def times(self) -> list[float]:
        """When to look, at least."""
        return [order.at for order in self._orders]


def taken(give: Callable[[], None]) -> bool:
    """Give an order; False when the driver refuses it for now."""
    try:
        give()
    except Refused:
        return False
    return True


def wishes(exchanges: list[Exchange], accept: int, setup: bytes) -> Iterator[tuple[Exchange, bool]]:
    """The commands that say what to accept; True for those that belong to a start."""
    starts = True
    for it in exchanges:
        starts = starts or it.command == setup
        if it.command[0] == accept:
            yield it, starts
            starts = False


def begun(first: Exchange, question: bytes, exchanges: list[Exchange]) -> float:
    """When a payout was ordered, at the earliest: after the command before the readings that it
    begins with. While that was under way the order could only wait."""
    at = first.at
    for it in reversed(exchanges[: exchanges.index(first)]):
        at = it.at + 0.001
        if it.command != question:
            break
    return at


async def paid_out(driver: Pays, number: str, pieces: tuple[tuple[int, int], ...]) -> None:
    """Order a payout; again for a while where it can't even be begun."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    while loop.time() < until:
        asked = loop.time()
        try:
            await driver.pay_out(number, pieces)
        except Refused:
            if loop.time() > asked:
                return  # begun, and given up; whether that was recorded shows
            await asyncio.sleep(0.02)
        else:
            return


def bits(mask: int) -> frozenset[int]:
    """The types in a mask."""
    return frozenset(number for number in range(16) if mask >> number & 1)


def pieces_for(units: int, credits_: tuple[int, ...], paid: bytes | tuple[int, ...]) -> tuple[
    tuple[int, int], ...
]:  # fmt: skip
    """(type, count) worth `units`: those that were paid, or else the largest that fit."""
    told = tuple((t, n) for t, n in enumerate(paid) if n)
    if sum(n * credits_[t] for t, n in told if t < len(credits_)) == units:
        return told
    found, left = [], units
    for type_ in sorted(range(len(credits_)), key=lambda t: -credits_[t]):
        worth = credits_[type_]
        if 0 < worth < 0xFF and left >= worth:
            found.append((type_, left // worth))
            left %= worth
    return tuple(found)
