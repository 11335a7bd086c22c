"""Physics of the cabinet in virtual time: cams, supply, products, beam, keys."""

from collections.abc import Iterator

import pytest

from hw_sim.cabinet import Cabinet
from hw_sim.loop import VirtualLoop
from hw_sim.motor import NOTCH_DEG, HomeSwitch, MotorFaults
from hw_sim.plan import sample_plan
from hw_sim.spiral import Fate

ROW_A, ROW_B, COL_1, COL_2, COL_3 = 4, 17, 10, 9, 11
HOME, BEAT, DROP, DOOR = 22, 23, 24, 25


class Bench:
    """A cabinet and hands on its pins."""

    def __init__(self, seed: int = 1, *, oneshot: bool = True) -> None:
        self.loop = VirtualLoop(start=0.0)
        self.cabinet = Cabinet(sample_plan(), self.loop, seed, oneshot=oneshot)
        self.header = self.cabinet.header
        self.edges: list[tuple[int, int, float]] = []
        self.header.watch(lambda pin, level, when: self.edges.append((pin, level, when)))
        self.beating = False
        self._level = 0
        for pin in (ROW_A, ROW_B, COL_1, COL_2, COL_3, BEAT):
            self.header.set_output(pin, 0)

    def beat(self, on: bool = True) -> None:
        """Heartbeat edges every 100 ms, from now on or no more."""
        self.beating = on
        if on:
            self._beat()

    def _beat(self) -> None:
        if self.beating:
            self._level ^= 1
            self.header.write(BEAT, self._level)
            self.loop.call_later(0.1, self._beat)

    def lines(self, *pins: int, on: int = 1) -> None:
        for pin in pins:
            self.header.write(pin, on)

    def turn(self, *pins: int, limit: float = 6.0) -> float:
        """Power until home comes after having gone; gives the seconds it took, or the limit."""
        began, left = self.loop.time(), False
        self.beat()
        self.lines(*pins)
        while self.loop.time() - began < limit:
            self.loop.run_for(0.005)
            home = self.header.level(HOME)
            left = left or not home
            if left and home and self.loop.time() - began > 1:
                break
        took = self.loop.time() - began
        self.lines(*pins, on=0)
        self.beat(False)
        self.loop.run_for(2)
        return took


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.loop.close()


def test_a_turn_takes_its_time_comes_home_and_drops_one_product(bench: Bench) -> None:
    took = bench.turn(ROW_A, COL_1)
    assert 1.9 < took < 3.3
    assert bench.cabinet.motor("A1").contact
    assert 360 < bench.cabinet.motor("A1").angle < 360 + NOTCH_DEG
    [fallen] = bench.cabinet.tray
    assert (fallen.selection, fallen.product) == ("A1", "cola")
    assert bench.cabinet.slot("A1").left == 4
    beam = [(level, when) for pin, level, when in bench.edges if pin == DROP]
    (low, entered), (high, gone) = beam
    assert (low, high) == (0, 1)
    assert 0.020 <= gone - entered <= 0.150


def test_without_heartbeat_nothing_moves_but_home_can_be_read(bench: Bench) -> None:
    bench.loop.run_for(1)
    bench.lines(ROW_A, COL_2)
    assert bench.header.level(HOME) == 1
    bench.loop.run_for(5)
    assert bench.cabinet.motor("A2").angle < NOTCH_DEG
    assert bench.cabinet.currents.intervals == []


def test_the_sense_line_shows_selected_motors_only(bench: Bench) -> None:
    assert bench.header.level(HOME) == 0
    bench.lines(ROW_A)
    assert bench.header.level(HOME) == 0
    bench.lines(COL_1)
    assert bench.header.level(HOME) == 1


