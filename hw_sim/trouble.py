"""Bad luck in small, seeded doses: what breaks in a machine while customers use it.

Only what a good machine gets over: nothing here takes money or products away unseen.
"""

import random
from collections import deque
from collections.abc import Mapping
from typing import Final

from hw_sim.devices.bill_parts import BillFault
from hw_sim.devices.faults import ChangerFault
from hw_sim.front import Front
from hw_sim.pulls import Pulls
from hw_sim.spiral import Fate

SHARES: Final[Mapping[str, float]] = {
    "jam": 0.03,  # the spiral does not even leave home
    "stall": 0.02,  # it stops half-way
    "hangs": 0.05,  # the product needs a second push
    "empty": 0.03,  # the books say there is one, the spiral is empty
    "rejected": 0.06,  # the changer spits a good coin out
    "payout_jam": 0.03,  # a tube jams while change is paid
    "changer": 0.06,  # another fault of the changer's own
    "bills": 0.09,  # a fault of the bill validator's own
    "cards": 0.09,  # a fault of a card reader's own
    "pulled": 0.06,  # a device loses its plug for a while
}
_NEED_A_TECHNICIAN: Final = (BillFault.BILL_JAM, BillFault.PAYOUT_JAM)
# The third refund for no-drop within ten minutes makes the home switch decide (a thief may be
# blocking the sensor): then an empty spiral is sold. That is policy, not this day's subject.
_NO_DROPS: Final = 2
_NO_DROP_WINDOW_S: Final = 700.0
_STALL_AT_DEG: Final = 180.0


class Trouble:
    """`strike` may break something just before a customer needs it. At most a quarter of the
    slots is ever put out of order. `patient`: somebody comes to clear what jams."""

    def __init__(
        self,
        front: Front,
        seed: int,
        shares: Mapping[str, float] | None = None,
        *,
        patient: bool = True,
    ) -> None:
        self._front = front
        self._chance = random.Random(f"{seed}/trouble")
        self._shares = SHARES if shares is None else shares
        self._patient = patient
        self._may_break = max(1, len(front.config.slot) // 4)
        self._broken: set[str] = set()
        self._no_drops: deque[float] = deque()
        self.pulls = Pulls(front, random.Random(f"{seed}/pulls"), patient=patient)
        self.happened: list[str] = []

    def strike(self, selection: str) -> str:
        """What went wrong at this selection or in a device; "" mostly."""
        kind = self._drawn()
        return self.happen(kind, selection) if kind else ""

    def happen(self, kind: str, selection: str, chance: random.Random | None = None) -> str:
        """One of `SHARES`, now; "" when it can't happen here. `chance`: instead of the day's."""
        days, self._chance = self._chance, chance or self._chance
        what = self._struck(kind, selection)
        self._chance = days
        if what:
            self.happened.append(what)
        return what

    async def over(self) -> tuple[str, ...]:
        """The customer has left: what was pulled meanwhile, plugged in again."""
        return await self.pulls.over()

    def _struck(self, kind: str, selection: str) -> str:
        """Its name, "" when it can't happen here and now."""
        match kind:
            case "jam":
                done = self._stall(selection, 0.0)
            case "stall":
                done = self._stall(selection, _STALL_AT_DEG)
            case "hangs":
                done = self._hang(selection)
            case "empty":
                done = self._empty(selection)
            case "rejected":
                done = self._changer(ChangerFault.COIN_REJECTED)
            case "payout_jam":
                done = self._changer(ChangerFault.PAYOUT_JAM)
            case _:
                return self._device(kind)
        return kind if done else ""

    def _drawn(self) -> str:
        """Always one draw, so that a day's troubles do not shift when a share changes."""
        left = self._chance.random()
        for kind, share in self._shares.items():
            left -= share
            if left < 0:
                return kind
        return ""

    # --- spirals -----------------------------------------------------------------------

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

    # --- payment devices ------------------------------------------------------------------

    def _changer(self, fault: str) -> bool:
        if not self._front.till.troubles["changer"]:
            return False
        self._front.till.coins.inject(fault)
        return True

    def _device(self, kind: str) -> str:
        till = self._front.till
        if kind == "pulled":
            return self.pulls.plan()
        fitted = {"changer": True, "bills": till.bills is not None, "cards": bool(till.readers)}
        faults = till.troubles.get(kind)
        if not faults or not fitted[kind]:
            return ""
        if kind == "cards":
            number = self._chance.choice(sorted(till.readers))
            fault = self._chance.choice(faults)
            till.readers[number].inject(fault)
            return f"reader {number}: {fault}"
        fault = self._chance.choice(faults)
        if kind == "bills":
            return self._bills(fault)
        return f"changer: {fault}" if self._changer(fault) else ""

    def _bills(self, fault: str) -> str:
        bills = self._front.till.bills
        assert bills is not None
        if fault in _NEED_A_TECHNICIAN and not self._patient:
            return ""
        try:
            bills.inject(fault)
        except ValueError:  # not every validator can do everything wrong
            return ""
        return f"validator: {fault}"
