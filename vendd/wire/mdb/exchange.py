"""One exchange on the bus as a master machine sees it: its command and what came back."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Answer(Enum):
    """How a peripheral answered a command."""

    ACK = "ack"
    DATA = "data"
    NAK = "nak"
    SILENCE = "silence"  # nothing within t-response
    GARBLED = "garbled"  # wrong checksum: the peripheral was told, and keeps its data
    LOST = "lost"  # lost behind the adapter: the peripheral may believe that it was heard


@dataclass(frozen=True, slots=True)
class Reply:
    """`data` is what the peripheral sent, CHK removed; empty unless `answer` is DATA."""

    answer: Answer
    data: bytes = b""

    @property
    def valid(self) -> bool:
        """ACK or data: proof that the peripheral is there and understood."""
        return self.answer is Answer.ACK or self.answer is Answer.DATA


ACKED: Final = Reply(Answer.ACK)
NAKED: Final = Reply(Answer.NAK)
SILENT: Final = Reply(Answer.SILENCE)
GARBLED: Final = Reply(Answer.GARBLED)
LOST: Final = Reply(Answer.LOST)
