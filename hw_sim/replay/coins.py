"""The orders of a coin changer's driver, read off its recorded commands."""

import asyncio
from collections.abc import Iterator
from math import inf

from hw_sim.replay.actors import Order, begun, bits, paid_out, pieces_for, wishes
from hw_sim.replay.exchanges import Exchange
from vendd.core.sale.reports import Report
from vendd.drivers.changer import MdbChanger
from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_data import Malformed, Setup
from vendd.wire.mdb.changer_start import State
from vendd.wire.mdb.exchange import Answer

_OPERATING = frozenset((State.POLLING, State.PAYING))
_APART = 3  # TUBE STATUS between two DISPENSEs: one closes a coin, two more begin a payout
_ASKED_S = 0.1  # a reading that comes by itself comes sooner

Coins = tuple[tuple[int, int], ...]


class CoinActor:
    """See the module, and `hw_sim.replay.actors.Actor`."""

    def __init__(self, driver: MdbChanger, exchanges: list[Exchange]) -> None:
        self._driver = driver
        self._payouts: list[asyncio.Task[None]] = []
        orders = [
            *(self._accept(*one) for one in wishes(exchanges, 0x0C, cd.SETUP)),
            *(self._pay(group, exchanges) for group in _payouts(exchanges)),
            *(self._read(it) for it in exchanges if it.command == cd.TUBE_STATUS),
        ]
        self.orders = sorted(orders, key=lambda order: order.at)

    @property
    def free(self) -> bool:
        return self._driver.wake_at != inf

    def heard(self, report: Report) -> None:
        return

    @property
    def _operating(self) -> bool:
        return self._driver.machine.state in _OPERATING

    def _accept(self, it: Exchange, starts: bool) -> Order:
        types = bits(int.from_bytes(it.command[1:3], "big"))

        def give() -> bool:
            self._driver.accept(types)
            return True

        # A changer that starts is told what was wished before.
        return Order(it.at, it, give, lambda: starts and not self._operating)

    def _read(self, it: Exchange) -> Order:
        """TUBE STATUS that nobody asked for by then: somebody else wanted to know."""

        def give() -> bool:
            if self._driver.machine.state is State.POLLING:
                self._driver.machine.read_tubes()
            return True

        return Order(it.at + _ASKED_S, it, give)

    def _pay(self, group: list[Exchange], exchanges: list[Exchange]) -> Order:
        coins = _coins(group, exchanges)

        def give() -> bool:
            if self._driver.machine.state is not State.POLLING:
                return False
            number = len(self._payouts) + 1
            task = asyncio.ensure_future(paid_out(self._driver, f"payout-{number}", coins))
            self._payouts.append(task)
            return True

        return Order(begun(group[0], cd.TUBE_STATUS, exchanges), group[0], give, waits=False)


def _payouts(exchanges: list[Exchange]) -> Iterator[list[Exchange]]:
    """The DISPENSEs or PAYOUTs of each payout."""
    group: list[Exchange] = []
    readings = 0
    for it in exchanges:
        if it.command == cd.TUBE_STATUS:
            readings += 1
        elif it.command == cd.RESET and group:
            yield group
            group = []
        elif it.command[0] == 0x0D or it.command[:2] == b"\x0f\x02":
            apart = readings >= _APART if it.command[0] == 0x0D else readings > 0
            if group and apart:
                yield group
                group = []
            group.append(it)
            readings = 0
    if group:
        yield group


def _coins(group: list[Exchange], exchanges: list[Exchange]) -> Coins:
    if group[0].command[0] == 0x0D:
        return tuple((it.command[1] & 0x0F, it.command[1] >> 4) for it in group)
    credits_ = _credits(exchanges)
    coins: list[tuple[int, int]] = []
    for it in group:
        after = exchanges[exchanges.index(it) :]
        told = next(
            (
                one.reply.data
                for one in after
                if one.command == cd.PAYOUT_STATUS and one.reply.answer is Answer.DATA
            ),
            b"",
        )
        coins += pieces_for(it.command[2], credits_, told[: cd.TYPES])
    return tuple(coins)


def _credits(exchanges: list[Exchange]) -> tuple[int, ...]:
    for it in exchanges:
        if it.command == cd.SETUP and it.reply.answer is Answer.DATA:
            try:
                return Setup.from_bytes(it.reply.data).credits
            except Malformed:
                continue
    return (0,) * cd.TYPES
