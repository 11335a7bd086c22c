"""What a `ports.Broker` promises: one suite for the model and for librdkafka itself."""

import asyncio
import random
import threading
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from hw_sim.consumer import read_all
from hw_sim.loop import run_virtual
from hw_sim.model_broker import ModelCluster
from hw_sim.received import Received
from vendd.links.kafka import LibrdkafkaBroker
from vendd.ports import Broker, DeliveryFailed, Message

Scenario = Callable[["Rig"], Coroutine[Any, Any, None]]
NOWHERE = "127.0.0.1:1"  # nobody listens there


@dataclass
class Rig:
    """One implementation: how to connect, how to read the topics, how to run a scenario."""

    connect: Callable[[], Broker]
    connect_to_nowhere: Callable[[], Broker]
    read: Callable[[str], list[Received]]
    run: Callable[[Coroutine[Any, Any, None]], None]

    def play(self, scenario: Scenario) -> None:
        self.run(scenario(self))


def model_rig() -> Rig:
    cluster = ModelCluster(random.Random(1))
    away = ModelCluster(random.Random(1))
    away.outage()

    def read(topic: str) -> list[Received]:
        return [Received.of(message) for message in cluster.topics.get(topic, [])]

    return Rig(cluster.connect, away.connect, read, run_virtual)


def real_rig(bootstrap: str) -> Rig:
    return Rig(
        connect=lambda: LibrdkafkaBroker(bootstrap, "contract"),
        connect_to_nowhere=lambda: LibrdkafkaBroker(NOWHERE, "contract"),
        read=lambda topic: read_all(bootstrap, [topic]),
        run=asyncio.run,
    )


@pytest.fixture(params=["model", "librdkafka"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "model":
        return model_rig()
    return real_rig(request.getfixturevalue("mock_kafka"))


@pytest.fixture
def topic() -> str:
    return f"contract-{uuid.uuid4().hex[:8]}"


class Reports:
    """Counts what `done` said, and checks that it said it on the loop's thread."""

    def __init__(self) -> None:
        self.said: dict[int, list[DeliveryFailed | None]] = {}
        self._news = asyncio.Event()
        self._thread = threading.get_ident()

    def of(self, number: int) -> Callable[[DeliveryFailed | None], None]:
        self.said[number] = []

        def done(failure: DeliveryFailed | None) -> None:
            assert threading.get_ident() == self._thread
            self.said[number].append(failure)
            self._news.set()

        return done

    async def all(self) -> None:
        async with asyncio.timeout(20):
            while not all(self.said.values()):
                self._news.clear()
                await self._news.wait()

    def assert_once_each(self) -> None:
        assert {number: len(said) for number, said in self.said.items()} == dict.fromkeys(
            self.said, 1
        )


def message(topic: str, number: int, size: int = 0) -> Message:
    value = f"{number}".encode().ljust(size, b" ")
    headers = (("ce_seq", f"{number}".encode()), ("ce_source", "Köln".encode()))
    return Message(topic, b"m1", value, headers)


def test_a_message_arrives_with_key_headers_and_value(rig: Rig, topic: str) -> None:
    async def scenario(rig: Rig) -> None:
        broker = rig.connect()
        reports = Reports()
        assert broker.send(message(topic, 1), reports.of(1))
        assert reports.said == {1: []}, "never from inside send"
        await reports.all()
        await broker.close()
        assert reports.said == {1: [None]}

    rig.play(scenario)
    (received,) = rig.read(topic)
    assert received == Received(topic, b"m1", {"ce_seq": "1", "ce_source": "Köln"}, b"1")


def test_one_machines_messages_keep_their_order(rig: Rig, topic: str) -> None:
    async def scenario(rig: Rig) -> None:
        broker = rig.connect()
        reports = Reports()
        for number in range(1, 501):
            assert broker.send(message(topic, number), reports.of(number))
            if number % 50 == 0:
                await asyncio.sleep(0.001)
        await reports.all()
        await broker.close()
        reports.assert_once_each()
        assert set().union(*reports.said.values()) == {None}

    rig.play(scenario)
    assert [received.seq for received in rig.read(topic)] == list(range(1, 501))


def test_a_message_too_large_is_refused_for_good_and_the_next_goes_on(rig: Rig, topic: str) -> None:
    async def scenario(rig: Rig) -> None:
        broker = rig.connect()
        reports = Reports()
        assert broker.send(message(topic, 1, size=2_000_000), reports.of(1))
        assert broker.send(message(topic, 2), reports.of(2))
        await reports.all()
        await broker.close()
        (failure,) = reports.said[1]
        assert failure is not None
        assert failure.permanent
        assert not failure.fatal
        assert reports.said[2] == [None]

    rig.play(scenario)
    assert [received.seq for received in rig.read(topic)] == [2]


def test_while_the_cluster_is_away_the_queue_fills_and_close_reports_every_message(
    rig: Rig, topic: str
) -> None:
    async def scenario(rig: Rig) -> None:
        broker = rig.connect_to_nowhere()
        reports = Reports()
        taken = 0
        while taken < 5_000 and broker.send(message(topic, taken), reports.of(taken)):
            taken += 1
        assert 1_000 <= taken < 5_000, "bounded, but enough for what the forwarder has in flight"
        del reports.said[taken]  # it was not taken
        assert not any(reports.said.values())
        await broker.close()
        await reports.all()
        reports.assert_once_each()
        failures = [said[0] for said in reports.said.values()]
        assert all(f is not None and not f.permanent and not f.fatal for f in failures)

    rig.play(scenario)


def test_close_gives_what_is_on_its_way_time_to_arrive(rig: Rig, topic: str) -> None:
    async def scenario(rig: Rig) -> None:
        broker = rig.connect()
        reports = Reports()
        for number in range(1, 21):
            broker.send(message(topic, number), reports.of(number))
        await broker.close()
        await asyncio.sleep(0)
        assert reports.said == {number: [None] for number in range(1, 21)}

    rig.play(scenario)
    assert len(rig.read(topic)) == 20
