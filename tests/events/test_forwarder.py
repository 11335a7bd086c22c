"""What the forwarder promises (E1, E2, E3), one bad day at a time, in virtual time."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from hw_sim.loop import run_virtual
from hw_sim.model_broker import ModelBroker, ModelCluster
from vendd.events import StoredEvent
from vendd.links import forwarder as module
from vendd.links.forwarder import Forwarder
from vendd.ports import DeliveryFailed, Message, StoreFailed

TOPICS = ("transaction-events", "inventory-updates")


def event(seq: int, size: int = 2) -> StoredEvent:
    attributes = {"seq": str(seq), "machine": "m1", "datacontenttype": "application/json"}
    return StoredEvent(seq, TOPICS[seq % 2], "vend.door.v1", attributes, b"x" * size)


@dataclass
class FakeOutbox:
    """The store's side: what is committed, what is known to be delivered."""

    rows: list[StoredEvent] = field(default_factory=list)
    mark: int = 0
    buried: list[tuple[int, str]] = field(default_factory=list)
    reads: int = 0
    failing: int = 0

    async def read(self, after_seq: int, limit: int) -> list[StoredEvent]:
        self._maybe_fail()
        self.reads += 1
        found = [row for row in self.rows if row.seq > after_seq][:limit]
        await asyncio.sleep(0.001)  # commits go on meanwhile
        return found

    async def watermark(self) -> int:
        self._maybe_fail()
        return self.mark

    def delivered(self, up_to_seq: int) -> None:
        assert up_to_seq > self.mark, "the watermark never stands still or goes back"
        self.mark = up_to_seq

    async def bury(self, event: StoredEvent, reason: str) -> None:
        self._maybe_fail()
        self.buried.append((event.seq, reason))

    def _maybe_fail(self) -> None:
        if self.failing:
            self.failing -= 1
            raise StoreFailed("disk full")


