"""Bad days at Apache Kafka itself: cables, disks, topics that nobody made, costly links."""

import asyncio
import json
import random
from pathlib import Path

import pytest
from cut_network import Relay, relay, unnoticed_death
from kafka_server import KafkaServer
from store_to_kafka import SAMPLES, machine
from test_secure_kafka import Told

from hw_sim.consumer import read_all
from hw_sim.received import audit
from vendd.core import facts
from vendd.core.facts import Fact
from vendd.events import TOPICS
from vendd.links.budget import Budget
from vendd.ports import Trouble

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]
IMPATIENT = {
    "socket.timeout.ms": "3000",  # a minute in the field
    "request.timeout.ms": "3000",
    "reconnect.backoff.max.ms": "500",
    "topic.metadata.propagation.max.ms": "500",
    "topic.metadata.refresh.interval.ms": "1000",
    "statistics.interval.ms": "500",
}


def everything(kafka: KafkaServer, prefix: str, last_seq: int) -> None:
    """Nothing is missing, and every topic is in order; copies may be there."""
    result = audit(read_all(kafka.bootstrap, TOPICS, prefix), last_seq)
    assert result.missing == ()
    assert result.in_order


async def _silence(cable: Relay) -> None:
    cable.silent()


async def _no_answers(cable: Relay) -> None:
    cable.silent(to_broker=False)  # the broker takes what it acknowledges in vain


async def _no_questions(cable: Relay) -> None:
    cable.silent(to_client=False)


async def _resets(cable: Relay) -> None:
    for _ in range(5):
        cable.hang_up()
        await asyncio.sleep(0.3)


@pytest.mark.campaign
@pytest.mark.parametrize("cut", [_silence, _no_answers, _no_questions, _resets])
def test_a_cut_cable_in_the_middle_of_a_drain_loses_nothing(
    tmp_path: Path, kafka: KafkaServer, cut
) -> None:  # type: ignore[no-untyped-def]
    prefix = f"cut{cut.__name__}."
    kafka.create_topics(prefix)

    async def main() -> int:
        async with (
            relay(kafka.at["BEHIND"], kafka.relay_port) as cable,
            machine(tmp_path, cable.address, prefix, options=IMPATIENT) as running,
        ):
            await running.commit(*SAMPLES)
            await running.delivered(60)
            for number in range(60):
                await running.commit(*SAMPLES, *SAMPLES, *SAMPLES)
                if number == 20:
                    await cut(cable)
            assert running.forwarder.standing().depth > 0
            await asyncio.sleep(4)
            cable.restore()
            await running.delivered(120)
            return running.last_seq

    everything(kafka, prefix, asyncio.run(main()))


