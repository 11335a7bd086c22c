"""DEX/UCS on the wire: control characters and blocks (EVA-DTS 6.1.1, DEX/UCS protocol).

9,600 baud, 8N1, half duplex. A block is DLE SOH or DLE STX, its text, DLE ETX or DLE ETB, and the
CRC, low byte first, over text and ETX or ETB; no DLE and no SYN is in the CRC.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vendd.wire.evadts.crc import crc16

BAUD: Final = 9_600
MAX_TEXT: Final = 245
"""Bytes of text in one block."""
SOH, STX, ETX, EOT, ENQ = 0x01, 0x02, 0x03, 0x04, 0x05
DLE, NAK, SYN, ETB = 0x10, 0x15, 0x16, 0x17


class Control(StrEnum):
    """What is said without a block."""

    ENQ = "enq"
    EOT = "eot"
    NAK = "nak"
    ACK_0 = "ack_0"
    ACK_1 = "ack_1"
    WAIT = "wait"


SENT: Final = {
    Control.ENQ: bytes((ENQ,)),
    Control.EOT: bytes((EOT,)),
    Control.NAK: bytes((NAK,)),
    Control.ACK_0: b"\x10\x30",
    Control.ACK_1: b"\x10\x31",
    Control.WAIT: b"\x10\x3b",
}
_PLAIN: Final = {ENQ: Control.ENQ, EOT: Control.EOT, NAK: Control.NAK}
_AFTER_DLE: Final = {0x30: Control.ACK_0, 0x31: Control.ACK_1, 0x3B: Control.WAIT}


@dataclass(frozen=True, slots=True)
class Block:
    """`header`: a handshake (SOH), otherwise data (STX). `last`: ETX, otherwise ETB."""

    text: bytes
    header: bool
    last: bool

    def __post_init__(self) -> None:
        if len(self.text) > MAX_TEXT or not set(self.text).isdisjoint((DLE, SYN)):
            raise ValueError(f"{len(self.text)} bytes are no text for one block")

    def to_bytes(self) -> bytes:
        end = ETX if self.last else ETB
        crc = crc16(bytes((*self.text, end)))
        start = SOH if self.header else STX
        return bytes((DLE, start, *self.text, DLE, end, crc & 0xFF, crc >> 8))


@dataclass(frozen=True, slots=True)
class Broken:
    """A block whose CRC is wrong, or that is longer than any."""


Item = Control | Block | Broken


class Receiver:
    """Bytes in, items out; never holds more than one block."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget a block that has begun."""
        self._escaped = False
        self._start = 0  # SOH or STX while a block is open
        self._end = 0  # ETX or ETB while its CRC is awaited
        self._text = bytearray()
        self._crc = bytearray()

    @property
    def inside(self) -> bool:
        """A block or a pair has begun."""
        return bool(self._start or self._escaped)

    def feed(self, data: bytes) -> list[Item]:
        """Whatever these bytes complete."""
        items = []
        for byte in data:
            item = self._crc_byte(byte) if self._end else self._byte(byte)
            if item is not None:
                items.append(item)
        return items

    def _byte(self, byte: int) -> Item | None:
        if self._escaped:
            self._escaped = False
            return self._after_dle(byte)
        if byte == DLE:
            self._escaped = True
        elif self._start and byte != SYN:
            self._text.append(byte)
            if len(self._text) > MAX_TEXT:
                self.reset()
                return Broken()
        elif not self._start:
            return _PLAIN.get(byte)
        return None

    def _after_dle(self, byte: int) -> Item | None:
        if byte in (SOH, STX):  # also in the middle of one that will never end
            self.reset()
            self._start = byte
        elif self._start and byte in (ETX, ETB):
            self._end = byte
        elif self._start and byte == ENQ:  # the sender gives this block up
            self.reset()
            return Control.ENQ
        elif not self._start:
            return _AFTER_DLE.get(byte)
        return None

    def _crc_byte(self, byte: int) -> Item | None:
        self._crc.append(byte)
        if len(self._crc) < 2:
            return None
        text, start, end = bytes(self._text), self._start, self._end
        said = self._crc[0] | self._crc[1] << 8
        self.reset()
        if said != crc16(text + bytes((end,))):
            return Broken()
        return Block(text, header=start == SOH, last=end == ETX)
