"""From the pieces of a recording to what was asked and what came back.

Behind a Qibixx adapter every write is one request line, a question for the adapter's version
(the fence) or the greeting of a new connection. What is received belongs to the write before
it, and fences belong to the request that they follow: its answer may come late.

Where a recording was overwritten in the middle, what lies behind the gap moves up to `GAP_S`
after what lies before it: nobody wants to wait for the hours between. So does what follows
`HOLE_S` without a byte, which a bus that polls never is.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from vendd.wire.mdb.exchange import LOST, Reply
from vendd.wire.mdb.words import ADDRESS
from vendd.wire.qibixx import FENCE, GREETING, QibixxCodec
from vendd.wire.trace import BadTrace, Piece, Trace, Way
from vendd.wire.words import request_of

GAP_S: Final = 2.0
HOLE_S: Final = 60.0
MAX_S: Final = 3 * 86_400.0

Answers = list[tuple[float, bytes]]  # (seconds after the write, bytes as they were received)


@dataclass(slots=True)
class Exchange:
    """One request as it was recorded. `at`: seconds of the replay; `recorded`: of the recording.

    `steps`: what came after the request, then what came after each fence. `taken`: when the
    driver asked for it in the replay, or went on without asking.
    """

    at: float
    recorded: float
    command: bytes
    steps: list[Answers] = field(default_factory=lambda: [[]])
    after_gap: bool = False
    reply: Reply = LOST
    taken: float | None = None

    @property
    def address(self) -> int:
        return self.command[0] & ADDRESS


@dataclass(slots=True)
class Opening:
    """The line was opened, or (`refused`) could not be; `greeting`: what the adapter said then."""

    at: float
    refused: str = ""
    greeting: Answers = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Loss:
    """The line died under an open bus. `during`: the exchange that was under way, if one was."""

    at: float
    why: str
    during: Exchange | None


@dataclass(slots=True)
class Recording:
    """One serial line of a trace."""

    exchanges: list[Exchange] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    start: float = 0.0
    end: float = 0.0
    shifts: list[tuple[float, float]] = field(default_factory=list)  # (from, seconds left out)

    def recorded_time(self, at: float) -> float:
        """The recording's own time of an instant of the replay."""
        return at + next((left for since, left in reversed(self.shifts) if at >= since), 0.0)


def recording_of(trace: Trace, line: int) -> Recording:
    """The conversation on one line. A last request without any answer is left out: the
    recording ended before it came. Raises `BadTrace`."""
    reader = _Reader()
    pieces, shifts = moved_up(trace)
    for piece in pieces:
        if piece.line == line or piece.way is Way.GAP:
            reader.piece(piece)
    found = reader.recording
    found.shifts = shifts
    for one in found.exchanges:
        one.recorded = found.recorded_time(one.at)
        one.reply = _reply(one)
    if found.exchanges and not any(found.exchanges[-1].steps) and not reader.interrupted:
        found.exchanges.pop()
    return found


def moved_up(trace: Trace) -> tuple[list[Piece], list[tuple[float, float]]]:
    """The pieces without the time of the gaps between them; and where the replay's time leaves
    some of the recording's out, and how much in all. Raises `BadTrace` when it is too long."""
    moved: list[Piece] = []
    shifts: list[tuple[float, float]] = []
    before, left = trace.pieces[0].at if trace.pieces else 0.0, 0.0
    for piece in trace.pieces:
        hole = piece.at - left - before
        if piece.way is Way.GAP or hole > HOLE_S:
            left += max(0.0, hole - GAP_S)
            shifts.append((piece.at - left, left))
        before = piece.at - left
        moved.append(replace(piece, at=before))
    if moved and moved[-1].at - moved[0].at > MAX_S:
        raise BadTrace("it lasts for more than three days")
    return moved, shifts


class _Reader:
    """Pieces of one line, one after the other."""

    def __init__(self) -> None:
        self.recording = Recording()
        self.interrupted = False  # the newest exchange was ended by the line's death
        self._answers: Answers = []
        self._sent_at = 0.0
        self._open = False
        self._used = True  # by the bus, since it was opened
        self._after_gap = False
        self._first = True

    def piece(self, it: Piece) -> None:
        if self._first:
            self.recording.start, self._first = it.at, False
        self.recording.end = it.at
        match it.way:
            case Way.SENT:
                self._sent(it)
            case Way.RECEIVED:
                self._answers.append((it.at - self._sent_at, it.data))
            case Way.GAP:
                self._after_gap = True
                self._answers = []
            case Way.OPENED:
                self._open, self._used = True, False
                self.recording.openings.append(Opening(it.at))
            case Way.LOST:
                self._lost(it)
            case Way.CLOSED:
                self._open = False
                self._answers = []
                if not self._used and self.recording.openings:
                    self.recording.openings.pop()  # somebody only asked which adapter it is

    def _sent(self, it: Piece) -> None:
        self._sent_at, self._answers = it.at, []
        self.interrupted = False
        exchanges, openings = self.recording.exchanges, self.recording.openings
        command = request_of(it.data.strip(b"\n"))
        self._used = self._used or command is not None or it.data == GREETING
        if command is not None:
            exchanges.append(Exchange(it.at, it.at, command, [self._answers], self._after_gap))
        elif it.data == GREETING:
            if openings and not openings[-1].greeting:
                openings[-1].greeting = self._answers
        elif it.data == FENCE and exchanges:
            exchanges[-1].steps.append(self._answers)

    def _lost(self, it: Piece) -> None:
        why = it.data.decode("utf-8", "replace")
        if self._open:
            newest = self.recording.exchanges[-1:]
            during = next((one for one in newest if _reply(one) == LOST), None)
            self.recording.losses.append(Loss(it.at, why, during))
            self.interrupted = True
        else:
            self.recording.openings.append(Opening(it.at, why or "can't be opened"))
        self._open = False
        self._answers = []


def _reply(it: Exchange) -> Reply:
    """What the bus took as the answer; LOST where the adapter gave none."""
    codec = QibixxCodec()
    for step in it.steps:
        for _, data in step:
            for item in codec.feed(data):
                if isinstance(item, Reply):
                    return item
    return LOST
