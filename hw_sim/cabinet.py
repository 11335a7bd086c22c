"""The machine's physics on any loop: motors, spirals, sensors, keys, door, all behind the header.

One seed decides everything that chance decides here. Faults are set from outside
(`motor(...).faults`, `slot(...).fates`, `beam`), never by the cabinet itself.
"""

import asyncio
import random

from hw_sim.clock import WorldClock
from hw_sim.header import Header
from hw_sim.keypad import Keypad
from hw_sim.motor import Motor
from hw_sim.plan import CabinetPlan, InputPlan, MotorPlan, SlotPlan
from hw_sim.spiral import Beam, Fallen, Spiral
from hw_sim.supply import CurrentLog, OneShot


class Cabinet:
    """Is NOT responsible for money devices or the display. Make it outside any `life`."""

    def __init__(
        self,
        plan: CabinetPlan,
        loop: asyncio.AbstractEventLoop,
        seed: int | str = 0,
        *,
        oneshot: bool = True,
    ) -> None:
        self.plan = plan
        self.clock = clock = WorldClock(loop)
        self._seed = seed
        self.header = Header(clock)
        self.tray: list[Fallen] = []
        self.buzzes: list[tuple[float, int]] = []  # (time, level) at each change
        self.currents = CurrentLog(clock)
        self.supply = OneShot(
            clock, self._power_all, enabled=oneshot and plan.heartbeat is not None
        )
        self.beam = Beam(self._show_beam)
        self.keypad = Keypad(plan.keypad, self.header, clock, self._rng("keypad"))
        self._motors = {m.name: self._make_motor(m) for m in plan.motors}
        self._plans = {m.name: m for m in plan.motors}
        self.released = dict.fromkeys(self._motors, 0)  # pitches made, by motor
        self._slot_of = {name: slot for slot in plan.slots for name in slot.motors}
        self._advanced = {slot.selection: 0 for slot in plan.slots}
        self._slots = {slot.selection: self._make_slot(slot) for slot in plan.slots}
        self._door_open = False
        self._wire_up()

    # --- what others use ------------------------------------------------------------

    def motor(self, name: str) -> Motor:
        return self._motors[name]

    def slot(self, selection: str) -> Spiral:
        return self._slots[selection]

    @property
    def motors(self) -> tuple[Motor, ...]:
        return tuple(self._motors.values())

    @property
    def slots(self) -> tuple[Spiral, ...]:
        return tuple(self._slots.values())

    def press(self, key: str, hold_ms: int = 120) -> None:
        self.keypad.press(key, hold_ms / 1000)

    @property
    def door_open(self) -> bool:
        return self._door_open

    def set_door(self, *, is_open: bool) -> None:
        """Open or close the door (the switch is active while it stands open)."""
        self._door_open = is_open
        self._drive(self.plan.door, is_open)

    def quiet(self) -> bool:
        """No motor turns or has current."""
        return not self.currents.flowing() and not any(m.turning for m in self.motors)

    # --- wiring ------------------------------------------------------------------------

    def _rng(self, part: str) -> random.Random:
        # A text seed is hashed by random itself, so PYTHONHASHSEED has no say in it.
        return random.Random(f"{self._seed}/{part}")

    def _make_motor(self, plan: MotorPlan) -> Motor:
        return Motor(
            plan.name,
            self.clock,
            self._rng(f"motor/{plan.name}"),
            lambda: self._show_home(plan.home),
            lambda: self._released(plan.name),
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

    def _wire_up(self) -> None:
        plan, header = self.plan, self.header
        off = 0 if plan.lines_active_high else 1
        for line in sorted({line for motor in plan.motors for line in motor.lines}):
            header.rest(line, off)
            header.wire(line, lambda _level, line=line: self._line_moved(line))  # type: ignore[misc]
        if plan.heartbeat is not None:
            header.rest(plan.heartbeat, 0)
            header.wire(plan.heartbeat, self.supply.edge)
        if plan.buzzer is not None:
            header.rest(plan.buzzer, 0)
            header.wire(plan.buzzer, lambda level: self.buzzes.append((self.clock.now(), level)))
        for home in sorted({motor.home for motor in plan.motors}):
            self._show_home(home)
        self._show_beam(False)
        self._drive(plan.door, False)

    def _drive(self, plan: InputPlan | None, active: bool) -> None:
        if plan is not None:
            self.header.drive(plan.pin, int(active != plan.active_low))

    def _show_beam(self, active: bool) -> None:
        self._drive(self.plan.drop, active)

    # --- current and cams ------------------------------------------------------------------

    def _selected(self, plan: MotorPlan) -> bool:
        on = int(self.plan.lines_active_high)
        return all(self.header.level(line) == on for line in plan.lines)

    def _line_moved(self, line: int) -> None:
        homes = set()
        for plan in self.plan.motors:
            if line in plan.lines:
                self._power(plan)
                homes.add(plan.home)
        for home in sorted(homes):
            self._show_home(home)

    def _power_all(self) -> None:
        for plan in self.plan.motors:
            self._power(plan)

    def _power(self, plan: MotorPlan) -> None:
        motor = self._motors[plan.name]
        on = self.supply.alive and self._selected(plan)
        if on != motor.powered:
            motor.power(on)
            if not motor.faults.missing:
                self.currents.note(plan.name, on)

    def _show_home(self, home: int) -> None:
        """The sense line: diode-OR over the motors on it, in a matrix over the selected ones."""
        active = any(
            self._motors[plan.name].contact
            for plan in self.plan.motors
            if plan.home == home and (len(plan.lines) == 1 or self._selected(plan))
        )
        self.header.drive(home, int(active != self.plan.home_active_low))

    def _released(self, name: str) -> None:
        """A spiral has made its pitch; a slot drops when all its motors have."""
        self.released[name] += 1
        slot = self._slot_of.get(name)
        if slot is None:
            return
        turns = min(self.released[motor] for motor in slot.motors)
        while self._advanced[slot.selection] < turns:
            self._advanced[slot.selection] += 1
            self._slots[slot.selection].advance()
