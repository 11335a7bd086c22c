"""The keypad matrix: one report per press, none for ghosts, within 100 ms (R9)."""

from collections.abc import Iterator

import pytest
from gpio_bench import BenchPin, Reports
from gpiozero.pins.mock import MockFactory

from hw_sim.loop import VirtualLoop
from vendd.core.sale.reports import FaultEnded, FaultStarted, KeyPressed
from vendd.drivers.keypad import Keypad, KeypadSetup
from vendd.drivers.pins import Pin, PinTrouble

ROWS, COLUMNS = (5, 6, 13), (17, 18, 19, 20)
KEYS = (("A", "1", "2", "3"), ("B", "4", "5", "6"), ("clear", "", "8", "9"))
PLACE = {key: (r, c) for r, row in enumerate(KEYS) for c, key in enumerate(row) if key}


class Pad:
    """Keys without diodes: a row is active when any path of closed keys reaches a driven column."""

    def __init__(self, *, active_high: bool = True) -> None:
        self.loop = VirtualLoop()
        self.factory = MockFactory(pin_class=BenchPin)
        self.factory.bench = self
        self.broken: set[str] = set()
        self.deaf: set[str] = set()
        self.down: set[str] = set()
        self.active_high = active_high
        self.reports = Reports(self.loop)
        self.writes = 0
        self.setup = KeypadSetup(
            rows=tuple(Pin(n, f"key_row_{n}") for n in ROWS),
            columns=tuple(Pin(n) for n in COLUMNS),
            keys=KEYS,
            active_high=active_high,
        )
        self.keypad = Keypad(self.setup, self.factory, self.loop, self.reports)

    def output_moved(self, number: int, level: bool) -> None:
        self.writes += 1
        self.settle()

    def settle(self) -> None:
        live = {c for c, n in enumerate(COLUMNS) if self._driven(n)}
        rows: set[int] = set()
        for _ in range(len(PLACE)):
            rows |= {PLACE[k][0] for k in self.down if PLACE[k][1] in live}
            live |= {PLACE[k][1] for k in self.down if PLACE[k][0] in rows}
        for r, number in enumerate(ROWS):
            pin = self.factory.pin(number)
            if pin.function == "input":
                (pin.drive_high if (r in rows) == self.active_high else pin.drive_low)()

    def _driven(self, number: int) -> bool:
        pin = self.factory.pin(number)
        return pin.function == "output" and bool(pin._state) == self.active_high

    def press(self, *keys: str) -> None:
        self.down.update(keys)
        self.settle()

    def release(self, *keys: str) -> None:
        self.down.difference_update(keys)
        self.settle()

    def run_ms(self, ms: float) -> None:
        self.loop.run_for(ms / 1000)

    @property
    def keys(self) -> list[str]:
        return [r.key for r in self.reports.all if isinstance(r, KeyPressed)]


@pytest.fixture(params=[True, False], ids=["active high", "active low"])
def pad(request: pytest.FixtureRequest) -> Iterator[Pad]:
    pad = Pad(active_high=request.param)
    pad.keypad.start()
    pad.run_ms(100)
    yield pad
    pad.keypad.close()
    pad.loop.close()


@pytest.mark.parametrize("key", sorted(PLACE))
def test_every_key_is_reported_once_within_100_ms(pad: Pad, key: str) -> None:
    pad.press(key)
    pad.run_ms(60)
    assert pad.keys == [key]
    pad.run_ms(3_000)
    assert pad.keys == [key]
    pad.release(key)
    pad.run_ms(200)
    assert pad.keys == [key]
    pad.press(key)
    pad.run_ms(60)
    assert pad.keys == [key, key]


def test_idle_touches_no_line(pad: Pad) -> None:
    pad.press("5")
    pad.run_ms(120)
    pad.release("5")
    pad.run_ms(100)
    before = pad.writes
    pad.run_ms(60_000)
    assert pad.writes == before


def test_a_bouncing_contact_is_one_press(pad: Pad) -> None:
    for ms, down in [
        (0, 1),
        (1, 0),
        (2, 1),
        (4, 0),
        (5, 1),
        (9, 0),
        (10, 1),
        (120, 0),
        (123, 1),
        (126, 0),
    ]:
        pad.loop.call_later(ms / 1000, pad.press if down else pad.release, "6")
    pad.run_ms(400)
    assert pad.keys == ["6"]


