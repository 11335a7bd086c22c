"""The recorder: what it keeps, in how much memory, and that nothing changes on its way."""

import io
import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.drivers.bus_trace import BusTrace
from vendd.ports import WireLost
from vendd.wire.trace import BadTrace, Header, Line, Piece, Trace, Way, read, texts

HEADER = Header(lines=(Line("/dev/one", 115200, "qibixx"), Line("/dev/two", 9600)))
BYTES = st.binary(max_size=300)
STEPS = st.tuples(st.sampled_from((Way.SENT, Way.RECEIVED)), st.floats(0, 5000), BYTES)


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


class Wire:
    """A line that keeps what is written, and can be made to speak."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def open(self, port, baud, received, lost):
        self.received, self.lost = received, lost
        return self

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


def test_what_passes_is_noted_and_passed_on_unchanged():
    clock, wire, got, dead = Clock(), Wire(), [], []
    trace = BusTrace(clock)
    end = trace.through(wire.open)("/dev/x", 9600, got.append, dead.append)
    clock.now = 50.25
    end.write(b"R,0B\n")
    wire.received(b"p,ACK\n")
    wire.lost(WireLost(5, "gone"))
    end.close()
    assert (wire.written, got, wire.closed) == ([b"R,0B\n"], [b"p,ACK\n"], True)
    assert str(dead[0]) == "[Errno 5] gone"
    assert list(trace.pieces()) == [
        Piece(50.0, 0, Way.OPENED),
        Piece(50.25, 0, Way.SENT, b"R,0B\n"),
        Piece(50.25, 0, Way.RECEIVED, b"p,ACK\n"),
        Piece(50.25, 0, Way.LOST, b"[Errno 5] gone"),
        Piece(50.25, 0, Way.CLOSED),
    ]


def test_a_port_that_can_not_be_opened_is_noted_too():
    def refuse(port, baud, received, lost):
        raise WireLost(2, "no such port")

    trace = BusTrace(Clock())
    with pytest.raises(WireLost):
        trace.through(refuse)("/dev/x", 9600, print, print)
    assert [(p.way, p.data) for p in trace.pieces()] == [(Way.LOST, b"[Errno 2] no such port")]


@given(st.lists(STEPS, max_size=200), st.integers(64 * 1024, 256 * 1024))
def test_the_ring_is_bounded_and_keeps_the_newest(steps, limit):
    clock = Clock()
    trace = BusTrace(clock, limit=limit, start=16 * 1024)
    noted = []
    for way, pause, data in steps:
        clock.now += pause
        trace.note(way, 1, data * 40)
        noted.append((way, data * 40))
        assert trace.size <= limit
    kept = [p for p in trace.pieces() if p.way is not Way.GAP]
    parts = [(p.way, p.data) for p in kept]
    if trace.dropped == 0:
        assert b"".join(d for _, d in parts) == b"".join(d for _, d in noted)
    if noted:
        assert noted[-1][1].endswith(parts[-1][1])
    assert all(a.at <= b.at for a, b in pairwise(trace.pieces()))


def test_when_it_is_full_the_start_stays_and_a_gap_says_so():
    clock = Clock()
    trace = BusTrace(clock, limit=128 * 1024, start=32 * 1024)
    for number in range(20_000):
        clock.now += 0.01
        trace.note(Way.SENT, 0, b"%08d" % number)
    kept = list(trace.pieces())
    numbers = [int(p.data) for p in kept if p.way is Way.SENT]
    gaps = [at for at, p in enumerate(kept) if p.way is Way.GAP]
    assert numbers[0] == 0
    assert numbers[-1] == 19_999
    assert len(gaps) == 1
    assert numbers[: gaps[0]] == list(range(gaps[0]))  # nothing is missing before it
    assert numbers[gaps[0] :] == list(range(numbers[gaps[0]], 20_000))  # nor after it
    assert 32 * 1024 * 0.9 < gaps[0] * 16 <= 32 * 1024
    assert 128 * 1024 * 0.8 < trace.size <= 128 * 1024


PIECES = st.lists(
    st.tuples(st.floats(0, 10, width=32), st.integers(0, 1), st.sampled_from(Way), BYTES),
    max_size=30,
)


@given(PIECES)
def test_what_is_written_is_read_back(raw):
    at, pieces = 0.0, []
    for pause, line, way, data in raw:
        at = round(at + pause, 6)
        pieces.append(Piece(at, line, way, data.hex().encode() if way is Way.LOST else data))
    lines = [text.encode() for text in texts(Trace(HEADER, tuple(pieces)))]
    assert read(lines) == Trace(HEADER, tuple(pieces))
    assert all(json.loads(line) for line in lines)


FIRST = next(texts(Trace(HEADER, ()))).encode()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((), "line 1: the file is empty"),
        ((b"\x00\xff\xfe",), "line 1: not text"),
        ((b"{",), "line 1: not JSON"),
        ((b"[" * 100_000,), "line 1: not JSON"),
        ((b"7",), "line 1: not a JSON object"),
        ((b'{"a": 1}',), "line 1: not a bus recording"),
        ((b'{"vendd_bus_trace": 2}',), "line 1: version 2; this software reads version 1"),
        ((b'{"vendd_bus_trace": 1, "lines": []}',), 'line 1: "lines" has to be a list'),
        ((FIRST, b'{"t": 1, "dir": "up"}'), 'line 2: "dir" has to be one of tx, rx'),
        ((FIRST, b'{"t": true, "dir": "tx"}'), 'line 2: "t" has to be a number'),
        ((FIRST, b'{"t": 1e999, "dir": "tx"}'), 'line 2: "t" is out of range'),
        ((FIRST, b'{"t": 1, "dir": "tx", "hex": "0"}'), 'line 2: "hex" has to be pairs'),
        ((FIRST, b'{"t": 1, "dir": "tx", "line": 2}'), 'line 2: "line" has to be a whole number'),
        ((FIRST, b'{"t": 2, "dir": "tx"}', b"", b'{"t": 1, "dir": "tx"}'), 'line 4: "t" 1.0 lies'),
        ((FIRST, b'{"t": 1, "dir": "tx", "hex": "00'), "line 2: not JSON"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(lines, says):
    with pytest.raises(BadTrace) as refusal:
        read(lines)
    assert str(refusal.value).startswith(says)


@given(
    st.lists(st.one_of(st.binary(max_size=80), st.sampled_from((FIRST, b'{"t": 1, "dir": "tx"}'))))
)
def test_any_bytes_are_read_or_refused(lines):
    with suppress(BadTrace):
        read(io.BytesIO(b"\n".join(lines)))
