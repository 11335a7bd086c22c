"""The MDB link layer as a peripheral lives it (NAMA MDB/ICP 4.2, section 2).

A block is address byte, data, CHK; a peripheral answers with one ACK or NAK
byte, with data and CHK, or not at all. The mode bit (ninth bit) is not carried
along: only the last byte of an answer has it set, so an answer's length says
the same.
"""

from typing import NamedTuple, Protocol

ACK = 0x00
NAK = 0xFF
ADDRESS_BITS = 0xF8  # the upper five bits of the first byte; the lower three are the command
MAX_BLOCK = 36  # bytes, address and CHK included
BYTE_S = 11 / 9600  # start, eight data bits, mode bit, stop
RESPONSE_S = 0.005  # t response: the master waits this long for a first byte


def checksum(data: bytes) -> int:
    """CHK: the sum of all preceding bytes of the block, modulo 256."""
    return sum(data) & 0xFF


class Answer(NamedTuple):
    """What a peripheral puts on the bus, and how long after the block's last byte it begins."""

    wire: bytes  # b"\x00" ACK, b"\xff" NAK, or data followed by its CHK
    delay_s: float


class Peripheral(Protocol):
    """A device on the bus."""

    address: int
    powered: bool  # an answer breaks off when it goes in the middle of it

    def receive(self, block: bytes) -> Answer | None:
        """Take one block, CHK included; None is silence."""

    def acknowledged(self) -> None:
        """The master took the last data answer (its ACK byte arrived)."""

    def bus_reset(self) -> None:
        """The master held the line for 100 ms or more: back to the power-on state."""
