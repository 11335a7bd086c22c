"""A gpiozero pin factory wired straight to a cabinet's header, for virtual time.

Edges are told at once, on the loop's thread, in the context in which the factory
was made: make it inside the daemon's `life`, and `cut` it when that life ends.
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from gpiozero.exc import (
    PinFixedPull,
    PinInvalidBounce,
    PinInvalidEdges,
    PinInvalidFunction,
    PinInvalidPull,
    PinInvalidState,
    PinSetInput,
)
from gpiozero.pins.pi import PiFactory, PiPin

from hw_sim.clock import WorldClock
from hw_sim.header import Header

PI_3B = 0xA02082
_EDGES = {"both": (0, 1), "rising": (1,), "falling": (0,), "none": ()}


class WorldFactory(PiFactory):  # type: ignore[misc]
    """Pins of one cabinet. `ticks` are loop time in seconds. Reservations are its own."""

    def __init__(self, header: Header, clock: WorldClock) -> None:
        super().__init__()
        self.pin_class = WorldPin
        self.header, self.clock = header, clock
        self.alive = True
        self._context = copy_context()
        header.watch(self._edge)
        self._by_number: dict[int, WorldPin] = {}

    def cut(self) -> None:
        """The process is gone: pins stay as they are and nothing is heard or moved any more."""
        if self.alive:
            self.alive = False
            self.header.unwatch(self._edge)

    def close(self) -> None:
        super().close()
        self.cut()

    def ticks(self) -> float:
        return self.clock.now()

    def ticks_diff(self, later: float, earlier: float) -> float:
        return later - earlier

    def add(self, number: int, pin: "WorldPin") -> None:
        self._by_number[number] = pin

    def _get_revision(self) -> int:
        return PI_3B

    def _edge(self, number: int, level: int, when: float) -> None:
        pin = self._by_number.get(number)
        if pin is not None:
            self.run(pin.moved, level, when)

    def run(self, tell: Callable[[int, float], None], level: int, when: float) -> None:
        """Run it in the factory's context; a copy, because a callback may move a pin whose
        edge comes back here."""
        self._context.copy().run(tell, level, when)


class WorldPin(PiPin):  # type: ignore[misc]
    """One pin. `bounce` works like the kernel's and pigpio's filters: an edge counts once the
    level has been steady for that long."""

    def __init__(self, factory: WorldFactory, info: Any) -> None:
        super().__init__(factory, info)
        self._header, self._clock = factory.header, factory.clock
        self._bounce: float | None = None
        self._edges = "both"
        self._settling: asyncio.TimerHandle | None = None
        self._listening = False
        factory.add(self._number, self)
        if self._alive():
            self._header.set_input(self._number, info.pull or "floating")
        self._told = self._header.level(self._number)

    def _alive(self) -> bool:
        alive: bool = self.factory.alive
        return alive

    def close(self) -> None:
        if self._alive():
            self.when_changed = None
            self._header.set_input(self._number, self.info.pull or "floating")

    def _get_function(self) -> str:
        return "output" if self._header.is_output(self._number) else "input"

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f'invalid function "{value}" for pin {self!r}')
        if not self._alive():
            return
        if value == "output":
            self._header.set_pull(self._number, "floating")
            self._header.set_output(self._number)
        else:
            self._header.set_input(self._number)

    def output_with_state(self, state: bool) -> None:
        if self._alive():
            self._header.set_output(self._number, int(bool(state)))

    def _get_state(self) -> bool:
        return bool(self._header.level(self._number))

    def _set_state(self, value: float) -> None:
        if self.function == "input":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        if not 0 <= value <= 1:
            raise PinInvalidState(f'invalid state "{value}" for pin {self!r}')
        if self._alive():
            self._header.write(self._number, int(bool(value)))

    def _get_pull(self) -> str:
        return self._header.pull(self._number)

    def _set_pull(self, value: str) -> None:
        if self.function != "input":
            raise PinFixedPull(f"cannot set pull on non-input pin {self!r}")
        if self.info.pull and value != self.info.pull:
            raise PinFixedPull(f"{self!r} has a fixed pull resistor")
        if value not in ("floating", "up", "down"):
            raise PinInvalidPull(f'invalid pull "{value}" for pin {self!r}')
        if self._alive():
            self._header.set_pull(self._number, value)  # type: ignore[arg-type]

    def _get_bounce(self) -> float | None:
        return self._bounce

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and not 0 <= value <= 0.3:
            raise PinInvalidBounce("bounce must be between 0 and 0.3")
        self._bounce = value or None

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        if value not in _EDGES:
            raise PinInvalidEdges(f'invalid edges "{value}" for pin {self!r}')
        self._edges = value

    def _enable_event_detect(self) -> None:
        self._listening = True
        self._told = self._header.level(self._number)

    def _disable_event_detect(self) -> None:
        self._listening = False

    def moved(self, level: int, when: float) -> None:
        """An edge on the net."""
        if not self._listening:
            return
        if self._bounce is None:
            self._tell(level, when)
            return
        if self._settling is not None:
            self._settling.cancel()
        self._settling = self._clock.later(self._bounce, self._settled)

    def _settled(self) -> None:
        self._settling = None
        level = self._header.level(self._number)
        if self._listening and self._alive() and level != self._told:
            self.factory.run(self._tell, level, self._clock.now())

    def _tell(self, level: int, when: float) -> None:
        self._told = level
        if level in _EDGES[self._edges] and self._when_changed is not None:
            self._call_when_changed(when, level)
