"""What is said to a cashless device: commands, and its own description (NAMA MDB/ICP 4.2/4.3, 7).

Commands are written for device #1 (10h); device #2 listens 50h higher. What the
device says on POLL is in `cashless_poll`.
"""

from dataclasses import dataclass
from typing import Final

from vendd.wire.mdb.changer_data import Malformed

RESET: Final = b"\x10"
POLL: Final = b"\x12"
VEND_CANCEL: Final = b"\x13\x01"
VEND_FAILURE: Final = b"\x13\x03"
SESSION_COMPLETE: Final = b"\x13\x04"
READER_DISABLE: Final = b"\x14\x00"
READER_ENABLE: Final = b"\x14\x01"
READER_CANCEL: Final = b"\x14\x02"
REVALUE_LIMIT: Final = b"\x15\x01"
AGE_STATUS: Final = b"\x17\xff\x06\x06\x00DRAVS"

SECOND_DEVICE: Final = 0x50  # from 10h to 60h
CONFIG_LENGTH: Final = 8
WIDE: Final = 0xFFFFFFFF
NARROW: Final = 0xFFFF
NO_ITEM: Final = 0xFFFF  # item number: undefined

# options of a level 3 device, REQUEST ID Z31-Z34
FILE_TRANSPORT: Final = 0x01
WIDE_AMOUNTS: Final = 0x02
ALWAYS_IDLE: Final = 0x20

# what a cash sale was beside a sale, bits of the item number
SALE_FREE: Final = 0x8000
SALE_TEST: Final = 0x4000


def for_device(command: bytes, number: int) -> bytes:
    """The same command for device `number` (1 or 2)."""
    return command if number == 1 else bytes((command[0] + SECOND_DEVICE,)) + command[1:]


def setup(level: int, columns: int, rows: int) -> bytes:
    """SETUP configuration: our level and the display that we lend (0, 0: none)."""
    return bytes((0x11, 0x00, level, columns, rows, 0x01))


def prices(highest: int, lowest: int) -> bytes:
    """MAX/MIN PRICES, 16 bit."""
    return b"\x11\x01" + highest.to_bytes(2, "big") + lowest.to_bytes(2, "big")


def wide_prices(highest: int, lowest: int, currency: int) -> bytes:
    """MAX/MIN PRICES of expanded currency; `currency` as four BCD digits (0x1978)."""
    amounts = highest.to_bytes(4, "big") + lowest.to_bytes(4, "big")
    return b"\x11\x01" + amounts + currency.to_bytes(2, "big")


def request_id(vmc: bytes) -> bytes:
    """REQUEST ID with our own 29 bytes: manufacturer 3, serial 12, model 12, software 2 (BCD)."""
    return b"\x17\x00" + vmc


def enable_options(options: int) -> bytes:
    return b"\x17\x04" + options.to_bytes(4, "big")


def vend_request(price: int, item: int, *, wide: bool) -> bytes:
    """Both in the device's units; `item` NO_ITEM when undefined."""
    return b"\x13\x00" + price.to_bytes(4 if wide else 2, "big") + item.to_bytes(2, "big")


def vend_success(item: int) -> bytes:
    return b"\x13\x02" + item.to_bytes(2, "big")


def cash_sale(price: int, item: int, *, wide: bool, currency: int) -> bytes:
    """CASH SALE: something was sold for cash. Raises OverflowError when it does not fit."""
    amount = price.to_bytes(4 if wide else 2, "big") + item.to_bytes(2, "big")
    return b"\x13\x05" + amount + (currency.to_bytes(2, "big") if wide else b"")


def revalue(amount: int, *, wide: bool) -> bytes:
    return b"\x15\x00" + amount.to_bytes(4 if wide else 2, "big")


def write_time(bcd: bytes) -> bytes:
    """The answer to a TIME/DATE REQUEST: ten bytes, FF what isn't known."""
    return b"\x17\x03" + bcd


def age_limit(years: int) -> bytes:
    """DRAVP: from now on customers must be at least so old; 0 ends it."""
    return b"\x17\xff\x05\x06" + bytes((years,)) + b"DRAVP"


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """READER CONFIG DATA (01). `max_response_s`: how long it may take to answer (Z7)."""

    level: int
    currency: int
    scale: int
    decimals: int
    max_response_s: int
    options: int

    @classmethod
    def from_bytes(cls, data: bytes) -> "ReaderConfig":
        """`data` from the 01 on; trailing bytes may be missing. Raises `Malformed`."""
        if len(data) < 6 or data[0] != 0x01:
            raise Malformed(f"no reader configuration in {len(data)} bytes")
        full = data[:CONFIG_LENGTH].ljust(CONFIG_LENGTH, b"\x00")
        return cls(full[1], full[2] << 8 | full[3], full[4], full[5], full[6], full[7])

    @property
    def refunds(self) -> bool:
        return bool(self.options & 0x01)

    @property
    def multivend(self) -> bool:
        return bool(self.options & 0x02)

    @property
    def display(self) -> bool:
        return bool(self.options & 0x04)

    @property
    def wants_cash_sales(self) -> bool:
        return bool(self.options & 0x08)


@dataclass(frozen=True, slots=True)
class Units:
    """The device's amounts against minor units: minor = units * scale * 10^shift.

    `shift` is the machine's exponent less the device's decimals.
    """

    scale: int
    shift: int
    wide: bool = False

    @classmethod
    def of(cls, config: ReaderConfig, exponent: int) -> "Units":
        """Raises `Malformed` for a scale of 0 or decimals nobody has."""
        shift = exponent - config.decimals
        if not config.scale or not -9 <= shift <= 9:
            raise Malformed(f"scale {config.scale}, {config.decimals} decimals")
        return cls(config.scale, shift)

    @property
    def unknown(self) -> int:
        """All ones: not determined, or a token."""
        return WIDE if self.wide else NARROW

    def minor(self, units: int) -> int:
        """Rounded down where the device knows fractions of our minor unit."""
        raw = units * self.scale
        return int(raw * 10**self.shift) if self.shift >= 0 else int(raw // 10**-self.shift)

    def units(self, minor: int) -> int | None:
        """None when this device can't say that amount exactly, or it does not fit."""
        if self.shift >= 0:
            units, rest = divmod(minor, self.scale * 10**self.shift)
        else:
            units, rest = divmod(minor * 10**-self.shift, self.scale)
        return units if rest == 0 and 0 <= units < self.unknown else None

    def ceiling(self, minor: int) -> int:
        """The least amount it can say that is not less, at most what fits."""
        step = self.scale * 10**self.shift if self.shift >= 0 else self.scale
        raw = minor if self.shift >= 0 else minor * 10**-self.shift
        return min(-(-raw // step), self.unknown)

    def floor(self, minor: int) -> int:
        step = self.scale * 10**self.shift if self.shift >= 0 else self.scale
        raw = minor if self.shift >= 0 else minor * 10**-self.shift
        return min(raw // step, self.unknown)
