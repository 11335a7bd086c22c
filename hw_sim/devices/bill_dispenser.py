"""The recycler's payout side: one bill after the other out of the exit."""

import asyncio
from collections import deque
from collections.abc import Callable

from hw_sim.devices.bill_parts import TYPES, BillFault, BillWorks

JAM = 0x27
TO_BOX = 0xF0
JAM_SEEN_S = 0.3
ENDLESS_STEP_S = 0.5


class BillDispenser:
    """Pays bills: each comes to the exit and waits there to be taken, or is drawn in again.

    `broken` is called when a bill that is due makes the validator reset itself or lose its
    power instead. `ignored`: customers leave bills in the exit.
    """

    def __init__(self, works: BillWorks, broken: Callable[[BillFault], None]) -> None:
        self._loop = works.loop
        self._rng = works.rng
        self._model = works.model
        self._memory = works.memory
        self._truth = works.truth
        self._faults = works.faults
        self._broken = broken
        self._todo: deque[int] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._exit: asyncio.TimerHandle | None = None
        self.busy = False
        self.ignored = False
        self.paid = [0] * TYPES  # by the newest payout, for PAYOUT STATUS
        self.paid_units = 0  # since the last PAYOUT VALUE POLL

    @property
    def waiting(self) -> bool:
        """A bill sticks out."""
        return bool(self._truth.offered)

    def dispense(self, bill_type: int, count: int) -> None:
        self._begin([bill_type] * count)

    def dispense_value(self, units: int) -> None:
        """Bills worth at most `units`, largest first."""
        bills: list[int] = []
        types = sorted(self._model.recycled_types(), key=self._model.value, reverse=True)
        for bill_type in types:
            credit = self._model.credits[bill_type]
            count = min(units // credit, self._memory.counted[bill_type])
            bills += [bill_type] * count
            units -= count * credit
        self._begin(bills)

    def cancel(self) -> None:
        """No further bill; the one that is under way comes out."""
        while len(self._todo) > 1:
            self._todo.pop()

    def stop(self) -> None:
        """Power or program gone. What sticks out can still be taken."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._todo.clear()
        self.busy = False
        self.paid = [0] * TYPES
        self.paid_units = 0

    def _begin(self, bills: list[int]) -> None:
        self.paid = [0] * TYPES
        self.paid_units = 0
        self._todo = deque(bills)
        self.busy = bool(bills)
        if bills:
            self._next()

    def _next(self) -> None:
        takes = self._rng.uniform(*self._model.pays_s)
        self._timer = self._loop.call_later(takes, self._due)

    def _due(self) -> None:
        if self.waiting:  # the exit is not free
            self._next()
            return
        for fault in (BillFault.PAYOUT_RESET, BillFault.PAYOUT_POWER_CUT):
            if self._faults.due(fault):
                self._broken(fault)
                return
        bill_type = self._todo.popleft()
        if bill_type in self._memory.defective or self._faults.due(BillFault.PAYOUT_JAM):
            self._jam(bill_type)
            return
        self._offer(bill_type)
        if self._todo:
            self._next()
        else:
            self._finish()

    def _jam(self, bill_type: int) -> None:
        self._todo.clear()
        self._memory.defective.add(bill_type)
        self._memory.activity.add(bytes([JAM]))
        self._timer = self._loop.call_later(JAM_SEEN_S, self._finish)

    def _offer(self, bill_type: int) -> None:
        value = self._model.value(bill_type)
        if not self._truth.recycler.get(value):
            self._memory.counted[bill_type] = 0
            return
        self._truth.offer(value)
        self._memory.counted[bill_type] = max(0, self._memory.counted[bill_type] - 1)
        self.paid[bill_type] += 1
        self.paid_units += self._model.credits[bill_type]
        takes = self._model.retracts_s if self.ignored else self._rng.uniform(*self._model.takes_s)
        then = self._retract if self.ignored else self._taken
        self._exit = self._loop.call_later(takes, then, bill_type)

    def _taken(self, bill_type: int) -> None:
        self._truth.take_offered(self._loop.time())

    def _retract(self, bill_type: int) -> None:
        if self._memory.running and self.waiting:
            self._truth.retract()
            self._memory.stacked += 1
            self.paid[bill_type] -= 1
            self._memory.activity.add(bytes([TO_BOX | bill_type]))

    def _finish(self) -> None:
        self._timer = None
        if self.waiting or self._faults.due(BillFault.PAYOUT_ENDLESS):
            self._timer = self._loop.call_later(ENDLESS_STEP_S, self._finish)
            return
        self.busy = False
