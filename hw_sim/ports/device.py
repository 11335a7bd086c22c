"""What every device at the port has: a plug, a life that listens, and eras.

A device outlives every daemon. What it does happens in the world's own time; what it says goes
to the life that listens now, or nowhere.
"""

from collections.abc import Callable
from typing import TypeVarTuple

from hw_sim.clock import WorldClock
from vendd.core.sale.reports import Report
from vendd.ports import Sink

Ts = TypeVarTuple("Ts")


class Device:
    """`ready`: it has told its life that it is. `later` happens unless a new era has begun by
    then: a start of its own, another life, a pulled plug."""

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.plugged = True
        self.ready = False
        self._era = 0
        self._sink: Sink | None = None

    @property
    def heard(self) -> bool:
        """Somebody listens."""
        return self._sink is not None

    def tell(self, report: Report) -> None:
        if self._sink is not None:
            self._sink.put(report)

    def later(self, delay: float, act: Callable[[*Ts], object], *args: *Ts) -> None:
        self.clock.later(delay, self._in_its_era, self._era, act, args)

    def _in_its_era(self, era: int, act: Callable[[*Ts], object], args: tuple[*Ts]) -> None:
        if era == self._era:
            act(*args)

    # --- lives -----------------------------------------------------------------------

    def begin(self, sink: Sink) -> None:
        """A life listens from now on. It starts the device anew."""
        self._sink = sink
        self.ready = False
        self._era += 1

    def forsake(self) -> None:
        """The life is over; the device goes on with what it does."""
        self._sink = None
        self.ready = False
