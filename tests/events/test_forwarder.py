"""What the forwarder promises while nothing fails: order, bounds, rest (E1, E3)."""

import asyncio
import random
from itertools import pairwise

import pytest
from forwarder_rig import FakeOutbox, Shop, event, play, settle

from hw_sim.loop import run_virtual
from hw_sim.model_broker import ModelBroker
from vendd.links import forwarder as module
from vendd.links.forwarder import Forwarder
from vendd.ports import DeliveryFailed, Message


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
