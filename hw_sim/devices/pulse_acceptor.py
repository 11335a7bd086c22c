"""A coin acceptor of the CH-926 kind on the cabinet's header: n pulses per coin, and no more.

Like the real one it plays trains one after the other, and forgets to leave a pause when coins
come quickly. Times are loop seconds, values minor units.
"""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from hw_sim.clock import WorldClock
from hw_sim.header import Header


@dataclass(slots=True)
class PulseShape:
    """Seconds. `jitter`: share by which each time differs at random."""

    width: float = 0.05
    gap: float = 0.05
    pause: float = 0.5  # after a train, when no coin waits
    jitter: float = 0.1
    bounces: int = 0  # of the contact, at the beginning of each pulse
    bounce_s: float = 0.001


class SimPulseAcceptor:
    """`coins`: value -> pulses. `inhibit_pin` high refuses coins. `told`, `returned`: value that
    went into pulses, and back to the customer.

    `wake_up` plays the pulse of power coming on; `stick` and `release` a jammed sensor;
    `stretch_next` makes one pulse that long.
    """

    def __init__(
        self,
        header: Header,
        clock: WorldClock,
        pin: int,
        coins: Mapping[int, int],
        rng: random.Random,
        *,
        active_low: bool = True,
        inhibit_pin: int | None = None,
        shape: PulseShape | None = None,
    ) -> None:
        self._header = header
        self._clock = clock
        self._pin = pin
        self._coins = dict(coins)
        self._rng = rng
        self._active_low = active_low
        self._inhibit_pin = inhibit_pin
        self.shape = shape or PulseShape()
        self._waiting: deque[int] = deque()
        self._playing = False
        self._stuck = False
        self.told = 0
        self.returned = 0
        self.stretch_next: float | None = None
        if inhibit_pin is not None:
            header.rest(inhibit_pin, 1)
        self._show(False)

    def inhibited(self) -> bool:
        return self._inhibit_pin is not None and self._header.level(self._inhibit_pin) == 1

    def insert(self, value: int) -> None:
        """A customer's coin; unknown and unwanted ones come back."""
        pulses = self._coins.get(value)
        if pulses is None or self.inhibited() or self._stuck:
            self.returned += value
            return
        self.told += value
        self._waiting.append(pulses)
        if not self._playing:
            self._next_train()

    def wake_up(self) -> None:
        self._waiting.append(1)
        if not self._playing:
            self._next_train()

    def stick(self) -> None:
        self._stuck = True
        self._show(True)

    def release(self) -> None:
        self._stuck = False
        self._show(False)

    def _show(self, active: bool) -> None:
        self._header.drive(self._pin, int((active or self._stuck) != self._active_low))

    def _about(self, seconds: float) -> float:
        return seconds * self._rng.uniform(1 - self.shape.jitter, 1 + self.shape.jitter)

    def _next_train(self) -> None:
        self._playing = bool(self._waiting)
        if self._playing:
            self._begin_pulse(self._waiting.popleft())

    def _begin_pulse(self, left: int) -> None:
        for number in range(self.shape.bounces):
            at = number * 2 * self.shape.bounce_s
            self._clock.later(at, self._show, True)
            self._clock.later(at + self.shape.bounce_s, self._show, False)
        settled = self.shape.bounces * 2 * self.shape.bounce_s
        self._clock.later(settled, self._show, True)
        width, self.stretch_next = self.stretch_next or self._about(self.shape.width), None
        self._clock.later(settled + width, self._end_pulse, left - 1)

    def _end_pulse(self, left: int) -> None:
        self._show(False)
        if left:
            self._clock.later(self._about(self.shape.gap), self._begin_pulse, left)
        elif self._waiting:  # the next coin's train follows as if it were the same one
            self._clock.later(self._about(self.shape.gap), self._next_train)
        else:
            self._clock.later(self.shape.pause, self._next_train)
