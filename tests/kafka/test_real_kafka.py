"""Against Apache Kafka itself: delivery, a broker that dies and comes back, a refused event."""

import asyncio
from pathlib import Path

import pytest
from kafka_server import KafkaServer
from store_to_kafka import SAMPLES, machine

from hw_sim.consumer import read_all
from hw_sim.received import audit
from vendd.core import facts
from vendd.events import TOPICS

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]


def test_a_broker_that_dies_and_comes_back_gets_everything_in_order(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    kafka.create_topics("restart.")

    async def main() -> int:
        async with machine(tmp_path, kafka.bootstrap, "restart.") as running:
            await running.commit(*SAMPLES)
            await running.delivered(60)
            for _ in range(50):
                await running.commit(*SAMPLES)
            await asyncio.to_thread(kafka.kill)
            for _ in range(400):  # beyond what is kept in memory
                await running.commit(*SAMPLES)
            assert running.forwarder.standing().depth >= 1_600
            await asyncio.to_thread(kafka.start)
            await running.commit(*SAMPLES)
            await running.delivered(120)
            return running.last_seq

    last_seq = asyncio.run(main())
    result = audit(read_all(kafka.bootstrap, TOPICS, "restart."), last_seq)
    assert result.missing == ()
    assert result.in_order
    assert result.duplicates == 0, "one idempotent producer lived through the outage"


@pytest.mark.campaign
def test_a_broker_killed_again_and_again_during_a_drain_loses_nothing(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    kafka.create_topics("drain.")
    backlog = 20_000

    async def offline() -> None:
        async with machine(tmp_path, "127.0.0.1:1", "drain.") as running:
            for _ in range(backlog // 200):
                await running.commit(*SAMPLES * 50)

    async def online() -> int:
        async with machine(tmp_path, kafka.bootstrap, "drain.") as running:
            deaths = 0
            for share in (1, 2):
                async with asyncio.timeout(60):
                    while running.forwarder.standing().watermark < backlog * share // 4:  # noqa: ASYNC110  # no such event
                        await asyncio.sleep(0.001)
                kafka.kill()  # at once: the loop stands still meanwhile, the client doesn't
                deaths += running.forwarder.standing().watermark < backlog
                await asyncio.to_thread(kafka.start)
            assert deaths == 2, "it was over before the broker died"
            await running.commit(*SAMPLES)
            await running.delivered(120)
            return running.last_seq

    asyncio.run(offline())
    last_seq = asyncio.run(online())
    result = audit(read_all(kafka.bootstrap, TOPICS, "drain."), last_seq)
    assert (result.missing, result.in_order) == ((), True)


def test_only_the_event_that_is_too_large_is_buried(tmp_path: Path, kafka: KafkaServer) -> None:
    kafka.create_topic("small.transaction-events", **{"max.message.bytes": "3000"})
    kafka.create_topic("small.transaction-events.dlq")
    noise = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(3_000))
    too_large = facts.ClaimOpened("K-2", 50, noise)

    async def main() -> list[int]:
        async with machine(tmp_path, kafka.bootstrap, "small.") as running:
            events = [SAMPLES[0]] * 3 + [too_large] + [SAMPLES[0]] * 3
            await running.commit(*events)
            await running.delivered(60)
            await running.commit(SAMPLES[0])
            await running.delivered(60)
            letters = await running.outbox.dead_letters(0, 10)
            assert "MSG_SIZE_TOO_LARGE" in letters[0][1]
            return [event.seq for event, _ in letters]

    assert asyncio.run(main()) == [4]
    received = read_all(kafka.bootstrap, ["transaction-events"], "small.")
    assert audit(received, 8).missing == (4,)
    (letter,) = read_all(kafka.bootstrap, ["transaction-events.dlq"], "small.")
    assert letter.seq == 4
    assert "MSG_SIZE_TOO_LARGE" in letter.headers["dlq_reason"]
