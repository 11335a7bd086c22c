"""`vendd-fleet inventory` as processes, against Apache Kafka and PostgreSQL themselves."""

import random
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import Producer
from fleet_rig import Rig
from kafka_server import KafkaServer
from machine_stream import ModelMachine
from postgres_server import PostgresServer

from vendd.events import TOPICS
from vendd.fleet.database import Database, DatabaseDown, DatabaseRefused, open_database
from vendd.fleet.database.sqlite import Sqlite
from vendd.fleet.envelope import Record

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]


COUNT: Final = "SELECT count(*) FROM inbox"
LOOK_S: Final = 0.02


class Consumers:
    """Processes of one group; can be killed and started again."""

    def __init__(self, bootstrap: str, prefix: str, url: str, log: Path) -> None:
        self._command = [
            *(sys.executable, "-m", "vendd.fleet", "inventory"),
            *("--bootstrap", bootstrap, "--topic-prefix", prefix, "--database", url),
            *("--group", prefix + "fleet", "--config", str(log.with_suffix(".toml"))),
        ]
        log.with_suffix(".toml").write_text(
            '[kafka.options]\n"session.timeout.ms" = "1500"\n"heartbeat.interval.ms" = "300"\n'
        )
        self._log = log
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.running.append(subprocess.Popen(self._command, stdout=log, stderr=log))

    def kill(self) -> None:
        """The oldest, as a power cut would."""
        process = self.running.pop(0)
        process.kill()
        process.wait(10)

    def stop(self) -> list[int]:
        """All, in order; gives their exit codes."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in self.running]
        self.running.clear()
        return codes


@pytest.fixture
def prefix(apache_kafka: KafkaServer) -> str:
    name = f"f{uuid.uuid4().hex[:8]}."
    for topic in TOPICS:
        apache_kafka.create_topic(name + topic)
    return name


@pytest.fixture
def consumers(
    apache_kafka: KafkaServer, postgres: PostgresServer, prefix: str, tmp_path: Path
) -> Iterator[Callable[[str], Consumers]]:
    made: list[Consumers] = []

    def make(url: str) -> Consumers:
        made.append(Consumers(apache_kafka.bootstrap, prefix, url, tmp_path / "consumer.log"))
        return made[-1]

    yield make
    for each in made:
        for process in each.running:
            process.kill()
            process.wait(10)
    print((tmp_path / "consumer.log").read_text())


def publish(bootstrap: str, prefix: str, records: Sequence[Record]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for record in records:
        headers = list(record.headers)
        producer.produce(prefix + record.topic, record.value, record.key, headers=headers)
        producer.poll(0)
    assert producer.flush(60) == 0


def until(database: Database, statement: str, enough: int, timeout_s: float = 90) -> None:
    """Until a statement gives at least `enough`: what another process does has no event here."""
    found = 0
    pause = threading.Event()
    for _ in range(int(timeout_s / LOOK_S)):
        try:
            with database.transaction() as session:
                found = int(session.rows(statement)[0][0] or 0)
        except (DatabaseDown, DatabaseRefused):
            found = 0  # not there yet, or its tables are not
        if found >= enough:
            return
        pause.wait(LOOK_S)
    raise AssertionError(f"{statement}: {found} after {timeout_s} s, expected {enough}")


def test_a_consumer_that_is_killed_again_and_again_counts_everything_once(
    apache_kafka: KafkaServer,
    postgres: PostgresServer,
    prefix: str,
    consumers: Callable[[str], Consumers],
) -> None:
    machines = [ModelMachine(f"m-{n}", chance=random.Random(n)) for n in range(5)]
    for machine in machines:
        machine.random_day(1_500)
    records = sorted((r for m in machines for r in m.records), key=lambda r: r.arrived_ms)
    url = postgres.create("killed")
    database = open_database(url)
    running = consumers(url)
    publish(apache_kafka.bootstrap, prefix, records)
    running.start()
    for share in (1, 2, 3):
        until(database, COUNT, len(records) * share // 5)
        running.kill()
        running.start()
    until(database, COUNT, len(records))
    publish(apache_kafka.bootstrap, prefix, machines[0].records[:100])
    until(database, "SELECT sum(duplicates) FROM machines", 100)
    assert running.stop() == [0]
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
