"""Who comes when a payment device needs hands: opens the door, clears, fills, and waits."""

import asyncio
from typing import Final

from hw_sim.front import Front


class Technician:
    """Comes when a device has jammed or hardly any coins are left in a tube, and leaves when the
    machine has counted its tubes twice."""

    LOW: Final = 4
    FILLED: Final = 70
    STAYS_S: Final = 70.0  # tubes are read once a minute, and a difference once more soon after

    def __init__(self, front: Front) -> None:
        self._front = front
        self.visits = 0

    def needed(self) -> bool:
        till = self._front.till
        low = any(count < self.LOW for count in till.coins.truth.counts().values())
        jammed = till.coins.jammed or (till.bills is not None and till.bills.jammed)
        return jammed or (low and till.coins.fillable)

    async def go(self) -> str:
        """Gives the display's last words. A bill that stuck is handed to whoever waits for it."""
        self.visits += 1
        front, till = self._front, self._front.till
        front.cabinet.set_door(is_open=True)
        await front.until(lambda t: t.startswith("DOOR OPEN"), 5.0)
        till.coins.repair()
        till.coins.refill(self.LOW, self.FILLED)
        if till.bills is not None:
            till.bills.truth.hand_back_stuck(front.loop.time())
            till.bills.repair()
        await asyncio.sleep(self.STAYS_S)
        front.cabinet.set_door(is_open=False)
        return await front.until(lambda t: not t.startswith("DOOR OPEN"), 5.0)
