"""The adapters' codecs on a line that carries anything: whatever the pieces, the items are the
same; memory is bounded; and only a clean line is data."""

import itertools
import re

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import mutated
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.frame import MAX_DATA
from vendd.wire.qibixx import MAX_LINE, QibixxCodec, Version
from vendd.wire.waferstar import MAX_LINE as MAX_WAFERSTAR_LINE
from vendd.wire.waferstar import MAX_TOLD, QUIET, WaferstarCodec

QIBIXX_LINES = (
    b"r,ACK\n", b"p,ACK\r\n", b"p,NACK\n", b"r,TIMEOUT\n", b"r,ERR,CHK\n", b"r,NAK\n", b"m,ACK\n",
    b"v,4.0.2.0,4d4442000001\n", b"r,4105\n", b"p,8006\n", b"r,050096\n", b"r,0B\n", b"r,\n",
    b"r,03197805020 01F\n", b"r,0319780502001F0102040A1428\n", b"\n", b"r," + b"41" * 36 + b"\n",
)  # fmt: skip
CUTS = st.lists(st.integers(0, 400), max_size=12)
QIBIXX = st.tuples(
    st.lists(st.one_of(mutated(*QIBIXX_LINES), st.binary(max_size=200)), max_size=30), CUTS
)
QIBIXX_DATA = re.compile(rb"[rp],((?:[0-9A-Fa-f]{2}){1,%d})\r*" % MAX_DATA)


def clean_data(stream: bytes) -> list[bytes]:
    """Data of all lines in `stream` that are clean, as another reader than ours finds them."""
    found = (QIBIXX_DATA.fullmatch(line) for line in stream.split(b"\n"))
    return [bytes.fromhex(one[1].decode()) for one in found if one]


def qibixx(case: tuple[list[bytes], list[int]], counts: Counts) -> None:
    pieces, cuts = case
    stream = b"".join(pieces)
    whole, parted = QibixxCodec(), QibixxCodec()
    items = whole.feed(stream)
    again = [item for piece in cut(stream, cuts) for item in parted.feed(piece)]
    if max(map(len, stream.split(b"\n"))) <= MAX_LINE:
        assert again == items, "it depends on how the bytes were cut"
    assert len(whole._buffer) <= MAX_LINE
    assert len(parted._buffer) <= MAX_LINE
    assert len(items) <= stream.count(b"\n")
    data = [i.data for i in items if isinstance(i, Reply) and i.answer is Answer.DATA]
    assert all(1 <= len(one) <= MAX_DATA for one in data)
    assert is_within(data, clean_data(stream)), "data from a line that is none"
    assert all(isinstance(item, Reply | Version) for item in items)
    counts.bytes += len(stream)
    counts.reports += len(items)


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(stream) + 1) for c in cuts), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


def is_within(some: list[bytes], more: list[bytes]) -> bool:
    """In order, and each of `more` used once."""
    rest = iter(more)
    return all(any(one == other for other in rest) for one in some)


WAFERSTAR_LINES = (
    b"00\n", b"FF\r\n", b"30 91\n", b"08 41 05\n", b"10 05 00 96\r\n", b"30 80\n", b"30 09\n",
    b"03 11 56 05 01 00 03 01 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 76\n", b"08 0B\n",
    b"01 01 19 78 01 02 05 01 A2\n", b"zz\n", b"\n", b"08 02 0A\n", b"00 00 41 05 46\n",
)  # fmt: skip
QUESTIONS = (
    "08", "0B", "09", "0A", "33", "30", "31", "3501", "12", "130000960001", "62", "0F00", "3702",
    "0C003FFFFF",
)  # fmt: skip
COMMANDS = [bytes.fromhex(text) for text in QUESTIONS]
WAFERSTAR = st.lists(
    st.one_of(
        st.tuples(st.just("line"), mutated(*WAFERSTAR_LINES)),
        st.tuples(st.just("line"), st.binary(max_size=200)),
        st.tuples(st.just("ask"), st.sampled_from(COMMANDS)),
        st.tuples(st.just("line"), st.just(QUIET)),
    ),
    max_size=60,
)


def waferstar(case: list[tuple[str, bytes]], counts: Counts) -> None:
    codec = WaferstarCodec()
    stream = b""
    data: list[bytes] = []
    for kind, raw in case:
        if kind == "ask":
            codec.restart()  # one exchange at a time: what was due is over
            codec.request(raw)
            items = codec.feed(b"")
        else:
            stream += raw
            counts.bytes += len(raw)
            items = codec.feed(raw)
        counts.reports += len(items)
        assert len(items) <= 2 * (raw.count(b"\n") + raw.count(QUIET)) + 2
        assert all(isinstance(item, Reply | Version) for item in items)
        data += [i.data for i in items if isinstance(i, Reply) and i.answer is Answer.DATA]
        assert len(codec._buffer) <= MAX_WAFERSTAR_LINE
        kept = [device.told for device in codec._devices.values()]
        assert all(sum(map(len, told)) <= MAX_TOLD for told in kept), "it keeps what nobody fetches"
    assert all(1 <= len(one) <= MAX_DATA for one in data)
    lines = re.split(rb"[\n\r\0]", stream)
    assert len(data) <= len(lines), "more data than lines"
