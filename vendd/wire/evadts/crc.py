"""The CRC of DEX/UCS and of G85: polynomial x16 + x15 + x2 + 1, reflected, from 0."""

from typing import Final

_POLYNOMIAL: Final = 0xA001


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_TABLE: Final = tuple(_entry(value) for value in range(256))


def crc16(data: bytes, start: int = 0) -> int:
    """CRC-16/ARC; ``crc16(b"123456789") == 0xBB3D``."""
    crc = start
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc
