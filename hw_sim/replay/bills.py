"""The orders of a bill validator's driver, read off its recorded commands."""

import asyncio
from collections.abc import Iterator
from math import inf

from hw_sim.replay.actors import Order, begun, bits, paid_out, pieces_for, taken, wishes
from hw_sim.replay.exchanges import Exchange
from vendd.core.sale.bill_reports import BillInEscrow
from vendd.core.sale.reports import Report
from vendd.drivers.bill_validator import MdbBillValidator
from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.bill_validator_data import Setup
from vendd.wire.mdb.bill_validator_start import State
from vendd.wire.mdb.changer_data import Malformed
from vendd.wire.mdb.exchange import Answer

_OPERATING = frozenset((State.POLLING, State.PAYING))
_ASKED_S = 0.1  # a reading that comes by itself comes sooner

Bills = tuple[tuple[int, int], ...]


class BillActor:
    """See the module, and `hw_sim.replay.actors.Actor`."""

    def __init__(self, driver: MdbBillValidator, exchanges: list[Exchange]) -> None:
        self._driver = driver
        self._bill = 0
        self._payouts: list[asyncio.Task[None]] = []
        orders = [
            *(self._accept(*one) for one in wishes(exchanges, 0x34, bd.SETUP)),
            *(self._decide(it) for it in exchanges if it.command[0] == 0x35),
            *(self._pay(group, exchanges) for group in _payouts(exchanges)),
            *(self._read(it) for it in exchanges if it.command == bd.STACKER),
        ]
        self.orders = sorted(orders, key=lambda order: order.at)

    @property
    def free(self) -> bool:
        return self._driver.wake_at != inf

    def heard(self, report: Report) -> None:
        if isinstance(report, BillInEscrow):
            self._bill = report.bill

    @property
    def _operating(self) -> bool:
        return self._driver.machine.state in _OPERATING

    def _accept(self, it: Exchange, starts: bool) -> Order:
        enabled, held = (bits(int.from_bytes(it.command[at : at + 2], "big")) for at in (1, 3))

        def give() -> bool:
            self._driver.accept(enabled, held)
            return True

        # A validator that starts is told what was wished before.
        return Order(it.at, it, give, lambda: starts and not self._operating)

    def _decide(self, it: Exchange) -> Order:
        stack = it.command == bd.STACK_BILL

        def give() -> bool:
            order = self._driver.stack if stack else self._driver.give_back
            return taken(lambda: order(self._bill))

        return Order(it.at, it, give)

    def _read(self, it: Exchange) -> Order:
        """STACKER that nobody asked for by then: somebody else wanted to know."""

        def give() -> bool:
            if self._driver.machine.state is State.POLLING:
                self._driver.machine.read_stores()
            return True

        return Order(it.at + _ASKED_S, it, give)

    def _pay(self, group: list[Exchange], exchanges: list[Exchange]) -> Order:
        bills = _bills(group, exchanges)

        def give() -> bool:
            if self._driver.machine.state is not State.POLLING:
                return False
            number = len(self._payouts) + 1
            task = asyncio.ensure_future(paid_out(self._driver, f"payout-{number}", bills))
            self._payouts.append(task)
            return True

        return Order(begun(group[0], bd.DISPENSER_STATUS, exchanges), group[0], give, waits=False)


def _payouts(exchanges: list[Exchange]) -> Iterator[list[Exchange]]:
    """The DISPENSEs of each payout: between two payouts the recycler is asked for its levels."""
    group: list[Exchange] = []
    for it in exchanges:
        if it.command in (bd.DISPENSER_STATUS, bd.RESET) and group:
            yield group
            group = []
        elif it.command[:2] in (b"\x37\x06", b"\x37\x07"):
            group.append(it)
    if group:
        yield group


def _bills(group: list[Exchange], exchanges: list[Exchange]) -> Bills:
    first = group[0]
    if first.command[1] == 0x06:
        return tuple((it.command[2], int.from_bytes(it.command[3:5], "big")) for it in group)
    after = exchanges[exchanges.index(first) :]
    told = next(
        (
            bd.counts_of(it.reply.data)
            for it in after
            if it.command == bd.PAYOUT_STATUS and it.reply.answer is Answer.DATA
        ),
        (),
    )
    return pieces_for(int.from_bytes(first.command[2:4], "big"), _credits(exchanges), told)


def _credits(exchanges: list[Exchange]) -> tuple[int, ...]:
    for it in exchanges:
        if it.command == bd.SETUP and it.reply.answer is Answer.DATA:
            try:
                return Setup.from_bytes(it.reply.data).credits
            except Malformed:
                continue
    return (0,) * bd.TYPES
