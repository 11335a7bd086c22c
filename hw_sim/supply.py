"""The 24 V motor supply behind its hardware one-shot, and the record of motor currents."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hw_sim.clock import WorldClock

ENABLE_S = 0.300  # after the last heartbeat edge (DESIGN L3 allows 500 ms)


class OneShot:
    """Alive for `ENABLE_S` after each edge. With `enabled` False it is always alive: the
    supply of a machine that somebody built without this protection."""

    def __init__(self, clock: WorldClock, changed: Callable[[], None], *, enabled: bool) -> None:
        self.alive = not enabled
        self._enabled = enabled
        self._clock, self._changed = clock, changed
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def edge(self, _level: int = 0) -> None:
        """A rising or falling edge on the heartbeat line."""
        if not self._enabled:
            return
        self._until = self._clock.now() + ENABLE_S
        if self._timer is None:
            self._timer = self._clock.later(ENABLE_S, self._expire)
        if not self.alive:
            self.alive = True
            self._changed()

    def _expire(self) -> None:
        left = self._until - self._clock.now()
        if left > 1e-9:  # edges came meanwhile
            self._timer = self._clock.later(left, self._expire)
            return
        self._timer = None
        self.alive = False
        self._changed()


@dataclass(slots=True)
class Current:
    """A motor had current from `begin` to `end` (None: it still has), loop time in seconds."""

    motor: str
    begin: float
    end: float | None = None


class CurrentLog:
    """Every interval of motor current, for an auditor."""

    def __init__(self, clock: WorldClock) -> None:
        self.intervals: list[Current] = []
        self._clock = clock
        self._open: dict[str, Current] = {}

    def note(self, motor: str, on: bool) -> None:
        now = self._clock.now()
        if on and motor not in self._open:
            self._open[motor] = interval = Current(motor, now)
            self.intervals.append(interval)
        elif not on and motor in self._open:
            self._open.pop(motor).end = now

    def flowing(self) -> tuple[str, ...]:
        return tuple(self._open)

    def ran_after(self, moment: float) -> float:
        """For how many seconds after `moment` current flowed that had begun before it."""
        now = self._clock.now()
        return max(
            (
                (now if interval.end is None else interval.end) - moment
                for interval in self.intervals
                if interval.begin <= moment and (interval.end is None or interval.end > moment)
            ),
            default=0.0,
        )
