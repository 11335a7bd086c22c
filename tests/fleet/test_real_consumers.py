"""`vendd-fleet inventory` as processes, against Apache Kafka and PostgreSQL themselves."""

import random
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka.admin import AdminClient
from fleet_processes import HASTY, Consumers, publish, until
from fleet_rig import Rig
from kafka_server import KafkaServer
from machine_stream import ModelMachine
from postgres_server import PostgresServer

from vendd.events import TOPICS
from vendd.fleet.database import open_database
from vendd.fleet.database.sqlite import Sqlite

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(300)]


COUNT: Final = "SELECT count(*) FROM inbox"


@pytest.fixture
def prefix(apache_kafka: KafkaServer) -> str:
    name = f"f{uuid.uuid4().hex[:8]}."
    for topic in TOPICS:
        apache_kafka.create_topic(name + topic)
    return name


@pytest.fixture
def consumers(
    apache_kafka: KafkaServer, postgres: PostgresServer, prefix: str, tmp_path: Path
) -> Iterator[Consumers]:
    url = postgres.create(prefix[:-1])
    made = Consumers(apache_kafka.bootstrap, prefix, url, tmp_path, HASTY)
    yield made
    made.end()


def test_a_consumer_that_is_killed_again_and_again_counts_everything_once(
    apache_kafka: KafkaServer,
    postgres: PostgresServer,
    prefix: str,
    consumers: Consumers,
) -> None:
    machines = [ModelMachine(f"m-{n}", chance=random.Random(n)) for n in range(5)]
    for machine in machines:
        machine.random_day(1_500)
    records = sorted((r for m in machines for r in m.records), key=lambda r: r.arrived_ms)
    database = open_database(postgres.url(prefix[:-1]))
    publish(apache_kafka.bootstrap, prefix, records)
    consumers.start()
    for share in (1, 2, 3):
        until(database, COUNT, len(records) * share // 5)
        consumers.kill()
        consumers.start()
    until(database, COUNT, len(records))
    publish(apache_kafka.bootstrap, prefix, machines[0].records[:100])
    until(database, "SELECT sum(duplicates) FROM machines", 100)
    assert consumers.stop() == [0]
    rig = Rig(database, group="reader")
    for machine in machines:
        reference = Rig(Sqlite(":memory:"))
        reference.take(machine.records)
        proof = rig.completeness(machine.name)
        assert proof.complete
        assert proof.epochs[0].last == machine.books.seq
        assert proof.duplicates == (100 if machine is machines[0] else 0)
        assert rig.differences(machine.name) == []
        with database.transaction() as session:
            sums = "SELECT sum(sold), sum(value) FROM totals WHERE machine = ?"
            ((sold, value),) = session.rows(sums, (machine.name,))
        assert (sold, value) == (machine.books.sales_count, machine.books.sales_value)
    database.close()


def test_a_topic_that_is_made_anew_is_read_from_its_beginning(
    apache_kafka: KafkaServer, postgres: PostgresServer, prefix: str, consumers: Consumers
) -> None:
    machine = ModelMachine()
    machine.random_day(100)
    before, after = machine.records[:-10], machine.records[-10:]
    database = open_database(postgres.url(prefix[:-1]))
    consumers.start()
    publish(apache_kafka.bootstrap, prefix, before)
    until(database, COUNT, len(before))
    admin = AdminClient({"bootstrap.servers": apache_kafka.bootstrap, "log_level": 0})
    for deleted in admin.delete_topics([prefix + topic for topic in TOPICS]).values():
        deleted.result(30)
    for topic in TOPICS:
        apache_kafka.create_topic(prefix + topic)
    publish(apache_kafka.bootstrap, prefix, after)
    until(database, COUNT, len(machine.records))
    assert consumers.stop() == [0]
    rig = Rig(database, group="reader")
    assert rig.completeness(machine.name).complete
    assert rig.differences(machine.name) == []
    database.close()


def test_a_simulated_fleet_loads_the_backend(
    apache_kafka: KafkaServer, postgres: PostgresServer, tmp_path: Path
) -> None:
    """Topics with partitions that the command makes, two consumers, and a clean report."""
    prefix = f"l{uuid.uuid4().hex[:8]}."
    options = ["--machines", "50", "--rate", "2000", "--seconds", "3", "--partitions", "4"]
    where = ["--bootstrap", apache_kafka.bootstrap, "--topic-prefix", prefix]
    command = [sys.executable, "-m", "hw_sim", "fleet", *options, *where]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "inventory-updates 4" in said.stdout, said.stderr
    found = re.search(r"^([0-9,]+) delivered, 0 failed$", said.stdout, re.MULTILINE)
    assert found is not None, said.stdout
    count = int(found[1].replace(",", ""))
    url = postgres.create(prefix[:-1])
    consumers = Consumers(apache_kafka.bootstrap, prefix, url, tmp_path, HASTY)
    consumers.start()
    consumers.start()
    database = open_database(url)
    try:
        until(database, COUNT, count)
        report = consumers.run("report").stdout
        assert consumers.stop() == [0, 0]
    finally:
        consumers.end()
        database.close()
    assert report.count("nothing missing, 0 duplicates ignored") == 50
