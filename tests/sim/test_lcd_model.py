"""The display model, driven byte by byte and by the real RPLCD through pigpiod's I2C."""

from typing import Any

from RPLCD.i2c import CharLCD

from hw_sim.lcd import Lcd


class Bus:
    """smbus, as far as RPLCD needs it, straight to the model."""

    def __init__(self, lcd: Lcd) -> None:
        self._lcd = lcd

    def write_byte(self, _address: int, value: int) -> None:
        self._lcd.write(bytes([value]))


class PigpioBus:
    """The same through the daemon's socket."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._handle = connection.i2c_open(1, 0x27)

    def write_byte(self, _address: int, value: int) -> None:
        self._connection.i2c_write_byte(self._handle, value)


def rplcd(bus: Any, columns: int, rows: int, charmap: str = "A00") -> Any:
    class OnThatBus(CharLCD):  # type: ignore[misc]
        def _init_connection(self) -> None:
            self.bus = bus

    return OnThatBus("PCF8574", 0x27, cols=columns, rows=rows, charmap=charmap)


def send(lcd: Lcd, byte: int, *, data: bool) -> None:
    for nibble in (byte >> 4, byte & 0xF):
        port = nibble << 4 | 0x08 | int(data)
        lcd.write(bytes([port, port | 4, port]))


def started() -> Lcd:
    """In 4-bit mode by the data sheet's own start: 3, 3, 3, 2 as single nibbles."""
    lcd = Lcd(16, 2)
    for nibble in (3, 3, 3, 2):
        port = nibble << 4 | 8
        lcd.write(bytes([port, port | 4, port]))
    for instruction in (0x28, 0x0C, 0x01, 0x06):
        send(lcd, instruction, data=False)
    return lcd


def test_dark_until_switched_on() -> None:
    lcd = Lcd(16, 2)
    assert lcd.text() == (" " * 16, " " * 16)


def test_text_addresses_and_entry_mode() -> None:
    lcd = started()
    for char in b"Credit 1.50":
        send(lcd, char, data=True)
    send(lcd, 0x80 | 0x45, data=False)
    send(lcd, 0x04, data=False)  # entry mode: leftwards
    for char in b"321":
        send(lcd, char, data=True)
    assert lcd.text() == ("Credit 1.50     ", "   123          ")


def test_ddram_wraps_from_line_to_line() -> None:
    lcd = started()
    send(lcd, 0x80 | 0x27, data=False)
    for char in b"ab":
        send(lcd, char, data=True)
    assert lcd.text()[1][0] == "b"
    send(lcd, 0x80 | 0x67, data=False)
    for char in b"cd":
        send(lcd, char, data=True)
    assert lcd.text()[0][0] == "d"


def test_clear_off_shift_and_backlight() -> None:
    lcd = started()
    for char in b"abc":
        send(lcd, char, data=True)
    send(lcd, 0x18, data=False)  # display shift left
    assert lcd.text()[0].startswith("bc")
    send(lcd, 0x08, data=False)
    assert lcd.text()[0].strip() == ""
    send(lcd, 0x0C, data=False)
    send(lcd, 0x01, data=False)
    assert lcd.text()[0].strip() == ""
    lcd.write(b"\x00")
    assert not lcd.backlight


def test_real_rplcd_on_20x4_with_a_custom_glyph() -> None:
    euro = (0x07, 0x08, 0x1E, 0x08, 0x1E, 0x08, 0x07, 0x00)
    lcd = Lcd(20, 4, glyphs={bytes(euro): "€"})
    display = rplcd(Bus(lcd), 20, 4)
    display.create_char(0, euro)
    for row in range(4):
        display.cursor_pos = (row, row)
        display.write_string(f"row {row} \x00")
    assert [line.rstrip() for line in lcd.text()] == [
        "row 0 €",
        " row 1 €",
        "  row 2 €",
        "   row 3 €",
    ]
    assert lcd.glyph(0) == bytes(euro)
    display.clear()
    assert "".join(lcd.text()).strip() == ""


def test_a_driver_killed_between_two_nibbles_is_survived_by_the_next_start() -> None:
    lcd = Lcd(16, 2)
    rplcd(Bus(lcd), 16, 2).write_string("before")
    lcd.write(bytes([0x4D, 0x49]))  # half of a character
    rplcd(Bus(lcd), 16, 2).write_string("after")
    assert lcd.text()[0].rstrip() == "after"


def test_real_rplcd_through_the_socket(pigpiod: Any) -> None:
    bus = PigpioBus(pigpiod.factory.connection)
    display = rplcd(bus, 16, 2)
    display.write_string("Thank you\r\n2 left: \xb0C")
    assert pigpiod.lcd.text() == ("Thank you       ", "2 left: °C      ")
    display.backlight_enabled = False
    assert not pigpiod.lcd.backlight
