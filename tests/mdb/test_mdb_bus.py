"""The bus on a virtual line: order, deadlines, fences, a line that comes and goes."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from mdb_rig import Inbox

from hw_sim.loop import run_virtual
from vendd.core.sale.reports import (
    FaultEnded,
    FaultStarted,
)
from vendd.drivers.mdb_bus import ANSWER_S, FENCE_S, FENCES, TRACE, Link, MdbBus
from vendd.ports import Wire, WireLost
from vendd.wire.mdb.exchange import ACKED, LOST, SILENT, Reply


def virtual(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    run_virtual(main())


# --- a scripted adapter: what it hears is kept, what it says is the test's ----------------------


class Hand(Wire):
    """The adapter's end in the test's hand. As an opener: `refuse` makes opening fail."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.opened = 0
        self.closed = 0
        self.refuse = False
        self.broken = False
        self.say: Callable[[bytes], None] = lambda data: None
        self.lose: Callable[[Exception], None] = lambda error: None

    def __call__(
        self,
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire:
        self.opened += 1
        if self.refuse:
            raise WireLost(2, "no such port")
        self.say, self.lose = received, lost
        return self

    def write(self, data: bytes) -> None:
        if self.broken:
            raise WireLost(5, "gone")
        self.heard += [line for line in data.split(b"\n") if line]

    def close(self) -> None:
        self.closed += 1


class Device:
    """Polls every 100 ms and keeps what it is told."""

    def __init__(self, command: bytes = b"\x0b", every: float = 0.1) -> None:
        self.wake_at = 0.0
        self.command = command
        self.every = every
        self.asked: list[float] = []
        self.replies: list[Reply] = []

    def next(self, now: float) -> bytes | None:
        if now < self.wake_at:
            return None
        self.wake_at = float("inf")
        self.asked.append(now)
        return self.command

    def answered(self, reply: Reply, now: float) -> None:
        self.replies.append(reply)
        self.wake_at = self.asked[-1] + self.every


def by_hand(*devices: Device) -> tuple[Hand, MdbBus, Inbox]:
    hand, inbox = Hand(), Inbox()
    bus = MdbBus(hand, "tty", 115200, inbox)
    for device in devices:
        bus.attach(device)
    bus.start()
    return hand, bus, inbox


def test_nothing_is_sent_before_the_adapter_told_its_version() -> None:
    async def story() -> None:
        device = Device()
        hand, bus, _ = by_hand(device)
        hand.say(b"r,5212\nr,ACK\n")  # of an earlier life
        assert (hand.heard, device.asked) == ([b"M,1", b"V"], [])
        assert bus.counters.stray == 2
        hand.say(b"m,ACK\nv,1\n")
        await asyncio.sleep(0.001)
        assert hand.heard[2:] == [b"R,0B"]
        hand.say(b"r,ACK\n")
        assert device.replies == [ACKED]

    virtual(story)


def test_an_overdue_answer_is_fetched_not_given_up() -> None:
    async def story() -> None:
        device = Device()
        hand, bus, _ = by_hand(device)
        hand.say(b"v,1\n")
        await asyncio.sleep(ANSWER_S + 0.01)
        assert hand.heard[-2:] == [b"R,0B", b"V"]
        assert bus.link is Link.DOUBTED
        hand.say(b"r,5212\n")
        assert device.replies == [], "the fence comes first"
        hand.say(b"v,1\n")
        assert [r.data.hex() for r in device.replies] == ["5212"]
        assert (bus.counters.late, bus.link) == (1, Link.UP)

    virtual(story)


def test_a_version_without_an_answer_before_it_means_lost() -> None:
    async def story() -> None:
        device = Device()
        hand, bus, _ = by_hand(device)
        hand.say(b"v,1\n")
        await asyncio.sleep(ANSWER_S + 0.01)
        hand.say(b"v,1\n")
        assert device.replies == [LOST]
        hand.say(b"r,5212\n")
        assert bus.counters.stray == 1
        assert device.replies == [LOST]

    virtual(story)


def test_an_answer_nobody_asked_for_is_none() -> None:
    async def story() -> None:
        device = Device()
        hand, bus, _ = by_hand(device)
        hand.say(b"v,1\n")
        await asyncio.sleep(0.001)
        hand.say(b"r,ACK\nr,5212\nv,7\n")
        assert (device.replies, bus.counters.stray) == ([ACKED], 1)

    virtual(story)


def test_a_dumb_adapter_is_opened_again_with_back_off_and_told_once() -> None:
    async def story() -> None:
        device = Device()
        hand, _, inbox = by_hand(device)
        opened = []
        for _ in range(600):
            if hand.opened > len(opened):
                opened.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.1)
        gaps = [b - a - FENCE_S * FENCES for a, b in pairwise(opened)]
        assert gaps[:4] == pytest.approx([0.5, 1, 2, 5], abs=0.25)
        assert gaps[4:] == pytest.approx([10] * len(gaps[4:]), abs=0.25)
        faults = inbox.of(FaultStarted)
        assert [(f.code, f.device) for f in faults] == [("bus_lost", "mdb")]
        assert set(device.replies) == {SILENT}
        assert len(device.replies) > 100, "machines keep their own time"
        for _ in range(200):
            await asyncio.sleep(0.1)
            if hand.opened > len(opened):
                break
        hand.say(b"v,1\n")
        assert inbox.of(FaultEnded) == [FaultEnded("bus_lost", "mdb")]

    virtual(story)


