"""A recording as lines for people: ``CHANGER POLL -> coin type 3 (0.50) to tube, 12 in tube``.

Each serial line has its own narrator, by what hangs on it: a Qibixx adapter (text lines), a
Waferstar adapter (bytes out, lines of hex in) or ccTalk devices (frames both ways, with echo).
Narrators never raise on bytes; what they can't read is shown as it is.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from vendd.wire.cctalk import words as cctalk
from vendd.wire.cctalk.codes import BILL_EVENTS, COIN_EVENTS
from vendd.wire.cctalk.exchange import Reply as CcTalkReply
from vendd.wire.cctalk.frame import Checksum, Frame, FrameError
from vendd.wire.cctalk.half_duplex import HalfDuplex
from vendd.wire.mdb.exchange import LOST, Answer, Reply
from vendd.wire.mdb.phrases import hexed
from vendd.wire.mdb.words import POLLS, BusWords
from vendd.wire.qibixx import QibixxCodec, Version
from vendd.wire.trace import Header, Line, Piece, Way
from vendd.wire.waferstar import ADDRESSES, MAX_LINE, WaferstarCodec

MAX_SHOWN: Final = 160  # characters of a text line that means nothing to us
_QIBIXX_STARTS: Final = (b"R,", b"V\n", b"M,", b"D,", b"C,", b"\n")
_CCTALK_POLLS: Final = frozenset((COIN_EVENTS, BILL_EVENTS))


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence. `idle`: a poll that brought nothing; many of them say no more than one.
    `line`: which serial line."""

    at: float
    line: int
    text: str
    idle: bool = False
    times: int = 1


class Narrator(Protocol):
    """One serial line's conversation."""

    def sent(self, data: bytes, at: float) -> Iterator[Said]: ...

    def received(self, data: bytes, at: float) -> Iterator[Said]: ...

    def over(self, at: float) -> Iterator[Said]:
        """Nothing more will come: the line is closed, lost, or the recording ends."""


def narrate(header: Header, pieces: Iterable[Piece]) -> Iterator[Said]:
    """All sentences, each at the time at which it was complete."""
    kept = tuple(pieces)
    narrators: list[Narrator] = [
        _narrator(number, line, kept) for number, line in enumerate(header.lines)
    ]
    last = 0.0
    for piece in kept:
        last = piece.at
        yield from _told(piece, header, narrators)
    for narrator in narrators:
        yield from narrator.over(last)


def folded(told: Iterable[Said]) -> Iterator[Said]:
    """Runs of idle polls as one sentence per kind, told when something else is said."""
    runs: dict[tuple[int, str], Said] = {}
    for one in told:
        if not one.idle:
            yield from runs.values()
            runs.clear()
            yield one
            continue
        key = (one.line, one.text)
        run = runs.get(key)
        first, times = (one.at, 0) if run is None else (run.at, run.times)
        runs[key] = Said(first, one.line, one.text, True, times + 1)
    yield from runs.values()


def adapter_of(line: Line, sent: Iterable[bytes]) -> str:
    """``qibixx``, ``waferstar`` or ``cctalk``: as the header says, else by what was sent."""
    if line.adapter in _NARRATORS:
        return line.adapter
    for data in sent:
        if data.startswith(_QIBIXX_STARTS):
            return "qibixx"
        return "waferstar" if frame_of(data) is None else "cctalk"
    return "qibixx"


def frame_of(data: bytes) -> tuple[Frame, Checksum] | None:
    """A ccTalk message, with whichever checksum fits."""
    for checksum in Checksum:
        try:
            return Frame.from_bytes(data, checksum), checksum
        except FrameError:
            continue
    return None


def _told(piece: Piece, header: Header, narrators: list[Narrator]) -> Iterator[Said]:
    narrator, name = narrators[piece.line], header.lines[piece.line].port
    match piece.way:
        case Way.SENT:
            yield from narrator.sent(piece.data, piece.at)
        case Way.RECEIVED:
            yield from narrator.received(piece.data, piece.at)
        case Way.GAP:
            for one in narrators:
                yield from one.over(piece.at)
            yield Said(piece.at, piece.line, "--- a part of the recording was overwritten ---")
        case _:
            yield from narrator.over(piece.at)
            yield Said(piece.at, piece.line, f"{name} {_happened(piece)}")


def _happened(piece: Piece) -> str:
    if piece.way is Way.OPENED:
        return "opened"
    if piece.way is Way.CLOSED:
        return "closed"
    return f"lost: {piece.data.decode('utf-8', 'replace')}"


class QibixxWords:
    """Text lines both ways; a request's answer is the next line that is one."""

    def __init__(self, line: int, _baud: int) -> None:
        self._line = line
        self._codec = QibixxCodec()
        self._bus = BusWords()
        self._open: bytes | None = None  # the command whose answer is due
        self._partial = b""

    def sent(self, data: bytes, at: float) -> Iterator[Said]:
        for text in data.split(b"\n"):
            command = request_of(text)
            if command is not None:
                yield from self.over(at)
                self._open = command
            elif text not in (b"", b"V", b"M,1"):  # the fence and the greeting say nothing
                yield Said(at, self._line, f"to adapter: {_shown(text)}")

    def received(self, data: bytes, at: float) -> Iterator[Said]:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            yield from self._line_came(line, at)
        if len(self._partial) > MAX_SHOWN:
            yield Said(at, self._line, f"noise: {_shown(self._partial)}")
            self._partial = b""

    def over(self, at: float) -> Iterator[Said]:
        if self._open is not None:
            command, self._open = self._open, None
            yield self._exchange(command, LOST, at, "the adapter said nothing")

    def _line_came(self, line: bytes, at: float) -> Iterator[Said]:
        items = self._codec.feed(line + b"\n")
        if not items:
            if line.strip() and line[:2] != b"m,":
                yield Said(at, self._line, f"from adapter: {_shown(line)}")
            return
        item = items[0]
        if isinstance(item, Version):
            return
        if self._open is None:
            yield Said(at, self._line, f"an answer that nobody waits for: {_shown(line)}")
            return
        command, self._open = self._open, None
        yield self._exchange(command, item, at, "")

    def _exchange(self, command: bytes, reply: Reply, at: float, why: str) -> Said:
        return exchange_said(self._bus, self._line, command, reply, at, why)


