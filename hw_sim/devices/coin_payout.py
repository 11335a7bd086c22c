"""The payout side of a changer: one coin after the other out of the tubes."""

import asyncio
from collections import deque
from collections.abc import Callable

from hw_sim.devices.changer_parts import TYPES, Works
from hw_sim.devices.faults import ChangerFault

SENSOR_DEFECT = b"\x04"
TUBE_JAM = b"\x07"
JAM_SEEN_S = 0.25  # the changer stays busy this long after a jam
ENDLESS_STEP_S = 0.5


class CoinPayout:
    """Pays coins: each takes its time, and leaves its tube at the end of it.

    An exit sensor sees each coin, so a tube that turns out to be empty is counted as
    empty, and its coins are not counted as paid. `broken` is called when a coin that is
    due makes the changer reset itself or lose its power instead.
    """

    def __init__(
        self,
        works: Works,
        broken: Callable[[ChangerFault], None],
    ) -> None:
        self._loop = works.loop
        self._rng = works.rng
        self._model = works.model
        self._memory = works.memory
        self._truth = works.truth
        self._faults = works.faults
        self._broken = broken
        self._todo: deque[int] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._alternative = False
        self.busy = False
        self.paid = [0] * TYPES  # by the last alternative payout, for PAYOUT STATUS
        self.paid_value = 0  # minor units since the last PAYOUT VALUE POLL

    def dispense(self, coin_type: int, count: int) -> None:
        """DISPENSE (0D): `count` coins of one type, whatever the counter says."""
        self._alternative = False
        self._begin([coin_type] * count)

    def pay(self, amount: int) -> None:
        """PAYOUT (0F 02): coins worth at most `amount` minor units, largest first."""
        self.paid = [0] * TYPES
        self.paid_value = 0
        self._alternative = True
        self._begin(self.plan(amount))

    def plan(self, amount: int) -> list[int]:
        """The coin types the changer takes for an amount, by its own counts."""
        coins: list[int] = []
        usable = [t for t in self._model.tube_types() if t not in self._memory.defective]
        for coin_type in sorted(usable, key=self._model.value, reverse=True):
            value = self._model.value(coin_type)
            count = min(amount // value, self._memory.counted[coin_type])
            coins += [coin_type] * count
            amount -= count * value
        return coins

    def stop(self) -> None:
        """Power or program gone: no further coin."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._todo.clear()
        self.busy = False
        self.paid = [0] * TYPES
        self.paid_value = 0

    def _begin(self, coins: list[int]) -> None:
        self._todo = deque(coins)
        self.busy = bool(coins)
        if self.busy:
            self._next()

    def _next(self) -> None:
        takes = self._rng.uniform(*self._model.coin_pays_s)
        self._timer = self._loop.call_later(takes, self._due)

    def _due(self) -> None:
        for fault in (ChangerFault.PAYOUT_RESET, ChangerFault.PAYOUT_POWER_CUT):
            if self._faults.due(fault):
                self._broken(fault)
                return
        coin_type = self._todo.popleft()
        if coin_type in self._memory.defective or self._faults.due(ChangerFault.PAYOUT_JAM):
            self._jam(coin_type)
            return
        self._eject(coin_type)
        if self._todo:
            self._next()
        else:
            self._finish()

    def _jam(self, coin_type: int) -> None:
        self._todo.clear()
        self._memory.defective.add(coin_type)
        self._memory.activity.add(SENSOR_DEFECT)
        self._memory.activity.add(TUBE_JAM)
        self._timer = self._loop.call_later(JAM_SEEN_S, self._finish)

    def _eject(self, coin_type: int) -> None:
        tube = self._model.value(coin_type)
        if tube not in self._truth.tubes or self._truth.eject(tube, self._loop.time()) is None:
            self._memory.counted[coin_type] = 0
            return
        self._memory.counted[coin_type] = max(0, self._memory.counted[coin_type] - 1)
        if self._alternative:
            self.paid[coin_type] += 1
            self.paid_value += tube

    def _finish(self) -> None:
        self._timer = None
        if self._faults.due(ChangerFault.PAYOUT_ENDLESS):
            self._timer = self._loop.call_later(ENDLESS_STEP_S, self._finish)
            return
        self.busy = False
