"""One contract for gpiozero devices, on the virtual factory and on stock pigpio over a socket."""

from typing import Any

import pytest
from gpiozero import DigitalInputDevice, GPIOPinInUse, OutputDevice, PinSetInput

SPARE, OTHER = 26, 21  # nothing is wired to them
ROW_LINE = 4


def test_output_moves_the_net_and_comes_up_in_its_initial_state(rig: Any) -> None:
    out = OutputDevice(ROW_LINE, initial_value=True, pin_factory=rig.factory)
    assert rig.on_board(lambda h: h.level(ROW_LINE)) == 1
    out.off()
    assert rig.on_board(lambda h: h.level(ROW_LINE)) == 0
    assert not out.value


def test_active_low_output(rig: Any) -> None:
    out = OutputDevice(SPARE, active_high=False, initial_value=False, pin_factory=rig.factory)
    assert rig.on_board(lambda h: h.level(SPARE)) == 1
    out.on()
    assert rig.on_board(lambda h: h.level(SPARE)) == 0


def test_pulls_decide_what_an_open_input_shows(rig: Any) -> None:
    up = DigitalInputDevice(SPARE, pull_up=True, pin_factory=rig.factory)
    down = DigitalInputDevice(OTHER, pull_up=False, pin_factory=rig.factory)
    assert rig.on_board(lambda h: (h.level(SPARE), h.level(OTHER))) == (1, 0)
    assert not up.is_active
    assert not down.is_active


def test_edges_arrive_in_order_with_their_state(rig: Any) -> None:
    device = DigitalInputDevice(SPARE, pull_up=True, pin_factory=rig.factory)
    seen: list[str] = []
    device.when_activated = lambda: seen.append("on")
    device.when_deactivated = lambda: seen.append("off")
    for level in (0, 1, 0):
        rig.on_board(lambda h, level=level: h.drive(SPARE, level))
    assert rig.until(lambda: len(seen) >= 3)
    assert seen == ["on", "off", "on"]
    assert device.is_active


def test_bounce_time_swallows_chatter(rig: Any) -> None:
    device = DigitalInputDevice(SPARE, bounce_time=0.02, pin_factory=rig.factory)
    seen: list[float] = []
    device.when_activated = lambda: seen.append(1)
    device.when_deactivated = lambda: seen.append(0)
    for level in (1, 0, 1, 0, 1):
        rig.on_board(lambda h, level=level: h.drive(SPARE, level))
    assert rig.until(lambda: len(seen) >= 1)
    rig.on_board(lambda h: h.drive(SPARE, 0))
    assert rig.until(lambda: len(seen) >= 2)
    assert seen == [1, 0]


def test_a_pin_has_one_user(rig: Any) -> None:
    first = OutputDevice(SPARE, pin_factory=rig.factory)
    with pytest.raises(GPIOPinInUse):
        DigitalInputDevice(SPARE, pin_factory=rig.factory)
    first.close()
    DigitalInputDevice(SPARE, pin_factory=rig.factory).close()


def test_closing_an_output_releases_the_line(rig: Any) -> None:
    out = OutputDevice(ROW_LINE, initial_value=True, pin_factory=rig.factory)
    out.close()
    assert rig.on_board(lambda h: (h.is_output(ROW_LINE), h.level(ROW_LINE))) == (False, 0)


def test_an_input_cannot_be_written(rig: Any) -> None:
    device = DigitalInputDevice(SPARE, pin_factory=rig.factory)
    with pytest.raises(PinSetInput):
        device.pin.state = 1


def test_ticks_grow(rig: Any) -> None:
    before = rig.factory.ticks()
    rig.until(lambda: rig.factory.ticks() != before)
    assert rig.factory.ticks_diff(rig.factory.ticks(), before) > 0


def test_a_key_joins_a_row_with_a_driven_column(rig: Any) -> None:
    row = DigitalInputDevice(5, pull_up=True, pin_factory=rig.factory)
    columns = [
        OutputDevice(n, active_high=False, initial_value=True, pin_factory=rig.factory)
        for n in (12, 16, 20)
    ]
    woken: list[int] = []
    row.when_activated = lambda: woken.append(1)
    rig.on_board(lambda _h: rig.cabinet.keypad.push("1"))
    assert rig.until(lambda: bool(woken) and bool(row.is_active))
    columns[1].off()  # the key's own column
    assert rig.until(lambda: not row.is_active)
    columns[1].on()
    columns[0].off()
    assert rig.until(lambda: bool(row.is_active))
    rig.on_board(lambda _h: rig.cabinet.keypad.let_go("1"))
    assert rig.until(lambda: not row.is_active)


def test_outputs_stay_when_the_process_dies(rig: Any) -> None:
    out = OutputDevice(ROW_LINE, initial_value=True, pin_factory=rig.factory)
    rig.kill_client()
    assert not out.closed
    assert rig.on_board(lambda h: (h.is_output(ROW_LINE), h.level(ROW_LINE))) == (True, 1)
