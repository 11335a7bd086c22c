"""One turn of a spiral: evidence, deadlines, heartbeat, and off on every way out."""

from collections.abc import Iterator

import pytest
from gpio_bench import COLUMNS, DIRECT, DRIVE, HEARTBEAT, HOME, MATRIX, ROWS, SWITCH, Bench

from vendd.core.sale.reports import FaultEnded, FaultStarted, LeftHome, TurnEnded, TurnResult
from vendd.drivers.motor_layout import DirectLayout, MatrixLayout
from vendd.drivers.motors import SpiralMotors, TurnLimits
from vendd.drivers.pins import PinTrouble

BOTH = pytest.mark.parametrize(
    ("layout", "motor", "other"),
    [pytest.param(MATRIX, "A1", "A2", id="matrix"), pytest.param(DIRECT, "m1", "m2", id="direct")],
)


def build(layout: DirectLayout | MatrixLayout) -> tuple[Bench, SpiralMotors]:
    bench = Bench(layout)
    motors = SpiralMotors(layout, TurnLimits(), bench.factory, bench.loop, bench.reports)
    bench.settle()
    return bench, motors


@pytest.fixture(params=[MATRIX, DIRECT], ids=["matrix", "direct"])
def rig(request: pytest.FixtureRequest) -> Iterator[tuple[Bench, SpiralMotors, str]]:
    bench, motors = build(request.param)
    yield bench, motors, min(bench.spirals)
    motors.close()
    bench.loop.close()


def driven(bench: Bench) -> list[int]:
    return [n for n in (*ROWS.values(), *COLUMNS, *DRIVE.values()) if bench.high(n)]


def ended(bench: Bench) -> TurnEnded:
    ends = [report for report in bench.reports.all if isinstance(report, TurnEnded)]
    assert len(ends) == 1, bench.reports.all
    assert driven(bench) == []
    return ends[0]


def test_a_turn_leaves_home_and_comes_back(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))
    bench.run_ms(7_000)
    left_ms = round(10 / 144 * 1000)
    home_ms = round(350 / 144 * 1000)
    assert bench.reports.all == [
        LeftHome("s.1"),
        TurnEnded("s.1", TurnResult.HOME, at_home=True, ran_ms=home_ms + 5),
    ]
    assert bench.reports.ms_of(LeftHome)[0] in (left_ms + 5, left_ms + 6)
    assert bench.spirals[motor].travelled == pytest.approx(350, abs=2)
    assert all(s.travelled == 0 for name, s in bench.spirals.items() if name != motor)
    assert driven(bench) == []


def test_heartbeat_edges_every_100_ms_only_while_turning(
    rig: tuple[Bench, SpiralMotors, str],
) -> None:
    bench, motors, motor = rig
    bench.run_ms(1_000)
    assert bench.beats == []
    motors.turn("s.1", (motor,))
    start = bench.loop.time()
    bench.run_ms(7_000)
    gaps = [round((b - a) * 1000) for a, b in zip(bench.beats, bench.beats[1:], strict=False)]
    assert bench.beats[0] == start
    assert set(gaps) == {100}
    assert len(bench.beats) == 25  # 2.43 s, then none


@pytest.mark.parametrize("speed", [0.0, 10.0], ids=["stuck", "far too slow"])
def test_never_left(rig: tuple[Bench, SpiralMotors, str], speed: float) -> None:
    bench, motors, motor = rig
    bench.spirals[motor].speed = speed
    motors.turn("s.1", (motor,))
    bench.run_ms(7_000)
    assert bench.reports.all == [TurnEnded("s.1", TurnResult.NEVER_LEFT, at_home=True, ran_ms=800)]


def test_no_home_in_time(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    bench.spirals[motor].speed = 50.0
    motors.turn("s.1", (motor,))
    bench.run_ms(7_000)
    assert bench.reports.all == [
        LeftHome("s.1"),
        TurnEnded("s.1", TurnResult.NO_HOME, at_home=False, ran_ms=6_000),
    ]
    assert bench.spirals[motor].travelled == pytest.approx(300, abs=1)


def test_jams_in_the_middle(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))

    def jam() -> None:
        bench.settle()
        bench.spirals[motor].speed = 0.0
        bench.settle()

    bench.at(1_000, jam)
    bench.run_ms(7_000)
    assert ended(bench) == TurnEnded("s.1", TurnResult.NO_HOME, at_home=False, ran_ms=6_000)