class Shop:
    """A machine that commits events, a forwarder, a cluster."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()
        self.cluster = ModelCluster(random.Random(7))
        self.forwarder = self.new_forwarder()

    def new_forwarder(self) -> Forwarder:
        return Forwarder(self.outbox, self.cluster.connect, random.Random(3))

    def commit(self, count: int = 1, size: int = 2) -> None:
        first = len(self.outbox.rows) + 1
        events = [event(seq, size) for seq in range(first, first + count)]
        self.outbox.rows.extend(events)
        self.forwarder.committed(events)

    def seqs(self, topic: str | None = None) -> list[int]:
        logs = [log for name, log in self.cluster.topics.items() if topic in {None, name}]
        return [seq_of(message) for log in logs for message in log if message.value]

    def assert_all_delivered(self) -> None:
        """Nothing missing; per topic the first copies stand in order."""
        buried = {seq for seq, _ in self.outbox.buried}
        assert set(self.seqs()) == {row.seq for row in self.outbox.rows} - buried
        for topic in TOPICS:
            first_copies = list(dict.fromkeys(self.seqs(topic)))
            assert first_copies == sorted(first_copies)
        assert self.outbox.mark == len(self.outbox.rows)
        assert self.forwarder.standing().state == "caught_up"
        assert self.forwarder.standing().depth == 0

    def duplicates(self) -> int:
        return len(self.seqs()) - len(set(self.seqs()))


def seq_of(message: Message) -> int:
    return int(dict(message.headers)["ce_seq"])


def play(scenario: Callable[[Shop], Coroutine[Any, Any, None]]) -> Shop:
    async def main() -> Shop:
        shop = Shop()
        async with asyncio.timeout(100 * 86_400):
            task = asyncio.create_task(shop.forwarder.run())
            await scenario(shop)
            assert not task.done(), task.exception()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return shop

    return run_virtual(main())


async def settle(seconds: float = 120.0) -> None:
    await asyncio.sleep(seconds)


def test_events_of_commits_are_sent_without_reading_them_back() -> None:
    async def scenario(shop: Shop) -> None:
        await settle(1)
        for _ in range(50):
            shop.commit(3)
            await settle(0.05)
        shop.assert_all_delivered()
        assert shop.outbox.reads == 1  # the one at the start

    assert play(scenario).duplicates() == 0


def test_a_backlog_is_read_in_batches_and_joined_with_new_commits() -> None:
    async def scenario(shop: Shop) -> None:
        shop.outbox.rows = [event(seq) for seq in range(1, 2_345)]
        shop.outbox.mark = 100
        while shop.outbox.mark < 2_400:
            shop.commit()
            await settle(0.01)
        await settle()
        assert set(shop.seqs()) == {row.seq for row in shop.outbox.rows if row.seq > 100}
        assert shop.outbox.mark == len(shop.outbox.rows)
        assert shop.outbox.reads < 20
        reads = shop.outbox.reads
        shop.commit()
        await settle(1)
        assert shop.outbox.reads == reads  # caught up: the short way again

    assert play(scenario).duplicates() == 0


def test_a_commit_during_a_read_is_not_overlooked() -> None:
    async def scenario(shop: Shop) -> None:
        await settle(0.0005)  # the read at the start is under way and has seen nothing
        shop.commit()
        await settle()
        shop.assert_all_delivered()

    play(scenario)


def test_a_month_without_a_broker_keeps_memory_bounded_and_loses_nothing() -> None:
    async def scenario(shop: Shop) -> None:
        shop.cluster.outage()
        for _ in range(3_000):
            shop.commit(2)
            await settle(864.0)
        ready = shop.forwarder._ready
        flights = shop.forwarder._flights
        assert len(ready) <= module.MAX_READY
        assert len(flights) <= module.MAX_IN_FLIGHT
        assert shop.forwarder.standing().depth == 6_000
        assert shop.forwarder.standing().lag_s == pytest.approx(30 * 86_400, rel=0.01)
        shop.cluster.restore()
        await settle()
        shop.assert_all_delivered()

    assert play(scenario).duplicates() == 0


def test_a_full_client_queue_is_waited_for() -> None:
    async def scenario(shop: Shop) -> None:
        shop.cluster.queue_limit = 7
        shop.commit(300)
        await settle()
        shop.assert_all_delivered()

    assert play(scenario).duplicates() == 0


async def _lost_acknowledgement(shop: Shop) -> None:
    shop.cluster.fail_next = 3


async def _outage(shop: Shop) -> None:
    shop.cluster.outage()
    await settle(500)
    shop.cluster.restore()


async def _fatal(shop: Shop) -> None:
    shop.cluster.break_producers()


async def _purged(shop: Shop) -> None:
    shop.cluster.purge()


async def _flapping(shop: Shop) -> None:
    for _ in range(20):
        shop.cluster.purge()
        shop.cluster.outage()
        await settle(0.3)
        shop.commit()
        shop.cluster.restore()
        await settle(0.3)


async def _store_fails_at_times(shop: Shop) -> None:
    shop.outbox.failing = 4
    shop.cluster.purge()


TROUBLES = [_lost_acknowledgement, _outage, _fatal, _purged, _flapping, _store_fails_at_times]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.__name__.strip("_"))
def test_trouble_loses_nothing_and_keeps_order(
    trouble: Callable[[Shop], Coroutine[Any, Any, None]],
) -> None:
    async def scenario(shop: Shop) -> None:
        shop.commit(10)
        await settle(1)
        shop.commit(40)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await trouble(shop)
        shop.commit(10)
        await settle(300)
        shop.assert_all_delivered()

    play(scenario)


def test_lost_acknowledgements_make_duplicates_not_gaps() -> None:
    async def scenario(shop: Shop) -> None:
        shop.cluster.fail_next = 1
        shop.commit(5)
        await settle()
        shop.assert_all_delivered()

    shop = play(scenario)
    assert shop.duplicates() == 5
    assert shop.seqs(TOPICS[0]) == [2, 4, 2, 4]


def test_a_fatal_error_gets_a_new_producer() -> None:
    async def scenario(shop: Shop) -> None:
        await settle(1)
        for _ in range(3):
            shop.commit(5)
            shop.cluster.break_producers()
            await settle()
        shop.assert_all_delivered()
        assert shop.cluster.connections == 4
        assert shop.forwarder.standing().reopened == 3
        assert shop.forwarder.standing().last_error == "producer fenced"

    play(scenario)


def test_a_producer_that_cannot_be_made_is_tried_again() -> None:
    async def main() -> None:
        shop = Shop()
        left = 3

        def connect() -> ModelBroker:
            nonlocal left
            left -= 1
            if left:
                raise DeliveryFailed("no threads left")
            return shop.cluster.connect()

        stubborn = Forwarder(shop.outbox, connect, random.Random(1))
        shop.outbox.rows = [event(seq) for seq in range(1, 10)]
        task = asyncio.create_task(stubborn.run())
        await settle()
        assert shop.outbox.mark == 9
        task.cancel()

    run_virtual(main())


def refusing(*seqs: int, with_data: bool = True) -> Callable[[Message], DeliveryFailed | None]:
    def refuses(message: Message) -> DeliveryFailed | None:
        if seq_of(message) in seqs and bool(message.value) is with_data:
            return DeliveryFailed("message too large", permanent=True)
        return None

    return refuses


def test_one_bad_event_is_buried_and_the_rest_goes_on() -> None:
    async def scenario(shop: Shop) -> None:
        shop.cluster.refuses = refusing(4, 5)
        shop.commit(12)
        await settle()
        shop.assert_all_delivered()
        assert shop.outbox.buried == [(4, "message too large"), (5, "message too large")]
        assert shop.forwarder.standing().buried == 2
        # the fleet learns which seqs not to wait for
        letter = shop.cluster.topics["transaction-events.dlq"][0]
        assert dict(letter.headers)["ce_seq"] == b"4"
        assert dict(letter.headers)["dlq_reason"] == b"message too large"
        shop.commit(3)
        await settle()
        shop.assert_all_delivered()

    play(scenario)


def test_a_refused_batch_does_not_take_its_neighbours_with_it() -> None:
    async def scenario(shop: Shop) -> None:
        shop.cluster.refuses = refusing(6)
        shop.commit(10)
        await settle()
        assert [seq for seq, _ in shop.outbox.buried] == [6]
        shop.assert_all_delivered()
        shop.cluster.refuses = refusing(20)
        shop.commit(10)
        while shop.forwarder._careful_until < 20:
            await settle(0.001)
        shop.commit(10)  # must not travel with the refused one
        await settle()
        assert [seq for seq, _ in shop.outbox.buried] == [6, 20]
        shop.assert_all_delivered()

    assert play(scenario).duplicates() <= 10  # of the topic that was not refused


class HeldBroker:
    """Reports what and when the test says, even after it was closed."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, Callable[[DeliveryFailed | None], None]]] = []
        self.closed = False

    def send(self, message: Message, done: Callable[[DeliveryFailed | None], None]) -> bool:
        self.sent.append((seq_of(message), done))
        return True

    async def close(self) -> None:
        self.closed = True

    def report(self, seq: int, failure: DeliveryFailed | None = None) -> None:
        next(done for sent, done in self.sent if sent == seq)(failure)


