"""The adapter's ASCII lines: golden ones, broken ones, too long ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply
from vendd.wire.mdb.frame import BadLength
from vendd.wire.qibixx import MAX_LINE, Item, QibixxCodec, Version, request


def data(text: str) -> Reply:
    return Reply(Answer.DATA, bytes.fromhex(text))


REQUESTS = [
    ("08", b"R,08\n"),
    ("0B", b"R,0B\n"),
    ("0C003FFFFF", b"R,0C,003FFFFF\n"),
    ("0F0207", b"R,0F,0207\n"),
]
LINES: list[tuple[bytes, Item | None]] = [
    (b"r,ACK", ACKED),
    (b"p,ACK", ACKED),
    (b"r,NAK", NAKED),
    (b"r,TIMEOUT", SILENT),
    (b"p,NACK", SILENT),  # the maker's word for "did not answer"
    (b"r,ERR,CHK", GARBLED),
    (b"r,0B", data("0B")),
    (b"r,5212\r", data("5212")),
    (b"p,5212", data("5212")),
    (b"r,52 12", LOST),
    (b"r,521", LOST),
    (b"r,5Z", LOST),
    (b"r,", LOST),
    (b"r,\xff\xfe", LOST),
    (b"r," + b"00" * 36, LOST),
    (b"v,4.0.2.0,4d44", Version("4.0.2.0,4d44")),
    (b"v,\xff", Version("\N{REPLACEMENT CHARACTER}")),
    (b"m,ACK", None),
    (b"", None),
]
NOISE = [b"x,00,12,10,", b"hello", b"r", b"R,0B", b"\x00\xffr,ACK"]


@pytest.mark.parametrize(("command", "line"), REQUESTS)
def test_requests(command: str, line: bytes) -> None:
    assert request(bytes.fromhex(command)) == line


@pytest.mark.parametrize("size", [0, 36])
def test_a_command_that_fits_no_block_is_the_callers_fault(size: int) -> None:
    with pytest.raises(BadLength):
        request(bytes(size))


@pytest.mark.parametrize(("line", "item"), LINES)
def test_lines(line: bytes, item: Item | None) -> None:
    codec = QibixxCodec()
    assert codec.feed(line + b"\n") == ([] if item is None else [item])
    assert codec.noise == 0


@pytest.mark.parametrize("line", NOISE)
def test_noise_is_counted_and_harmless(line: bytes) -> None:
    codec = QibixxCodec()
    assert codec.feed(line + b"\nr,ACK\n") == [ACKED]
    assert codec.noise == 1


def test_lines_in_any_pieces() -> None:
    codec = QibixxCodec()
    stream = b"r,ACK\r\nr,5212\nv,1\nr,TIMEOUT\n"
    whole = codec.feed(stream)
    for size in range(1, len(stream)):
        codec = QibixxCodec()
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [item for part in parts for item in codec.feed(part)] == whole


def test_an_oversized_line_is_dropped_and_the_next_one_is_read() -> None:
    codec = QibixxCodec()
    assert codec.feed(b"r," + b"A" * (MAX_LINE + 1) + b"\nr,ACK\n") == [ACKED]
    assert codec.oversized == 1


def test_a_babbling_line_holds_no_memory() -> None:
    codec = QibixxCodec()
    for _ in range(1000):
        assert codec.feed(b"A" * 100) == []
        assert len(codec._buffer) <= MAX_LINE
    assert codec.oversized == 1
    assert codec.feed(b"tail of it\nr,0B\n") == [data("0B")]


def test_a_new_connection_forgets_half_a_line() -> None:
    codec = QibixxCodec()
    codec.feed(b"r,52")
    codec.restart()
    assert codec.feed(b"r,0B\n") == [data("0B")]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_are_survived_and_resynchronised(pieces: list[bytes]) -> None:
    codec = QibixxCodec()
    for piece in pieces:
        codec.feed(piece)
    codec.feed(b"\n")
    assert codec.feed(b"r,5212\n") == [data("5212")]
