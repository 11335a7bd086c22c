"""What a bill validator's answers mean (NAMA MDB/ICP 4.2, section 6).

Readers are tolerant: bytes that are not sent count as zero, additional bytes are
ignored. They raise `Malformed` only when nothing sensible can be said.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from vendd.wire.mdb.changer_data import Malformed

TYPES: Final = 16
TOKEN: Final = 0xFF  # SETUP: credit of a type that is a token

RESET: Final = b"\x30"
SETUP: Final = b"\x31"
POLL: Final = b"\x33"
STACKER: Final = b"\x36"
RETURN_BILL: Final = b"\x35\x00"
STACK_BILL: Final = b"\x35\x01"
IDENT_1: Final = b"\x37\x00"  # without options
IDENT_2: Final = b"\x37\x02"  # with options, level 2
RECYCLER_SETUP: Final = b"\x37\x03"
DISPENSER_STATUS: Final = b"\x37\x05"
PAYOUT_STATUS: Final = b"\x37\x08"
PAYOUT_VALUE_POLL: Final = b"\x37\x09"
PAYOUT_CANCEL: Final = b"\x37\x0a"

ANY_QUALITY: Final = 3  # of bills for the recycler, 37 04
RECYCLING: Final = 0x02  # optional feature, IDENT 37 02 and FEATURE ENABLE 37 01

SETUP_LENGTH: Final = 27
IDENT_1_LENGTH: Final = 29
IDENT_2_LENGTH: Final = 33


def security(high: int) -> bytes:
    """SECURITY: bit n asks for high security on type n."""
    return b"\x32" + high.to_bytes(2, "big")


def bill_type(enabled: int, held: int) -> bytes:
    """BILL TYPE: bit n enables type n, and holds it in escrow."""
    return b"\x34" + enabled.to_bytes(2, "big") + held.to_bytes(2, "big")


def feature_enable(options: int) -> bytes:
    return b"\x37\x01" + options.to_bytes(4, "big")


def recycler_enable(manual: int, recycled: int) -> bytes:
    """RECYCLER ENABLE: bit n of `manual` lets people dispense type n by hand; types in
    `recycled` are taken into the recycler in any quality (3), the others never (0)."""
    qualities = bytes(ANY_QUALITY if recycled >> type_ & 1 else 0 for type_ in range(TYPES))
    return b"\x37\x04" + manual.to_bytes(2, "big") + qualities


def dispense_bills(type_: int, count: int) -> bytes:
    """DISPENSE BILL: `count` (1..65535) bills of a type (0..15)."""
    return bytes((0x37, 0x06, type_)) + count.to_bytes(2, "big")


def dispense_value(units: int) -> bytes:
    """DISPENSE VALUE of 1..65535 scaling units, bills chosen by the recycler."""
    return b"\x37\x07" + units.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Setup:
    """SETUP. `credits` per type in scaling units: 0 unused, 255 token. `escrow`: it can hold."""

    level: int
    currency: int
    scale: int
    decimals: int
    capacity: int
    security: int
    escrow: bool
    credits: tuple[int, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "Setup":
        if len(data) < 12:
            raise Malformed(f"SETUP of {len(data)} bytes names no bill")
        full = data[:SETUP_LENGTH].ljust(SETUP_LENGTH, b"\x00")
        words = [full[at] << 8 | full[at + 1] for at in (1, 3, 6, 8)]
        return cls(
            full[0], words[0], words[1], full[5], words[2], words[3], full[10] != 0,
            tuple(full[11:]),
        )  # fmt: skip

    def values(self, exponent: int) -> tuple[int, ...]:
        """Minor units per type, 0 for unused types and tokens.

        value = credit * scale * 10^(exponent - decimals). Raises `Malformed` when a bill
        is no whole number of minor units, or nothing has a value.
        """
        shift = exponent - self.decimals
        if not -9 <= shift <= 9:
            raise Malformed(f"{self.decimals} decimals against {exponent}")
        values = []
        for credit in self.credits:
            raw = 0 if credit == TOKEN else credit * self.scale
            value, rest = (raw * 10**shift, 0) if shift >= 0 else divmod(raw, 10**-shift)
            if rest:
                raise Malformed(f"a bill of {raw} with {self.decimals} decimals is no whole unit")
            values.append(value)
        if not any(values):
            raise Malformed("no bill has a value")
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Stacker:
    """STACKER: bills in it by the validator's own count, which ends when it is emptied."""

    full: bool
    count: int

    @classmethod
    def from_bytes(cls, data: bytes) -> "Stacker":
        if len(data) < 2:
            raise Malformed(f"STACKER of {len(data)} bytes")
        word = data[0] << 8 | data[1]
        return cls(bool(word & 0x8000), word & 0x7FFF)