@pytest.mark.parametrize("touch_ms", [1, 3, 5, 9, 14])
@pytest.mark.parametrize("key", ["A", "6"])
def test_a_touch_that_one_scan_sees_is_no_press(pad: Pad, key: str, touch_ms: int) -> None:
    pad.press(key)
    pad.run_ms(touch_ms)
    pad.release(key)
    pad.run_ms(200)
    assert pad.keys == []


@pytest.mark.parametrize("gap_ms", [60, 90])
def test_fast_typing(pad: Pad, gap_ms: int) -> None:
    for key in ("A", "3", "clear"):
        pad.press(key)
        pad.run_ms(gap_ms)
        pad.release(key)
        pad.run_ms(gap_ms)
    assert pad.keys == ["A", "3", "clear"]


@pytest.mark.parametrize(
    "keys",
    [("A", "1"), ("A", "B"), ("1", "5"), ("A", "1", "B"), ("2", "5", "8"), ("1", "2", "3")],
    ids="+".join,
)
def test_several_keys_at_once_are_none_until_all_are_up(pad: Pad, keys: tuple[str, ...]) -> None:
    pad.press(*keys)
    pad.run_ms(200)
    pad.release(*keys[:-1])
    pad.run_ms(200)
    assert pad.keys == []
    pad.release(keys[-1])
    pad.run_ms(100)
    pad.press("9")
    pad.run_ms(60)
    assert pad.keys == ["9"]


def test_a_second_key_while_the_first_is_held_is_not_reported(pad: Pad) -> None:
    pad.press("A")
    pad.run_ms(100)
    pad.press("3")
    pad.run_ms(100)
    pad.release("A")
    pad.run_ms(100)
    assert pad.keys == ["A"]


def test_a_stuck_key_is_a_fault_until_it_is_up(pad: Pad) -> None:
    pad.press("8")
    pad.run_ms(29_900)
    assert pad.reports.all == [KeyPressed("8")]
    pad.run_ms(400)
    assert pad.reports.all[1:] == [FaultStarted("key_stuck", "keypad", "8")]
    pad.run_ms(100_000)
    pad.release("8")
    pad.run_ms(600)
    assert pad.reports.all[2:] == [FaultEnded("key_stuck", "keypad")]
    pad.press("9")
    pad.run_ms(60)
    assert pad.keys == ["8", "9"]


def test_a_key_held_at_the_start_is_not_reported() -> None:
    pad = Pad()
    pad.press("4")
    pad.keypad.start()
    pad.run_ms(500)
    assert pad.keys == []
    pad.release("4")
    pad.run_ms(100)
    pad.press("4")
    pad.run_ms(60)
    assert pad.keys == ["4"]


def test_a_row_that_cannot_be_read_is_a_fault_and_comes_back(pad: Pad) -> None:
    pad.deaf.add("GPIO6")
    pad.press("A")
    pad.run_ms(12_000)
    pad.release("A")
    (fault,) = pad.reports.all
    assert isinstance(fault, FaultStarted)
    assert (fault.code, fault.device) == ("gpio", "keypad")
    assert "key_row_6" in fault.detail
    pad.deaf.clear()
    pad.run_ms(5_200)
    assert pad.reports.all[1:] == [FaultEnded("gpio", "keypad")]
    pad.press("5")
    pad.run_ms(60)
    assert pad.keys == ["5"]


def test_keys_that_do_not_fit_the_pins_are_refused() -> None:
    with pytest.raises(ValueError, match="2 rows and 1 columns"):
        KeypadSetup(rows=(Pin(1), Pin(2)), columns=(Pin(3),), keys=(("A",),))


def test_a_pin_in_use_leaves_nothing_open(pad: Pad) -> None:
    with pytest.raises(PinTrouble, match="GPIO17"):
        Keypad(pad.setup, pad.factory, pad.loop, pad.reports)
    pad.press("5")
    pad.run_ms(60)
    assert pad.keys == ["5"]
