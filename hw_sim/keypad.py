"""The keypad: a key joins its row's net with its column's, bouncing as contacts do."""

import random

from hw_sim.clock import WorldClock
from hw_sim.header import Header
from hw_sim.plan import KeypadPlan

BOUNCE_S = (0.001, 0.003)  # how long a contact chatters
CHATTER_S = 0.000_25  # mean time between two changes meanwhile


class Keypad:
    """`press` by legend. Several keys at once are fine, ghosts included."""

    def __init__(
        self, plan: KeypadPlan, header: Header, clock: WorldClock, rng: random.Random
    ) -> None:
        self._header, self._clock, self._rng = header, clock, rng
        self._where = {
            legend: (plan.rows[row], plan.columns[column])
            for row, legends in enumerate(plan.keys)
            for column, legend in enumerate(legends)
            if legend
        }
        self._closed: set[str] = set()
        self._held: dict[str, int] = {}  # presses under way per key
        self._changing: dict[str, int] = {}  # the latest contact change per key

    @property
    def legends(self) -> tuple[str, ...]:
        return tuple(self._where)

    def press(self, legend: str, hold_s: float = 0.120) -> None:
        """Push the key now and let go after `hold_s`. Unknown legends are the caller's mistake."""
        self.push(legend)
        self._clock.later(hold_s, self.let_go, legend)

    def push(self, legend: str) -> None:
        """Push and hold until `let_go`."""
        if legend not in self._where:
            raise KeyError(f"no key {legend!r}; there are {', '.join(self._where)}")
        self._held[legend] = self._held.get(legend, 0) + 1
        if self._held[legend] == 1:
            self._chatter(legend, closing=True)

    def let_go(self, legend: str) -> None:
        if not self._held.get(legend):
            return
        self._held[legend] -= 1
        if not self._held[legend]:
            self._chatter(legend, closing=False)

    def _chatter(self, legend: str, *, closing: bool) -> None:
        change = self._changing[legend] = self._changing.get(legend, 0) + 1
        settled = self._clock.now() + self._rng.uniform(*BOUNCE_S)
        self._contact(legend, closed=closing)
        self._step(legend, closing, settled, change)

    def _step(self, legend: str, closing: bool, settled: float, change: int) -> None:
        if self._changing[legend] != change:
            return
        pause = self._rng.expovariate(1 / CHATTER_S)
        if self._clock.now() + pause < settled:
            self._clock.later(pause, self._toggle, legend, closing, settled, change)
        elif (legend in self._closed) != closing:
            self._clock.later(settled - self._clock.now(), self._final, legend, closing, change)

    def _toggle(self, legend: str, closing: bool, settled: float, change: int) -> None:
        if self._changing[legend] == change:
            self._contact(legend, closed=legend not in self._closed)
            self._step(legend, closing, settled, change)

    def _final(self, legend: str, closing: bool, change: int) -> None:
        if self._changing[legend] == change:
            self._contact(legend, closed=closing)

    def _contact(self, legend: str, *, closed: bool) -> None:
        if (legend in self._closed) == closed:
            return
        (self._closed.add if closed else self._closed.discard)(legend)
        row, column = self._where[legend]
        self._header.join(row, column, closed=closed)
