"""An HD44780 character display behind a PCF8574 I2C expander, from the bytes it gets.

Wiring as on the usual backpack: P0 RS, P1 RW, P2 E, P3 backlight, P4-P7 data
(Hitachi HD44780U data sheet, tables 6 and 13; figure 24 for the 4-bit start).
Busy times are not modelled.
"""

from collections.abc import Mapping
from typing import Protocol

from RPLCD import codecs

_RS, _RW, _E, _LIGHT = 0x01, 0x02, 0x04, 0x08
_LINE_LENGTH = 0x28  # DDRAM cells per line in two-line mode
_SECOND = 0x40


class I2cDevice(Protocol):
    """A device on the I2C bus. Raises OSError when it doesn't acknowledge."""

    def write(self, data: bytes) -> None: ...

    def read(self, count: int) -> bytes: ...


class Hd44780:
    """The controller: `pulse` is a falling edge of E with the upper four data lines."""

    def __init__(self) -> None:
        self.power_on()

    def power_on(self) -> None:
        """State after its internal reset."""
        self.ddram = bytearray(b" " * 0x80)
        self.cgram = bytearray(64)
        self.on = False
        self.cursor = self.blink = False
        self.eight_bit = True
        self.address = 0
        self.in_cgram = False
        self.step = 1
        self.shifting = False
        self.shift = 0
        self.two_lines = False
        self._high: int | None = None

    def pulse(self, nibble: int, *, data: bool) -> None:
        if self.eight_bit:
            self._take(nibble << 4, data)
        elif self._high is None:
            self._high = nibble
        else:
            byte, self._high = self._high << 4 | nibble, None
            self._take(byte, data)

    def _take(self, byte: int, data: bool) -> None:
        if data:
            self._put(byte)
        else:
            self._instruct(byte)

    def _put(self, byte: int) -> None:
        if self.in_cgram:
            self.cgram[self.address & 0x3F] = byte & 0x1F
            self.address = (self.address + self.step) & 0x3F
            return
        self.ddram[self.address] = byte
        self._move(self.step)
        if self.shifting:
            self.shift = (self.shift + self.step) % _LINE_LENGTH

    def _move(self, step: int) -> None:
        """DDRAM addresses run 00-27, 40-67 and around."""
        line, column = divmod(self.address, _SECOND)
        cell = (min(line, 1) * _LINE_LENGTH + min(column, _LINE_LENGTH - 1) + step) % (
            2 * _LINE_LENGTH
        )
        line, column = divmod(cell, _LINE_LENGTH)
        self.address = line * _SECOND + column

    def _instruct(self, byte: int) -> None:
        if byte & 0x80:
            self.address, self.in_cgram = byte & 0x7F, False
        elif byte & 0x40:
            self.address, self.in_cgram = byte & 0x3F, True
        elif byte & 0x20:
            self.eight_bit, self.two_lines = bool(byte & 0x10), bool(byte & 0x08)
            self._high = None
        elif byte & 0x10:
            self._cursor_or_shift(byte)
        elif byte & 0x08:
            self.on, self.cursor, self.blink = bool(byte & 4), bool(byte & 2), bool(byte & 1)
        elif byte & 0x04:
            self.step, self.shifting = (1 if byte & 2 else -1), bool(byte & 1)
        elif byte:  # 02 home, 01 clear
            self.address, self.shift, self.in_cgram = 0, 0, False
            if byte == 1:
                self.ddram[:] = b" " * len(self.ddram)
                self.step = 1

    def _cursor_or_shift(self, byte: int) -> None:
        step = 1 if byte & 0x04 else -1
        if byte & 0x08:
            self.shift = (self.shift - step) % _LINE_LENGTH
        else:
            self._move(step)


class Lcd:
    """Backpack and glass. `glyphs` says what custom characters mean: eight rows -> a character.

    With `plugged` False it doesn't acknowledge; `writes` counts bytes taken off the bus.
    """

    def __init__(
        self,
        columns: int = 16,
        rows: int = 2,
        *,
        rom: str = "A00",
        glyphs: Mapping[bytes, str] | None = None,
    ) -> None:
        self.columns, self.rows = columns, rows
        self.controller = Hd44780()
        self.glyphs = dict(glyphs or {})
        self.plugged = True
        self.backlight = True
        self.writes = 0
        self._port = 0xFF
        self._rom = _characters(rom)

    def write(self, data: bytes) -> None:
        if not self.plugged:
            raise OSError("no acknowledge")
        for byte in data:
            self.writes += 1
            falling = self._port & _E and not byte & _E
            self._port = byte
            self.backlight = bool(byte & _LIGHT)
            if falling and not byte & _RW:
                self.controller.pulse(byte >> 4, data=bool(byte & _RS))

    def read(self, count: int) -> bytes:
        """The port; while RW is high the controller pulls the busy flag low."""
        if not self.plugged:
            raise OSError("no acknowledge")
        return bytes([self._port & 0x7F if self._port & _RW else self._port]) * count

    def cut_power(self) -> None:
        """Power went away and came back: the controller starts anew, blank, in 8-bit mode."""
        self.controller.power_on()
        self._port = 0xFF

    def cells(self) -> tuple[bytes, ...]:
        """The character codes on the glass, row by row."""
        ddram, shift = self.controller.ddram, self.controller.shift
        rows = []
        for row in range(self.rows):
            line, first = (row % 2) * _SECOND, (row // 2) * self.columns
            rows.append(
                bytes(
                    ddram[line + (first + column + shift) % _LINE_LENGTH]
                    for column in range(self.columns)
                )
            )
        return tuple(rows)

    def text(self) -> tuple[str, ...]:
        """What a customer reads; spaces while the display is off."""
        if not self.controller.on:
            return (" " * self.columns,) * self.rows
        return tuple("".join(map(self._character, row)) for row in self.cells())

    def glyph(self, number: int) -> bytes:
        """The eight rows of a custom character, five bits each."""
        return bytes(self.controller.cgram[number * 8 : number * 8 + 8])

    def _character(self, code: int) -> str:
        if code < 16:
            return self.glyphs.get(self.glyph(code & 7), "\N{LIGHT SHADE}")
        return self._rom.get(code, "\N{REPLACEMENT CHARACTER}")


def _characters(rom: str) -> dict[int, str]:
    """Code -> character of a character generator ROM: A00 (Japanese) or A02 (European)."""
    table = {"A00": codecs.hd44780_a00, "A02": codecs.hd44780_a02}[rom].encoding_table
    characters: dict[int, str] = {}
    for character, code in table.items():
        characters.setdefault(code, character)
    characters.update({code: chr(code) for code in range(0x20, 0x7E)})
    if rom == "A00":
        characters.update({0x5C: "¥", 0x7E: "→", 0x7F: "←", 0xDF: "°"})
    return characters
