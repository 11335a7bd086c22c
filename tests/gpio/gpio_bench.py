"""A small machine on gpiozero's mock pins in virtual time: spirals, supply enable, sink."""

import asyncio
from collections.abc import Callable
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

from hw_sim.loop import VirtualLoop
from vendd.core.sale.reports import Report
from vendd.drivers.motor_layout import DirectLayout, DirectMotor, MatrixLayout
from vendd.drivers.pins import Pin

HEARTBEAT, HOME = 23, 22
ROWS = {"A": 4, "B": 5}
COLUMNS = (10, 11, 12)
DRIVE = {"m1": 6, "m2": 7}
SWITCH = {"m1": 16, "m2": 17}

MATRIX = MatrixLayout(
    rows={name: Pin(number, f"tray_{name.lower()}") for name, number in ROWS.items()},
    columns=tuple(Pin(number, f"col_{i + 1}") for i, number in enumerate(COLUMNS)),
    home=Pin(HOME, "home"),
    heartbeat=Pin(HEARTBEAT, "motor_heartbeat"),
)
DIRECT = DirectLayout(
    motors={n: DirectMotor(Pin(DRIVE[n]), Pin(SWITCH[n])) for n in DRIVE},
    heartbeat=Pin(HEARTBEAT, "motor_heartbeat"),
)


class Reports:
    """A sink that remembers what came when (ms since its making)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._from = loop.time()
        self.timed: list[tuple[int, Report]] = []

    def put(self, report: Report) -> None:
        self.timed.append((round((self._loop.time() - self._from) * 1000), report))

    def crowded(self) -> bool:
        return False

    @property
    def all(self) -> list[Report]:
        return [report for _, report in self.timed]

    def ms_of(self, kind: type[Report]) -> list[int]:
        return [ms for ms, report in self.timed if isinstance(report, kind)]


class BenchPin(MockPin):
    """Tells the bench when the driver moves an output; may be broken."""

    def _set_state(self, value: Any) -> None:
        bench: Bench = self._factory.bench
        if self.info.name in bench.broken:
            raise OSError(f"{self.info.name} is dead")
        if self._state != bool(value):
            super()._set_state(value)
            bench.output_moved(int(self.info.name[4:]), bool(value))

    def _get_state(self) -> Any:
        if self.info.name in self._factory.bench.deaf:
            raise OSError(f"{self.info.name} can't be read")
        return super()._get_state()


class Spiral:
    """A cam with a notch of 20 degrees around 0; `speed` in degrees per second."""

    def __init__(self, angle: float = 0.0, speed: float = 144.0) -> None:
        self.angle = angle
        self.speed = speed
        self.moving = False
        self.travelled = 0.0

    @property
    def home(self) -> bool:
        return not 10.0 - 1e-6 <= self.angle % 360.0 < 350.0 - 1e-6

    def advance(self, seconds: float) -> None:
        if self.moving:
            self.angle += self.speed * seconds
            self.travelled += self.speed * seconds

    def to_boundary(self) -> float:
        """Seconds until the switch changes, while moving."""
        at = self.angle % 360.0
        ahead = [edge - at for edge in (10.0, 350.0, 370.0) if edge - at > 1e-5]
        return min(ahead) / self.speed


class Bench:
    """`spirals` by motor name; wiring per `layout`. Everything moves by the loop's clock."""

    def __init__(self, layout: DirectLayout | MatrixLayout = MATRIX) -> None:
        self.loop = VirtualLoop()
        self.factory = MockFactory(pin_class=BenchPin)
        self.factory.bench = self
        self.broken: set[str] = set()
        self.deaf: set[str] = set()
        self.layout = layout
        self.spirals = {name: Spiral() for name in sorted(layout.names())}
        self.beats: list[float] = []
        self.energised: dict[str, float] = dict.fromkeys(self.spirals, 0.0)
        self._then = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self.reports = Reports(self.loop)

    def pin(self, number: int) -> MockPin:
        pin: MockPin = self.factory.pin(number)
        return pin

    def high(self, number: int) -> bool:
        pin = self.pin(number)
        return bool(pin._state) and pin.function == "output"

    def selected(self, name: str) -> bool:
        if isinstance(self.layout, DirectLayout):
            return self.high(DRIVE[name])
        return self.high(ROWS[name[0]]) and self.high(COLUMNS[int(name[1:]) - 1])

    def output_moved(self, number: int, level: bool) -> None:
        if number == HEARTBEAT:
            self.beats.append(self.loop.time())
        self.settle()

    def alive(self) -> bool:
        return bool(self.beats) and self.loop.time() < self.beats[-1] + 0.3 - 1e-9

    def settle(self) -> None:
        """Bring cams and switches to now, and come back when the next one changes."""
        now = self.loop.time()
        for spiral in self.spirals.values():
            spiral.advance(now - self._then)
        self._then = now
        waits = [self.beats[-1] + 0.3 - now] if self.alive() else []
        for name, spiral in self.spirals.items():
            spiral.moving = self.alive() and self.selected(name) and spiral.speed > 0
            if spiral.moving:
                waits.append(spiral.to_boundary())
        self._show_switches()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(min(waits), self.settle) if waits else None

    def _show_switches(self) -> None:
        if isinstance(self.layout, DirectLayout):
            for name, spiral in self.spirals.items():
                self.drive(SWITCH[name], spiral.home)
        else:
            active = (s.home for name, s in self.spirals.items() if self.selected(name))
            self.drive(HOME, any(active))

    def drive(self, number: int, level: bool) -> None:
        """Set an input from outside, if the driver has opened it."""
        pin = self.pin(number)
        if pin.function == "input":
            (pin.drive_high if level else pin.drive_low)()

    def at(self, ms: float, do: Callable[..., object], *args: Any) -> None:
        self.loop.call_later(ms / 1000, do, *args)

    def run_ms(self, ms: float) -> None:
        self.loop.run_for(ms / 1000)