def test_starting_off_home_turns_to_the_next_home(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    bench.spirals[motor].angle = 200.0
    bench.settle()
    motors.turn("s.2", (motor,))
    bench.run_ms(7_000)
    assert bench.reports.ms_of(LeftHome) == [5]
    assert ended(bench).result is TurnResult.HOME
    assert bench.spirals[motor].travelled == pytest.approx(150, abs=2)


@pytest.mark.parametrize("bounces_at", [(75, 78, 81), (500,), (69.6, 70.5, 72.0)])
def test_a_bounce_below_5_ms_is_no_home(
    rig: tuple[Bench, SpiralMotors, str], bounces_at: tuple[float, ...]
) -> None:
    bench, motors, motor = rig
    line = HOME if isinstance(bench.layout, MatrixLayout) else SWITCH[motor]
    motors.turn("s.1", (motor,))
    for ms in bounces_at:
        bench.at(ms, bench.drive, line, True)
        bench.at(ms + 1.2, bench.drive, line, False)
    bench.run_ms(7_000)
    assert ended(bench).result is TurnResult.HOME
    assert bench.spirals[motor].travelled == pytest.approx(350, abs=2)
    assert len(bench.reports.ms_of(LeftHome)) == 1


def test_a_glitch_away_from_home_is_no_evidence(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    bench.spirals[motor].speed = 0.0
    line = HOME if isinstance(bench.layout, MatrixLayout) else SWITCH[motor]
    motors.turn("s.1", (motor,))
    bench.at(300, bench.drive, line, False)
    bench.at(303, bench.drive, line, True)
    bench.run_ms(1_000)
    assert bench.reports.all == [TurnEnded("s.1", TurnResult.NEVER_LEFT, at_home=True, ran_ms=800)]


def test_one_turn_at_a_time(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))
    motors.turn("s.2", (motor,))
    bench.at(2_460, motors.turn, "s.3", (motor,))  # while the cam settles
    bench.run_ms(7_000)
    assert [r.result for r in bench.reports.all if isinstance(r, TurnEnded)] == [
        TurnResult.NOT_STARTED,
        TurnResult.NOT_STARTED,
        TurnResult.HOME,
    ]
    assert bench.spirals[motor].travelled == pytest.approx(350, abs=2)


@pytest.mark.parametrize(
    ("layout", "wanted"),
    [
        (MATRIX, ()),
        (MATRIX, ("Z9",)),
        (MATRIX, ("A1", "A1")),
        (MATRIX, ("A1", "B2")),  # would power A2 and B1 too
        (DIRECT, ("m1", "m9")),
    ],
)
def test_what_cannot_be_powered_alone_is_not_started(
    layout: DirectLayout | MatrixLayout, wanted: tuple[str, ...]
) -> None:
    bench, motors = build(layout)
    motors.turn("s.1", wanted)
    assert bench.reports.all == [TurnEnded("s.1", TurnResult.NOT_STARTED, at_home=False)]
    assert driven(bench) == []
    assert bench.beats == []


def test_stop_is_at_once(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))
    bench.run_ms(1_000)
    motors.stop()
    assert driven(bench) == []
    motors.stop()
    bench.run_ms(7_000)
    assert ended(bench) == TurnEnded("s.1", TurnResult.STOPPED, at_home=False, ran_ms=1_000)


def test_close_in_mid_turn_ends_it_and_leaves_every_line_off(
    rig: tuple[Bench, SpiralMotors, str],
) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))
    bench.run_ms(1_000)
    motors.close()
    motors.close()
    assert ended(bench).result is TurnResult.STOPPED
    motors.turn("s.2", (motor,))
    assert bench.reports.all[-1] == TurnEnded("s.2", TurnResult.NOT_STARTED, at_home=False)
    lines = (*ROWS.values(), *COLUMNS) if bench.layout is MATRIX else DRIVE.values()
    for number in lines:
        last_driven = [s.state for s in bench.pin(number).states]
        assert not last_driven[-1]


# --- coupled motors -----------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "pair"),
    [(MATRIX, ("A1", "A2")), (MATRIX, ("A3", "B3")), (DIRECT, ("m1", "m2"))],
    ids=["one row", "one column", "direct"],
)
def test_coupled_motors_stop_each_at_its_own_home(
    layout: DirectLayout | MatrixLayout, pair: tuple[str, str]
) -> None:
    bench, motors = build(layout)
    first, second = pair
    bench.spirals[first].speed = 180.0
    bench.spirals[second].speed = 120.0
    motors.turn("s.1", pair)
    bench.run_ms(7_000)
    end = ended(bench)
    assert (end.result, end.at_home) == (TurnResult.HOME, True)
    for name in pair:
        assert bench.spirals[name].travelled == pytest.approx(351, abs=4)
        assert bench.spirals[name].home
    assert all(s.travelled == 0 for name, s in bench.spirals.items() if name not in pair)
    assert len(bench.reports.ms_of(LeftHome)) == 1
    assert 55 < bench.reports.ms_of(LeftHome)[0] < 80  # the fast one leaves at 56 ms


@pytest.mark.parametrize(("layout", "pair"), [(MATRIX, ("A1", "A2")), (DIRECT, ("m1", "m2"))])
def test_one_of_two_never_leaves(
    layout: DirectLayout | MatrixLayout, pair: tuple[str, str]
) -> None:
    bench, motors = build(layout)
    bench.spirals[pair[1]].speed = 0.0
    motors.turn("s.1", pair)
    bench.run_ms(7_000)
    assert bench.reports.all == [
        LeftHome("s.1"),
        TurnEnded("s.1", TurnResult.NO_HOME, at_home=False, ran_ms=800),
    ]


# --- a loop that stalls ---------------------------------------------------------


