"""One wire for both: our echo, the answer, and everything in between (field note 30)."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.devices.cctalk_link import message
from vendd.wire.cctalk.exchange import (
    ACKED,
    BUSIED,
    GARBLED,
    NAKED,
    NO_ECHO,
    SILENT,
    Answer,
    Reply,
)
from vendd.wire.cctalk.frame import Checksum, Frame
from vendd.wire.cctalk.half_duplex import HalfDuplex

POLL = Frame(2, 229)
ECHO = bytes.fromhex("020001e518")
COUNTS = message(1, 2, 0, bytes(11), crc=False)
DATA = Reply(Answer.REPLY, bytes(11))
ACK = bytes.fromhex("01000200fd")


def exchange(*pieces: tuple[float, bytes], echoes: bool | None = None) -> Reply:
    """What becomes of a poll at 0 s when these bytes arrive at these seconds."""
    line = HalfDuplex()
    line.echoes = echoes
    assert line.begin(POLL, Checksum.SUM, 0.25, 0.0) == ECHO
    for at, data in pieces:
        if at > line.deadline:
            break
        reply = line.feed(data, at)
        if reply is not None:
            return reply
    assert line.deadline < 1.0
    return line.expire()


# (what arrives when, what it means, in words)
ROWS = [
    ([(0.01, ECHO), (0.02, ACK)], ACKED, "echo and ACK"),
    ([(0.01, ECHO + ACK)], ACKED, "in one piece"),
    ([(0.01, ECHO[:2]), (0.02, ECHO[2:] + ACK[:1]), (0.03, ACK[1:])], ACKED, "torn"),
    ([(0.01, ECHO), (0.02, COUNTS)], DATA, "an answer with data"),
    ([(0.01, ECHO), (0.24, ACK)], ACKED, "a slow device"),
    ([(0.01, ECHO), (0.02, bytes.fromhex("01000205f8"))], NAKED, "NAK"),
    ([(0.01, ECHO), (0.02, bytes.fromhex("01000206f7"))], BUSIED, "BUSY"),
    ([(0.01, ECHO)], SILENT, "echo and nothing else"),
    ([], NO_ECHO, "nothing at all"),
    ([(0.01, ECHO[:3])], GARBLED, "half an echo"),
    ([(0.01, ECHO[1:]), (0.02, ACK)], GARBLED, "an echo without its first byte"),
    ([(0.01, ECHO[:2] + b"\x09" + ECHO[3:]), (0.02, ACK)], GARBLED, "a wrong echo"),
    ([(0.02, ACK)], ACKED, "an interface without echo"),
    ([(0.01, ECHO), (0.02, ACK[:-1] + b"\xfc")], GARBLED, "a wrong sum"),
    ([(0.01, ECHO), (0.02, ACK[:3])], GARBLED, "an answer without its end"),
    ([(0.01, ECHO), (0.02, ACK[:3]), (0.09, ACK[3:])], GARBLED, "70 ms between two bytes"),
    ([(0.01, ECHO), (0.02, ACK[:3]), (0.06, ACK[3:])], ACKED, "40 ms between two bytes"),
    ([(0.01, ECHO + ACK + b"\0")], GARBLED, "a byte too many"),
    ([(0.01, ECHO), (0.02, bytes.fromhex("01000300fc"))], GARBLED, "another device answers"),
    ([(0.01, ECHO), (0.02, bytes.fromhex("03000200fb"))], GARBLED, "not for us"),
    ([(0.01, ECHO), (0.02, bytes.fromhex("010002fe ff"))], GARBLED, "no reply header"),
]


@pytest.mark.parametrize(("pieces", "reply", "words"), ROWS)
def test_what_comes_back(pieces: list[tuple[float, bytes]], reply: Reply, words: str) -> None:
    assert exchange(*pieces) == reply, words


def test_an_answer_without_echo_belongs_to_something_else() -> None:
    assert exchange((0.02, ACK), echoes=True) == GARBLED
    assert exchange((0.02, ACK), echoes=False) == ACKED
    assert exchange((0.01, ECHO), (0.02, ACK), echoes=False) == ACKED, "the echo is back"
    assert exchange(echoes=False) == SILENT


def test_bytes_after_a_pause_are_another_message_even_if_nobody_looked_in_time() -> None:
    line = HalfDuplex()
    line.begin(POLL, Checksum.SUM, 0.25, 0.0)
    line.feed(ECHO + ACK[:3], 0.02)
    assert line.feed(ACK[3:], 0.12) is None
    assert line.expire() == GARBLED


def test_crc_answers() -> None:
    line = HalfDuplex()
    raw = line.begin(Frame(40, 1), Checksum.CRC, 0.25, 0.0)
    assert raw == bytes.fromhex("280046013f")
    assert line.feed(raw + bytes.fromhex("0100300037"), 0.02) == ACKED


def test_leftovers_are_counted_and_waited_out() -> None:
    line = HalfDuplex()
    assert line.feed(b"\x01\x02", 5.0) is None
    assert line.stray == 2
    assert line.quiet_at == pytest.approx(5.05)


def test_noise_without_end_has_an_end() -> None:
    line = HalfDuplex()
    line.begin(POLL, Checksum.SUM, 0.25, 0.0)
    at = 0.0
    while at < line.deadline:
        at += 0.04
        assert line.feed(b"\xaa", at) is None
    assert at < 0.8
    assert line.expire() == GARBLED


@given(st.lists(st.integers(1, 20), max_size=10), st.integers(0, 255), st.binary(max_size=255))
def test_any_tearing_gives_the_same_answer(cuts: list[int], device: int, data: bytes) -> None:
    if device == 1:
        return
    line = HalfDuplex()
    raw = line.begin(Frame(device, 229), Checksum.SUM, 0.25, 0.0)
    whole = raw + message(1, device, 0, data, crc=False)
    edges = [0, *(c for c in itertools.accumulate(cuts) if c < len(whole)), len(whole)]
    replies = [line.feed(whole[a:b], 0.01) for a, b in itertools.pairwise(edges)]
    assert replies[-1] == Reply(Answer.REPLY, data)
    assert replies[:-1] == [None] * (len(replies) - 1)


@given(st.lists(st.tuples(st.floats(0, 0.3), st.binary(max_size=40)), max_size=20))
def test_any_bytes_come_to_an_end(pieces: list[tuple[float, bytes]]) -> None:
    line = HalfDuplex()
    line.begin(POLL, Checksum.SUM, 0.25, 0.0)
    at = 0.0
    for pause, data in pieces:
        at += pause
        if at > line.deadline or line.feed(data, at) is not None:
            break
    assert line.deadline <= 0.7
    assert isinstance(line.expire(), Reply)
