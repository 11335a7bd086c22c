"""The motor driver at the port, over the same motors: `ports.Motors` without pins.

It watches the home switches as physics shows them, and owns the deadlines as the real one does.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hw_sim.clock import WorldClock
from hw_sim.motor import Motor
from hw_sim.supply import CurrentLog
from vendd.core.sale.reports import LeftHome, TurnEnded, TurnResult
from vendd.drivers.motors import TurnLimits
from vendd.ports import Sink

SUPPLY_DROPS_S: Final = (0.2, 0.3)  # after a driver that died
ENABLE_DEAD_S: Final = 0.5
HOME, RESULT_REFUSED = TurnResult.HOME, TurnResult.NOT_STARTED


class QuietMotor(Motor):
    """Its switch does not bounce: what a debounced driver sees."""

    def _bounce(self) -> None:
        return


@dataclass(eq=False)
class _Turn:
    attempt_id: str
    motors: tuple[str, ...]
    started: float
    left: set[str] = field(default_factory=set)
    home: set[str] = field(default_factory=set)
    over: bool = False
    timer: asyncio.TimerHandle | None = None


class PortMotors:
    """`moved(name)` is told of every change of a switch. `silent`: the end of the next turn is
    never told (a driver that hangs). `refuses`: the next turn does not start."""

    def __init__(
        self,
        motors: Mapping[str, Motor],
        currents: CurrentLog,
        clock: WorldClock,
        limits: TurnLimits,
        rng: random.Random,
    ) -> None:
        self.silent = False
        self.refuses = False
        self._motors = motors
        self._currents = currents
        self._clock = clock
        self._limits = limits
        self._rng = rng
        self._sink: Sink | None = None
        self._turn: _Turn | None = None
        self._last = 0.0

    # --- ports.Motors ---------------------------------------------------------------------------

    def turn(self, attempt_id: str, motors: tuple[str, ...]) -> None:
        refuses, self.refuses = self.refuses, False
        known = bool(motors) and all(name in self._motors for name in motors)
        if refuses or self._turn is not None or not known:
            self._tell(TurnEnded(attempt_id, RESULT_REFUSED, at_home=False))
            return
        turn = _Turn(attempt_id, motors, self._clock.now())
        self._turn = turn
        for name in motors:
            if not self._motors[name].contact:  # stands in mid-turn, or its switch is stuck
                turn.left.add(name)
        for name in motors:
            self._power(name, True)
        turn.timer = self._clock.later(self._limits.leave_home_ms / 1000, self._deadline, turn)
        if turn.left:
            self._tell(LeftHome(attempt_id))

    def stop(self) -> None:
        turn = self._turn
        if turn is not None and not turn.over:
            self._end(turn, TurnResult.STOPPED)

    async def at_home(self, motor: str) -> bool | None:
        known = self._motors.get(motor)
        if known is None or self._turn is not None:
            return None
        wait = self._last + ENABLE_DEAD_S - self._clock.now()
        if wait > 0:
            await asyncio.sleep(wait)
        return self._resting(known)

    # --- lives ------------------------------------------------------------------------------------

    def begin(self, sink: Sink) -> None:
        self._sink = sink
        self._turn = None
        self.silent = False

    def forsake(self, *, power: bool) -> None:
        """The driver died. Current flows on for a moment, unless the controller has no power."""
        self._sink = None
        turn, self._turn = self._turn, None
        if turn is None:
            return
        if turn.timer is not None:
            turn.timer.cancel()
        self._last = self._clock.now()
        self._clock.later(0.0 if power else self._rng.uniform(*SUPPLY_DROPS_S), self._all_off)

    def close(self) -> None:
        """An orderly end."""
        self.stop()
        self.forsake(power=True)

    # --- what the switches say -----------------------------------------------------------------

    def moved(self, name: str) -> None:
        turn = self._turn
        if turn is None or turn.over or name not in turn.motors or name in turn.home:
            return
        if not self._motors[name].contact:
            first = not turn.left
            turn.left.add(name)
            if first:
                self._tell(LeftHome(turn.attempt_id))
        elif name in turn.left:
            turn.home.add(name)
            self._power(name, False)
            if len(turn.home) == len(turn.motors):
                self._end(turn, HOME)

    def _deadline(self, turn: _Turn) -> None:
        if turn.over:
            return
        if len(turn.left) < len(turn.motors):
            self._end(turn, TurnResult.NO_HOME if turn.left else TurnResult.NEVER_LEFT)
            return
        due = turn.started + self._limits.home_ms / 1000 - self._clock.now()
        if due > 0:
            turn.timer = self._clock.later(due, self._deadline, turn)
        else:
            self._end(turn, TurnResult.NO_HOME)

    # --- inside ----------------------------------------------------------------------------------

    def _resting(self, motor: Motor) -> bool | None:
        return motor.contact if self._turn is None else None

    def _power(self, name: str, on: bool) -> None:
        motor = self._motors[name]
        if on != motor.powered:
            motor.power(on)
            if not motor.faults.missing:
                self._currents.note(name, on)
        if on:
            self._last = self._clock.now()

    def _all_off(self) -> None:
        busy = () if self._turn is None else self._turn.motors
        for name in self._motors:
            if name not in busy:
                self._power(name, False)

    def _end(self, turn: _Turn, result: TurnResult) -> None:
        turn.over = True
        if turn.timer is not None:
            turn.timer.cancel()
        for name in turn.motors:
            self._power(name, False)
        self._last = now = self._clock.now()
        ran_ms = round((now - turn.started) * 1000)
        self._clock.later(self._limits.settle_ms / 1000, self._finish, turn, result, ran_ms)

    def _finish(self, turn: _Turn, result: TurnResult, ran_ms: int) -> None:
        if self._turn is not turn:
            return
        self._turn = None
        at_home = all(self._motors[name].contact for name in turn.motors)
        if self.silent:
            self.silent = False
        else:
            self._tell(TurnEnded(turn.attempt_id, result, at_home, ran_ms))

    def _tell(self, report: LeftHome | TurnEnded) -> None:
        if self._sink is not None:
            self._sink.put(report)
