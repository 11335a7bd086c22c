"""The real GPIO drivers on the simulated cabinet: both sides mean the same machine."""

from collections.abc import Iterator

import pytest

from hw_sim.cabinet import Cabinet
from hw_sim.loop import VirtualLoop
from hw_sim.motor import NOTCH_DEG, MotorFaults
from hw_sim.pins import WorldFactory
from hw_sim.plan import sample_plan
from vendd.core.sale.reports import DropSeen, KeyPressed, Report, TurnEnded, TurnResult
from vendd.drivers.inputs import DropSensor, DropSensorSetup
from vendd.drivers.keypad import Keypad, KeypadSetup
from vendd.drivers.motor_layout import MatrixLayout
from vendd.drivers.motors import SpiralMotors, TurnLimits
from vendd.drivers.pins import Pin

LAYOUT = MatrixLayout(
    rows={"A": Pin(4), "B": Pin(17)},
    columns=(Pin(10), Pin(9), Pin(11)),
    home=Pin(22),
    heartbeat=Pin(23),
)


class Machine:
    """Cabinet and drivers; the drivers live in a life that `kill` ends."""

    def __init__(self, seed: int) -> None:
        self.loop = VirtualLoop()
        self.cabinet = Cabinet(sample_plan(), self.loop, seed)
        self.reports: list[Report] = []
        self.boot()

    def boot(self) -> None:
        with self.loop.life() as self.life:
            self.factory = WorldFactory(self.cabinet.header, self.cabinet.clock)
            self.motors = SpiralMotors(LAYOUT, TurnLimits(), self.factory, self.loop, self)
            self.drop = DropSensor(DropSensorSetup(Pin(24)), self.factory, self.loop, self)
            keypad = self.cabinet.plan.keypad
            setup = KeypadSetup(
                tuple(map(Pin, keypad.rows)), tuple(map(Pin, keypad.columns)), keypad.keys
            )
            self.keypad = Keypad(setup, self.factory, self.loop, self)
            self.keypad.start()

    def kill(self) -> None:
        self.factory.cut()
        self.loop.abandon(self.life)

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return False

    def turn(self, *motors: str) -> TurnEnded:
        with self.loop.life(self.life):
            self.motors.turn("t", motors)
        self.loop.run_for(8)
        (ended,) = (report for report in self.reports if isinstance(report, TurnEnded))
        return ended


@pytest.fixture(params=range(10))
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    made = Machine(request.param)
    yield made
    made.factory.cut()
    made.loop.close()


def test_turns_end_at_home_with_one_drop_seen(machine: Machine) -> None:
    assert machine.turn("A1").result is TurnResult.HOME
    motor = machine.cabinet.motor("A1")
    assert motor.contact
    assert motor.angle % 360 < NOTCH_DEG
    assert [type(r) for r in machine.reports].count(DropSeen) == 1
    assert len(machine.cabinet.tray) == 1
    assert machine.cabinet.quiet()


def test_coupled_motors_come_home_each_by_itself(machine: Machine) -> None:
    assert machine.turn("B2", "B3").result is TurnResult.HOME
    assert all(machine.cabinet.motor(name).contact for name in ("B2", "B3"))
    assert [fallen.product for fallen in machine.cabinet.tray] == ["sandwich"]


def test_jams_are_told_apart(machine: Machine) -> None:
    machine.cabinet.motor("A1").set_faults(MotorFaults(stall_at_deg=0))
    assert machine.turn("A1").result is TurnResult.NEVER_LEFT
    machine.reports.clear()
    machine.cabinet.motor("A2").set_faults(MotorFaults(stall_at_deg=200))
    assert machine.turn("A2").result is TurnResult.NO_HOME


def test_every_key_arrives_once(machine: Machine) -> None:
    machine.loop.run_for(1)
    for legend in machine.cabinet.keypad.legends:
        machine.cabinet.press(legend)
        machine.loop.run_for(1)
    pressed = [report.key for report in machine.reports if isinstance(report, KeyPressed)]
    assert pressed == list(machine.cabinet.keypad.legends)


def test_killed_in_mid_turn_the_motor_stops_by_itself(machine: Machine) -> None:
    with machine.loop.life(machine.life):
        machine.motors.turn("t", ("A1",))
    machine.loop.run_for(1)
    died = machine.loop.time()
    machine.kill()
    machine.loop.run_for(10)
    assert machine.cabinet.header.level(4) == 1  # a Pi keeps its outputs
    assert 0 < machine.cabinet.currents.ran_after(died) <= 0.5
    assert machine.cabinet.quiet()
    machine.boot()
    assert machine.cabinet.header.level(4) == 0
