"""The pulse driver on the simulated board, in virtual time and over pigpiod's socket."""

import asyncio
import random
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory

from hw_sim.cabinet import Cabinet
from hw_sim.devices.pulse_acceptor import PulseShape, SimPulseAcceptor
from hw_sim.loop import VirtualLoop
from hw_sim.pins import WorldFactory
from hw_sim.plan import sample_plan
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    DeviceIdentity,
    FaultEnded,
    FaultStarted,
    Report,
    TubesRead,
)
from vendd.drivers.pins import OutputLine, Pin, PinTrouble
from vendd.drivers.pulse import PulseAcceptor, PulseSetup, StampedInput
from vendd.ports import Refused
from vendd.wire.pulse import PulseRules

LINE, INHIBIT = 26, 21
VALUES = {50: 5, 100: 6, 200: 7}
RULES = PulseRules({5: 50, 6: 100, 7: 200})
READY = ChangerReady(
    DeviceIdentity(model="pulse"),
    (Coin(0, 50, False), Coin(1, 100, False), Coin(2, 200, False)),
    (),
)
ALL = frozenset(range(16))


def accepted(type_: int, value: int) -> CoinAccepted:
    return CoinAccepted(type_, value, CoinPath.BOX, 0)


class Machine:
    """A cabinet with a pulse acceptor, and its driver."""

    def __init__(self, rules: PulseRules = RULES, shape: PulseShape | None = None) -> None:
        self.loop = VirtualLoop()
        self.cabinet = Cabinet(sample_plan(), self.loop, 1)
        self.acceptor = SimPulseAcceptor(
            self.cabinet.header,
            self.cabinet.clock,
            LINE,
            VALUES,
            random.Random(3),
            inhibit_pin=INHIBIT,
            shape=shape,
        )
        self.reports: list[Report] = []
        self.factory = WorldFactory(self.cabinet.header, self.cabinet.clock)
        enable = OutputLine(Pin(INHIBIT, "coin_inhibit"), active_high=False)
        setup = PulseSetup(Pin(LINE, "coin_pulses"), rules, enable=enable)
        self.driver = PulseAcceptor(setup, self.factory, self.loop, self)
        self.driver.start()
        self.driver.accept(ALL)
        self.loop.run_for(2)

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return False

    def insert(self, *values: int, apart: float = 3.0) -> list[Report]:
        """Coins one after the other; what was reported since."""
        for value in values:
            self.acceptor.insert(value)
            self.loop.run_for(apart)
        self.loop.run_for(5)
        reports, self.reports = self.reports, []
        return reports

    def close(self) -> None:
        self.driver.close()
        self.loop.close()


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.close()


def test_coins_one_after_the_other(machine: Machine) -> None:
    assert machine.insert(50, 200, 100) == [
        READY,
        accepted(0, 50),
        accepted(2, 200),
        accepted(1, 100),
    ]


def test_coins_so_quick_that_their_trains_run_together(machine: Machine) -> None:
    machine.reports.clear()
    assert machine.insert(100, 50, apart=0.05) == [accepted(1, 100), accepted(0, 50)], "6 + 5"
    assert machine.insert(100, 100, apart=0.05) == [
        CoinRejected("lost"),
        FaultStarted("pulse_train", "coin_acceptor", "ambiguous, 12 pulses"),
    ], "6 + 6, or 7 + 5"
    assert machine.insert(200) == [accepted(2, 200), FaultEnded("pulse_train", "coin_acceptor")]


def test_a_bad_pulse_costs_the_train_and_is_told_once(machine: Machine) -> None:
    machine.reports.clear()
    for _ in range(3):
        machine.acceptor.stretch_next = 0.2
        machine.acceptor.insert(50)
        machine.loop.run_for(3)
    lost = CoinRejected("lost")
    fault = FaultStarted("pulse_train", "coin_acceptor", "long_pulse, 5 pulses")
    assert machine.reports == [lost, fault, lost, lost]


def test_a_stuck_line(machine: Machine) -> None:
    machine.reports.clear()
    machine.acceptor.stick()
    machine.loop.run_for(60)
    assert machine.reports == [
        FaultStarted("stuck_line", "coin_acceptor", ""),
        ChangerLost("stuck_line"),
    ]
    assert machine.acceptor.inhibited(), "nobody should lose a coin"
    machine.acceptor.release()
    machine.loop.run_for(1)
    assert machine.reports[2:] == [FaultEnded("stuck_line", "coin_acceptor"), READY]
    assert not machine.acceptor.inhibited()
    machine.reports.clear()
    assert machine.insert(50) == [accepted(0, 50)]


def test_the_pulse_of_waking_up_is_no_coin() -> None:
    machine = Machine(PulseRules({1: 10}))
    machine.reports.clear()
    machine.driver.close()
    machine.factory.close()
    factory = WorldFactory(machine.cabinet.header, machine.cabinet.clock)
    setup = PulseSetup(Pin(LINE), PulseRules({1: 10}))
    machine.driver = PulseAcceptor(setup, factory, machine.loop, machine)
    machine.driver.start()
    machine.acceptor.wake_up()
    machine.loop.run_for(3)
    assert [r for r in machine.reports if not isinstance(r, ChangerReady)] == []
    machine.acceptor.wake_up()
    machine.loop.run_for(3)
    assert machine.reports[-1] == accepted(0, 10)
    machine.close()


