"""What one machine of a fleet costs its backend, as a part of ``make bench-stream``.

Machines of ``hw_sim fleet`` live some days; a standing backlog of their events goes through one
``vendd-fleet inventory`` process into PostgreSQL. README's sizing is these figures, multiplied.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import psycopg
from confluent_kafka import Producer

from hw_sim.fleet.day import DAY_MS
from hw_sim.fleet.load import Crowd, Load
from tests.bench.fleet_at_work import KafkaServer, PostgresServer, processes
from tests.bench.table import Row
from vendd.events import TOPICS
from vendd.fleet.alarms.rules import Limits, evaluate
from vendd.fleet.alarms.view import look
from vendd.fleet.clock import WallClock
from vendd.fleet.database import migrate, open_database
from vendd.ports import Message

_LOOK_S: Final = 0.05
_LIMIT_S: Final = 600.0
_PARTS: Final = 4
_TURNS: Final = 7
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_STATE: Final = "of one machine's tables beside inbox and sales"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    machines: int
    days: float


FULL: Final = Scale(machines=300, days=2.0)
QUICK: Final = Scale(machines=60, days=0.5)


def figures(scale: Scale, kafka: KafkaServer, postgres: PostgresServer) -> list[Row]:
    prefix = f"size{os.getpid()}."
    total, sent = fill(kafka, prefix, scale)
    url = postgres.create("sizing")
    migrate(open_database(url))
    command = (
        *(sys.executable, "-m", "vendd.fleet", "inventory", "--bootstrap", kafka.bootstrap),
        *("--topic-prefix", prefix, "--database", url, "--group", prefix),
    )
    with processes([command]) as (consumer,):
        rate, ours_s, theirs_s = _consumed(url, total, consumer.pid)
    note = f"{total:,} events of {scale.machines} machines, {scale.days:g} days of each."
    million = 1e6 / total
    return [
        Row("events per machine and day", total / scale.machines / scale.days, note=note),
        Row("bytes per event in Kafka, before compression", sent / total, "B"),
        Row("one consumer, events per second", rate, "/s"),
        Row("CPU of the consumer per million events", ours_s * million, "s"),
        Row("CPU of its PostgreSQL backend per million events", theirs_s * million, "s"),
        *_stored(url, scale.machines),
        _rules(url, prefix, scale.machines),
    ]


def fill(kafka: KafkaServer, prefix: str, scale: Scale) -> tuple[int, int]:
    """The machines' days into the topics: events and bytes."""
    for topic in TOPICS:
        kafka.create_topic(prefix + topic, partitions=_PARTS)
        kafka.create_topic(f"{prefix}{topic}.dlq", partitions=_PARTS)
    settings = {"partitioner": "murmur2_random", "compression.type": "lz4", "linger.ms": 20}
    producer = Producer({"bootstrap.servers": kafka.bootstrap, **settings})
    sizes: list[int] = []

    def publish(message: Message) -> None:
        sizes.append(message.size())
        while True:
            try:
                producer.produce(
                    prefix + message.topic,
                    message.value,
                    message.key,
                    headers=list(message.headers),
                )
                break
            except BufferError:
                producer.poll(0.1)

    load = Load(kafka.bootstrap, scale.machines, 1.0, None, "size")
    crowd = Crowd(load, publish, WallClock().now_ms() // DAY_MS * DAY_MS)
    while crowd.days < scale.days:
        crowd.act()
    assert producer.flush(60) == 0
    return len(sizes), sum(sizes)


def _consumed(url: str, total: int, consumer: int) -> tuple[float, float, float]:
    """Events per second from the first that is committed to the last, and meanwhile the seconds
    of CPU that the consumer and its backend took."""
    begun: tuple[float, int, float, float] | None = None
    end = time.perf_counter() + _LIMIT_S
    with psycopg.connect(url, autocommit=True) as connection:
        while time.perf_counter() < end:
            count = _number(connection, "SELECT coalesce(sum(next_offset), 0) FROM offsets")
            backend = _number(
                connection,
                "SELECT coalesce(max(pid), 0) FROM pg_stat_activity"
                " WHERE application_name = 'vendd-fleet'",
            )
            if count and begun is None:
                begun = (time.perf_counter(), count, _cpu_s(consumer), _cpu_s(backend))
            if begun is not None and count >= total:
                seconds, part = time.perf_counter() - begun[0], total / (total - begun[1])
                used = (_cpu_s(consumer) - begun[2], _cpu_s(backend) - begun[3])
                return (count - begun[1]) / seconds, used[0] * part, used[1] * part
            time.sleep(_LOOK_S)  # noqa: TID251  # another process's progress, in real time
    raise RuntimeError(f"not all of {total} events came within {_LIMIT_S} s")


def _stored(url: str, machines: int) -> list[Row]:
    with psycopg.connect(url, autocommit=True) as connection:
        sizes: dict[str, int] = {
            name: int(size)
            for name, size in connection.execute(
                "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
            )
        }
        events = _number(connection, "SELECT count(*) FROM inbox")
        sales = _number(connection, "SELECT count(*) FROM sales")
    rest = sum(sizes.values()) - sizes["inbox"] - sizes["sales"]
    return [
        Row("inbox: bytes per event, with its indexes", sizes["inbox"] / events, "B"),
        Row("sales: bytes per sale, with its indexes", sizes["sales"] / sales, "B"),
        Row(f"bytes {_STATE}", rest / machines, "B"),
    ]


def _rules(url: str, prefix: str, machines: int) -> Row:
    """One turn of the watch, which runs every `every_s`."""
    database = open_database(url)
    taken_s = []
    for _ in range(_TURNS):
        begun = time.perf_counter()
        with database.transaction() as session:
            view = look(session, WallClock().now_ms(), f"{prefix}-inventory", 600_000)
        evaluate(view, Limits(), {})
        taken_s.append(time.perf_counter() - begun)
    database.close()
    each_ms = median(taken_s) * 1e6 / machines
    return Row("one turn of the rules per 1,000 machines", each_ms, "ms")


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _cpu_s(pid: int) -> float:
    """User and system time of a process of this computer, proc(5)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS
