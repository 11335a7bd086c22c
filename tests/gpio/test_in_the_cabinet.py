"""All pin drivers in the simulated cabinet: bouncing switches, coasting cams, real key matrix."""

import random
from collections.abc import Iterator

import pytest
from gpio_bench import Reports

from hw_sim.cabinet import Cabinet
from hw_sim.loop import VirtualLoop
from hw_sim.pins import WorldFactory
from hw_sim.plan import sample_plan
from vendd.core.sale.reports import (
    DoorMoved,
    DropSeen,
    KeyPressed,
    LeftHome,
    TurnEnded,
    TurnResult,
)
from vendd.drivers.inputs import Door, DoorSetup, DropSensor, DropSensorSetup
from vendd.drivers.keypad import Keypad, KeypadSetup
from vendd.drivers.motor_layout import MatrixLayout
from vendd.drivers.motors import SpiralMotors, TurnLimits
from vendd.drivers.pins import OutputLine, Pin
from vendd.drivers.safe import safe_all

LAYOUT = MatrixLayout(
    rows={"A": Pin(4, "tray_a"), "B": Pin(17, "tray_b")},
    columns=(Pin(10), Pin(9), Pin(11)),
    home=Pin(22, "home"),
    heartbeat=Pin(23, "motor_heartbeat"),
)


class Machine:
    def __init__(self, seed: int) -> None:
        self.loop = VirtualLoop()
        self.cabinet = Cabinet(sample_plan(), self.loop, seed)
        self.factory = WorldFactory(self.cabinet.header, self.cabinet.clock)
        self.reports = Reports(self.loop)
        plan, here = self.cabinet.plan, (self.factory, self.loop, self.reports)
        pad = plan.keypad
        self.motors = SpiralMotors(LAYOUT, TurnLimits(), *here)
        self.keypad = Keypad(
            KeypadSetup(tuple(map(Pin, pad.rows)), tuple(map(Pin, pad.columns)), pad.keys), *here
        )
        self.drop = DropSensor(DropSensorSetup(Pin(24)), *here)
        self.door = Door(DoorSetup(Pin(25)), *here)
        for part in (self.keypad, self.drop, self.door):
            part.start()

    def turn(self, *motors: str) -> list[object]:
        """The reports of one turn and what follows in 8 seconds."""
        before = len(self.reports.all)
        self.motors.turn("s.1", motors)
        self.loop.run_for(8)
        return list(self.reports.all[before:])


@pytest.fixture(params=range(8))
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    machine = Machine(request.param)
    yield machine
    for part in (machine.motors, machine.keypad, machine.drop, machine.door):
        part.close()
    assert machine.cabinet.quiet()
    machine.loop.close()


def test_vends_until_empty(machine: Machine) -> None:
    for n in range(5):
        left, dropped, ended = sorted(
            machine.turn("A1"), key=lambda r: type(r).__name__ != "LeftHome"
        )
        assert isinstance(left, LeftHome)
        assert {type(dropped), type(ended)} == {DropSeen, TurnEnded}
        assert len(machine.cabinet.tray) == n + 1
    left, ended = machine.turn("A1")
    assert isinstance(ended, TurnEnded)
    assert (ended.result, ended.at_home) == (TurnResult.HOME, True)
    assert len(machine.cabinet.tray) == 5


def test_coupled_motors_keep_in_step(machine: Machine) -> None:
    for _ in range(4):
        (ended,) = (r for r in machine.turn("B2", "B3") if isinstance(r, TurnEnded))
        assert (ended.result, ended.at_home) == (TurnResult.HOME, True)
    angles = [machine.cabinet.motor(name).angle for name in ("B2", "B3")]
    assert [int(angle // 360) for angle in angles] == [4, 4]
    assert len(machine.cabinet.tray) == 4


@pytest.mark.parametrize(
    ("stall_at", "result", "left"),
    [(0.0, TurnResult.NEVER_LEFT, False), (180.0, TurnResult.NO_HOME, True)],
)
def test_jams(machine: Machine, stall_at: float, result: TurnResult, left: bool) -> None:
    machine.cabinet.motor("A2").faults.stall_at_deg = stall_at
    reports = machine.turn("A2")
    assert (LeftHome("s.1") in reports) == left
    (ended,) = (r for r in reports if isinstance(r, TurnEnded))
    assert ended.result is result
    assert ended.at_home is not left
    assert all(i.end is not None for i in machine.cabinet.currents.intervals)


def test_a_missing_motor_gives_no_home(machine: Machine) -> None:
    machine.cabinet.motor("A3").faults.missing = True
    (ended,) = (r for r in machine.turn("A3") if isinstance(r, TurnEnded))
    assert ended.result is TurnResult.NO_HOME  # never at home, so it counts as left
    assert not ended.at_home


def test_home_of_every_motor_at_start_moves_nothing(machine: Machine) -> None:
    before = [motor.angle for motor in machine.cabinet.motors]
    for name in LAYOUT.names():
        assert machine.loop.run_until_complete(machine.motors.at_home(name)) is True
    assert [motor.angle for motor in machine.cabinet.motors] == before
    assert not machine.cabinet.currents.intervals


def test_keys_bounce_and_arrive_once(machine: Machine) -> None:
    machine.loop.run_for(1)
    rng = random.Random(7)
    typed = [rng.choice(machine.cabinet.keypad.legends) for _ in range(40)]
    before = len(machine.reports.all)
    for key in typed:
        pressed = machine.loop.time()
        machine.cabinet.press(key)
        machine.loop.run_for(0.1)
        assert isinstance(machine.reports.all[-1], KeyPressed), "R9: within 100 ms"
        machine.loop.run_for(0.1)
        assert machine.loop.time() - pressed == pytest.approx(0.2)
    assert machine.reports.all[before:] == [KeyPressed(key) for key in typed]


def test_ghosts_report_nothing(machine: Machine) -> None:
    machine.loop.run_for(1)
    before = len(machine.reports.all)
    for key in ("A", "1", "B"):  # three corners: the fourth looks pressed
        machine.cabinet.press(key, 500)
    machine.loop.run_for(2)
    assert machine.reports.all[before:] == []


def test_the_door(machine: Machine) -> None:
    assert DoorMoved(False) in machine.reports.all
    machine.cabinet.set_door(is_open=True)
    machine.loop.run_for(0.1)
    assert machine.reports.all[-1] == DoorMoved(True)


def test_safe_stops_what_a_dead_process_left_on() -> None:
    machine = Machine(1)
    machine.motors.turn("s.1", ("A1",))
    machine.loop.run_for(0.5)
    machine.factory.cut()
    assert machine.cabinet.header.level(4) == 1  # the dead process's line stays on
    said: list[str] = []
    lines = (*LAYOUT.drive_lines(), OutputLine(Pin(23, "motor_heartbeat")))
    for _ in range(2):
        fresh = WorldFactory(machine.cabinet.header, machine.cabinet.clock)
        assert safe_all(fresh, lines, said.append)
        fresh.close()
        assert not machine.cabinet.currents.flowing()
        assert machine.cabinet.header.level(4) == 0
    assert said[0] == "GPIO4 (tray_a): inactive (low)"
    assert len(said) == 2 * len(lines)
