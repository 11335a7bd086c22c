"""Drop sensor and door: pulses by their own times, one report per product."""

import pytest
from gpio_bench import BenchPin, Reports
from gpiozero.pins.mock import MockFactory
from gpiozero.pins.pi import PiPin

from hw_sim.loop import VirtualLoop
from vendd.core.sale.reports import (
    DoorMoved,
    DropSeen,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    Report,
)
from vendd.drivers.buzzer import Buzzer, BuzzerSetup
from vendd.drivers.inputs import Door, DoorSetup, DropSensor, DropSensorSetup
from vendd.drivers.pins import Input, Pin

DROP, DOOR, BUZZER = 24, 25, 27
SEEN, BLOCKED, FREE = DropSeen(), DropSensorChanged(True), DropSensorChanged(False)


class Lines:
    """Mock pins, with nothing behind them but the test."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.factory = MockFactory(pin_class=BenchPin)
        self.factory.bench = self
        self.broken: set[str] = set()
        self.deaf: set[str] = set()
        self.reports = Reports(self.loop)
        self.moved: list[tuple[int, bool]] = []
        self._from = self.loop.time()

    def output_moved(self, number: int, level: bool) -> None:
        self.moved.append((round((self.loop.time() - self._from) * 1000), level))

    def set(self, number: int, level: bool) -> None:
        pin = self.factory.pin(number)
        (pin.drive_high if level else pin.drive_low)()

    def pulses(self, number: int, times: list[tuple[float, float]], *, idle: bool) -> None:
        for start, end in times:
            self.loop.call_later(start / 1000, self.set, number, not idle)
            self.loop.call_later(end / 1000, self.set, number, idle)

    def run_ms(self, ms: float) -> None:
        self.loop.run_for(ms / 1000)


CASES: list[tuple[str, list[tuple[float, float]], list[tuple[int, Report]]]] = [
    ("a product", [(10, 60)], [(60, SEEN)]),
    ("the shortest", [(10, 12)], [(12, SEEN)]),
    ("noise", [(10, 11.5)], []),
    ("noise before a product", [(10, 11), (20, 60)], [(60, SEEN)]),
    ("tumbling", [(10, 40), (60, 90), (115, 120)], [(40, SEEN)]),
    ("two products", [(10, 60), (95, 130)], [(60, SEEN), (130, SEEN)]),
    ("slow", [(10, 1_500)], [(1_500, SEEN)]),
    ("blocked", [(10, 5_000)], [(2_010, BLOCKED), (5_030, FREE)]),
    ("blocked, shaken", [(10, 3_000), (3_020, 4_000)], [(2_010, BLOCKED), (4_030, FREE)]),
    (
        "a product after a block",
        [(10, 3_000), (3_100, 3_150)],
        [(2_010, BLOCKED), (3_030, FREE), (3_150, SEEN)],
    ),
    (
        "flicker",
        [(n * 20.0, n * 20.0 + 10) for n in range(1, 150)],
        [(30, SEEN), (2_020, BLOCKED), (3_020, FREE)],
    ),
]


@pytest.mark.parametrize("active_low", [True, False])
@pytest.mark.parametrize(("pulses", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_drops(
    pulses: list[tuple[float, float]], expected: list[tuple[int, Report]], active_low: bool
) -> None:
    lines = Lines()
    setup = DropSensorSetup(Pin(DROP, "drop"), active_low=active_low)
    sensor = DropSensor(setup, lines.factory, lines.loop, lines.reports)
    sensor.start()
    lines.pulses(DROP, pulses, idle=active_low)
    lines.run_ms(6_000)
    assert lines.reports.timed == expected
    assert not sensor.blocked()
    sensor.close()


def test_a_busy_loop_stretches_no_pulse_and_merges_no_products() -> None:
    lines = Lines()
    sensor = DropSensor(DropSensorSetup(Pin(DROP)), lines.factory, lines.loop, lines.reports)
    sensor.start()

    def stall() -> None:
        for ms, level in [(10, False), (50, True), (120, False), (160, True), (2_800, True)]:
            lines.loop._now = 1_000 + ms / 1000
            lines.set(DROP, level)

    lines.loop.call_later(0, stall)
    lines.run_ms(5_000)
    assert lines.reports.all == [SEEN, SEEN]


class Stopped(MockFactory):  # type: ignore[misc]
    """Edges that happened while the whole process was stopped come together afterwards, each
    with its own ticks, as pigpio's and the kernel's do."""

    clock = 0.0

    def ticks(self) -> float:
        return self.clock

    def deliver(self, number: int, level: bool, ticks: float) -> None:
        PiPin._call_when_changed(self.pin(number), ticks, level)


@pytest.mark.parametrize(("fell_for_s", "expected"), [(0.06, [SEEN]), (0.001, [])])
def test_a_product_that_fell_while_the_process_was_stopped(
    fell_for_s: float, expected: list[Report]
) -> None:
    lines = Lines()
    lines.factory = factory = Stopped()
    sensor = DropSensor(DropSensorSetup(Pin(DROP)), factory, lines.loop, lines.reports)
    sensor.start()
    factory.clock = 2.0
    factory.deliver(DROP, False, ticks=1.2)
    factory.deliver(DROP, True, ticks=1.2 + fell_for_s)
    lines.run_ms(1_000)
    assert lines.reports.all == expected


def test_a_product_whose_fall_began_before_the_process_was_stopped() -> None:
    """The timer for a blocked beam is overdue when the edge that ended the fall arrives."""
    lines = Lines()
    lines.factory = factory = Stopped()
    sensor = DropSensor(DropSensorSetup(Pin(DROP)), factory, lines.loop, lines.reports)
    sensor.start()
    factory.deliver(DROP, False, ticks=0.0)

    def stopped() -> None:
        lines.loop._now += 5.0
        factory.clock = 5.02
        lines.loop.call_later(0.05, factory.deliver, DROP, True, 0.06)

    lines.loop.call_later(0.02, stopped)
    lines.run_ms(8_000)
    assert lines.reports.all == [SEEN]


def test_ticks_of_another_clock_are_not_believed() -> None:
    lines = Lines()
    lines.factory = factory = Stopped()
    at: list[float] = []
    Input(factory, Pin(DROP), lines.loop, lambda _, when: at.append(when), active_low=True)
    now = lines.loop.time()
    for ticks in (-500_000.0, 500_000.0):
        factory.deliver(DROP, False, ticks)
        factory.deliver(DROP, True, ticks)
    lines.run_ms(10)
    assert at == [now] * 4


def test_blocked_for_a_whole_stall_is_no_product() -> None:
    lines = Lines()
    sensor = DropSensor(DropSensorSetup(Pin(DROP)), lines.factory, lines.loop, lines.reports)
    sensor.start()

    def stall() -> None:
        for ms, level in [(10, False), (2_500, True), (2_600, True)]:
            lines.loop._now = 1_000 + ms / 1000
            lines.set(DROP, level)

    lines.loop.call_later(0, stall)
    lines.run_ms(5_000)
    assert lines.reports.all == [BLOCKED, FREE]


def test_blocked_at_the_start_is_said_once_no_product_falls_that_slowly() -> None:
    lines = Lines()
    sensor = DropSensor(DropSensorSetup(Pin(DROP)), lines.factory, lines.loop, lines.reports)
    lines.set(DROP, False)
    sensor.start()
    lines.run_ms(1_990)
    assert not sensor.blocked()
    lines.run_ms(3_000)
    assert sensor.blocked()
    lines.set(DROP, True)
    lines.run_ms(100)
    assert lines.reports.all == [BLOCKED, FREE]
    assert not sensor.blocked()


def test_a_product_falling_at_the_start_is_seen() -> None:
    """It was let go before a crash; the daemon came back just in time."""
    lines = Lines()
    sensor = DropSensor(DropSensorSetup(Pin(DROP)), lines.factory, lines.loop, lines.reports)
    lines.set(DROP, False)
    sensor.start()
    lines.run_ms(60)
    lines.set(DROP, True)
    lines.run_ms(3_000)
    assert lines.reports.all == [SEEN]


@pytest.mark.parametrize("active_low", [True, False])
def test_the_door_says_where_it_stands_and_when_it_moved(active_low: bool) -> None:
    lines = Lines()
    door = Door(DoorSetup(Pin(DOOR), active_low), lines.factory, lines.loop, lines.reports)
    door.start()
    chatter = [(1_000.0, 1_003.0), (1_010.0, 1_012.0), (1_020.0, 9_000.0), (9_020.0, 9_021.0)]
    lines.pulses(DOOR, chatter, idle=active_low)
    lines.pulses(DOOR, [(20_000.0, 20_030.0)], idle=active_low)  # a knock, not a door
    lines.run_ms(30_000)
    assert lines.reports.timed == [
        (0, DoorMoved(False)),
        (1_070, DoorMoved(True)),
        (9_071, DoorMoved(False)),
    ]
    door.close()


def test_a_door_that_cannot_be_read() -> None:
    lines = Lines()
    door = Door(DoorSetup(Pin(DOOR, "door")), lines.factory, lines.loop, lines.reports)
    door.start()
    lines.deaf.add("GPIO25")
    lines.set(DOOR, True)
    lines.run_ms(100)
    lines.set(DOOR, False)
    lines.run_ms(100)
    lines.deaf.clear()
    lines.set(DOOR, True)
    lines.run_ms(100)
    kinds = [type(report) for report in lines.reports.all]
    assert kinds == [DoorMoved, FaultStarted, FaultEnded, DoorMoved]


def test_beeps() -> None:
    lines = Lines()
    buzzer = Buzzer(BuzzerSetup(Pin(BUZZER)), lines.factory, lines.loop)
    buzzer.beep()
    lines.run_ms(20)
    buzzer.beep()
    lines.run_ms(500)
    lines.broken.add("GPIO27")
    buzzer.beep()
    lines.run_ms(100)
    lines.broken.clear()
    buzzer.close()
    assert lines.moved == [(0, True), (60, False)]
