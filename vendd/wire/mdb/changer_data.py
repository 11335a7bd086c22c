"""What a coin changer's answers mean (NAMA MDB/ICP 4.2, section 5).

Readers are tolerant: bytes that are not sent count as zero, additional bytes are
ignored. They raise `Malformed` only when nothing sensible can be said.
"""

from dataclasses import dataclass
from typing import Final

TYPES: Final = 16
TOKEN: Final = 0xFF  # SETUP: credit of a type that is a token

RESET: Final = b"\x08"
SETUP: Final = b"\x09"
TUBE_STATUS: Final = b"\x0a"
POLL: Final = b"\x0b"
IDENT: Final = b"\x0f\x00"
PAYOUT_STATUS: Final = b"\x0f\x03"
PAYOUT_VALUE_POLL: Final = b"\x0f\x04"
DIAGNOSTICS: Final = b"\x0f\x05"
FILL_REPORT: Final = b"\x0f\x06"  # coins filled in, and paid, by the changer's own buttons
PAYOUT_REPORT: Final = b"\x0f\x07"

ALTERNATIVE_PAYOUT: Final = 0x01
EXTENDED_DIAGNOSTICS: Final = 0x02
MANUAL_FILL: Final = 0x04

SETUP_LENGTH: Final = 23
IDENT_LENGTH: Final = 33


class Malformed(ValueError):
    """An answer that can't mean anything: the device's fault."""


def coin_type(enabled: int, manual: int = 0xFFFF) -> bytes:
    """COIN TYPE: bit n enables acceptance (or manual dispense) of type n."""
    return b"\x0c" + enabled.to_bytes(2, "big") + manual.to_bytes(2, "big")


def dispense(type_: int, count: int = 1) -> bytes:
    """DISPENSE `count` (1..15) coins of a type (0..15)."""
    return bytes((0x0D, count << 4 | type_))


def payout(units: int) -> bytes:
    """PAYOUT of 1..255 scaling units, coins chosen by the changer."""
    return bytes((0x0F, 0x02, units))