def test_a_missing_port_is_no_error_of_start() -> None:
    async def story() -> None:
        hand, inbox, device = Hand(), Inbox(), Device()
        hand.refuse = True
        bus = MdbBus(hand, "tty", 115200, inbox)
        bus.attach(device)
        bus.start()
        await asyncio.sleep(10)
        assert bus.link is Link.CLOSED
        assert hand.opened >= 3
        hand.refuse = False
        for _ in range(100):
            await asyncio.sleep(0.1)
            if hand.heard:
                break
        hand.say(b"v,1\n")
        await asyncio.sleep(2 * ANSWER_S)
        assert b"R,0B" in hand.heard

    virtual(story)


@pytest.mark.parametrize("how", ["told", "write"])
def test_a_line_that_dies_in_an_exchange(how: str) -> None:
    async def story() -> None:
        device = Device()
        hand, bus, _ = by_hand(device)
        hand.say(b"v,1\n")
        await asyncio.sleep(0.001)
        if how == "told":
            hand.lose(WireLost(5, "unplugged"))
        else:
            hand.say(b"r,ACK\n")
            hand.broken = True
            await asyncio.sleep(0.11)
            hand.broken = False
        assert device.replies[-1] == LOST
        assert bus.link is Link.CLOSED
        await asyncio.sleep(0.6)
        assert hand.opened == 2

    virtual(story)


def test_devices_take_turns_and_nobody_starves() -> None:
    async def story() -> None:
        devices = [Device(b"\x0b", 0.05), Device(b"\x33", 0.05), Device(b"\x12", 0.2)]
        hand, _, _ = by_hand(*devices)
        hand.say(b"v,1\n")
        for _ in range(1000):
            await asyncio.sleep(0.02)
            hand.say(b"r,ACK\n")
        counts = [len(d.replies) for d in devices]
        assert min(counts) > 80
        assert abs(counts[0] - counts[1]) < 5

    virtual(story)


def test_a_crowded_inbox_stops_the_polling_but_not_the_heart() -> None:
    async def story() -> None:
        hand, inbox, device = Hand(), Inbox(), Device()
        beats: list[float] = []
        loop = asyncio.get_running_loop()
        bus = MdbBus(hand, "tty", 9600, inbox, alive=lambda: beats.append(loop.time()))
        bus.attach(device)
        inbox.full = True
        bus.start()
        hand.say(b"v,1\n")
        await asyncio.sleep(5)
        assert device.asked == []
        assert len(beats) > 50
        inbox.full = False
        await asyncio.sleep(0.1)
        assert len(device.asked) == 1

    virtual(story)


def test_after_close_nothing_happens_any_more() -> None:
    async def story() -> None:
        device = Device()
        hand, bus, inbox = by_hand(device)
        hand.say(b"v,1\n")
        await asyncio.sleep(0.001)
        bus.close()
        heard = len(hand.heard)
        hand.say(b"r,ACK\n")
        bus.kick()
        await asyncio.sleep(60)
        assert (len(hand.heard), device.replies, inbox.reports) == (heard, [], [])
        assert hand.closed == 1

    virtual(story)


def test_the_trace_is_bounded_and_leaves_idle_polls_out() -> None:
    async def story() -> None:
        device = Device(every=0.01)
        hand, bus, _ = by_hand(device)
        hand.say(b"v,1\n")
        for number in range(2 * TRACE):
            await asyncio.sleep(0.02)
            hand.say(b"r,ACK\n" if number % 2 else b"r,01\n")
        assert len(bus.trace) <= TRACE
        assert all(e.reply.data == b"\x01" for e in bus.trace)

    virtual(story)
