"""One exchange on the ccTalk bus as a device's machine sees it: its request and what came back."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

REPLY: Final = 0
NAK: Final = 5
BUSY: Final = 6

SIMPLE_POLL: Final = 254
REPLY_S: Final = 0.25  # a device that takes longer says so in its manual; most take 10 ms
SLOW_S: Final = 2.0  # commands that move something before they answer


class Answer(Enum):
    """How a device answered."""

    REPLY = "reply"  # header 0; an ACK has no data
    NAK = "nak"
    BUSY = "busy"
    SILENCE = "silence"  # our own echo came back and nothing else
    GARBLED = "garbled"  # something came back that is no answer to this request
    NO_ECHO = "no_echo"  # not even our own bytes came back: no wire, no power on the bus


@dataclass(frozen=True, slots=True)
class Reply:
    """`data` is empty unless `answer` is REPLY."""

    answer: Answer
    data: bytes = b""

    @property
    def valid(self) -> bool:
        """The device understood and did what was asked."""
        return self.answer is Answer.REPLY

    @property
    def present(self) -> bool:
        """Proof that the device is there."""
        return self.answer in (Answer.REPLY, Answer.NAK, Answer.BUSY)


ACKED: Final = Reply(Answer.REPLY)
NAKED: Final = Reply(Answer.NAK)
BUSIED: Final = Reply(Answer.BUSY)
SILENT: Final = Reply(Answer.SILENCE)
GARBLED: Final = Reply(Answer.GARBLED)
NO_ECHO: Final = Reply(Answer.NO_ECHO)


@dataclass(frozen=True, slots=True)
class Request:
    """What a machine wants to be sent.

    `repeat`: sending it a second time does no harm, so whoever owns the wire may do so when no
    answer came. A payout and the routing of a bill are never repeated that way.
    """

    header: int
    data: bytes = b""
    repeat: bool = True
    reply_s: float = REPLY_S