@pytest.mark.campaign
def test_a_connection_that_died_unnoticed_is_given_up_by_the_settings_of_the_field(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    kafka.create_topics("dead.")

    async def main() -> int:
        async with (
            unnoticed_death(kafka.at["BEHIND"], kafka.relay_port) as die,
            machine(tmp_path, f"127.0.0.1:{kafka.relay_port}", "dead.") as running,
        ):
            await running.commit(*SAMPLES)
            await running.delivered(60)
            await die()
            await running.commit(*SAMPLES)
            await running.delivered(30)  # a minute with librdkafka's own
            return running.last_seq

    everything(kafka, "dead.", asyncio.run(main()))


def test_a_topic_that_nobody_made_is_told_and_waited_for(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    told = Told()

    async def main() -> int:
        async with machine(
            tmp_path, kafka.bootstrap, "later.", told=told, options=IMPATIENT
        ) as running:
            await running.commit(*SAMPLES)
            await told.heard()
            assert await running.outbox.dead_letters(0, 9) == []
            await asyncio.to_thread(kafka.create_topics, "later.")
            await running.delivered(120)
            return running.last_seq

    last_seq = asyncio.run(main())
    # Topics are made one after the other: what is told may come and go meanwhile.
    assert {trouble for trouble, _ in told.said} == {Trouble.TOPIC_MISSING}
    assert [active for _, active in told.said] == [True, False] * (len(told.said) // 2)
    everything(kafka, "later.", last_seq)


@pytest.mark.campaign  # it takes a broker of its own: this one is spoiled for others
def test_a_broker_whose_disk_is_full_gets_all_of_it_once_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    kafka = KafkaServer(tmp_path / "kafka")
    kafka.start()
    try:
        _fill_the_disk(tmp_path / "store", kafka)
    finally:
        kafka.kill()


def _fill_the_disk(store: Path, kafka: KafkaServer) -> None:
    chance = random.Random(1)

    async def main() -> int:
        async with machine(store, kafka.bootstrap, "full.", options=IMPATIENT) as running:
            await running.commit(*SAMPLES)
            await running.delivered(60)
            kafka.allow_file_size(60_000)  # what a write beyond the end of the disk is like
            try:
                for _ in range(30):
                    await running.commit(*(_unlike_any_other(chance) for _ in range(10)))
                await asyncio.sleep(4)
                assert running.forwarder.standing().depth > 0
            finally:
                await asyncio.to_thread(kafka.kill)
                await asyncio.to_thread(kafka.start)
            await running.commit(*SAMPLES)
            await running.delivered(120)
            return running.last_seq

    everything(kafka, "full.", asyncio.run(main()))


def _unlike_any_other(chance: random.Random) -> Fact:
    """An event that no compression makes small."""
    return facts.ClaimOpened("K-1", 50, chance.randbytes(1_000).hex())


def test_a_metered_link_saves_telemetry_and_money_arrives(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    kafka.create_topics("sim.")
    day = ["2026-01-31"]
    budget = Budget(1, lambda: day[0])
    noise = facts.Door("opened", 0, sale_in_flight=False)
    chance = random.Random(2)

    async def main() -> tuple[int, int]:
        async with machine(
            tmp_path, kafka.bootstrap, "sim.", budget=budget, options=IMPATIENT
        ) as running:
            while budget.left:  # real bytes on a real wire, as the client counts them
                while budget.left:
                    await running.commit(*(_unlike_any_other(chance) for _ in range(20)))
                    await asyncio.sleep(0.02)
                await asyncio.sleep(2)  # estimated until now: the client's own count may be less
            door = (await running.commit(noise))[0].seq
            sale = (await running.commit(SAMPLES[0]))[0].seq
            async with asyncio.timeout(30):
                while running.forwarder.standing().held == 0:  # noqa: ASYNC110  # no such event
                    await asyncio.sleep(0.01)
            await asyncio.sleep(1)
            arrived = {r.seq for r in read_all(kafka.bootstrap, TOPICS, "sim.")}
            assert sale in arrived
            assert door not in arrived
            assert running.forwarder.standing().bytes_today > 1_000_000
            day[0] = "2026-02-01"
            await running.commit(SAMPLES[0])
            await running.delivered(60)
            return running.last_seq, door

    last_seq, door = asyncio.run(main())
    received = read_all(kafka.bootstrap, TOPICS, "sim.")
    result = audit(received, last_seq)
    assert (result.missing, result.in_order) == ((), True)
    assert door in {r.seq for r in received}


def test_a_backend_asks_for_a_replay_and_gets_it_marked(tmp_path: Path, kafka: KafkaServer) -> None:
    kafka.create_topics("replay.")

    async def main() -> int:
        async with machine(tmp_path, kafka.bootstrap, "replay.") as running:
            for _ in range(50):
                await running.commit(*SAMPLES)
            await running.delivered(60)
            answer = await running.forwarder.replay(11, 130)
            assert answer is not None
            assert answer.events == 120
            async with asyncio.timeout(60):
                while await running.outbox.next_replay() is not None:  # noqa: ASYNC110  # no such event
                    await asyncio.sleep(0.05)
            return running.last_seq

    last_seq = asyncio.run(main())
    received = read_all(kafka.bootstrap, TOPICS, "replay.")
    again = [r for r in received if r.headers.get("replay") == "true"]
    live = [r for r in received if "replay" not in r.headers]
    assert sorted(r.seq for r in again) == list(range(11, 131))
    result = audit(live, last_seq)
    assert (result.missing, result.duplicates, result.in_order) == ((), 0, True)
    first = {r.seq: r for r in live}
    for copy in again:
        assert json.loads(copy.value) == json.loads(first[copy.seq].value)
        assert copy.headers["ce_id"] == first[copy.seq].headers["ce_id"]
