"""One spiral motor with its cam and home switch, as physics: it turns while current flows."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hw_sim.clock import WorldClock

NOTCH_DEG = 16.0  # the home switch is closed while the cam stands in [0, NOTCH_DEG)
RELEASE_DEG = 290.0  # where the spiral lets its front product go
TURN_S = (2.0, 3.2)
COAST_DEG = (2.0, 5.0)
COAST_SPEED = 0.5  # mean speed while coasting, as a share of full speed
BOUNCE_S = (0.000_3, 0.001_2)  # between two changes of a bouncing contact
BOUNCES = (0, 2)  # pairs of extra changes: a few ms at most


class HomeSwitch(StrEnum):
    WORKS = "works"
    OPEN = "open"  # never closes
    CLOSED = "closed"  # never opens


@dataclass(slots=True)
class MotorFaults:
    """`stall_at_deg`: it stops there within a turn and stays (0: it never leaves home); current
    flows on. `missing`: there is no motor: no current, no movement, no switch."""

    stall_at_deg: float | None = None
    missing: bool = False
    home: HomeSwitch = HomeSwitch.WORKS


class Motor:
    """Angle in degrees since the first start (360 per turn); `contact` is the home switch.

    Calls `changed()` when the contact may have changed and `released()` once per turn.
    """

    def __init__(
        self,
        name: str,
        clock: WorldClock,
        rng: random.Random,
        changed: Callable[[], None],
        released: Callable[[], None],
    ) -> None:
        self.name = name
        self.faults = MotorFaults()
        self.powered = False
        self._clock, self._rng = clock, rng
        self._changed, self._released = changed, released
        self._speed = 360.0 / rng.uniform(*TURN_S)
        self._angle = rng.uniform(1.0, 4.0)
        self._rate = 0.0  # degrees per second now
        self._since = clock.now()
        self._coast_to: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._contact = True
        self._chatter = 0  # contact changes still to come

    @property
    def angle(self) -> float:
        return self._angle + self._rate * (self._clock.now() - self._since)

    @property
    def turning(self) -> bool:
        return self._rate > 0

    @property
    def contact(self) -> bool:
        """The home switch as its wires show it."""
        if self.faults.missing:
            return False
        if self.faults.home is HomeSwitch.WORKS:
            return self._contact
        return self.faults.home is HomeSwitch.CLOSED

    def power(self, on: bool) -> None:
        """Current flows, or doesn't."""
        if on == self.powered:
            return
        self.powered = on
        if self.faults.missing:
            return
        self._advance()
        if on:
            self._coast_to = None
            self._run(self._speed)
        elif self._rate > 0:
            self._coast_to = self._angle + self._rng.uniform(*COAST_DEG)
            self._run(self._speed * COAST_SPEED)

    def set_faults(self, faults: MotorFaults) -> None:
        """Break or mend it, also while it turns."""
        self._advance()
        self.faults = faults
        if faults.missing:
            self._rate = 0.0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        elif self.powered:
            self._run(self._speed)
        self._changed()

    # --- movement -------------------------------------------------------------

    def _advance(self, to: float | None = None) -> None:
        """Bring the angle up to now, or to a milestone just reached, with all that happens on
        the way: in real time a milestone's own timer may come too late for that."""
        before = self._angle
        self._angle = self._limited(self.angle) if to is None else to
        self._since = self._clock.now()
        while (mark := self._mark_after(before)) <= self._angle:
            before = mark
            within = mark % 360.0
            if within == RELEASE_DEG:
                self._released()
            else:
                self._flip(within == 0.0)

    def _limited(self, angle: float) -> float:
        stop = self._stop_angle()
        return angle if stop is None else max(self._angle, min(angle, stop))

    def _run(self, rate: float) -> None:
        """Turn at `rate` until the next milestone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        stop = self._stop_angle()
        if stop is not None and stop <= self._angle:
            self._rate = 0.0
            return
        self._rate = rate
        target = self._mark_after(self._angle)
        if stop is not None:
            target = min(target, stop)
        self._timer = self._clock.later((target - self._angle) / rate, self._reach, target)

    def _stop_angle(self) -> float | None:
        stall = self.faults.stall_at_deg
        if stall is None:
            return self._coast_to
        jam = self._angle // 360.0 * 360.0 + stall
        if self._angle > jam + 1e-6 and self._angle % 360.0 >= NOTCH_DEG:
            jam += 360.0  # past it already: jams in the next turn
        return jam if self._coast_to is None else min(jam, self._coast_to)

    @staticmethod
    def _mark_after(angle: float) -> float:
        turn_start, within = divmod(angle, 360.0)
        for mark in (NOTCH_DEG, RELEASE_DEG, 360.0):
            if within < mark:
                return turn_start * 360.0 + mark
        return (turn_start + 1) * 360.0  # pragma: no cover - divmod gives within < 360

    def _reach(self, target: float) -> None:
        self._timer = None
        self._advance(target)
        self._run(self._rate)

    # --- the switch ---------------------------------------------------------------

    def _flip(self, closed: bool) -> None:
        self._chatter = 2 * self._rng.randint(*BOUNCES)
        self._set_contact(closed)
        self._bounce()

    def _bounce(self) -> None:
        if self._chatter:
            self._chatter -= 1
            self._clock.later(self._rng.uniform(*BOUNCE_S), self._bounce_now)

    def _bounce_now(self) -> None:
        self._set_contact(not self._contact)
        self._bounce()

    def _set_contact(self, closed: bool) -> None:
        self._contact = closed
        self._changed()
