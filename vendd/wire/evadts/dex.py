"""The DEX/UCS responder: a route driver's handheld reads the audit (EVA-DTS 6.1.1, DEX/UCS).

The handheld begins. It sends its handshake (10 characters of name, one of what it wants: ``R``
reads), then listens to ours, then to the data: three sessions, each ENQ .. EOT, whose sender is
the handheld once and then we, twice.

Is NOT responsible for the report, which is asked for (`ReportWanted`) and given (`report`), nor
for what a read-out that arrived means.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from typing import Final

from vendd.wire.evadts.dex_frame import (
    MAX_TEXT,
    SENT,
    Block,
    Broken,
    Control,
    Item,
    Receiver,
)
from vendd.wire.evadts.dex_sender import ANSWER_S, End, Sender

ANSWER_GAP_S: Final = 0.010
SESSION_GAP_S: Final = 0.100
LISTEN_S: Final = 2.0  # timer D
ACTIVITY_S: Final = 60.0  # of a conversation in which nothing moves
REVISION: Final = b"R01L01"
_QUEUED: Final = 7  # answers that wait for their moment; a flood of questions gets no more
OK, REFUSED = b"00", b"05"
"""Response codes: anything but 00 ends it; nothing but reading is offered."""

_HANDSHAKE: Final = re.compile(rb"([\x20-\x7e]{10})([A-Z])(R\d\dL\d\d)")


@dataclass(frozen=True, slots=True)
class ReportWanted:
    """`terminal` (its communication id) wants to read: `report` or `no_report` is awaited."""

    terminal: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The whole report was acknowledged."""

    terminal: str


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """A conversation that came to nothing."""

    terminal: str
    why: str


DexNews = ReportWanted | Delivered | NotDelivered


class _Phase(Enum):
    IDLE = auto()
    LISTENING = auto()  # to its handshake
    HEARD = auto()  # its handshake; its EOT is awaited
    ANSWERING = auto()  # our handshake goes out
    FETCHING = auto()  # our handshake was taken; the report is not here yet
    SENDING = auto()