@dataclass(frozen=True, slots=True)
class RecyclerLevels:
    """DISPENSER STATUS. `counts`: bills that can be paid. Full with none = out of use."""

    full: int
    counts: tuple[int, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "RecyclerLevels":
        if len(data) < 2:
            raise Malformed(f"DISPENSER STATUS of {len(data)} bytes")
        return cls(data[0] << 8 | data[1], counts_of(data[2:]))

    def is_full(self, type_: int) -> bool:
        return bool(self.full >> type_ & 1)

    def defective(self, type_: int) -> bool:
        return self.is_full(type_) and self.counts[type_] == 0


def counts_of(data: bytes) -> tuple[int, ...]:
    """Sixteen two-byte counts, as in DISPENSER STATUS and PAYOUT STATUS."""
    full = data[: 2 * TYPES].ljust(2 * TYPES, b"\x00")
    return tuple(full[at] << 8 | full[at + 1] for at in range(0, 2 * TYPES, 2))


# --- POLL ------------------------------------------------------------------------


class Way(Enum):
    """What happened to a bill, POLL 1yyyxxxx. Only STACKED and RECYCLED are money."""

    STACKED = 0
    ESCROW = 1
    RETURNED = 2
    RECYCLED = 3
    REJECTED = 4  # of a disabled type
    FILLED = 5  # into the recycler, by a technician
    DISPENSED = 6  # out of the recycler, by hand
    TO_BOX = 7  # from the recycler


MOTOR: Final = 0x01
SENSOR: Final = 0x02
BUSY: Final = 0x03  # with each poll
ROM_CHECKSUM: Final = 0x04
JAM: Final = 0x05
JUST_RESET: Final = 0x06
BILL_REMOVED: Final = 0x07
BOX_OUT: Final = 0x08
DISABLED: Final = 0x09  # with each poll
INVALID_ESCROW: Final = 0x0A
BILL_REJECTED: Final = 0x0B
CREDITED_REMOVAL: Final = 0x0C
UNRECOGNISED: Final = 0x14  # of one adapter (Waferstar): the bill was not accepted
LEVER: Final = 0x21
PAYOUT_BUSY: Final = 0x22  # with each poll
DISPENSER_BUSY: Final = 0x23  # with each poll
DISPENSER_SENSOR: Final = 0x24
DISPENSER_MOTOR: Final = 0x26
DISPENSER_JAM: Final = 0x27
DISPENSER_ROM: Final = 0x28
DISPENSER_OFF: Final = 0x29  # with each poll
BILL_WAITING: Final = 0x2A  # the customer must take it
FILL_KEY: Final = 0x2F

_DEFINED: Final = frozenset(
    (*range(0x01, 0x0D), UNRECOGNISED, *range(0x21, 0x25), *range(0x26, 0x2B), FILL_KEY)
)


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill of `type` went this way."""

    way: Way
    type: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Bills offered while the validator was disabled."""

    count: int


@dataclass(frozen=True, slots=True)
class Status:
    """A status byte, 00..3F or 60..7F; `defined` ones are the constants above."""

    code: int

    @property
    def defined(self) -> bool:
        return self.code in _DEFINED


Activity = Bill | Attempts | Status


def activities(data: bytes) -> list[Activity]:
    """A POLL answer in order, one activity per byte. Any bytes give some list."""
    found: list[Activity] = []
    for byte in data:
        if byte >= 0x80:
            found.append(Bill(Way(byte >> 4 & 7), byte & 0x0F))
        elif 0x40 <= byte < 0x60:
            found.append(Attempts(byte & 0x1F))
        else:
            found.append(Status(byte))
    return found
