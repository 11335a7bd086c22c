"""Several coin mechs seen as one `ports.Changer`: a changer with its tubes, and acceptors that
only take coins beside it.

The first one added is the main one: its payouts, tubes and lever are the desk's, and the desk is
there as long as it is. Coin types of the n-th mech are moved up by 16 n, so that no two are the
same. Is NOT responsible for anything else; one mech alone stands for itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinRejected,
    Report,
    TubesRead,
)
from vendd.ports import Changer, Refused, Sink

APART: Final = 16
"""Coin types that a mech may have."""


class _Place:
    """The sink of one mech: what it says goes to the desk, if there is one."""

    def __init__(self, sink: Sink, number: int, said: Callable[[int, Report], None]) -> None:
        self._sink = sink
        self._number = number
        self._said = said

    def put(self, report: Report) -> None:
        self._said(self._number, report)

    def crowded(self) -> bool:
        return self._sink.crowded()


@dataclass(slots=True)
class _Mech:
    changer: Changer
    ready: ChangerReady | None = None


class CoinDesk:
    """`place` gives the sink for the mech that is added next."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._mechs: list[_Mech] = []
        self._tell_again = False
        self._asking: asyncio.Task[None] | None = None

    def place(self) -> Sink:
        """Where the next mech has to report to."""
        return _Place(self._sink, len(self._mechs), self._said)

    def add(self, mech: Changer) -> None:
        """One more mech; the first is the main one."""
        self._mechs.append(_Mech(mech))

    def whole(self) -> Changer | None:
        """The one changer that stands for all: none, the only mech, or this desk."""
        if len(self._mechs) > 1:
            return self
        return self._mechs[0].changer if self._mechs else None

    # --- ports.Changer -----------------------------------------------------------------

    def accept(self, coin_types: frozenset[int]) -> None:
        """See `ports.Changer`."""
        for number, mech in enumerate(self._mechs):
            first = number * APART
            own = range(first, first + APART)
            mech.changer.accept(frozenset(t - first for t in coin_types if t in own))

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        """See `ports.Changer`; the main mech pays."""
        await self._mechs[0].changer.pay_out(payout_id, coins)

    async def read_tubes(self) -> None:
        """See `ports.Changer`; the main mech's."""
        await self._mechs[0].changer.read_tubes()

    # --- what the mechs say ----------------------------------------------------------------

    def _said(self, number: int, report: Report) -> None:
        if len(self._mechs) == 1:
            self._sink.put(report)
            return
        match report:
            case ChangerReady() | ChangerLost():
                self._came_or_went(number, report)
            case TubesRead(tubes) if number == 0:
                main = self._mechs[0].ready
                if self._tell_again and main is not None:
                    self._tell(replace(main, tubes=tubes))
                else:
                    self._sink.put(report)
            case TubesRead():
                pass
            case CoinAccepted(type_):
                self._sink.put(replace(report, type=type_ + number * APART))
            case CoinRejected(_, int() as type_):
                self._sink.put(replace(report, type=type_ + number * APART))
            case _:
                self._sink.put(report)

    def _came_or_went(self, number: int, report: ChangerReady | ChangerLost) -> None:
        mech = self._mechs[number]
        mech.ready = report if isinstance(report, ChangerReady) else None
        if number == 0:
            if isinstance(report, ChangerReady):
                self._tell(report)
            else:
                self._sink.put(report)
        elif self._mechs[0].ready is not None:
            # Tubes are told with it, so it has to wait until they may be read.
            self._tell_again = True
            if self._asking is None or self._asking.done():
                self._asking = asyncio.ensure_future(self._ask())

    async def _ask(self) -> None:
        try:
            await self._mechs[0].changer.read_tubes()
        except Refused:
            return  # whenever they are read next

    def _tell(self, main: ChangerReady) -> None:
        self._tell_again = False
        coins = tuple(
            replace(coin, type=coin.type + number * APART)
            for number, mech in enumerate(self._mechs)
            if mech.ready is not None
            for coin in mech.ready.coins
        )
        self._sink.put(ChangerReady(main.identity, coins, main.tubes))
