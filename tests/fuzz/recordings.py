"""Recordings of the lines: any bytes are told in words, and any file is a recording or refused."""

from hypothesis import strategies as st

from tests.fuzz.adapter_lines import QIBIXX_LINES, WAFERSTAR_LINES
from tests.fuzz.counts import Counts
from tests.fuzz.decoders import GOOD_FRAMES
from tests.fuzz.edits import mutated
from vendd.wire import trace
from vendd.wire.trace import BadTrace, Header, Line, Piece, Way
from vendd.wire.words import folded, narrate

ADAPTERS = ("qibixx", "waferstar", "cctalk", "")
SENT = (b"R,0B\n", b"R,0F,0214\n", b"R,13,0000960001\n", b"\x33", b"\x0c\xff\xff\xff\xff", b"V\n")
DATA = st.one_of(
    mutated(*QIBIXX_LINES, *WAFERSTAR_LINES, *SENT, *(frame.to_bytes() for frame in GOOD_FRAMES)),
    st.binary(max_size=60),
)
PIECES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 3), st.sampled_from(list(Way)), DATA), max_size=40
)
HEADER = Header(lines=tuple(Line(f"/dev/x{n}", 9600, name) for n, name in enumerate(ADAPTERS)))


def words(case: list[tuple[int, int, Way, bytes]], counts: Counts) -> None:
    """Nothing raises, and what is said can be printed."""
    now, pieces = 10.0, []
    for ms, line, way, data in case:
        now += ms / 1000
        pieces.append(Piece(now, line, way, data))
        counts.bytes += len(data)
    said = list(narrate(HEADER, pieces))
    counts.reports += len(said)
    for one in said:
        assert one.text.isprintable() or "lost:" in one.text
        assert 0 <= one.line < len(ADAPTERS)
    assert len(list(folded(said))) <= len(said)


GOOD = tuple(
    text.encode() + b"\n"
    for text in trace.texts(
        trace.Trace(
            HEADER,
            (
                Piece(1.5, 0, Way.OPENED),
                Piece(1.6, 0, Way.SENT, b"R,0B\n"),
                Piece(1.7, 0, Way.RECEIVED, b"r,ACK\n"),
                Piece(2.0, 1, Way.LOST, b"pulled"),
                Piece(2.5, 0, Way.GAP),
            ),
        )
    )
)
FILES = st.tuples(
    st.one_of(st.just(GOOD[0]), mutated(GOOD[0])),
    st.lists(st.one_of(st.sampled_from(GOOD), mutated(*GOOD), st.binary(max_size=80)), max_size=20),
)


def files(case: tuple[bytes, list[bytes]], counts: Counts) -> None:
    """A file is read as it was written, or refused in words."""
    head, more = case
    raw = b"".join((head, *more))
    counts.bytes += len(raw)
    read, refusal = None, ""
    try:
        read = trace.read(raw.splitlines(keepends=True))
    except BadTrace as error:
        refusal = str(error).strip()
    if read is None:
        assert refusal, "refused without a word"
        return
    counts.reports += 1 + len(read.pieces)
    again = trace.read(text.encode() for text in trace.texts(read))
    assert len(again.pieces) == len(read.pieces)
    assert [p.data for p in again.pieces if p.way is not Way.LOST] == [
        p.data for p in read.pieces if p.way is not Way.LOST
    ]
