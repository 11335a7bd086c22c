"""A coin changer at the port: `ports.Changer` for the daemon, `CoinMech` for people."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from hw_sim.clock import WorldClock
from hw_sim.devices.coin_truth import CoinTruth
from hw_sim.devices.faults import Faults
from hw_sim.ports.device import Device
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    DeviceIdentity,
    FaultEnded,
    FaultStarted,
    LeverPressed,
    ManuallyDispensed,
    PayoutEnded,
    Tube,
    TubesRead,
)
from vendd.ports import Refused, Sink

VALUES: Final = (5, 10, 20, 50, 100, 200)
TUBES: Final = (5, 10, 20, 50, 100)
CAPACITY: Final = 90
STARTS_S: Final = 0.7
FALLS_S: Final = (0.25, 0.45)
TELLS_S: Final = 0.02
TAKES_UP_S: Final = 0.02
PAYS_S: Final = (0.3, 0.5)
SILENCE_S: Final = 2.0
COUNTS_S: Final = 60.0
CUT_S: Final = 1.0
STALLS_S: Final = 25.0
SLOW_S: Final = 5.0
JAM: Final = ("tube_jam", "changer")
_WHO: Final = DeviceIdentity("SIM", "1", "CHANGER", "0001", 3, 7, "1978", 5, 2)


class PortFault(StrEnum):
    """What it does wrong, and what counts as one opportunity to do it."""

    # each coin at the gate
    COIN_REJECTED = "coin_rejected"
    DOUBLE_ARRIVAL = "double_arrival"  # both are returned
    # each payout
    PAYOUT_REFUSED = "payout_refused"
    PAYOUT_WITHDRAWN = "payout_withdrawn"  # not taken up for so long that nobody waits any more
    PAYOUT_TAKEN_LATE = "payout_taken_late"  # the same, but it is paid
    # each coin that is about to be paid
    PAYOUT_JAM = "payout_jam"  # its tube is defective, the rest stays unpaid
    PAYOUT_RESET = "payout_reset"
    PAYOUT_POWER_CUT = "payout_power_cut"
    PAYOUT_STALLS = "payout_stalls"  # goes on half a minute later


class PortChanger(Device):
    """Types 0.. are `values`. `truth` is for auditors. Needs `begin` by each life."""

    def __init__(
        self,
        clock: WorldClock,
        rng: random.Random,
        values: Sequence[int] = VALUES,
        tubes: Sequence[int] = TUBES,
    ) -> None:
        super().__init__(clock)
        self.truth = CoinTruth(tubes)
        self.faults = Faults(PortFault, rng)
        self._rng = rng
        self._values = tuple(values)
        self._types = {value: type_ for type_, value in enumerate(values)}
        self._accepted: frozenset[int] = frozenset()
        self._defective: set[int] = set()  # tubes, by value
        self._payout: str | None = None
        self._paid: dict[int, int] = {}
        self._telling = 0
        self._unheard = False  # a coin fell, and its report found nobody

    # --- ports.Changer ---------------------------------------------------------------

    def accept(self, coin_types: frozenset[int]) -> None:
        self._accepted = coin_types

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        queue = [type_ for type_, count in coins for _ in range(count)]
        if not self.ready or not self.plugged:
            raise Refused("changer is not ready")
        if self._payout is not None:
            raise Refused("a payout is under way")
        if not queue or any(not 0 <= t < len(self._values) for t in queue):
            raise Refused("no such coins")
        if self.faults.due(PortFault.PAYOUT_REFUSED):
            raise Refused("busy")
        if self.faults.due(PortFault.PAYOUT_WITHDRAWN):
            await asyncio.sleep(SLOW_S)
            raise Refused("not taken up")
        self._payout, self._paid = payout_id, {}
        if self.faults.due(PortFault.PAYOUT_TAKEN_LATE):
            self.later(SLOW_S, self._pay_soon, queue)
            await asyncio.sleep(SLOW_S)
        else:
            await asyncio.sleep(TAKES_UP_S)
            self._pay_soon(queue)

    async def read_tubes(self) -> None:
        if not self.ready or not self.plugged:
            raise Refused("changer is not ready")
        self.later(TELLS_S, self._tell_tubes)

    # --- people: CoinMech ----------------------------------------------------------------

    @property
    def values(self) -> tuple[int, ...]:
        return self._values

    @property
    def jammed(self) -> bool:
        return bool(self._defective)

    @property
    def paying(self) -> bool:
        return self._payout is not None

    @property
    def fillable(self) -> bool:
        return True

    @property
    def untold(self) -> bool:
        return bool(self.truth.falling) or self._telling > 0 or self._unheard

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        self.faults.arm(fault, times, after)

    def insert_coin(self, value: int) -> None:
        self.truth.insert(value)
        self.clock.later(self._rng.uniform(*FALLS_S), self._landed, value)

    def press_lever(self) -> None:
        if self.plugged:
            self.later(TELLS_S, self.tell, LeverPressed())

    def fill_tube(self, value: int, count: int) -> None:
        self.truth.fill(value, count)

    def refill(self, low: int, full: int) -> None:
        for value, count in self.truth.counts().items():
            if count < low:
                self.fill_tube(value, full - count)

    def manual_dispense(self, value: int) -> None:
        """Somebody presses the changer's own payout button."""
        if self.truth.eject(value, self.clock.now()) is not None:
            left = len(self.truth.tubes[value])
            self.later(TELLS_S, self.tell, ManuallyDispensed(self._types[value], 1, left))

    def repair(self) -> None:
        self.faults.clear()
        if self._defective:
            self._defective.clear()
            self.tell(FaultEnded(*JAM))
        self.truth.free_stuck(self.clock.now())

    def unplug(self) -> None:
        if self.plugged:
            self.plugged = False
            self._era += 1
            self.later(SILENCE_S, self._lost)

    def plug(self) -> None:
        if not self.plugged:
            self.plugged = True
            self.reset()

    def reset(self) -> None:
        """A reset of its own: what was being paid stays unpaid."""
        self._era += 1
        if self.heard:
            self.later(STARTS_S, self._started)
        elif self._payout is not None:
            self._payout = None

    # --- lives -----------------------------------------------------------------------

    def begin(self, sink: Sink) -> None:
        super().begin(sink)
        self._accepted = frozenset()
        self._payout = None  # the new life resets it, and knows nothing of a payout
        if self.plugged:
            self.later(STARTS_S, self._started)
        else:
            self.later(SILENCE_S, self._lost)

    # --- inside ------------------------------------------------------------------------

    def _started(self) -> None:
        self._end_payout(certain=False, why="reset")
        self.ready = True
        self._unheard = False
        coins = tuple(Coin(t, v, v in self.truth.tubes) for t, v in enumerate(self._values))
        self.tell(ChangerReady(_WHO, coins, self._tubes()))
        self.later(COUNTS_S, self._count)

    def _lost(self) -> None:
        self._end_payout(certain=False, why="no answer")
        self.ready = False
        self.tell(ChangerLost("no answer"))

    def _count(self) -> None:
        self._tell_tubes()
        self.later(COUNTS_S, self._count)

    def _tell_tubes(self) -> None:
        """Not while a coin moves: what fell is told before it is counted."""
        if self._telling:
            self.later(TELLS_S, self._tell_tubes)
        elif self._payout is None:
            self.tell(TubesRead(self._tubes()))

    def _tubes(self) -> tuple[Tube, ...]:
        return tuple(
            Tube(self._types[value], value, 0, full=True, defective=True)
            if value in self._defective
            else Tube(self._types[value], value, len(column), full=len(column) >= CAPACITY)
            for value, column in self.truth.tubes.items()
        )

    # --- coins that come in ---------------------------------------------------------------

    def _landed(self, value: int) -> None:
        truth, now = self.truth, self.clock.now()
        type_ = self._types.get(value)
        if not self.plugged or type_ is None or type_ not in self._accepted:
            truth.land_in_cup(value, now)
            return
        for fault, why in (
            (PortFault.COIN_REJECTED, "rejected"),
            (PortFault.DOUBLE_ARRIVAL, "double_arrival"),
        ):
            if self.faults.due(fault):
                truth.land_in_cup(value, now)
                self.later(TELLS_S, self.tell, CoinRejected(why, type_))
                return
        column = truth.tubes.get(value)
        if column is not None and len(column) < CAPACITY and value not in self._defective:
            truth.land_in_tube(value, value)
            report = CoinAccepted(type_, value, CoinPath.TUBE, len(column))
        else:
            truth.land_in_box(value, now)
            count = 0 if column is None or value in self._defective else len(column)
            report = CoinAccepted(type_, value, CoinPath.BOX, count)
        self._telling += 1
        self.clock.later(TELLS_S, self._tell_coin, self._era, report)

    def _tell_coin(self, era: int, report: CoinAccepted) -> None:
        self._telling -= 1
        if era == self._era and self.heard:
            self.tell(report)
        else:
            self._unheard = True

    # --- coins that go out -----------------------------------------------------------------

    def _pay_soon(self, queue: list[int]) -> None:
        self.later(self._rng.uniform(*PAYS_S), self._pay_one, queue)

    def _pay_one(self, queue: list[int]) -> None:
        if self._broken(queue):
            return
        type_ = queue[0]
        value = self._values[type_]
        empty = value in self._defective or value not in self.truth.tubes
        if empty or self.truth.eject(value, self.clock.now()) is None:
            self._end_payout(certain=True, why="tube_empty")
            self._tell_tubes()
            return
        self._paid[type_] = self._paid.get(type_, 0) + 1
        if len(queue) > 1:
            self._pay_soon(queue[1:])
        else:
            self._end_payout(certain=True, why="")
            self._tell_tubes()

    def _broken(self, queue: list[int]) -> bool:
        """A fault comes before this coin."""
        due = self.faults.due
        if not self.faults.any:
            return False
        if due(PortFault.PAYOUT_JAM):
            value = self._values[queue[0]]
            self._defective.add(value)
            self.tell(FaultStarted(*JAM, detail=f"tube {value}"))
            self._end_payout(certain=True, why="tube_jam")
            self._tell_tubes()
        elif due(PortFault.PAYOUT_RESET):
            self.reset()
        elif due(PortFault.PAYOUT_POWER_CUT):
            self.unplug()
            self.clock.later(CUT_S, self.plug)
        elif due(PortFault.PAYOUT_STALLS):
            self.later(STALLS_S, self._pay_one, queue)
        else:
            return False
        return True

    def _end_payout(self, *, certain: bool, why: str) -> None:
        payout, self._payout = self._payout, None
        if payout is not None:
            self.tell(PayoutEnded(payout, tuple(sorted(self._paid.items())), certain, why))


def filled(changer: PortChanger, tubes: Mapping[int, int]) -> PortChanger:
    """With these coins in its tubes."""
    for value, count in tubes.items():
        changer.fill_tube(value, count)
    return changer