def play_held(
    scenario: Callable[[FakeOutbox, list[HeldBroker]], Coroutine[Any, Any, None]],
) -> None:
    async def main() -> None:
        brokers: list[HeldBroker] = []

        def connect() -> HeldBroker:
            brokers.append(HeldBroker())
            return brokers[-1]

        outbox = FakeOutbox([event(seq) for seq in range(1, 5)])
        task = asyncio.create_task(Forwarder(outbox, connect, random.Random(1)).run())
        await settle(1)
        await scenario(outbox, brokers)
        task.cancel()

    run_virtual(main())


def test_nothing_is_sent_again_before_all_on_the_way_is_reported() -> None:
    async def scenario(outbox: FakeOutbox, brokers: list[HeldBroker]) -> None:
        (broker,) = brokers
        broker.report(2, DeliveryFailed("timed out"))
        broker.report(1)
        await settle()
        assert outbox.mark == 1
        assert len(broker.sent) == 4
        broker.report(3)
        broker.report(4)
        await settle()
        assert [seq for seq, _ in broker.sent[4:]] == [2, 3, 4]
        assert outbox.mark == 1

    play_held(scenario)


def test_reports_of_a_closed_producer_move_nothing() -> None:
    async def scenario(outbox: FakeOutbox, brokers: list[HeldBroker]) -> None:
        old = brokers[0]
        old.report(1)
        for seq in (2, 3, 4):
            old.report(seq, DeliveryFailed("fenced", fatal=True))
        await settle()
        assert old.closed
        new = brokers[1]
        old.report(2)
        old.report(3, DeliveryFailed("late"))
        await settle()
        assert outbox.mark == 1
        for seq in (2, 3, 4):
            new.report(seq)
            await settle()
        assert outbox.mark == 4
        assert len(new.sent) == 3

    play_held(scenario)


