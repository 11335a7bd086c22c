"""The DEX responder in conversations of sound, damaged and invented pieces: it never fails, says
little, is done by itself, and never says *delivered* without an acknowledged last block."""

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import mutated
from vendd.wire.evadts.dex import Delivered, DexResponder, ReportWanted
from vendd.wire.evadts.dex_frame import MAX_TEXT
from vendd.wire.evadts.reader import read
from vendd.wire.evadts.report import write

HELLO = bytes.fromhex("1001 36313530323130303030 52 5230314C3031 1003 1A6D")
OTHER = bytes.fromhex("100145 50484F523030303031 53 5230314C3031 1003F990")
WORDS = (b"\x05", b"\x04", b"\x15", b"\x100", b"\x101", b"\x10\x3b", HELLO, OTHER)
SAID = st.one_of(st.sampled_from(WORDS), mutated(*WORDS), st.binary(max_size=40))
PATIENCE = st.sampled_from((0.0, 0.02, 0.15, 1.1, 2.5, 61.0))
CASES = st.lists(st.tuples(SAID, PATIENCE, st.booleans()), max_size=40)
REPORT = write("VND0000001", [("VA1", "40", "1"), *[("PA1", f"{n}", "x" * 30) for n in range(9)]])
_STEPS = 400  # of the machine by itself, until it rests
FILES = st.one_of(mutated(REPORT), st.binary(max_size=400))


def run(case: list[tuple[bytes, float, bool]], counts: Counts) -> None:
    """`case`: what is said, how long nothing is said then, and whether the report comes."""
    machine, now, out = DexResponder("VND0000001"), 0.0, b""
    for said, seconds, ready in case:
        news = machine.feed(said, now)
        if ready and any(isinstance(one, ReportWanted) for one in news):
            machine.report(REPORT, now)
        more, now, wrote = let(machine, now, now + seconds)
        out += wrote
        done = [one for one in (*news, *more) if isinstance(one, Delivered)]
        assert not done or REPORT[-MAX_TEXT // 3 :] in out, "delivered, and it was not sent"
        counts.bytes += len(said)
        counts.reports += len(news) + len(more)
    _, now, _ = let(machine, now, now + 600.0)
    assert not machine.busy, "it never came to rest"
    assert machine.wake_at > now


def let(machine: DexResponder, now: float, end: float) -> tuple[list[object], float, bytes]:
    """Time passes, as the driver would let it."""
    news: list[object] = []
    out = b""
    for _ in range(_STEPS):
        if machine.wake_at > end:
            return news, end, out
        now = max(now, machine.wake_at)
        news += machine.tick(now)
        piece = machine.due(now)
        assert len(piece) < 8 * 300
        out += piece
    raise AssertionError("it never stops talking")


def report(data: bytes, counts: Counts) -> None:
    """An audit file that may be anything."""
    found = read(data)
    counts.bytes += len(data)
    counts.reports += len(found.segments)
    assert found.sound or any(finding.grave for finding in found.findings)
