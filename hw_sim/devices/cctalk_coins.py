"""An acceptor and its hoppers as one coin mech, with the truth about every coin.

The acceptor sorts: a coin whose exit leads to a hopper falls into that hopper, any other into
the cash box. Hoppers pay into the same return cup.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from hw_sim.devices.cctalk_acceptor import CcTalkAcceptor
from hw_sim.devices.cctalk_hopper import CcTalkHopper
from hw_sim.devices.coin_truth import CoinTruth

SWALLOWED: Final = "coin_lost"
JAM: Final = "payout_jam"
CUT: Final = "payout_power_cut"


class CcTalkMech:
    """`fed_by`: position -> the sorter exit of its hopper. Hoppers begin empty: the machine knows
    what is in them only if it has counted every coin. Is NOT responsible for the bus."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        acceptor: CcTalkAcceptor,
        hoppers: Iterable[CcTalkHopper],
    ) -> None:
        self._loop = loop
        self.acceptor = acceptor
        self.hoppers = {hopper.value: hopper for hopper in hoppers}
        self.truth = CoinTruth(self.hoppers)
        self._jammed: set[int] = set()
        acceptor.deliver = self._landed
        acceptor.give_back = self._came_back
        acceptor.swallow = self.truth.get_stuck
        for hopper in self.hoppers.values():
            hopper.on_coin = self._paid

    @property
    def values(self) -> tuple[int, ...]:
        return self.acceptor.values

    @property
    def jammed(self) -> bool:
        return any(hopper.jammed for hopper in self.hoppers.values())

    @property
    def paying(self) -> bool:
        return any(hopper.remaining for hopper in self.hoppers.values())

    @property
    def untold(self) -> bool:
        """The host reads events; as far as the acceptor knows, all are read."""
        return bool(self.truth.falling) or self.acceptor.unread

    @property
    def fillable(self) -> bool:
        return False

    def insert_coin(self, value: int) -> None:
        self.truth.insert(value)
        self.acceptor.insert(value)

    def press_lever(self) -> None:
        self.acceptor.press_lever()

    def refill(self, low: int, full: int) -> None:
        """Nobody fills a hopper that can't count: customers do."""

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        """``coin_lost``, ``payout_jam`` or ``payout_power_cut``, of the largest coin's hopper."""
        hopper = self.hoppers[max(self.hoppers)]
        if fault == SWALLOWED:
            self.acceptor.swallow_next = True
        elif fault == JAM:
            hopper.jam_after = after
        elif fault == CUT:
            hopper.cut_after = after
        else:
            raise ValueError(f"{fault!r} is no fault of a ccTalk acceptor or hopper")

    def unplug(self) -> None:
        """The acceptor alone; hoppers have plugs of their own."""
        self.acceptor.power_off()

    def plug(self) -> None:
        self.acceptor.power_on()

    def repair(self) -> None:
        """A technician switches jammed hoppers off and on again, too."""
        self.acceptor.swallow_next = False
        for hopper in self.hoppers.values():
            hopper.jam_after = hopper.cut_after = None
            if hopper.jammed:
                hopper.clear_jam()
        self.truth.free_stuck(self._loop.time())

    # --- where coins go ---------------------------------------------------------------

    def _landed(self, position: int, value: int) -> None:
        hopper = self.hoppers.get(value)
        if hopper is not None and self.acceptor.paths.get(position):
            hopper.fill(1)
            self.truth.land_in_tube(value, value)
        else:
            self.truth.land_in_box(value, self._loop.time())

    def _came_back(self, value: int) -> None:
        self.truth.land_in_cup(value, self._loop.time())

    def _paid(self, value: int) -> None:
        self.truth.eject(value, self._loop.time())


def paths(fed_by: Mapping[int, int | None]) -> dict[int, int]:
    """Only the coins that have an exit of their own."""
    return {position: exit_ for position, exit_ in fed_by.items() if exit_}
