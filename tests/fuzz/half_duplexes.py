"""The shared wire of ccTalk fed with anything at any time: an answer is believed only when it is
whole, addressed to us by the one that was asked, and its checksum right."""

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import EDITS, Edits, edited
from vendd.wire.cctalk.exchange import Answer, Reply
from vendd.wire.cctalk.frame import LONGEST, Checksum, Frame
from vendd.wire.cctalk.half_duplex import HalfDuplex

DEVICE = 2
MAX_WAIT_S = 4.0  # the longest deadline: slow commands, the longest message

ANSWERS = st.builds(
    lambda header, data, source: Frame(1, header, data, source),
    st.sampled_from([0, 0, 0, 5, 6, 9]),
    st.binary(max_size=11),
    st.sampled_from([DEVICE, DEVICE, DEVICE, 3]),
)
DAMAGE = st.one_of(st.just(()), EDITS)
GAPS = st.sampled_from([0, 0, 0, 1, 10, 40, 60, 300])  # ms before the piece
# one exchange: edits of the echo (None: none comes), the answer, its edits, cuts, gaps, noise
EXCHANGES = st.tuples(
    st.one_of(st.just(()), st.none(), EDITS),
    ANSWERS,
    DAMAGE,
    st.lists(st.tuples(st.integers(0, 30), GAPS), max_size=4),
    st.binary(max_size=8),
)
CASES = st.tuples(st.sampled_from(list(Checksum)), st.lists(EXCHANGES, max_size=8))
Exchange = tuple[Edits | None, Frame, Edits, list[tuple[int, int]], bytes]


def run(case: tuple[Checksum, list[Exchange]], counts: Counts) -> None:
    checksum, exchanges = case
    line = HalfDuplex()
    now = 100.0
    for echo, answer, damage, cuts, noise in exchanges:
        request = line.begin(Frame(DEVICE, 229), checksum, 0.25, now)
        sent = b"" if echo is None else edited(request, echo)
        raw = edited(answer.to_bytes(checksum), damage)
        now, reply = feed(line, sent + raw + noise, cuts, now)
        counts.bytes += len(sent) + len(raw) + len(noise)
        assert now - 100.0 < 1e9
        assert line.deadline <= now + MAX_WAIT_S, "it waits for ever"
        if reply is None:
            now = max(now, line.deadline)
            reply = line.expire()
            assert reply.answer in (Answer.SILENCE, Answer.GARBLED, Answer.NO_ECHO)
        else:
            counts.reports += 1
            assert says(reply, sent + raw + noise, checksum), "an answer that nobody gave"
        assert len(line._got) <= 2 * LONGEST, "it keeps what it can't read"
        now += 0.1


def feed(
    line: HalfDuplex, data: bytes, cuts: list[tuple[int, int]], now: float
) -> tuple[float, Reply | None]:
    """In pieces; as the bus does it, the deadline is watched between two of them."""
    at = 0
    now += 0.01
    for length, gap_ms in [*cuts, (len(data), 0)]:
        piece, at = data[at : at + length], at + length
        now += gap_ms / 1000
        if now >= line.deadline:
            return now, None
        reply = line.feed(piece, now)
        if reply is not None:
            return now, reply
    return now, None


def says(reply: Reply, raw: bytes, checksum: Checksum) -> bool:
    """Is there a message in these bytes that says so? Looked for at every place."""
    return any(
        is_message(raw[at : at + 5 + raw[at + 1]], reply, checksum) for at in range(len(raw) - 1)
    )


def is_message(raw: bytes, reply: Reply, checksum: Checksum) -> bool:
    if len(raw) < 5 or raw[0] != 1 or raw[1] != len(raw) - 5:
        return False
    if {0: Answer.REPLY, 5: Answer.NAK, 6: Answer.BUSY}.get(raw[3]) is not reply.answer:
        return False
    if checksum is Checksum.SUM and (sum(raw) & 0xFF or raw[2] != DEVICE):
        return False
    return reply.answer is not Answer.REPLY or raw[4:-1] == reply.data
