"""The products of one slot: a queue in a spiral, a fall past the beam, the tray below.

What is physically there may differ from what the books say.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hw_sim.clock import WorldClock

FALL_S = (0.200, 0.600)  # from letting go to the beam
BEAM_S = (0.020, 0.150)  # in the beam
LATE_S = (0.500, 5.000)


class Fate(StrEnum):
    """What the front product does when the spiral lets it go."""

    FALLS = "falls"
    LATE = "late"  # hangs for a while, then falls by itself
    HANGS = "hangs"  # falls at the next turn, alone
    HANGS_BOTH = "hangs_both"  # falls at the next turn, together with the next product
    DOUBLE = "double"  # the one behind it falls too
    BLIND = "blind"  # falls past the beam's edge: in the tray, but unseen


@dataclass(frozen=True, slots=True)
class Fallen:
    """A product in the tray."""

    at: float  # loop time, seconds
    selection: str
    product: str


class Beam:
    """The drop sensor: interrupted while anything falls through. `show(active)` moves its wire."""

    def __init__(self, show: Callable[[bool], None]) -> None:
        self._show = show
        self._inside = 0
        self._blocked = False
        self._dead = False

    def enter(self) -> None:
        self._inside += 1
        self._update()

    def leave(self) -> None:
        self._inside -= 1
        self._update()

    def block(self, blocked: bool) -> None:
        """Something lies in the beam (dirt, a product)."""
        self._blocked = blocked
        self._update()

    def kill(self, dead: bool) -> None:
        """A dead sensor never reports an interruption."""
        self._dead = dead
        self._update()

    def _update(self) -> None:
        self._show(not self._dead and (self._blocked or self._inside > 0))


class Spiral:
    """One slot. `advance` is one full pitch of its spiral(s).

    `fates` are used up one per advance that has something to drop; when empty, products just
    fall. `landed` is told about each product that reached the tray.
    """

    def __init__(
        self,
        selection: str,
        products: tuple[str, ...],
        clock: WorldClock,
        rng: random.Random,
        beam: Beam,
        landed: Callable[[Fallen], None],
    ) -> None:
        self.selection = selection
        self.queue: deque[str] = deque(products)
        self.fates: deque[Fate] = deque()
        self.hanging: deque[str] = deque()  # out of the spiral, not yet falling
        self._both = False
        self._clock, self._rng = clock, rng
        self._beam, self._landed = beam, landed

    @property
    def left(self) -> int:
        """Products in the spiral and hanging at its end."""
        return len(self.queue) + len(self.hanging)

    def fill(self, product: str, count: int) -> None:
        self.queue.extend([product] * count)

    def advance(self) -> None:
        if self.hanging:
            self._drop(self.hanging.popleft())
            if not self._both:
                return
            self._both = False
        if not self.queue:
            return
        product = self.queue.popleft()
        match self.fates.popleft() if self.fates else Fate.FALLS:
            case Fate.FALLS:
                self._drop(product)
            case Fate.BLIND:
                self._drop(product, seen=False)
            case Fate.LATE:
                self.hanging.append(product)
                self._clock.later(self._rng.uniform(*LATE_S), self._slip, product)
            case Fate.HANGS | Fate.HANGS_BOTH as fate:
                self.hanging.append(product)
                self._both = fate is Fate.HANGS_BOTH
            case Fate.DOUBLE:
                self._drop(product)
                if self.queue:
                    self._drop(self.queue.popleft())

    def _slip(self, product: str) -> None:
        if product in self.hanging:  # unless another turn pushed it first
            self.hanging.remove(product)
            self._drop(product)

    def _drop(self, product: str, *, seen: bool = True) -> None:
        enters = self._rng.uniform(*FALL_S)
        stays = self._rng.uniform(*BEAM_S)
        if seen:
            self._clock.later(enters, self._beam.enter)
        self._clock.later(enters + stays, self._land, product, seen)

    def _land(self, product: str, seen: bool) -> None:
        if seen:
            self._beam.leave()
        self._landed(Fallen(self._clock.now(), self.selection, product))
