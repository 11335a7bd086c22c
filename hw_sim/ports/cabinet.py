"""The machine around the money at the port: motors, spirals, beam, keys, door; no pins.

The same physics as `hw_sim.cabinet` has, seen by a motor driver and sensors that are models, too.
"""

import random

from hw_sim.clock import WorldClock
from hw_sim.motor import Motor
from hw_sim.plan import CabinetPlan, SlotPlan
from hw_sim.ports.motors import PortMotors, QuietMotor
from hw_sim.spiral import Beam, Fallen, Spiral
from hw_sim.supply import CurrentLog
from vendd.core.sale.reports import DoorMoved, DropSeen, DropSensorChanged, KeyPressed
from vendd.drivers.motors import TurnLimits
from vendd.ports import Sink

DEBOUNCE_S = 0.03
SETTLE_S = 0.05
BLOCKED_S = 2.0
CLEAR = "clear"


class PortCabinet:
    """Make it outside any life. `begin` and `forsake` as of a `Device`."""

    def __init__(
        self, plan: CabinetPlan, clock: WorldClock, seed: int, limits: TurnLimits, clear: str
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.tray: list[Fallen] = []
        self.currents = CurrentLog(clock)
        self.beam = Beam(self._beam_moved)
        self._seed = seed
        self._clear = clear
        self._sink: Sink | None = None
        self._broken_since: float | None = None
        self._blocked = False
        self._door_open = False
        self._slot_of = {name: slot for slot in plan.slots for name in slot.motors}
        self._released = {motor.name: 0 for motor in plan.motors}
        self._advanced = {slot.selection: 0 for slot in plan.slots}
        self._slots = {slot.selection: self._make_slot(slot) for slot in plan.slots}
        self._motors = {motor.name: self._make_motor(motor.name) for motor in plan.motors}
        self.motors = PortMotors(self._motors, self.currents, clock, limits, self._rng("driver"))

    # --- people and auditors -----------------------------------------------------------------

    def press(self, key: str, hold_ms: int = 120) -> None:
        del hold_ms
        self.clock.later(DEBOUNCE_S, self._pressed, CLEAR if key == self._clear else key)

    def motor(self, name: str) -> Motor:
        return self._motors[name]

    def slot(self, selection: str) -> Spiral:
        return self._slots[selection]

    @property
    def slots(self) -> tuple[Spiral, ...]:
        return tuple(self._slots.values())

    def quiet(self) -> bool:
        """No motor turns or has current."""
        return not self.currents.flowing() and not any(m.turning for m in self._motors.values())

    @property
    def door_open(self) -> bool:
        return self._door_open

    def set_door(self, *, is_open: bool) -> None:
        self._door_open = is_open
        self.clock.later(SETTLE_S, self._door_moved, is_open)

    # --- lives ---------------------------------------------------------------------------------

    def begin(self, sink: Sink, *, door: bool) -> None:
        """`door`: it has a switch."""
        self._sink = sink
        if self._blocked:
            sink.put(DropSensorChanged(blocked=True))
        if door:
            sink.put(DoorMoved(self._door_open))

    def forsake(self) -> None:
        self._sink = None

    # --- inside -----------------------------------------------------------------------------------

    def _rng(self, part: str) -> random.Random:
        return random.Random(f"{self._seed}/{part}")

    def _make_motor(self, name: str) -> QuietMotor:
        return QuietMotor(
            name,
            self.clock,
            self._rng(f"motor/{name}"),
            lambda: self.motors.moved(name),
            lambda: self._let_go(name),
        )

    def _make_slot(self, plan: SlotPlan) -> Spiral:
        return Spiral(
            plan.selection,
            (plan.product,) * plan.level,
            self.clock,
            self._rng(f"slot/{plan.selection}"),
            self.beam,
            self.tray.append,
        )

    def _let_go(self, name: str) -> None:
        """A spiral has made its pitch; a slot drops when all its motors have."""
        self._released[name] += 1
        slot = self._slot_of.get(name)
        if slot is None:
            return
        turns = min(self._released[motor] for motor in slot.motors)
        while self._advanced[slot.selection] < turns:
            self._advanced[slot.selection] += 1
            self._slots[slot.selection].advance()

    def _pressed(self, key: str) -> None:
        if self._sink is not None:
            self._sink.put(KeyPressed(key))

    def _door_moved(self, is_open: bool) -> None:
        if self._sink is not None and is_open == self._door_open:
            self._sink.put(DoorMoved(is_open))

    def _beam_moved(self, broken: bool) -> None:
        now = self.clock.now()
        if broken and self._broken_since is None:
            self._broken_since = now
            self.clock.later(BLOCKED_S, self._look, now)
        elif not broken and self._broken_since is not None:
            self._broken_since = None
            report = DropSensorChanged(blocked=False) if self._blocked else DropSeen()
            self._blocked = False
            if self._sink is not None:
                self._sink.put(report)

    def _look(self, since: float) -> None:
        if self._broken_since == since and not self._blocked:
            self._blocked = True
            if self._sink is not None:
                self._sink.put(DropSensorChanged(blocked=True))