def test_a_store_that_fails_at_the_start_costs_no_duplicates() -> None:
    async def main() -> Shop:
        shop = Shop()
        shop.outbox = FakeOutbox([event(seq) for seq in range(1, 11)], mark=5, failing=2)
        shop.forwarder = shop.new_forwarder()
        task = asyncio.create_task(shop.forwarder.run())
        await settle()
        task.cancel()
        return shop

    assert sorted(run_virtual(main()).seqs()) == [6, 7, 8, 9, 10]


def test_a_missing_dead_letter_topic_does_not_hold_up_the_rest() -> None:
    async def scenario(shop: Shop) -> None:
        def refuses(message: Message) -> DeliveryFailed | None:
            if message.topic.endswith(".dlq"):
                return DeliveryFailed("unknown topic")
            return refusing(2)(message)

        shop.cluster.refuses = refuses
        shop.commit(4)
        await settle()
        shop.assert_all_delivered()
        (buried,) = shop.outbox.buried
        assert buried == (2, "message too large; not on the dead-letter topic: unknown topic")

    play(scenario)


def test_a_store_that_cannot_bury_is_asked_again() -> None:
    async def scenario(shop: Shop) -> None:
        await settle(1)
        shop.cluster.refuses = refusing(2)
        shop.commit(4)
        shop.outbox.failing = 3
        await settle()
        assert [seq for seq, _ in shop.outbox.buried] == [2]
        shop.assert_all_delivered()

    play(scenario)


def test_a_crash_between_delivery_and_watermark_makes_duplicates_only() -> None:
    async def main() -> Shop:
        shop = Shop()
        first = asyncio.create_task(shop.forwarder.run())
        await asyncio.sleep(0.5)
        shop.commit(20)
        await settle(1)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        shop.outbox.mark = 12  # the later move was not durable yet
        shop.forwarder = shop.new_forwarder()
        second = asyncio.create_task(shop.forwarder.run())
        shop.commit(2)
        await settle()
        shop.assert_all_delivered()
        second.cancel()
        return shop

    assert run_virtual(main()).duplicates() == 8


def test_waiting_grows_to_a_cap_and_is_jittered_from_the_seed() -> None:
    starts: list[float] = []

    async def main() -> None:
        def connect() -> ModelBroker:
            starts.append(asyncio.get_running_loop().time())
            raise DeliveryFailed("no way")

        task = asyncio.create_task(Forwarder(FakeOutbox(), connect, random.Random(5)).run())
        await settle(1_000)
        task.cancel()

    run_virtual(main())
    waits = [later - earlier for earlier, later in pairwise(starts)]
    longest = [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    for wait, limit in zip(waits, longest, strict=False):
        assert limit / 2 <= wait <= limit
    assert len(set(waits)) == len(waits)
    first_run, starts[:] = list(starts), []
    run_virtual(main())
    assert starts == first_run


def test_idle_costs_nothing() -> None:
    async def scenario(shop: Shop) -> None:
        await settle(1)
        loop = asyncio.get_running_loop()
        before = loop._made  # type: ignore[attr-defined]  # timers the virtual loop has made
        await settle(86_400)
        assert loop._made - before == 1  # type: ignore[attr-defined]  # this test's own sleep

    play(scenario)


def test_topic_prefix_and_headers() -> None:
    async def main() -> list[Message]:
        shop = Shop()
        forwarder = Forwarder(shop.outbox, shop.cluster.connect, random.Random(1), "fleet1.")
        task = asyncio.create_task(forwarder.run())
        shop.outbox.rows = [event(2)]
        forwarder.committed(shop.outbox.rows)
        await settle(1)
        task.cancel()
        return shop.cluster.topics["fleet1.transaction-events"]

    (sent,) = run_virtual(main())
    assert sent.key == b"m1"
    assert dict(sent.headers) == {
        "ce_seq": b"2",
        "ce_machine": b"m1",
        "content-type": b"application/json",
    }
