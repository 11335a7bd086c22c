"""The pin factory's door: clear words for what is missing, busy or gone."""

import sys
import types

import pytest
from gpio_bench import BenchPin
from gpiozero.pins.mock import MockFactory

from vendd.drivers import pins
from vendd.drivers.pins import Output, OutputLine, Pin, PinTrouble, open_pin_factory, probe
from vendd.drivers.safe import safe_all


class Board:
    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.deaf: set[str] = set()
        self.moved: list[tuple[int, bool]] = []
        self.factory = MockFactory(pin_class=BenchPin)
        self.factory.bench = self

    def output_moved(self, number: int, level: bool) -> None:
        self.moved.append((number, level))


def test_an_unknown_factory() -> None:
    with pytest.raises(PinTrouble, match="no GPIO factory 'native'; there are: lgpio"):
        open_pin_factory("native")


@pytest.mark.parametrize(("name", "extra"), [("lgpio", "pi"), ("rpigpio", "rpigpio")])
def test_a_missing_package_names_its_extra(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(module: str) -> object:
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr(pins.importlib, "import_module", gone)
    with pytest.raises(PinTrouble, match=rf"vendd\[{extra}\]"):
        open_pin_factory(name)


def test_a_pigpio_daemon_that_is_not_there_is_named() -> None:
    with pytest.raises(PinTrouble, match=r"'pigpio' at 127\.0\.0\.1:1 can't be opened"):
        open_pin_factory("pigpio", "127.0.0.1", 1)


def test_a_pin_in_use_names_both() -> None:
    board = Board()
    first = Output(board.factory, OutputLine(Pin(4, "tray_a")))
    with pytest.raises(PinTrouble, match=r"GPIO4 \(buzzer\): can't open: .*already in use"):
        Output(board.factory, OutputLine(Pin(4, "buzzer")))
    first.close()


def test_the_kernel_says_who_holds_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lgpio = types.ModuleType("lgpio")
    lgpio.error = type("error", (Exception,), {})  # type: ignore[attr-defined]
    lgpio.gpio_get_line_info = lambda handle, gpio: [0, gpio, 1, "GPIO4", "other-daemon"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lgpio", lgpio)
    board = Board()
    board.factory._handle = 7

    def busy(*_: object, **__: object) -> None:
        raise lgpio.error("GPIO busy")  # type: ignore[attr-defined]

    monkeypatch.setattr("gpiozero.OutputDevice", busy)
    with pytest.raises(PinTrouble, match=r"GPIO busy \(held by 'other-daemon'\)"):
        Output(board.factory, OutputLine(Pin(4)))


@pytest.mark.parametrize(("active_high", "off"), [(True, False), (False, True)])
def test_an_output_is_off_from_the_start_and_before_it_is_released(
    active_high: bool, off: bool
) -> None:
    board = Board()
    pin = board.factory.pin(4)
    pin.drive_high()
    line = Output(board.factory, OutputLine(Pin(4), active_high))
    assert (pin.function, pin._state) == ("output", off)
    line.write(True)
    board.moved.clear()
    line.close()
    line.close()
    assert board.moved == [(4, off)]
    assert pin.function == "input"


def test_probe_passes_on_a_live_factory_and_tells_of_a_dead_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board = Board()
    probe(board.factory)

    def gone() -> float:
        raise BrokenPipeError("daemon died")

    monkeypatch.setattr(board.factory, "ticks", gone)
    with pytest.raises(PinTrouble, match="daemon died"):
        probe(board.factory)


def test_safe_goes_on_past_a_line_that_fails() -> None:
    board = Board()
    board.factory.pin(5).drive_high()
    board.broken.add("GPIO4")
    said: list[str] = []
    lines = [OutputLine(Pin(4, "tray_a")), OutputLine(Pin(5)), OutputLine(Pin(6), False)]
    assert not safe_all(board.factory, lines, said.append)
    assert said[0].startswith("NOT SAFE: GPIO4 (tray_a)")
    assert said[1:] == ["GPIO5: inactive (low)", "GPIO6: inactive (high)"]
