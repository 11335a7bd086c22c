"""The event counter of ccTalk: an honest device on a bad line, and readings that nobody sent.

The honest device keeps its five newest events and counts 1 to 255. Whatever is lost on the line
and however rarely it is asked, no event is told twice, and none is invented.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import Edit, edited
from vendd.wire.cctalk.event_log import BadReading, EventLog

KEPT = 5
ONE_EDIT = st.builds(
    Edit, st.sampled_from(["flip", "set", "drop", "cut"]), st.integers(0, 10), st.integers(0, 255)
)


@dataclass(frozen=True, slots=True)
class Happens:
    """So many events in the device."""

    count: int


@dataclass(frozen=True, slots=True)
class Read:
    """The device is asked; `edit` is done to one reading that passed its checksum by chance."""

    edit: Edit | None = None


STEPS = st.lists(
    st.one_of(
        st.builds(Happens, st.integers(1, 7)),
        st.builds(Read),
        st.builds(Read),
        st.builds(Read, ONE_EDIT),
        st.just("power"),
    ),
    max_size=60,
)
CASES = st.tuples(st.integers(0, 255), STEPS)
Case = tuple[int, list[Happens | Read | str]]


class Device:
    """Event n is the pair (n % 16 + 1, n % 200): who reads it twice is caught."""

    def __init__(self, counter: int) -> None:
        self.counter = counter
        self.pairs: list[tuple[int, int]] = []
        self.total = 0

    def happens(self) -> None:
        self.total += 1
        self.counter = 1 if self.counter == 255 else self.counter + 1
        self.pairs = [(self.total % 16 + 1, self.total % 200), *self.pairs][:KEPT]

    def reading(self) -> bytes:
        pairs = self.pairs + [(0, 0)] * (KEPT - len(self.pairs))
        return bytes((self.counter, *(byte for pair in pairs for byte in pair)))


def run(case: Case, counts: Counts) -> None:
    counter, steps = case
    device, log = Device(counter), EventLog()
    told: list[tuple[int, int]] = []
    settle(device, log)
    honest, powered, seen = True, False, 0  # `seen`: events there are to tell
    for step in steps:
        match step:
            case Happens(count):
                for _ in range(count):
                    device.happens()
                seen += count
            case Read(None):
                got, lost = settle(device, log)
                told += got
                lost = 0 if powered else lost  # a counter that fell to 0 unseen counts round
                assert not honest or len(got) + lost <= seen, "told more than happened"
                powered, seen = False, 0
            case Read(Edit() as edit):
                raw = edited(device.reading(), (edit,))
                counts.bytes += len(raw)
                before, got = log.last, once(log, raw)
                assert len(got) <= KEPT
                # it passed its checksum by chance and fitted: nobody can tell any more
                fits = got or log.last != before
                honest = honest and (raw == device.reading() or not fits)
                told += got
            case _:
                device.counter, device.pairs, powered = 0, [], True  # unread events are gone
    counts.reports += len(told)
    counts.bytes += 11 * len(steps)
    if honest:
        happened = [(n % 16 + 1, n % 200) for n in range(1, device.total + 1)]
        assert is_part(told, happened), f"told {told} of {happened}"


def settle(device: Device, log: EventLog) -> tuple[list[tuple[int, int]], int]:
    """A reading, and again while it asks for that: at most twice."""
    for _ in range(3):
        events = log.read(device.reading())
        if events is not None:
            return list(events.new), events.lost
    raise AssertionError("the same reading is never believed")


def once(log: EventLog, raw: bytes) -> list[tuple[int, int]]:
    try:
        events = log.read(raw)
    except BadReading:
        return []
    return [] if events is None else list(events.new)


def is_part(told: list[tuple[int, int]], happened: list[tuple[int, int]]) -> bool:
    """In order, none twice; some may be missing."""
    rest = iter(happened)
    return all(any(one == other for other in rest) for one in told)
