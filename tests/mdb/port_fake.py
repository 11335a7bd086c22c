"""A changer at the port: a model with tubes and history, no bus, for tests of what stands above.

Everything takes virtual time on the running loop. Held to the same contract as the
real driver by `test_mdb_changer_contract.py`.
"""

import asyncio
from collections.abc import Sequence

from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinPath,
    DeviceIdentity,
    LeverPressed,
    ManuallyDispensed,
    PayoutEnded,
    Tube,
    TubesRead,
)
from vendd.ports import Refused, Sink

STARTS_S = 0.7
FALLS_S = 0.3
PAYS_S = 0.4
SILENCE_S = 2.0


class FakeChanger:
    """Types 0.. hold `values`, `tubes` maps value to count. Use `start()` first.

    Faults: `jam_after` (coins the next payout manages), `unplug()`, `plug()`, `reset()`.
    """

    def __init__(
        self,
        sink: Sink,
        values: Sequence[int] = (5, 10, 20, 50, 100, 200),
        tubes: dict[int, int] | None = None,
    ) -> None:
        self._sink = sink
        self.values = tuple(values)
        self.tubes = dict(tubes if tubes is not None else dict.fromkeys(values[:5], 20))
        self.box: list[int] = []
        self.cup: list[int] = []
        self.enabled: frozenset[int] = frozenset()
        self.ready = False
        self.plugged = True
        self.jam_after: int | None = None
        self._paying: str | None = None
        self._paid: dict[int, int] = {}
        self._era = 0  # so that what was under way before a reset stays undone

    # --- ports.Changer -----------------------------------------------------------------

    def accept(self, coin_types: frozenset[int]) -> None:
        self.enabled = coin_types

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        queue = [t for t, n in coins for _ in range(n)]
        if not self.ready or not self.plugged:
            raise Refused("changer is not ready")
        if self._paying is not None:
            raise Refused("a payout is under way")
        if not queue or any(not 0 <= t < len(self.values) for t in queue):
            raise Refused("no such coins")
        self._paying, self._paid = payout_id, {}
        await asyncio.sleep(0.02)
        self._later(PAYS_S, self._pay_one, queue)

    async def read_tubes(self) -> None:
        if not self.ready or not self.plugged:
            raise Refused("changer is not ready")
        self._later(0.02, self._tell_tubes)

    # --- the world's side -----------------------------------------------------------------

    def start(self) -> None:
        self._later(STARTS_S, self._started)

    def insert_coin(self, value: int) -> None:
        self._later(FALLS_S, self._landed, value)

    def press_lever(self) -> None:
        self._later(0.05, self._sink.put, LeverPressed())

    def manual_dispense(self, value: int) -> None:
        self.tubes[value] -= 1
        self.cup.append(value)
        told = ManuallyDispensed(self.values.index(value), 1, self.tubes[value])
        self._later(0.05, self._sink.put, told)

    def unplug(self) -> None:
        self.plugged = False
        self._era += 1
        self._later(SILENCE_S, self._lost)

    def plug(self) -> None:
        self.plugged = True
        self._era += 1
        self._later(STARTS_S, self._started)

    def reset(self) -> None:
        """A reset of its own: what was being paid stays undone."""
        self._era += 1
        self._later(STARTS_S, self._started)

    # --- inside -----------------------------------------------------------------------------

    def _later(self, delay: float, act: object, *args: object) -> None:
        loop, era = asyncio.get_running_loop(), self._era
        loop.call_later(delay, lambda: act(*args) if era == self._era else None)  # type: ignore[operator]

    def _started(self) -> None:
        self._end_payout(certain=False, why="reset")
        self.ready = True
        coins = tuple(Coin(t, v, v in self.tubes) for t, v in enumerate(self.values))
        identity = DeviceIdentity("FAK", "1", "FAKE", "0001", 3, 7, "1978", 5, 2)
        self._sink.put(ChangerReady(identity, coins, self._tubes()))

    def _lost(self) -> None:
        self._end_payout(certain=False, why="no answer")
        self.ready = False
        self._sink.put(ChangerLost("no answer"))

    def _landed(self, value: int) -> None:
        type_ = self.values.index(value)
        if not self.ready or type_ not in self.enabled:
            self.cup.append(value)
            return
        in_tube = value in self.tubes
        if in_tube:
            self.tubes[value] += 1
        else:
            self.box.append(value)
        path = CoinPath.TUBE if in_tube else CoinPath.BOX
        self._sink.put(CoinAccepted(type_, value, path, self.tubes.get(value, 0)))

    def _pay_one(self, queue: list[int]) -> None:
        value = self.values[queue[0]]
        if self.jam_after == sum(self._paid.values()) or not self.tubes.get(value):
            self.jam_after = None
            self._end_payout(certain=True, why="tube_jam")
            self._tell_tubes()
            return
        self.tubes[value] -= 1
        self.cup.append(value)
        self._paid[queue[0]] = self._paid.get(queue[0], 0) + 1
        if queue[1:]:
            self._later(PAYS_S, self._pay_one, queue[1:])
        else:
            self._end_payout(certain=True, why="")
            self._tell_tubes()

    def _end_payout(self, *, certain: bool, why: str) -> None:
        payout, self._paying = self._paying, None
        if payout is not None:
            paid = tuple(sorted(self._paid.items()))
            self._sink.put(PayoutEnded(payout, paid, certain, why))

    def _tell_tubes(self) -> None:
        self._sink.put(TubesRead(self._tubes()))

    def _tubes(self) -> tuple[Tube, ...]:
        return tuple(
            Tube(t, v, self.tubes[v]) for t, v in enumerate(self.values) if v in self.tubes
        )
