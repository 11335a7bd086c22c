"""Bad luck in small, seeded doses: what breaks in a machine while customers use it.

Only what a good machine gets over: nothing here takes money or products away unseen.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from hw_sim.devices.faults import ChangerFault
from hw_sim.front import Front
from hw_sim.spiral import Fate

SHARES: Final[Mapping[str, float]] = {
    "jam": 0.03,  # the spiral does not even leave home
    "stall": 0.02,  # it stops half-way
    "hangs": 0.05,  # the product needs a second push
    "empty": 0.03,  # the books say there is one, the spiral is empty
    "rejected": 0.06,  # the changer spits a good coin out
    "payout_jam": 0.03,  # a tube jams while change is paid
}
# The third refund for no-drop within ten minutes makes the home switch decide (a thief may be
# blocking the sensor): then an empty spiral is sold. That is policy, not this day's subject.
_NO_DROPS: Final = 2
_NO_DROP_WINDOW_S: Final = 700.0
_STALL_AT_DEG: Final = 180.0


class Trouble:
    """`strike` may break something just before a customer needs it. At most a quarter of the
    slots is ever put out of order."""

    def __init__(self, front: Front, seed: int, shares: Mapping[str, float] | None = None) -> None:
        self._front = front
        self._chance = random.Random(f"{seed}/trouble")
        self._shares = SHARES if shares is None else shares
        self._may_break = max(1, len(front.config.slot) // 4)
        self._broken: set[str] = set()
        self._no_drops: deque[float] = deque()
        self.happened: list[str] = []

    def strike(self, selection: str) -> str:
        """What went wrong at this selection or in the changer; "" mostly."""
        kind = self._drawn()
        strikes: dict[str, Callable[[str], bool]] = {
            "jam": lambda s: self._stall(s, 0.0),
            "stall": lambda s: self._stall(s, _STALL_AT_DEG),
            "hangs": self._hang,
            "empty": self._empty,
            "rejected": lambda _: self._changer(ChangerFault.COIN_REJECTED),
            "payout_jam": lambda _: self._changer(ChangerFault.PAYOUT_JAM),
        }
        if kind not in strikes or not strikes[kind](selection):
            return ""
        self.happened.append(kind)
        return kind

    def _drawn(self) -> str:
        """Always one draw, so that a day's troubles do not shift when a share changes."""
        left = self._chance.random()
        for kind, share in self._shares.items():
            left -= share
            if left < 0:
                return kind
        return ""

    def _breakable(self, selection: str) -> bool:
        known = selection in self._front.config.slots()
        return known and selection not in self._broken and len(self._broken) < self._may_break

    def _stall(self, selection: str, at_deg: float) -> bool:
        if not self._breakable(selection):
            return False
        self._broken.add(selection)
        motor = self._front.config.slots()[selection].motors[0]
        self._front.cabinet.motor(motor).faults.stall_at_deg = at_deg
        return True

    def _hang(self, selection: str) -> bool:
        if selection not in self._front.config.slots() or selection in self._broken:
            return False
        spiral = self._front.cabinet.slot(selection)
        if not spiral.fates and spiral.left:
            spiral.fates.append(Fate.HANGS)
        return True

    def _empty(self, selection: str) -> bool:
        now = self._front.loop.time()
        while self._no_drops and now - self._no_drops[0] > _NO_DROP_WINDOW_S:
            self._no_drops.popleft()
        if len(self._no_drops) >= _NO_DROPS or not self._breakable(selection):
            return False
        self._no_drops.append(now)
        self._broken.add(selection)
        self._front.cabinet.slot(selection).queue.clear()
        return True

    def _changer(self, fault: ChangerFault) -> bool:
        self._front.changer.inject(fault)
        return True


class Technician:
    """Comes when the changer has a jammed tube or hardly any coins left in one: opens the door,
    clears the jam, fills up, and leaves when the machine has counted its tubes twice."""

    LOW: Final = 4
    FILLED: Final = 30
    STAYS_S: Final = 150.0  # tubes are read once a minute, and a difference counts the second time

    def __init__(self, front: Front) -> None:
        self._front = front
        self.visits = 0

    def needed(self) -> bool:
        changer = self._front.changer
        low = any(count < self.LOW for count in changer.truth.counts().values())
        return low or bool(changer.memory.defective)

    async def go(self) -> str:
        """Gives the display's last words."""
        self.visits += 1
        front = self._front
        front.cabinet.set_door(is_open=True)
        await front.until(lambda t: t.startswith("DOOR OPEN"), 5.0)
        front.changer.repair()
        for value, count in front.changer.truth.counts().items():
            if count < self.LOW:
                front.changer.fill_tube(value, self.FILLED - count)
        await asyncio.sleep(self.STAYS_S)
        front.cabinet.set_door(is_open=False)
        return await front.until(lambda t: not t.startswith("DOOR OPEN"), 5.0)
