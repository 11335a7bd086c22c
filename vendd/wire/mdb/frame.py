"""Blocks of the multi-drop bus: bytes plus a checksum (NAMA MDB/ICP 4.2, section 2).

A block is at most 36 bytes with its address byte and CHK. The single-byte
answers ACK, NAK and RET carry no checksum. The ninth (mode) bit is the business
of whoever drives the UART; here a byte is eight bits.
"""

from dataclasses import dataclass
from typing import Final

ACK: Final = 0x00
NAK: Final = 0xFF
RET: Final = 0xAA
MAX_BLOCK: Final = 36  # address and CHK included
MAX_DATA: Final = MAX_BLOCK - 1


class FrameError(ValueError):
    """The bytes are no MDB block; the wire's fault unless stated otherwise."""


class BadChecksum(FrameError):
    """CHK is not the sum of the bytes before it, modulo 256."""


class BadLength(FrameError):
    """Empty, too short to hold a checksum, or longer than 36 bytes."""


def checksum(data: bytes) -> int:
    """Sum of all bytes modulo 256 (address byte included)."""
    return sum(data) & 0xFF


@dataclass(frozen=True, slots=True)
class Block:
    """`data` without its CHK: 1..35 bytes. A master's first byte is address and command."""

    data: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.data) <= MAX_DATA:
            raise BadLength(f"a block holds 1..{MAX_DATA} bytes before CHK, not {len(self.data)}")

    def to_bytes(self) -> bytes:
        """As it goes over the wire, CHK last."""
        return self.data + bytes((checksum(self.data),))

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Block":
        """Raises `BadLength` or `BadChecksum`; single-byte ACK/NAK/RET are not blocks."""
        if not 2 <= len(raw) <= MAX_BLOCK:
            raise BadLength(f"a block is 2..{MAX_BLOCK} bytes, not {len(raw)}")
        if raw[-1] != checksum(raw[:-1]):
            raise BadChecksum(f"CHK {raw[-1]:02X}, expected {checksum(raw[:-1]):02X}")
        return cls(raw[:-1])