def stall(bench: Bench, ms: float) -> None:
    """The world goes on, the loop's callbacks don't: moves the clock inside one callback."""
    until = bench.loop.time() + ms / 1000
    while bench.loop.time() < until - 1e-9:
        bench.loop._now = min(until, bench.loop.time() + 0.001)
        bench.settle()


def test_the_hardware_drops_the_supply_when_the_loop_stalls(
    rig: tuple[Bench, SpiralMotors, str],
) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))
    bench.at(450, stall, bench, 1_000)
    bench.at(451, lambda: None)
    bench.run_ms(460)
    # powered until 300 ms after the beat at 400 ms, not for the whole stall
    assert bench.spirals[motor].travelled < 0.75 * 144


def test_passing_home_during_a_stall_is_the_end_and_no_second_turn(
    rig: tuple[Bench, SpiralMotors, str],
) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))
    bench.at(2_390, stall, bench, 290)  # home notch from 2431 to 2569 ms
    bench.run_ms(7_000)
    end = ended(bench)
    assert end.result is TurnResult.HOME
    assert not end.at_home
    assert bench.spirals[motor].travelled < 390


def test_coupled_motors_stop_after_a_stall_that_could_hide_a_home() -> None:
    bench, motors = build(MATRIX)
    motors.turn("s.1", ("A1", "A2"))
    bench.at(2_390, stall, bench, 290)
    bench.run_ms(7_000)
    assert ended(bench).result is TurnResult.STOPPED


# --- trouble on the lines ---------------------------------------------------------


@BOTH
def test_a_line_that_dies_switches_everything_else_off(
    layout: DirectLayout | MatrixLayout, motor: str, other: str
) -> None:
    bench, motors = build(layout)
    motors.turn("s.1", (motor,))
    bench.at(500, bench.broken.add, f"GPIO{HEARTBEAT}")
    bench.run_ms(7_000)
    end = ended(bench)
    assert end.result is TurnResult.STOPPED
    faults = [r for r in bench.reports.all if isinstance(r, FaultStarted)]
    assert [(f.code, f.device) for f in faults] == [("gpio", "motors")]
    assert "motor_heartbeat" in faults[0].detail
    bench.broken.clear()
    motors.turn("s.2", (other,))
    bench.run_ms(7_000)
    assert FaultEnded("gpio", "motors") in bench.reports.all


def test_a_line_dead_from_the_start_never_starts_the_turn() -> None:
    bench, motors = build(MATRIX)
    bench.broken.add("GPIO10")
    motors.turn("s.1", ("A1",))
    bench.run_ms(1_000)
    assert ended(bench).result is TurnResult.NOT_STARTED
    assert bench.beats == []


def test_a_home_line_that_cannot_be_read() -> None:
    bench, motors = build(MATRIX)
    bench.deaf.add(f"GPIO{HOME}")
    motors.turn("s.1", ("A1",))
    bench.run_ms(1_000)
    assert ended(bench).result is TurnResult.NOT_STARTED


def test_our_own_mistake_switches_off_too(
    rig: tuple[Bench, SpiralMotors, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, motors, motor = rig
    errors: list[object] = []
    bench.loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    motors.turn("s.1", (motor,))
    bench.run_ms(1_000)
    monkeypatch.setattr(motors, "_beat", lambda now: 1 / 0)
    bench.run_ms(7_000)
    assert ended(bench).result is TurnResult.STOPPED
    assert isinstance(errors[0], ZeroDivisionError)
    assert len(errors) == 1


def test_a_pin_in_use_names_the_line_and_leaves_nothing_open() -> None:
    bench = Bench(MATRIX)
    first = SpiralMotors(MATRIX, TurnLimits(), bench.factory, bench.loop, bench.reports)
    with pytest.raises(PinTrouble, match="tray_a"):
        SpiralMotors(MATRIX, TurnLimits(), bench.factory, bench.loop, bench.reports)
    first.close()
    again = SpiralMotors(MATRIX, TurnLimits(), bench.factory, bench.loop, bench.reports)
    again.close()


# --- home at rest -------------------------------------------------------------------


def test_home_at_rest_is_read_without_moving(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    other = sorted(bench.spirals)[1]
    bench.spirals[other].angle = 90.0
    bench.settle()
    run = bench.loop.run_until_complete
    assert run(motors.at_home(motor)) is True
    assert run(motors.at_home(other)) is False
    assert run(motors.at_home("nobody")) is None
    assert driven(bench) == []
    assert all(s.travelled == 0 for s in bench.spirals.values())


def test_home_at_rest_waits_for_the_dead_supply(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    motors.turn("s.1", (motor,))
    assert bench.loop.run_until_complete(motors.at_home(motor)) is None
    bench.run_ms(2_600)
    assert bench.loop.run_until_complete(motors.at_home(motor)) is True
    assert bench.loop.time() >= bench.beats[-1] + 0.5 - 1e-9


def test_home_at_rest_gives_way_to_a_turn(rig: tuple[Bench, SpiralMotors, str]) -> None:
    bench, motors, motor = rig
    bench.at(100, motors.turn, "s.1", (motor,))
    assert bench.loop.run_until_complete(motors.at_home(motor)) is None
