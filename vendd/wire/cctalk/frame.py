"""Messages of the ccTalk bus (generic specification 4.7, part 1, sections 7 and 8).

Two layouts share one wire: destination, length, *source*, header, data and an 8-bit sum; or
destination, length, *CRC low*, header, data and CRC high. Which one a device speaks is a
property of the device; a message does not say it.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

HOST: Final = 1
MAX_DATA: Final = 255
SHORTEST: Final = 5  # bytes on the wire, without data
LONGEST: Final = SHORTEST + MAX_DATA
CRC_POLYNOMIAL: Final = 0x1021


class Checksum(Enum):
    """How a device's messages are protected."""

    SUM = "sum"  # all bytes add up to 0 modulo 256
    CRC = "crc"  # CRC-CCITT, initial value 0


class FrameError(ValueError):
    """The bytes are no ccTalk message; the wire's fault."""


class BadChecksum(FrameError):
    """The sum or CRC does not fit the bytes."""


class BadLength(FrameError):
    """More or fewer bytes than the length byte says."""


def complement(data: bytes) -> int:
    """The byte that makes the whole message add up to 0 modulo 256."""
    return -sum(data) & 0xFF


def crc_ccitt(data: bytes) -> int:
    """Polynomial 1021, most significant bit first, initial value 0 (part 3, appendix 9)."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC[crc >> 8 ^ byte]
    return crc


def _crc_of_byte(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = crc << 1 ^ CRC_POLYNOMIAL if crc & 0x8000 else crc << 1
    return crc & 0xFFFF


_CRC: Final = tuple(_crc_of_byte(byte) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. `source` is None where the layout does not carry it (CRC)."""

    dest: int
    header: int
    data: bytes = b""
    source: int | None = HOST

    def __post_init__(self) -> None:
        for name, value in (("dest", self.dest), ("header", self.header)):
            if not 0 <= value <= 255:
                raise BadLength(f"{name} is a byte, not {value}")
        if len(self.data) > MAX_DATA:
            raise BadLength(f"a message holds up to {MAX_DATA} bytes, not {len(self.data)}")

    def to_bytes(self, checksum: Checksum = Checksum.SUM) -> bytes:
        """As it goes over the wire."""
        if checksum is Checksum.SUM:
            source = HOST if self.source is None else self.source
            body = bytes((self.dest, len(self.data), source, self.header)) + self.data
            return body + bytes((complement(body),))
        crc = crc_ccitt(bytes((self.dest, len(self.data), self.header)) + self.data)
        head = bytes((self.dest, len(self.data), crc & 0xFF, self.header))
        return head + self.data + bytes((crc >> 8,))

    @classmethod
    def from_bytes(cls, raw: bytes, checksum: Checksum = Checksum.SUM) -> "Frame":
        """Raises `BadLength` or `BadChecksum`."""
        if len(raw) < SHORTEST or len(raw) != SHORTEST + raw[1]:
            raise BadLength(f"{len(raw)} bytes are no message")
        dest, length, third, header = raw[:4]
        data = bytes(raw[4:-1])
        if checksum is Checksum.SUM:
            if sum(raw) & 0xFF:
                raise BadChecksum(f"sum {raw[-1]:02X}, expected {complement(raw[:-1]):02X}")
            return cls(dest, header, data, third)
        crc = crc_ccitt(bytes((dest, length, header)) + data)
        if crc != third | raw[-1] << 8:
            raise BadChecksum(f"CRC {raw[-1]:02X}{third:02X}, expected {crc:04X}")
        return cls(dest, header, data, None)