@pytest.mark.parametrize("width", [0.02, 0.05, 0.1])
def test_every_speed_and_a_bouncing_contact(width: float) -> None:
    machine = Machine(shape=PulseShape(width, width, bounces=3))
    assert machine.insert(50, 100, 200)[1:] == [accepted(0, 50), accepted(1, 100), accepted(2, 200)]
    machine.close()


def test_all_coins_or_none(machine: Machine) -> None:
    machine.reports.clear()
    assert not machine.acceptor.inhibited()
    machine.driver.accept(frozenset({0, 1}))
    assert machine.acceptor.inhibited(), "one line can't refuse the 2.00 alone"
    assert machine.insert(50) == []
    assert machine.acceptor.returned == 50
    machine.driver.accept(frozenset({0, 1, 2}))
    assert not machine.acceptor.inhibited()
    machine.driver.close()
    assert machine.acceptor.inhibited(), "a daemon that is gone takes no coins"


def test_what_it_can_not_do(machine: Machine) -> None:
    async def ask() -> None:
        with pytest.raises(Refused):
            await machine.driver.pay_out("p", ((0, 1),))
        await machine.driver.read_tubes()

    machine.loop.run_until_complete(ask())
    assert machine.reports[-1] == TubesRead(())


def test_a_hundred_customers_lose_nothing(machine: Machine) -> None:
    """With pauses between coins, every value is credited; quick ones are credited or told."""
    rng = random.Random(5)
    for _ in range(100):
        machine.acceptor.insert(rng.choice(list(VALUES)))
        machine.loop.run_for(rng.choice([0.2, 1.5, 3.0]))
    machine.loop.run_for(5)
    credit = sum(r.value for r in machine.reports if isinstance(r, CoinAccepted))
    lost = [r for r in machine.reports if isinstance(r, CoinRejected)]
    assert credit <= machine.acceptor.told
    assert (credit < machine.acceptor.told) == bool(lost)
    assert machine.insert(50)[-1] in (accepted(0, 50), FaultEnded("pulse_train", "coin_acceptor"))


def test_a_line_that_can_not_be_opened() -> None:
    loop = VirtualLoop()
    factory = WorldFactory(Cabinet(sample_plan(), loop, 1).header, None)  # type: ignore[arg-type]
    with pytest.raises(PinTrouble):
        PulseAcceptor(PulseSetup(Pin(99), RULES), factory, loop, None)  # type: ignore[arg-type]
    loop.close()


def test_edges_carry_the_time_of_the_kernel_not_of_the_loop() -> None:
    """A loop that is busy for a second hears them late and all at once; widths stay right."""
    loop = VirtualLoop()
    factory = MockFactory()
    heard: list[tuple[bool, float]] = []
    line = StampedInput(factory, Pin(LINE), loop, lambda on, at: heard.append((on, at)))
    loop.run_for(1)
    for ticks, level in ((5_000.0, 1), (5_000.05, 0), (5_000.1, 1), (5_000.15, 0), (9_000.0, 1)):
        line._changed_at(ticks, level)
    loop.run_for(0)
    start = heard[0][1]
    assert [on for on, _ in heard] == [True, False, True, False, True]
    assert [at - start for _, at in heard] == pytest.approx([0, 0.05, 0.1, 0.15, 0])
    line.close()
    line._changed_at(9_001.0, 0)
    loop.run_for(0)
    assert len(heard) == 5
    loop.close()


def test_over_pigpiods_socket(pigpiod) -> None:
    """Real threads and the daemon's own ticks: the widths come out as they were played."""

    async def scenario() -> list[Report]:
        loop = asyncio.get_running_loop()
        reports: list[Report] = []

        done = asyncio.Event()

        class Sink:
            def put(self, report: Report) -> None:
                reports.append(report)
                if isinstance(report, CoinAccepted | CoinRejected):
                    done.set()

            def crowded(self) -> bool:
                return False

        # wide limits: on a busy machine the board itself is late
        rules = PulseRules({5: 50, 6: 100, 7: 200}, max_ms=900, end_ms=1_500, settle_ms=0)
        setup = PulseSetup(Pin(LINE), rules)
        driver = PulseAcceptor(setup, pigpiod.factory, loop, Sink())
        driver.start()
        acceptor = pigpiod.on_board(
            lambda header: SimPulseAcceptor(
                header, pigpiod.cabinet.clock, LINE, VALUES, random.Random(1)
            )
        )
        pigpiod.on_board(lambda _: acceptor.insert(100))
        async with asyncio.timeout(10):
            await done.wait()
        driver.close()
        return reports

    reports = asyncio.run(scenario())
    assert [r for r in reports if isinstance(r, CoinAccepted)] == [accepted(1, 100)]
