"""What the forwarder promises on bad days, one by one, in virtual time (E1, E2)."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from forwarder_rig import TOPICS, FakeOutbox, Shop, event, play, seq_of, settle

from hw_sim.loop import run_virtual
from hw_sim.model_broker import ModelBroker
from vendd.links.forwarder import Forwarder
from vendd.ports import DeliveryFailed, Message


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

    def listen(self, heard: object, carried: object) -> None:
        return

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
