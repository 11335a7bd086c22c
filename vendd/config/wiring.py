"""Checks on pins, motors and keys: what hangs on which line, and whether it can."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from vendd.config.draft import Draft
from vendd.config.model import Config
from vendd.config.problems import Problem
from vendd.config.reading import Path_
from vendd.config.sections import DirectMotors, MatrixMotors

HEADER: Final[Mapping[int, int]] = {
    0: 27, 1: 28, 2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32,
    13: 33, 14: 8, 15: 10, 16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16,
    24: 18, 25: 22, 26: 37, 27: 13,
}  # fmt: skip
"""BCM number -> pin of the 40-pin header."""

PULLED_UP: Final = range(9)
"""BCM 0 to 8 are pulled up from power-on until somebody sets them, 9 to 27 down
(Broadcom BCM2835 ARM Peripherals, table 6-31)."""


def pin_uses(draft: Draft | Config) -> Iterator[tuple[Path_, str]]:
    """(where it is named, pin name) of every pin that a section uses."""
    motors = draft.motors
    if motors is not None:
        yield ("motors", "heartbeat"), motors.heartbeat
    if isinstance(motors, MatrixMotors):
        yield ("motors", "home"), motors.home
        yield from ((("motors", "rows", row), pin) for row, pin in motors.rows.items())
        yield from ((("motors", "columns", n), pin) for n, pin in enumerate(motors.columns))
    elif isinstance(motors, DirectMotors):
        for name, line in motors.lines.items():
            yield ("motors", "lines", name, "drive"), line.drive
            yield ("motors", "lines", name, "home"), line.home
    if draft.keypad is not None:
        yield from ((("keypad", "rows", n), pin) for n, pin in enumerate(draft.keypad.rows))
        yield from ((("keypad", "columns", n), pin) for n, pin in enumerate(draft.keypad.columns))
    if draft.drop_sensor is not None:
        yield ("drop_sensor", "pin"), draft.drop_sensor.pin
    if draft.door is not None:
        yield ("door", "pin"), draft.door.pin
    if draft.buzzer is not None:
        yield ("buzzer", "pin"), draft.buzzer.pin
    yield from _pulse_pins(draft)


def _pulse_pins(draft: Draft | Config) -> Iterator[tuple[Path_, str]]:
    pulses = draft.pulses if isinstance(draft, Draft) else list(enumerate(draft.pulse))
    for place, pulse in pulses:
        yield ("pulse", place, "pin"), pulse.pin
        if pulse.enable is not None:
            yield ("pulse", place, "enable"), pulse.enable


def _pins_exist_and_serve_once(draft: Draft) -> Iterator[Problem]:
    first: dict[str, Path_] = {}
    for path, pin in pin_uses(draft):
        if pin not in draft.pins_named:
            near = difflib.get_close_matches(pin, draft.pins_named, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"add {pin} = BCM number to [pins]"
            yield draft.problem(path, "names a pin that [pins] does not have", hint)
        elif pin in first:
            name = draft.tree.name(first[pin])
            yield draft.problem(path, f"is used already by {name}", "give each use its own pin")
        first.setdefault(pin, path)


def _pin_numbers(draft: Draft) -> Iterator[Problem]:
    first: dict[int, str] = {}
    for name, number in draft.pins.items():
        path = ("pins", name)
        if number in first:
            what = f"is the GPIO of {first[number]} too"
            yield draft.problem(path, what, "give each name its own GPIO")
        first.setdefault(number, name)
        if number in (0, 1):
            remedy = "use 4 to 27; the firmware drives 0 and 1 at start-up (HAT EEPROM)"
            yield draft.problem(path, "is reserved", remedy, warning=True)
        if number in (2, 3) and draft.display is not None and draft.display.bus == "kernel":
            remedy = "use another GPIO; 2 and 3 are the display's I2C bus"
            yield draft.problem(path, "is taken by the display", remedy)


def _pins_unused(draft: Draft) -> Iterator[Problem]:
    if draft.motors is None or draft.keypad is None:
        return  # their pins would all look unused
    used = {pin for _, pin in pin_uses(draft)}
    for name in draft.pins:
        if name not in used:
            remedy = "remove it, or name it in the section of its device"
            yield draft.problem(("pins", name), "is used by no section", remedy, warning=True)


def _motor_lines_rest(draft: Draft) -> Iterator[Problem]:
    """A motor line must be inactive before the daemon drives it (L3)."""
    if draft.motors is None:
        return
    for path, pin in pin_uses(draft):
        drives = path[0] == "motors" and path[-1] != "home"
        number = draft.pins.get(pin)
        if not drives or number is None or path[-1] == "heartbeat":
            continue
        if (number in PULLED_UP) == draft.motors.active_high:
            level = "up" if number in PULLED_UP else "down"
            side = "9 to 27" if draft.motors.active_high else "4 to 8"
            what = f"is GPIO{number}, pulled {level} until the daemon runs: its active level"
            remedy = f"use a GPIO of {side}, or a resistor on the board that holds it inactive"
            yield draft.problem(path, what, remedy, warning=True)


def _motor_times(draft: Draft) -> Iterator[Problem]:
    motors = draft.motors
    if motors is not None and motors.leave_home_ms >= motors.home_ms:
        what = f"is not shorter than home_ms = {motors.home_ms}"
        yield draft.problem(
            ("motors", "leave_home_ms"), what, "a cam leaves its notch early in the turn"
        )


def _coupled_motors(draft: Draft) -> Iterator[Problem]:
    """In a matrix, motors of two rows and two columns would power two more."""
    if not isinstance(draft.motors, MatrixMotors):
        return
    for place, slot in draft.slots:
        rows = {motor[:1] for motor in slot.motors}
        columns = {motor[1:] for motor in slot.motors}
        if len(rows) > 1 and len(columns) > 1:
            remedy = "motors that turn together stand in one row or in one column"
            yield draft.problem(("slot", place, "motors"), "can't turn together", remedy)


def _keypad_shape(draft: Draft) -> Iterator[Problem]:
    keypad = draft.keypad
    if keypad is None:
        return
    shape = [len(row) for row in keypad.keys]
    if shape != [len(keypad.columns)] * len(keypad.rows):
        what = f"has {len(shape)} rows of {sorted(set(shape))} legends"
        remedy = f"write {len(keypad.rows)} rows of {len(keypad.columns)}, as rows and columns say"
        yield draft.problem(("keypad", "keys"), what, remedy)
    for legend, count in Counter(keypad.legends()).items():
        if count > 1:
            what = f"has the legend {legend!r} {count} times"
            yield draft.problem(("keypad", "keys"), what, "give each key its own legend")
    if keypad.clear not in keypad.legends():
        remedy = "name one of the legends in keys"
        yield draft.problem(("keypad", "clear"), "is on no key", remedy)


def _factory(draft: Draft) -> Iterator[Problem]:
    if draft.gpio is None or draft.display is None:
        return
    if draft.display.bus == "pigpiod" and draft.gpio.factory != "pigpio":
        remedy = 'write bus = "kernel", or gpio.factory = "pigpio"'
        yield draft.problem(("display", "bus"), "needs the pigpio daemon of [gpio]", remedy)


CHECKS: Final[tuple[Callable[[Draft], Iterator[Problem]], ...]] = (
    _pins_exist_and_serve_once,
    _pin_numbers,
    _pins_unused,
    _motor_lines_rest,
    _motor_times,
    _coupled_motors,
    _keypad_shape,
    _factory,
)
