"""The promise as a whole: whoever is killed, whenever, nothing is lost and nothing counts twice.

Twenty machines commit 100,000 events to stores of their own; their forwarders carry them to
Apache Kafka, a group of two `vendd-fleet inventory` processes into PostgreSQL. Meanwhile broker,
consumers and database are killed at random. ``make test-kafka`` runs it; it takes minutes.
"""

import asyncio
import os
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fleet_processes import HASTY, Consumers, publish, until
from fleet_rig import Rig
from kafka_server import KafkaServer
from machine_stream import CAPACITY, ModelMachine
from postgres_server import PostgresServer
from store_to_kafka import CONTEXT, machine

from hw_sim.consumer import read_all
from hw_sim.received import Received, audit
from vendd.events import TOPICS
from vendd.fleet.database import open_database
from vendd.fleet.reconcile import stock

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1_500)]

MACHINES = int(os.environ.get("VENDD_CAMPAIGN_MACHINES", "20"))
EVENTS = int(os.environ.get("VENDD_CAMPAIGN_EVENTS", "100000"))
SEED = int(os.environ.get("VENDD_CAMPAIGN_SEED", "1"))
KILLS = {"broker": 7, "consumer": 11, "database": 3}
COMMITS_AT_ONCE = 10


@dataclass
class Trouble:
    """Kills what runs, one after the other, until the machines have told everything."""

    kafka: KafkaServer
    postgres: PostgresServer
    consumers: Consumers
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    struck: asyncio.Event = field(default_factory=asyncio.Event)

    async def strike(self) -> None:
        """All kills, each a moment after the one before is mended."""
        plan = [kind for kind, count in KILLS.items() for _ in range(count)]
        self.chance.shuffle(plan)
        for kind in plan:
            await asyncio.sleep(2 * self.chance.random())
            await asyncio.to_thread(getattr(self, f"kill_{kind}"))
            self.killed[kind] += 1
            self.struck.set()
            self.struck.clear()

    async def reached(self, share: float) -> None:
        """Wait until so much of the trouble is over."""
        while self.killed.total() < share * sum(KILLS.values()):
            await self.struck.wait()

    def kill_broker(self) -> None:
        self.kafka.kill()
        self.kafka.start()

    def kill_consumer(self) -> None:
        self.consumers.kill()
        self.consumers.start()

    def kill_database(self) -> None:
        self.postgres.stop(kill=True)
        self.postgres.start()


class Fleet:
    """The machines: what each will commit is known beforehand, and so is their truth."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self._bootstrap, self._prefix, self._folder = bootstrap, prefix, folder
        self.models = [
            ModelMachine(f"m-{n:02}", slots=8, chance=random.Random(SEED * 1_000 + n))
            for n in range(MACHINES)
        ]
        for model in self.models:
            model.random_day(EVENTS // MACHINES - len(model.records))
        self.total = sum(model.books.seq for model in self.models)

    async def live(self, trouble: Trouble) -> None:
        await asyncio.gather(*(self._live(model, trouble) for model in self.models))

    async def _live(self, model: ModelMachine, trouble: Trouble) -> None:
        """Two lives, and as much to tell between any two kills: the first is cut in the middle
        of what it still had to send."""
        half = len(model.commits) // 2
        for boot, commits in enumerate((model.commits[:half], model.commits[half:]), 1):
            context = replace(
                CONTEXT, machine=model.name, boot_id=f"{model.name}-{boot}", boot_count=boot
            )
            folder = self._folder / model.name
            async with machine(folder, self._bootstrap, self._prefix, context=context) as running:
                for begin in range(0, len(commits), COMMITS_AT_ONCE):
                    chunk = commits[begin : begin + COMMITS_AT_ONCE]
                    facts = [fact for commit in chunk for fact in commit]
                    await running.commit(*facts)
                    done = (boot - 1) * half + begin
                    await trouble.reached(done / len(model.commits) * 0.95)
                if boot > 1:
                    await running.delivered(300)


def test_nothing_is_lost_and_nothing_counts_twice(
    apache_kafka: KafkaServer, postgres: PostgresServer, tmp_path: Path
) -> None:
    prefix = f"c{uuid.uuid4().hex[:8]}."
    for topic in TOPICS:
        apache_kafka.create_topic(prefix + topic, partitions=4)
    url = postgres.create(prefix[:-1])
    consumers = Consumers(apache_kafka.bootstrap, prefix, url, tmp_path, HASTY)
    chance = random.Random(SEED)
    trouble = Trouble(apache_kafka, postgres, consumers, chance)
    fleet = Fleet(apache_kafka.bootstrap, prefix, tmp_path)

    async def life() -> None:
        await asyncio.gather(fleet.live(trouble), trouble.strike())

    consumers.start()
    consumers.start()
    database = open_database(url)
    try:
        asyncio.run(life())
        until(database, "SELECT count(*) FROM inbox", fleet.total, timeout_s=300)
        # Forwarders whose watermark was not saved send again what they had sent.
        sent = read_all(apache_kafka.bootstrap, TOPICS, prefix)
        again = chance.sample(sent, len(sent) // 50)
        publish(apache_kafka.bootstrap, "", again)
        copies = len(sent) + len(again) - fleet.total
        until(database, "SELECT sum(duplicates) FROM machines", copies)
        assert consumers.stop() == [0, 0]
    finally:
        consumers.end()
    received = read_all(apache_kafka.bootstrap, TOPICS, prefix)
    verdict(fleet, Rig(database, group="reader"), received)
    database.close()
    killed = ", ".join(f"{kind} {count} times" for kind, count in sorted(trouble.killed.items()))
    print(
        f"{fleet.total} events of {MACHINES} machines; killed: {killed};"
        f" 0 lost, 0 out of order, {copies} duplicates counted and ignored"
    )


def verdict(fleet: Fleet, rig: Rig, received: list[Received]) -> None:
    """What stands in Kafka, what the consumers made of it, and what the machines know."""
    counted = 0
    for model in fleet.models:
        own = [message for message in received if message.machine == model.name]
        found = audit(own, model.books.seq)
        assert (found.missing, found.in_order) == ((), True), model.name
        proof = rig.completeness(model.name)
        assert proof.complete, proof.lines()
        assert [epoch.last for epoch in proof.epochs] == [model.books.seq]
        assert proof.conflicts == 0
        assert proof.duplicates == found.duplicates, model.name
        counted += proof.duplicates
        assert rig.differences(model.name) == []
        with rig.database.transaction() as session:
            sums = "SELECT sum(sold), sum(value) FROM totals WHERE machine = ?"
            ((sold, value),) = session.rows(sums, (model.name,))
            levels = {slot.slot: slot.level for slot in stock(session, model.name)}
        assert (sold, value) == (model.books.sales_count, model.books.sales_value)
        assert {slot: levels.get(slot, CAPACITY) for slot in model.books.stock} == model.books.stock
    assert counted == len(received) - fleet.total
    assert rig.buried == []
