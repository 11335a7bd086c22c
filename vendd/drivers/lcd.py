"""An HD44780 behind a PCF8574 expander, through RPLCD, on one of two I2C buses.

Everything here blocks and belongs into the display's own thread. Failures are OSErrors.
"""

import importlib
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from vendd.drivers.glass import EURO_CODE, EURO_GLYPH


class ByteBus(Protocol):
    """What RPLCD needs of ``smbus2.SMBus`` to talk to a PCF8574."""

    def write_byte(self, address: int, value: int) -> None: ...

    def close(self) -> None: ...


BusOpener = Callable[[], ByteBus]


class PackageMissing(ImportError):
    """The config asks for a bus whose package is not installed."""


def kernel_bus(port: int = 1) -> BusOpener:
    """The kernel's I2C bus ``/dev/i2c-<port>``. Raises `PackageMissing` at once, not later in
    a thread; an opener that fails raises OSError."""
    smbus2 = _package("smbus2")

    def open_bus() -> ByteBus:
        bus: ByteBus = smbus2.SMBus(port)
        return bus

    return open_bus


def pigpiod_bus(host: str, port: int, bus: int = 1) -> BusOpener:
    """I2C bus `bus` of the machine where a pigpio daemon runs. Raises like `kernel_bus`."""
    pigpio = _package("pigpio")
    return lambda: PigpiodBus(pigpio, host, port, bus)


class PigpiodBus:
    """The smbus2 methods that RPLCD uses, spoken through a pigpio daemon.

    A connection of its own: the display's waiting must not delay the motors' lines.
    """

    def __init__(self, pigpio: Any, host: str, port: int, bus: int) -> None:
        # The client tells of a lost daemon by AttributeError or struct.error.
        self._errors = (OSError, pigpio.error, AttributeError, struct.error)
        self._where = f"pigpio daemon at {host}:{port}"
        self._bus = bus
        self._handles: dict[int, int] = {}
        self._pi = pigpio.pi(host, port, show_errors=False)
        if not self._pi.connected:
            raise OSError(f"{self._where}: no connection")

    def write_byte(self, address: int, value: int) -> None:
        try:
            handle = self._handles.get(address)
            if handle is None:
                handle = self._handles[address] = self._pi.i2c_open(self._bus, address)
            self._pi.i2c_write_byte(handle, value)
        except self._errors as error:
            raise OSError(f"{self._where}, I2C address {address:#04x}: {error}") from error

    def close(self) -> None:
        for handle in self._handles.values():
            try:
                self._pi.i2c_close(handle)
            except self._errors:
                break  # the daemon closes the handles of a connection that ends
        self._handles.clear()
        try:
            self._pi.stop()
        except self._errors:
            return


class Panel:
    """One initialised display. Opening clears it and loads the Euro glyph.

    `show` and `light` write only what differs from what was written. After an OSError the
    panel's contents are unknown: close it and open another.
    """

    def __init__(self, bus: ByteBus, address: int, columns: int, rows: int) -> None:
        self._bus = bus
        self._lcd = _char_lcd()(bus, address, columns, rows)
        self._lcd.create_char(EURO_CODE, EURO_GLYPH)
        self._cells = (b" " * columns,) * rows
        self._light = True

    def show(self, cells: tuple[bytes, ...]) -> None:
        shown = list(self._cells)
        for row, wanted in enumerate(cells):
            for start, end in _changes(shown[row], wanted):
                self._lcd.cursor_pos = (row, start)
                for code in wanted[start:end]:
                    self._lcd.write(code)
            shown[row] = wanted
        self._cells = tuple(shown)

    def light(self, on: bool) -> None:
        """Always one byte on the bus: also the question whether the display is still there."""
        self._lcd.backlight_enabled = on

    def close(self) -> None:
        self._bus.close()


def _changes(old: bytes, new: bytes) -> list[tuple[int, int]]:
    """Runs [start, end) in which the two differ; moving the cursor costs as much as a cell."""
    runs: list[tuple[int, int]] = []
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs


@cache
def _char_lcd() -> Any:
    """RPLCD's I2C display with its bus handed in. It imports smbus2 with its module, so only
    here, where a display is really opened."""
    i2c = _package("RPLCD.i2c")

    class _BusLcd(i2c.CharLCD):  # type: ignore[misc, name-defined]
        def __init__(self, bus: ByteBus, address: int, columns: int, rows: int) -> None:
            self._given_bus = bus
            super().__init__(
                "PCF8574",
                address,
                cols=columns,
                rows=rows,
                charmap="A00",
                auto_linebreaks=False,
            )

        def _init_connection(self) -> None:
            self.bus = self._given_bus
            i2c.c.msleep(50)  # the controller's own reset takes 40 ms (data sheet, figure 24)

    return _BusLcd


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        extra = "sim" if name == "pigpio" else "pi"
        raise PackageMissing(
            f"the display's bus needs a package that is not installed ({error}): "
            f"pip install 'vendd[{extra}]'"
        ) from error
