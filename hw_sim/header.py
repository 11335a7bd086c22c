"""The Pi's 40-pin header as seen from the board: 28 nets with drivers, resistors and switches.

A pin of the Pi is an input with a pull or an output with a latch. The board side
can drive a net, hold it with a resistor (`rest`), or join two nets through a
closed switch. Levels are 0 and 1, times are loop time in seconds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from hw_sim.clock import WorldClock

Pull = Literal["floating", "up", "down"]
Watcher = Callable[[int, int, float], None]

PINS = 28


@dataclass(slots=True)
class _Net:
    output: bool = False
    latch: int = 0
    pull: Pull = "floating"
    driven: int | None = None
    rest: int | None = None
    seen: int = 0
    joined: dict[int, int] = field(default_factory=dict)  # other pin -> closed switches


class Header:
    """Levels of all nets and who wants to know about edges.

    A released output keeps its level until somebody makes it an input (a Pi does
    that); `power_off` is the Pi losing power.
    """

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._nets = [_Net() for _ in range(PINS)]
        self._watchers: list[Watcher] = []
        self._wired: dict[int, Callable[[int], None]] = {}
        self._settling: list[tuple[int, int]] | None = None

    def watch(self, watcher: Watcher) -> None:
        """`watcher(pin, level, when)` hears each edge of any net, watchers in their order."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        self._watchers.remove(watcher)

    # --- the Pi's side -----------------------------------------------------------

    def set_output(self, pin: int, level: int | None = None) -> None:
        """Make the pin an output; without a level it shows its latch."""
        net = self._nets[pin]
        if level is not None:
            net.latch = level
        net.output = True
        self._settle((pin,))

    def set_input(self, pin: int, pull: Pull | None = None) -> None:
        net = self._nets[pin]
        net.output = False
        if pull is not None:
            net.pull = pull
        self._settle((pin,))

    def set_pull(self, pin: int, pull: Pull) -> None:
        self._nets[pin].pull = pull
        self._settle((pin,))

    def write(self, pin: int, level: int) -> None:
        """Set the latch; it shows while the pin is an output."""
        self._nets[pin].latch = level
        self._settle((pin,))

    def is_output(self, pin: int) -> bool:
        return self._nets[pin].output

    def pull(self, pin: int) -> Pull:
        return self._nets[pin].pull

    def level(self, pin: int) -> int:
        return self._nets[pin].seen

    def power_off(self) -> None:
        """The Pi has no power: nothing is driven from its side, latches are forgotten."""
        for net in self._nets:
            net.output, net.latch, net.pull = False, 0, "floating"
        self._settle(range(PINS))

    # --- the board's side ----------------------------------------------------------

    def wire(self, pin: int, react: Callable[[int], None]) -> None:
        """The board's electronics behind the net: `react(level)` at once, before any watcher."""
        self._wired[pin] = react

    def drive(self, pin: int, level: int | None) -> None:
        """The board drives the net (None: lets go)."""
        self._nets[pin].driven = level
        self._settle((pin,))

    def rest(self, pin: int, level: int) -> None:
        """A resistor on the board, stronger than the Pi's own pull."""
        self._nets[pin].rest = level
        self._settle((pin,))

    def join(self, one: int, other: int, *, closed: bool) -> None:
        """A switch between two nets closes or opens; closings count."""
        step = 1 if closed else -1
        for a, b in ((one, other), (other, one)):
            joined = self._nets[a].joined
            joined[b] = joined.get(b, 0) + step
            if not joined[b]:
                del joined[b]
        self._settle((one, other))

    # --- levels ----------------------------------------------------------------------

    def _group(self, pin: int) -> list[int]:
        """The pin and all that closed switches connect to it, in a fixed order."""
        if not self._nets[pin].joined:
            return [pin]
        found = [pin]
        for at in found:
            found.extend(other for other in self._nets[at].joined if other not in found)
        return found

    def _resolve(self, pin: int) -> int:
        net = self._nets[pin]
        if net.output:
            return net.latch
        if net.driven is not None:
            return net.driven
        if net.rest is not None:
            idle = net.rest
        else:
            idle = 0 if net.pull == "down" else 1 if net.pull == "up" else net.seen
        # Key matrices have a diode per driven line: only the level that differs from the
        # sensed line's rest gets through, so two driven lines never fight.
        for other in self._group(pin)[1:]:
            if self._nets[other].output and self._nets[other].latch != idle:
                return 1 - idle
        return idle

    def _settle(self, pins: Iterable[int]) -> None:
        """Find edges, let the board react, tell watchers; their own edges wait their turn."""
        edges = self._settling
        outermost = edges is None
        if edges is None:
            edges = self._settling = []
        for pin in pins:
            for affected in self._group(pin):
                level = self._resolve(affected)
                if level != self._nets[affected].seen:
                    self._nets[affected].seen = level
                    edges.append((affected, level))
                    if affected in self._wired:
                        self._wired[affected](level)
        if outermost:
            self._tell(edges)

    def _tell(self, edges: list[tuple[int, int]]) -> None:
        try:
            when = self._clock.now()
            for affected, level in edges:  # grows while watchers act
                for watcher in tuple(self._watchers):
                    watcher(affected, level, when)
        finally:
            self._settling = None
