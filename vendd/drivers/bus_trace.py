"""The recorder of the serial lines: what went over them lately, in bounded memory.

`through(opener)` gives an opener whose wires note every piece that is written or read before
they pass it on. The newest pieces push out the oldest, except those of the start: they say
what the devices are, without which nothing later can be understood or replayed.

Is NOT responsible for what the bytes mean (`vendd.wire.words`), for masking them
(`vendd.wire.masking`) or for when they are written to a file (`vendd.daemon.tracing`).
"""

from collections import deque
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Final

from vendd.ports import Wire, WireLost, WireOpener
from vendd.wire.trace import MAX_WIRES, Line, Piece, Way

LIMIT: Final = 512 * 1024  # bytes, the eight of each piece's head included
START: Final = 64 * 1024  # of them for the start
SEGMENT: Final = 16 * 1024
MAX_PIECE: Final = 8 * 1024  # longer ones are noted in parts
_SPAN_S: Final = 3600.0  # of a segment: its times are 32 bits of microseconds

_HEAD: Final = Struct("<IBBH")  # microseconds into the segment, way, line, length
_WAYS: Final = tuple(Way)
_CODE: Final = {way: code for code, way in enumerate(_WAYS)}
_SENT, _RECEIVED = _CODE[Way.SENT], _CODE[Way.RECEIVED]


class _Segment:
    """Pieces packed one after the other."""

    __slots__ = ("data", "start")

    def __init__(self, start: float) -> None:
        self.start = start
        self.data = bytearray()


class BusTrace:
    """See the module. `clock`: `loop.time`. All methods on the loop's thread.

    `limit`: bytes that are kept; `start`: how many of them belong to the start.
    """

    def __init__(
        self, clock: Callable[[], float], *, limit: int = LIMIT, start: int = START
    ) -> None:
        self._clock = clock
        self.began = clock()
        self._size = min(SEGMENT, max(MAX_PIECE + _HEAD.size, limit // 8))
        self._first_room = start // self._size
        self._room = max(1, limit // self._size - self._first_room)
        self._first: list[_Segment] = []
        self._newest: deque[_Segment] = deque()
        self._segment: _Segment | None = None
        self.lines: list[Line] = []
        self.dropped = 0  # segments

    def through(self, opener: WireOpener) -> WireOpener:
        """`opener`, its wires recorded."""

        def open_(
            port: str,
            baud: int,
            received: Callable[[bytes], None],
            lost: Callable[[Exception], None],
        ) -> Wire:
            line = self._line(Line(port, baud))
            if line is None:
                return opener(port, baud, received, lost)
            wire = RecordedWire(self, line, received, lost)
            try:
                wire.inner = opener(port, baud, wire.deliver, wire.died)
            except WireLost as error:
                self.note(Way.LOST, line, str(error).encode()[:MAX_PIECE])
                raise
            self.note(Way.OPENED, line)
            return wire

        return open_

    def note(self, way: Way, line: int, data: bytes = b"") -> None:
        """Record one piece, now."""
        self.add(_CODE[way], line, data)

    def add(self, code: int, line: int, data: bytes) -> None:
        """`note` for those who know the way's number: this is on the way of every byte."""
        now = self._clock()
        segment = self._segment
        size = len(data)
        if (
            segment is None
            or len(segment.data) + size + 8 > self._size
            or not 0.0 <= now - segment.start < _SPAN_S
        ):
            if size > MAX_PIECE:
                self.add(code, line, data[:MAX_PIECE])
                self.add(code, line, data[MAX_PIECE:])
                return
            segment = self._turn_over(now)
        packed = segment.data
        packed += _HEAD.pack(int((now - segment.start) * 1e6), code, line, size)
        packed += data

    def pieces(self) -> Iterator[Piece]:
        """Oldest first, as they are now: what is recorded meanwhile does not show. A GAP
        stands where pieces were dropped."""
        first = [(one.start, bytes(one.data)) for one in self._first]
        newest = [(one.start, bytes(one.data)) for one in self._newest]
        gap = self.dropped > 0
        return _unpacked(first, newest, gap=gap)

    @property
    def size(self) -> int:
        """Bytes kept now."""
        return sum(len(one.data) for one in (*self._first, *self._newest))

    def _line(self, line: Line) -> int | None:
        if line not in self.lines:
            if len(self.lines) == MAX_WIRES:
                return None
            self.lines.append(line)
        return self.lines.index(line)

    def _turn_over(self, now: float) -> _Segment:
        segment = self._segment = _Segment(now)
        if len(self._first) < self._first_room:
            self._first.append(segment)
            return segment
        self._newest.append(segment)
        if len(self._newest) > self._room:
            self._newest.popleft()
            self.dropped += 1
        return segment


class RecordedWire:
    """Between a bus and its line: notes and passes on, both ways."""

    __slots__ = ("_line", "_lost", "_received", "_trace", "inner")

    def __init__(
        self,
        trace: BusTrace,
        line: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> None:
        self._trace = trace
        self._line = line
        self._received = received
        self._lost = lost
        self.inner: Wire | None = None

    def write(self, data: bytes) -> None:
        """Raises `WireLost` as the line does."""
        assert self.inner is not None
        self._trace.add(_SENT, self._line, data)
        self.inner.write(data)

    def close(self) -> None:
        assert self.inner is not None
        self._trace.note(Way.CLOSED, self._line)
        self.inner.close()

    def deliver(self, data: bytes) -> None:
        """Bytes of the line."""
        self._trace.add(_RECEIVED, self._line, data)
        self._received(data)

    def died(self, error: Exception) -> None:
        """The line is gone."""
        self._trace.note(Way.LOST, self._line, str(error).encode()[:MAX_PIECE])
        self._lost(error)


def _unpacked(
    first: list[tuple[float, bytes]], newest: list[tuple[float, bytes]], *, gap: bool
) -> Iterator[Piece]:
    for start, data in first:
        yield from _pieces(start, data)
    if gap and newest:
        yield Piece(round(newest[0][0], 6), 0, Way.GAP)
    for start, data in newest:
        yield from _pieces(start, data)


def _pieces(start: float, packed: bytes) -> Iterator[Piece]:
    at = 0
    while at < len(packed):
        micros, code, line, size = _HEAD.unpack_from(packed, at)
        at += _HEAD.size
        # Rounded as in a file, so that what is read back is what was written.
        yield Piece(round(start + micros / 1e6, 6), line, _WAYS[code], packed[at : at + size])
        at += size
