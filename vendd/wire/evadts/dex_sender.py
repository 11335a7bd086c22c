"""One session in which we send: ENQ, blocks that are acknowledged in turn, EOT (DEX/UCS)."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from vendd.wire.evadts.dex_frame import SENT, Block, Broken, Control, Item

ANSWER_S: Final = 1.0  # timer A
TRIES: Final = 5
"""Of one ENQ or block; then the other side is not there, or can't hear us."""


class End(Enum):
    """How a session came to its end."""

    DONE = auto()
    FAILED = auto()


class Sender:
    """Each call gives what to send next, or the `End`; both where EOT is the last word."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._next = -1  # -1: the other side has not answered our first ENQ
        self._tries = 0
        self._asking = False  # ENQ was sent to hear the last answer again
        self.end: End | None = None

    def begin(self) -> bytes:
        return SENT[Control.ENQ]

    def heard(self, item: Item) -> bytes:
        """Answers of the other side; anything else counts as one that was not understood."""
        if item is Control.EOT:  # it has had enough
            return self._over(End.FAILED)
        if item is Control.WAIT:
            self._tries = 0
            return b""  # asked again after the answer's time
        if item is Control.NAK or isinstance(item, Block | Broken):
            return self._again()
        if item not in (Control.ACK_0, Control.ACK_1):
            return b""
        number = 0 if item is Control.ACK_0 else 1
        if number == (self._next + 1) % 2:
            return self._forward()
        return self._again() if self._asking else b""  # of the one before: it asked for nothing

    def silence(self) -> bytes:
        """Nothing came in time: asked again, until that is in vain."""
        self._tries += 1
        if self._tries >= TRIES:
            return self._over(End.FAILED)
        self._asking = self._next >= 0
        return SENT[Control.ENQ]

    def _forward(self) -> bytes:
        self._next += 1
        self._tries, self._asking = 0, False
        if self._next == len(self._blocks):
            return self._over(End.DONE)
        return self._blocks[self._next].to_bytes()

    def _again(self) -> bytes:
        self._tries += 1
        self._asking = False
        if self._tries >= TRIES:
            return self._over(End.FAILED)
        return self._blocks[self._next].to_bytes() if self._next >= 0 else SENT[Control.ENQ]

    def _over(self, end: End) -> bytes:
        self.end = end
        return SENT[Control.EOT]