class DexResponder:
    """`feed` what came, then `tick`, then write `due`; again at `wake_at` (loop time)."""

    def __init__(self, communication_id: str) -> None:
        self._id = communication_id.encode("ascii")
        assert len(self._id) == 10
        self._receiver = Receiver()
        self._fed_at = 0.0
        self._idle()
        self._out: list[tuple[float, bytes]] = []
        self._news: list[DexNews] = []

    def _idle(self) -> None:
        self._phase = _Phase.IDLE
        self._terminal = ""
        self._wants = b""
        self._report: bytes | None = None
        self._asked = False
        self._sender: Sender | None = None
        self._last_answer = b""
        self._deadline = inf
        self._moved_at = inf

    @property
    def busy(self) -> bool:
        """A conversation is under way."""
        return self._phase is not _Phase.IDLE

    @property
    def wake_at(self) -> float:
        """When `tick` or `due` is wanted next."""
        written = min((at for at, _ in self._out), default=inf)
        return min(written, self._deadline, self._moved_at + ACTIVITY_S)

    def closed(self, why: str) -> list[DexNews]:
        """The line is gone."""
        self._fail(why)
        self._receiver.reset()
        self._out.clear()
        return self._told()

    def feed(self, data: bytes, now: float) -> list[DexNews]:
        """Whatever bytes came."""
        if self._receiver.inside and now - self._fed_at > LISTEN_S:
            self._receiver.reset()
        self._fed_at = now
        for item in self._receiver.feed(data):
            self._heard(item, now)
        return self._told()

    def tick(self, now: float) -> list[DexNews]:
        """What silence means by now."""
        if now >= self._moved_at + ACTIVITY_S:
            self._say(SENT[Control.EOT], now)
            self._fail("nothing moved for a minute")
        elif now >= self._deadline:
            self._silence(now)
        return self._told()

    def due(self, now: float) -> bytes:
        """What is to be written now."""
        ready = b"".join(data for at, data in self._out if at <= now)
        self._out = [(at, data) for at, data in self._out if at > now]
        return ready

    def report(self, data: bytes, now: float) -> None:
        """The report that was wanted. Ignored when nobody waits for it any more."""
        if not self._asked or self._report is not None:
            return
        self._report = data
        if self._phase is _Phase.FETCHING:
            self._send_report(now)

    def no_report(self, now: float) -> list[DexNews]:
        """There is none."""
        if self.busy:
            self._say(SENT[Control.EOT], now)
            self._fail("there is no report now")
        return self._told()

    # --- what comes --------------------------------------------------------------------------

    def _heard(self, item: Item, now: float) -> None:
        if self.busy:
            self._moved_at = now
        if self._sender is not None and item is not Control.ENQ:
            if item is Control.WAIT:
                self._deadline = now + ANSWER_S
            self._advance(self._sender.heard(item), now)
        elif item is Control.ENQ:
            self._enquired(now)
        elif self._phase is _Phase.LISTENING and isinstance(item, Block | Broken):
            self._handshake(item, now)
        elif self._phase is _Phase.HEARD and isinstance(item, Block):
            self._answer(self._last_answer, now)  # it did not hear us, and said it again
        elif self._phase is _Phase.HEARD and item is Control.EOT:
            self._begin(self._our_handshake(), _Phase.ANSWERING, now)
        elif item is Control.EOT:
            self._fail("the handheld ended it")

    def _enquired(self, now: float) -> None:
        """A beginning, or the wish to hear our last answer again. A handheld that asks while we
        send has begun anew."""
        if self._phase is _Phase.HEARD:
            self._answer(self._last_answer, now)
            return
        if self._sender is not None or self._phase is _Phase.FETCHING:
            self._fail("the handheld began anew")
        self._phase, self._moved_at = _Phase.LISTENING, now
        self._answer(SENT[Control.ACK_0], now)

    def _answer(self, answer: bytes, now: float) -> None:
        self._last_answer = answer
        self._say(answer, now)
        self._deadline = now + LISTEN_S

    def _handshake(self, item: Block | Broken, now: float) -> None:
        known = _HANDSHAKE.fullmatch(item.text) if isinstance(item, Block) else None
        if isinstance(item, Broken) or known is None or not item.header:
            self._answer(SENT[Control.NAK], now)
            return
        self._terminal = known[1].decode("ascii").strip()
        self._wants = known[2]
        self._phase = _Phase.HEARD
        self._answer(SENT[Control.ACK_1], now)
        if self._wants == b"R":
            self._asked = True
            self._news.append(ReportWanted(self._terminal))

    # --- what we send --------------------------------------------------------------------------

    def _our_handshake(self) -> list[Block]:
        code = OK if self._wants == b"R" else REFUSED
        return [Block(code + self._id + REVISION, header=True, last=True)]

    def _begin(self, blocks: list[Block], phase: _Phase, now: float) -> None:
        self._phase, self._sender = phase, Sender(blocks)
        self._say(self._sender.begin(), now, SESSION_GAP_S)
        self._deadline = now + SESSION_GAP_S + ANSWER_S

    def _advance(self, data: bytes, now: float) -> None:
        assert self._sender is not None
        if data:
            self._say(data, now)
            self._deadline = now + ANSWER_S + len(data) / 960  # it takes a millisecond a byte
        if self._sender.end is End.FAILED:
            self._fail("the handheld does not answer, or not as it should")
        elif self._sender.end is End.DONE:
            self._session_done(now)

    def _session_done(self, now: float) -> None:
        self._sender, self._deadline = None, inf
        if self._phase is _Phase.SENDING:
            self._news.append(Delivered(self._terminal))
            self._idle()
        elif self._wants != b"R":
            self._fail(f"it wanted {self._wants.decode('ascii')}, and can only read")
        elif self._report is None:
            self._phase = _Phase.FETCHING
        else:
            self._send_report(now)

    def _send_report(self, now: float) -> None:
        assert self._report is not None
        pieces = [self._report[at : at + MAX_TEXT] for at in range(0, len(self._report), MAX_TEXT)]
        last = len(pieces) - 1
        blocks = [Block(text, header=False, last=n == last) for n, text in enumerate(pieces)]
        self._moved_at = now
        self._begin(blocks, _Phase.SENDING, now)

    def _silence(self, now: float) -> None:
        if self._sender is not None:
            self._advance(self._sender.silence(), now)
        else:
            self._fail("the handheld went silent")

    def _say(self, data: bytes, now: float, gap: float = ANSWER_GAP_S) -> None:
        """In order, and never before the one before it."""
        earliest = max((at for at, _ in self._out), default=0.0)
        self._out = [*self._out[-_QUEUED:], (max(now + gap, earliest), data)]

    def _fail(self, why: str) -> None:
        if self._terminal:
            self._news.append(NotDelivered(self._terminal, why))
        self._idle()

    def _told(self) -> list[DexNews]:
        news, self._news = self._news, []
        return news
