"""Event counters: the specification's table and our own; doubted readings (field note 30)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.cctalk.event_log import BadReading, EventLog, Events, advanced, following


@pytest.mark.parametrize(
    ("last", "counter", "new"),
    [
        *((23, 23, 0), (102, 104, 2), (255, 1, 1), (253, 3, 5), (48, 54, 6)),  # the specification's
        *((0, 1, 1), (0, 5, 5), (254, 255, 1), (250, 1, 6), (1, 255, 254), (2, 1, 254)),
    ],
)
def test_how_many_events_lie_between(last: int, counter: int, new: int) -> None:
    assert advanced(last, counter) == new


def test_counting_never_meets_zero_again() -> None:
    at = 0
    seen = []
    for _ in range(256):
        at = following(at)
        seen.append(at)
    assert seen == [*range(1, 256), 1]


class Device:
    """A counter and five pairs, as the specification describes them."""

    def __init__(self, counter: int = 0) -> None:
        self.counter = counter
        self.pairs = [(0, 0)] * 5

    def happen(self, *pairs: tuple[int, int]) -> "Device":
        for pair in pairs:
            self.counter = 1 if self.counter == 255 else self.counter + 1
            self.pairs = [pair, *self.pairs[:4]]
        return self

    def reading(self) -> bytes:
        return bytes([self.counter, *(byte for pair in self.pairs for byte in pair)])


def told(log: EventLog, device: Device) -> Events:
    """What the log makes of it, asking again when it wants to."""
    events = log.read(device.reading())
    if events is None:
        events = log.read(device.reading())
    assert events is not None
    return events


COINS = [(n, 1) for n in range(1, 9)]


@pytest.mark.parametrize("count", range(6))
def test_up_to_five_new_events_come_in_their_order(count: int) -> None:
    log, device = EventLog(), Device(100)
    assert told(log, device) == Events()
    device.happen(*COINS[:count])
    assert told(log, device) == Events(tuple(COINS[:count]))
    assert told(log, device) == Events()


@pytest.mark.parametrize("start", [250, 252, 254, 255])
def test_the_counter_wraps_past_zero(start: int) -> None:
    log, device = EventLog(), Device(start).happen(*COINS[:5])
    told(log, device)
    assert told(log, device.happen((7, 0))) == Events(((7, 0),))
    assert told(log, device.happen(*COINS[:5])) == Events(tuple(COINS[:5]))


@pytest.mark.parametrize("count", [6, 7, 8])
def test_more_than_five_are_lost_and_counted(count: int) -> None:
    log, device = EventLog(), Device(48)
    told(log, device)
    device.happen(*COINS[:count])
    assert log.read(device.reading()) is None  # that is hard to believe: again
    assert log.read(device.reading()) == Events(tuple(COINS[count - 5 : count]), lost=count - 5)


def test_zero_is_a_power_failure() -> None:
    log, device = EventLog(), Device(67).happen((1, 1))
    told(log, device)
    off = Device()
    assert log.read(off.reading()) is None
    assert log.read(off.reading()) == Events(restarted=True)
    assert told(log, off) == Events()
    assert told(log, off.happen((3, 0))) == Events(((3, 0),))


def test_a_power_failure_that_nobody_saw() -> None:
    """It was 0 and counts again when it is read: the buffer behind the new events is empty."""
    log, device = EventLog(), Device(67).happen(*COINS[:5])
    told(log, device)
    off = Device().happen((3, 0), (4, 0))
    assert told(log, off) == Events(((3, 0), (4, 0)), restarted=True)


@pytest.mark.parametrize("before", [1, 2, 4])
@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_power_failure_that_nobody_saw_though_the_counter_looks_as_if_it_went_on(
    before: int, after: int
) -> None:
    """A bill in escrow was event 1; after the failure the very same number says that it is in."""
    log, device = EventLog(), Device()
    told(log, device)
    told(log, device.happen(*[(3, 1)] * before))
    off = Device().happen(*[(3, 0)] * after)
    assert told(log, off) == Events(((3, 0),) * after, restarted=True)
    assert told(log, off) == Events()
    assert told(log, off.happen((4, 1))) == Events(((4, 1),))


def test_one_false_reading_makes_no_money() -> None:
    """Eight bits of checksum let one false reading in 256 through."""
    log, device = EventLog(), Device(10).happen(*COINS[:5])
    told(log, device)
    for false in (b"\0" + bytes(10), b"\x10" + b"\x01\x01" * 5, b"\x10" + b"\x02\0" * 5):
        assert log.read(false) is None
        assert told(log, device) == Events()
    wrong_pair = bytearray(device.happen((5, 5)).reading())
    wrong_pair[3] ^= 4  # an older pair is another one now
    assert log.read(bytes(wrong_pair)) is None
    assert told(log, device) == Events(((5, 5),))


def test_an_earlier_life_goes_on_where_it_stopped() -> None:
    device = Device(10).happen((1, 1), (2, 1))
    assert told(EventLog(last=11), device) == Events(((2, 1),))
    assert told(EventLog(last=12), device) == Events()
    assert told(EventLog(), device) == Events(), "unknown: nothing is credited twice"
    assert told(EventLog(last=11), Device()) == Events(restarted=True)
    far = Device(30).happen(*COINS[:5]).reading()
    log = EventLog(last=11)
    assert log.read(far) is None, "so many events at once have to be seen twice"
    assert log.read(far) == Events(tuple(COINS[:5]), lost=19)


@pytest.mark.parametrize("length", [0, 1, 10, 12, 255])
def test_no_buffer(length: int) -> None:
    with pytest.raises(BadReading):
        EventLog().read(bytes(length))


@given(st.lists(st.lists(st.tuples(st.integers(1, 16), st.integers(0, 8)), max_size=5)))
def test_every_event_is_told_once(polls: list[list[tuple[int, int]]]) -> None:
    log, device = EventLog(), Device()
    told(log, device)
    seen: list[tuple[int, int]] = []
    for happened in polls:
        events = told(log, device.happen(*happened))
        seen += events.new
        assert not events.lost
    assert seen == [pair for happened in polls for pair in happened]


@given(st.lists(st.binary(min_size=11, max_size=11), max_size=30))
def test_readings_that_never_come_twice_are_no_more_than_five_events_each(
    readings: list[bytes],
) -> None:
    log = EventLog()
    for reading in readings:
        events = log.read(reading)
        assert events is None or (len(events.new) <= 5 and events.lost >= 0)