@pytest.mark.parametrize("oneshot", [True, False])
def test_the_supply_drops_after_the_last_beat(oneshot: bool) -> None:
    """L3, and what happens to a machine without the one-shot."""
    bench = Bench(oneshot=oneshot)
    bench.lines(ROW_A, COL_1)
    bench.beat()
    bench.loop.run_for(0.45)
    bench.beat(False)  # the daemon is dead: lines stay on, beats stop
    died = bench.loop.time()
    bench.loop.run_for(20)
    ran = bench.cabinet.currents.ran_after(died)
    if oneshot:
        assert 0 < ran <= 0.5
        assert bench.cabinet.quiet()
    else:
        assert ran > 19
        assert len(bench.cabinet.tray) == 5
    bench.loop.close()


def test_pausing_half_way_coasts_and_goes_on_from_there(bench: Bench) -> None:
    motor = bench.cabinet.motor("A1")
    bench.beat()
    bench.lines(ROW_A, COL_1)
    bench.loop.run_for(1)
    bench.lines(ROW_A, on=0)
    at_cut = motor.angle
    bench.loop.run_for(1)
    assert 2 <= motor.angle - at_cut <= 5
    assert not motor.contact
    bench.lines(ROW_A)
    bench.loop.run_for(0.5)
    assert motor.angle > at_cut + 20


def test_home_bounces_for_a_few_milliseconds_only() -> None:
    counts = set()
    for seed in range(20):
        bench = Bench(seed)
        bench.turn(ROW_A, COL_1)
        homes = [when for pin, _, when in bench.edges if pin == HOME]
        back = [when for when in homes if when > 1]
        counts.add(len(back))
        assert back[-2] - back[0] < 0.006  # the last edge is deselecting
        bench.loop.close()
    assert max(counts) > 2


def test_jam_at_start_and_half_way(bench: Bench) -> None:
    bench.cabinet.motor("A1").set_faults(MotorFaults(stall_at_deg=0))
    assert bench.turn(ROW_A, COL_1, limit=2) >= 2
    assert bench.cabinet.motor("A1").contact
    bench.cabinet.motor("A2").set_faults(MotorFaults(stall_at_deg=180))
    bench.turn(ROW_A, COL_2, limit=4)
    assert bench.cabinet.motor("A2").angle == pytest.approx(180)
    assert not bench.cabinet.motor("A2").contact
    bench.cabinet.motor("A2").set_faults(MotorFaults())
    bench.turn(ROW_A, COL_2)
    assert bench.cabinet.motor("A2").contact
    assert [fallen.selection for fallen in bench.cabinet.tray] == ["A2"]


def test_a_missing_motor_and_broken_switches(bench: Bench) -> None:
    bench.cabinet.motor("A1").set_faults(MotorFaults(missing=True))
    bench.turn(ROW_A, COL_1, limit=2)
    assert not bench.cabinet.motor("A1").contact
    assert bench.cabinet.tray == []
    assert bench.cabinet.currents.intervals == []
    for broken in (HomeSwitch.OPEN, HomeSwitch.CLOSED):
        bench.cabinet.motor("A2").set_faults(MotorFaults(home=broken))
        bench.lines(ROW_A, COL_2)
        assert bench.header.level(HOME) == (broken is HomeSwitch.CLOSED)
        bench.lines(ROW_A, COL_2, on=0)


def test_an_empty_spiral_turns_and_drops_nothing(bench: Bench) -> None:
    assert bench.turn(ROW_A, COL_3) < 3.3
    assert bench.cabinet.tray == []


@pytest.mark.parametrize(
    ("fate", "after_first", "after_second"),
    [
        (Fate.FALLS, 1, 2),
        (Fate.HANGS, 0, 1),
        (Fate.HANGS_BOTH, 0, 2),
        (Fate.DOUBLE, 2, 3),
        (Fate.BLIND, 1, 2),
    ],
)
def test_fates(bench: Bench, fate: Fate, after_first: int, after_second: int) -> None:
    bench.cabinet.slot("A1").fates.append(fate)
    bench.turn(ROW_A, COL_1)
    assert len(bench.cabinet.tray) == after_first
    if fate is Fate.BLIND:
        assert not any(pin == DROP for pin, _, _ in bench.edges)
    bench.turn(ROW_A, COL_1)
    assert len(bench.cabinet.tray) == after_second
    assert bench.cabinet.slot("A1").left == 5 - after_second