def feature_enable(options: int) -> bytes:
    return b"\x0f\x01" + options.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Setup:
    """SETUP. `credits` per type in scaling units: 0 unused, 255 token. `routing` bit n: a tube."""

    level: int
    currency: int
    scale: int
    decimals: int
    routing: int
    credits: tuple[int, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "Setup":
        if len(data) < 8:
            raise Malformed(f"SETUP of {len(data)} bytes names no coin")
        full = data[:SETUP_LENGTH].ljust(SETUP_LENGTH, b"\x00")
        currency, routing = full[1] << 8 | full[2], full[5] << 8 | full[6]
        return cls(full[0], currency, full[3], full[4], routing, tuple(full[7:]))

    def values(self, exponent: int) -> tuple[int, ...]:
        """Minor units per type, 0 for unused types and tokens.

        value = credit * scale * 10^(exponent - decimals). Raises `Malformed` when a coin
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
                raise Malformed(f"a coin of {raw} with {self.decimals} decimals is no whole unit")
            values.append(value)
        if not any(values):
            raise Malformed("no coin has a value")
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Identity:
    """IDENT (level 3). Text as sent, blanks stripped; `software` as four BCD digits."""

    manufacturer: str = ""
    serial: str = ""
    model: str = ""
    software: str = ""
    options: int = 0

    @classmethod
    def from_bytes(cls, data: bytes) -> "Identity":
        if len(data) < 3:
            raise Malformed(f"IDENT of {len(data)} bytes")
        full = data[:IDENT_LENGTH].ljust(IDENT_LENGTH, b"\x00")
        return cls(
            _text(full[:3]),
            _text(full[3:15]),
            _text(full[15:27]),
            full[27:29].hex() if len(data) >= 29 else "",
            int.from_bytes(full[29:33], "big"),
        )


def _text(raw: bytes) -> str:
    """Printable ASCII only, so that no control byte of a device reaches a log or an event."""
    return "".join(chr(b) if 32 <= b < 127 else " " for b in raw).strip()


@dataclass(frozen=True, slots=True)
class TubeLevels:
    """TUBE STATUS. `counts`: coins that are definitely there, 255 saturates."""

    full: int
    counts: tuple[int, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "TubeLevels":
        if len(data) < 2:
            raise Malformed(f"TUBE STATUS of {len(data)} bytes")
        counts = data[2 : 2 + TYPES].ljust(TYPES, b"\x00")
        return cls(data[0] << 8 | data[1], tuple(counts))

    def is_full(self, type_: int) -> bool:
        return bool(self.full >> type_ & 1)

    def defective(self, type_: int) -> bool:
        """A full tube with no coin in it is how a changer says *out of use*."""
        return self.is_full(type_) and self.counts[type_] == 0


# --- POLL ------------------------------------------------------------------------


LEVER: Final = 0x01
PAYOUT_BUSY: Final = 0x02
NO_CREDIT: Final = 0x03
TUBE_SENSOR: Final = 0x04
DOUBLE_ARRIVAL: Final = 0x05
UNPLUGGED: Final = 0x06
TUBE_JAM: Final = 0x07
ROM_CHECKSUM: Final = 0x08
ROUTING_ERROR: Final = 0x09
BUSY: Final = 0x0A
JUST_RESET: Final = 0x0B
COIN_JAM: Final = 0x0C
COIN_REMOVAL: Final = 0x0D

BOX, TUBE, UNUSED, REJECT = 0, 1, 2, 3  # routing of a deposited coin


@dataclass(frozen=True, slots=True)
class Deposit:
    """A coin went to `routing`; `count` is what its tube holds now, None when it was not sent."""

    type: int
    routing: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Dispensed:
    """`coins` of `type` left by the changer's own buttons; `count` as in `Deposit`."""

    type: int
    coins: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Slugs:
    count: int


@dataclass(frozen=True, slots=True)
class Status:
    """A status byte, 00..1F; `defined` ones are the constants above."""

    code: int

    @property
    def defined(self) -> bool:
        return LEVER <= self.code <= COIN_REMOVAL


Activity = Deposit | Dispensed | Slugs | Status


def activities(data: bytes) -> list[Activity]:
    """A POLL answer in order. Any bytes give some list; a two-byte activity may lack its end."""
    found: list[Activity] = []
    at, end = 0, len(data)
    while at < end:
        byte = data[at]
        at += 1
        if byte < 0x20:
            found.append(Status(byte))
        elif byte < 0x40:
            found.append(Slugs(byte & 0x1F))
        else:
            count = data[at] if at < end else None
            at += 1
            if byte < 0x80:
                found.append(Deposit(byte & 0x0F, byte >> 4 & 3, count))
            else:
                found.append(Dispensed(byte & 0x0F, byte >> 4 & 7, count))
    return found


# --- diagnostics -------------------------------------------------------------------

_QUIET: Final = frozenset({0x01, 0x02, 0x03, 0x05, 0x06})  # powering, OK, manual fill, inhibited
_PARTS: Final = {
    0x04: "keypad",
    0x10: "general",
    0x11: "discriminator",
    0x12: "accept_gate",
    0x13: "separator",
    0x14: "dispenser",
    0x15: "cassette",
}


def faults_of(data: bytes) -> dict[str, str]:
    """Fault codes in a DIAGNOSTICS answer, each with its detail (``EAU_xxyy``, EVA-DTS).

    Any length is taken: real changers send more than sixteen bytes and odd ones.
    """
    found: dict[str, str] = {}
    for at in range(0, len(data) - 1, 2):
        part, what = data[at], data[at + 1]
        if part in _PARTS and part not in _QUIET:
            found[f"changer_{_PARTS[part]}_{what:02x}"] = f"EAU_{part:02X}{what:02X}"
    return found


def has_inventory(data: bytes) -> bool:
    """`05 20`: coins were filled in or paid by hand, and there is a report of it."""
    return any(data[at : at + 2] == b"\x05\x20" for at in range(0, len(data) - 1, 2))


def says_ok(data: bytes) -> bool:
    """`03 00` and no fault: fully operational."""
    return data[:2] == b"\x03\x00" and not faults_of(data)