class WaferstarWords:
    """Bytes out, lines of hex in; the adapter polls by itself and tells activity unasked."""

    def __init__(self, line: int, _baud: int) -> None:
        self._line = line
        self._codec = WaferstarCodec()
        self._bus = BusWords()
        self._open = b""
        self._partial = b""

    def sent(self, data: bytes, at: float) -> Iterator[Said]:
        yield from self.over(at)
        if 0 < len(data) <= 35 and data not in POLLS:
            self._codec.request(data)
            self._open = data
        else:
            yield Said(at, self._line, f"to adapter: {hexed(data)}")

    def received(self, data: bytes, at: float) -> Iterator[Said]:
        *lines, self._partial = (self._partial + data).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            yield from self._line_came(line.strip(), at)
        if len(self._partial) > MAX_LINE:
            yield Said(at, self._line, f"noise: {_shown(self._partial)}")
            self._partial = b""

    def over(self, at: float) -> Iterator[Said]:
        if self._open:
            command, self._open = self._open, b""
            yield exchange_said(self._bus, self._line, command, LOST, at, "nothing came")

    def _line_came(self, line: bytes, at: float) -> Iterator[Said]:
        if not line:
            return
        replies = [it for it in self._codec.feed(line + b"\n") if isinstance(it, Reply)]
        if replies and self._open:
            command, self._open = self._open, b""
            yield exchange_said(self._bus, self._line, command, replies[0], at, "")
            return
        raw = unhexed(line)
        if len(raw) > 1 and raw[0] in ADDRESSES:
            poll = bytes((raw[0] | (0x02 if raw[0] in (0x10, 0x60) else 0x03),))
            text = self._bus.sentence(poll, Reply(Answer.DATA, raw[1:]))
            yield Said(at, self._line, f"{text} (told unasked)")
        else:
            yield Said(at, self._line, f"from adapter: {_shown(line)}")


class CcTalkWords:
    """Frames both ways; `HalfDuplex` takes the echo away."""

    def __init__(self, line: int, baud: int) -> None:
        self._line = line
        self._wire = HalfDuplex(baud or 9600)
        self._open: Frame | None = None
        self._events: dict[int, str] = {}  # device -> what its newest event poll said

    def sent(self, data: bytes, at: float) -> Iterator[Said]:
        yield from self.over(at)
        found = frame_of(data)
        if found is None:
            yield Said(at, self._line, f"sent: {hexed(data[:MAX_SHOWN])}")
            return
        self._open, checksum = found
        self._wire.begin(self._open, checksum, 1.0, at)

    def received(self, data: bytes, at: float) -> Iterator[Said]:
        reply = self._wire.feed(data, at)
        if reply is not None:
            yield from self._answered(reply, at)

    def over(self, at: float) -> Iterator[Said]:
        if self._open is not None:
            yield from self._answered(self._wire.expire(), at)

    def _answered(self, reply: CcTalkReply, at: float) -> Iterator[Said]:
        frame, self._open = self._open, None
        if frame is None:
            return
        text = f"{cctalk.command(frame)} -> {cctalk.answer(frame.header, reply)}"
        idle = frame.header in _CCTALK_POLLS and self._events.get(frame.dest) == text
        if frame.header in _CCTALK_POLLS:
            self._events[frame.dest] = text
        yield Said(at, self._line, text, idle)


_NARRATORS: Final[dict[str, Callable[[int, int], Narrator]]] = {
    "qibixx": QibixxWords,
    "waferstar": WaferstarWords,
    "cctalk": CcTalkWords,
}


def _narrator(number: int, line: Line, pieces: Iterable[Piece]) -> Narrator:
    sent = (p.data for p in pieces if p.line == number and p.way is Way.SENT)
    return _NARRATORS[adapter_of(line, sent)](number, line.baud)


def request_of(text: bytes) -> bytes | None:
    """The bus command in a Qibixx line ``R,0C,00FF``; None for any other line."""
    if text[:2] != b"R,":
        return None
    return unhexed(text[2:].replace(b",", b"").rstrip(b"\r")) or None


def exchange_said(
    bus: BusWords, line: int, command: bytes, reply: Reply, at: float, why: str
) -> Said:
    """One MDB exchange; the bus learns from it."""
    bus.learn(command, reply)
    text = bus.sentence(command, reply)
    idle = command in POLLS and reply.answer is not Answer.DATA
    return Said(at, line, f"{text} ({why})" if why else text, idle)


def unhexed(text: bytes) -> bytes:
    """Hexadecimal pairs as bytes; empty for anything else."""
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:  # covers UnicodeDecodeError
        return b""


def _shown(text: bytes) -> str:
    """A text that came over a wire, safe to print."""
    return "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in text[:MAX_SHOWN])