def test_a_late_product_falls_by_itself(bench: Bench) -> None:
    bench.cabinet.slot("A1").fates.append(Fate.LATE)
    bench.turn(ROW_A, COL_1)
    bench.loop.run_for(6)
    assert len(bench.cabinet.tray) == 1


def test_coupled_motors_drop_once_both_have_turned(bench: Bench) -> None:
    bench.beat()
    bench.lines(ROW_B, COL_2)
    bench.loop.run_for(3.3)
    assert bench.cabinet.tray == []
    bench.lines(COL_2, on=0)
    bench.lines(COL_3)
    bench.loop.run_for(4)
    assert [fallen.product for fallen in bench.cabinet.tray] == ["sandwich"]


def test_beam_faults(bench: Bench) -> None:
    bench.cabinet.beam.kill(True)
    bench.turn(ROW_A, COL_1)
    assert len(bench.cabinet.tray) == 1
    assert not any(pin == DROP for pin, _, _ in bench.edges)
    bench.cabinet.beam.kill(False)
    bench.cabinet.beam.block(True)
    assert bench.header.level(DROP) == 0
    bench.loop.run_for(60)
    bench.cabinet.beam.block(False)
    assert bench.header.level(DROP) == 1


def test_keys_bounce_and_settle(bench: Bench) -> None:
    row, column = 5, 16
    bench.header.set_input(row, "up")
    bench.header.set_output(column, 0)
    bench.loop.run_for(0.1)
    del bench.edges[:]
    bench.cabinet.press("1", hold_ms=100)
    bench.loop.run_for(0.05)
    assert bench.header.level(row) == 0
    bench.loop.run_for(0.2)
    assert bench.header.level(row) == 1
    times = [when for pin, _, when in bench.edges if pin == row]
    assert len(times) > 2
    pressing = [when - times[0] for when in times if when - times[0] < 0.05]
    assert max(pressing) <= 0.003 + 1e-9


def test_three_keys_make_a_ghost(bench: Bench) -> None:
    """A, 1 and B pressed: driving the column of 3 (the fourth corner) shows on row A too."""
    row_a, row_b, col_a, col_1 = 5, 6, 12, 16
    for row in (row_a, row_b):
        bench.header.set_input(row, "up")
    bench.header.set_output(col_a, 1)
    bench.header.set_output(col_1, 0)  # scanning this column
    for key in ("A", "1", "B"):
        bench.cabinet.keypad.push(key)
    bench.loop.run_for(0.1)
    assert bench.header.level(row_a) == 0  # key 1, truly
    assert bench.header.level(row_b) == 0  # key 3, a ghost
    bench.cabinet.keypad.let_go("A")
    bench.loop.run_for(0.1)
    assert bench.header.level(row_b) == 1


def test_unknown_keys_are_refused(bench: Bench) -> None:
    with pytest.raises(KeyError, match="no key 'Z'"):
        bench.cabinet.press("Z")


def test_door_and_buzzer(bench: Bench) -> None:
    bench.cabinet.set_door(is_open=True)
    assert bench.header.level(DOOR) == 1
    bench.cabinet.set_door(is_open=False)
    assert bench.header.level(DOOR) == 0
    bench.header.set_output(27, 1)
    bench.loop.run_for(0.2)
    bench.header.write(27, 0)
    assert [level for _, level in bench.cabinet.buzzes] == [1, 0]


def test_a_pi_without_power_lets_everything_go(bench: Bench) -> None:
    bench.beat()
    bench.lines(ROW_A, COL_1)
    bench.loop.run_for(1)
    bench.beat(False)
    bench.header.power_off()
    assert bench.cabinet.currents.flowing() == ()
