"""Figures of the fleet's consumers: real Kafka, real PostgreSQL, processes as in production.

The baseline is a loop in a process of its own that reads the same topics with the same client and
writes the same rows with COPY, without checks, order, merging or proof.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg
from confluent_kafka import Consumer, Producer

from tests.bench import sizing
from tests.bench.fleet_at_work import KafkaServer, ModelMachine, PostgresServer, made, processes
from tests.bench.table import Goal, Row, render
from vendd.events import TOPICS
from vendd.fleet.database import migrate, open_database

_LOOK_S: Final = 0.01
_PARTS: Final = 4
_LIMIT_S: Final = 300.0
_BARE: Final = (
    "Bare: one process, same client; the rows that the consumers keep, by COPY and unmerged; JSON"
    " decoded only where a row needs it; no schema, no duplicates, no order, no proof."
)
_BARE_TABLES: Final = (
    ("bare_levels", "slot_levels"),
    ("bare_flows", "cash_flows"),
    ("bare_latest", "latest"),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    events: int
    machines: int
    rounds: int


FULL: Final = Scale(events=200_000, machines=200, rounds=3)
QUICK: Final = Scale(events=40_000, machines=40, rounds=1)


def figures(scale: Scale, kafka: KafkaServer, postgres: PostgresServer) -> list[Row]:
    """Events per second from a standing backlog: from the first that is committed to the last."""
    prefix = f"bench{os.getpid()}."
    total = _fill(kafka, prefix, scale)
    bare, one, two = [], [], []
    for number in range(scale.rounds):  # alternating: the machine's mood is the same for all
        bare.append(_bare(kafka, postgres, prefix, total, f"bare{number}"))
        one.append(_ours(kafka, postgres, prefix, total, f"one{number}", 1))
        two.append(_ours(kafka, postgres, prefix, total, f"two{number}", 2))
    base, alone, both = median(bare), median(one), median(two)
    note = f"{total:,} events of {scale.machines} machines, {_PARTS} partitions. {_BARE}"
    return [
        Row(
            "consumer, one process, events per second",
            alone,
            "/s",
            base,
            "bare consumer, COPY",
            Goal(">=", 0.3, "ratio"),
            note,
        ),
        Row("consumers, two processes, events per second", both, "/s", alone, "one process"),
    ]


def _fill(kafka: KafkaServer, prefix: str, scale: Scale) -> int:
    for topic in TOPICS:
        kafka.create_topic(prefix + topic, partitions=_PARTS)
        kafka.create_topic(f"{prefix}{topic}.dlq", partitions=_PARTS)
    settings = {"partitioner": "murmur2_random", "compression.type": "lz4", "linger.ms": 20}
    producer = Producer({"bootstrap.servers": kafka.bootstrap, **settings})
    models = [
        ModelMachine(f"m-{n:04}", slots=24, chance=random.Random(n)) for n in range(scale.machines)
    ]
    for model in models:
        model.random_day(scale.events // scale.machines)
    records = [record for model in models for record in model.records]
    for record in sorted(records, key=lambda each: each.arrived_ms):
        while True:
            try:
                producer.produce(
                    prefix + record.topic, record.value, record.key, headers=list(record.headers)
                )
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    return len(records)


def _ours(
    kafka: KafkaServer, postgres: PostgresServer, prefix: str, total: int, name: str, count: int
) -> float:
    url = postgres.create(name)
    migrate(open_database(url))
    command = (
        *(sys.executable, "-m", "vendd.fleet", "inventory", "--bootstrap", kafka.bootstrap),
        *("--topic-prefix", prefix, "--database", url, "--group", f"{prefix}{name}"),
    )
    with processes([command] * count) as running:
        return _rate(url, total, running)


def _bare(
    kafka: KafkaServer, postgres: PostgresServer, prefix: str, total: int, name: str
) -> float:
    url = postgres.create(name)
    migrate(open_database(url))
    command = (
        sys.executable,
        "-m",
        "tests.bench.consuming",
        "--bare",
        kafka.bootstrap,
        prefix,
        url,
    )
    with processes([command]) as running:
        return _rate(url, total, running)


def _rate(url: str, total: int, running: list["subprocess.Popen[bytes]"]) -> float:
    """From the first look that finds something to the one that finds everything."""
    begun: tuple[float, int] | None = None
    end = time.perf_counter() + _LIMIT_S
    with psycopg.connect(url, autocommit=True) as connection:
        while time.perf_counter() < end:
            row = connection.execute("SELECT coalesce(sum(next_offset), 0) FROM offsets").fetchone()
            count = int(row[0]) if row is not None else 0
            now = time.perf_counter()
            if begun is None and count:
                begun = (now, count)
            if any(process.poll() is not None for process in running):
                raise RuntimeError(f"a consumer ended by itself after {count} events")
            if begun is not None and count >= total:
                return float((count - begun[1]) / (now - begun[0]))
            time.sleep(_LOOK_S)  # noqa: TID251  # another process's progress, in real time
    raise RuntimeError(f"not all of {total} events came within {_LIMIT_S} s")


def bare(bootstrap: str, prefix: str, url: str) -> None:
    """The loop to compare with; until it is stopped."""
    settings = {"group.id": f"{prefix}{os.getpid()}", "enable.auto.commit": False}
    consumer = Consumer(
        {**settings, "bootstrap.servers": bootstrap, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([prefix + topic for topic in TOPICS])
    with psycopg.connect(url, autocommit=True) as connection:
        for table, like in _BARE_TABLES:
            connection.execute(f"CREATE TABLE {table} (LIKE {like})".encode())
        while True:
            messages = consumer.consume(5_000, 0.05)
            if messages:
                with connection.transaction():
                    _copy(connection, messages)


_INTO: Final = {
    "inbox": "machine, life, seq, type, fingerprint, arrived_ms",
    "sales": "machine, life, seq, sale_id, sale_no, closed_ms, channel, outcome, reason, slot,"
    " product_id, quantity, price_charged, currency, tenders",
    "bare_levels": "machine, life, slot, first_seq, opening, moved, moves, last_seq, level,"
    " level_ms",
    "bare_flows": "machine, life, flow, currency, amount, times",
    "bare_latest": "machine, life, subject, item, last_seq, at_ms, data",
}


def _copy(connection: "psycopg.Connection[Any]", messages: list[Any]) -> None:
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _INTO}
    ends = {}
    for message in messages:
        headers = dict(message.headers())
        machine, seq = headers["ce_machine"].decode(), int(headers["ce_seq"])
        life, type_ = int(headers["ce_bootcount"]), headers["ce_type"].decode()
        at_ms = message.timestamp()[1]
        rows["inbox"].append((machine, life, seq, type_, 0, at_ms))
        _rows_of(rows, (machine, life), seq, at_ms, type_, message.value())
        ends[message.topic(), message.partition()] = message.offset() + 1
    with connection.cursor() as cursor:
        for table, columns in _INTO.items():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
                for row in rows[table]:
                    copy.write_row(row)
    for (topic, part), end in ends.items():
        connection.execute(
            "INSERT INTO offsets VALUES ('bare', '', %s, %s, %s, 0) ON CONFLICT"
            " (group_id, cluster, topic, part) DO UPDATE SET next_offset = excluded.next_offset",
            (topic, part, end),
        )


def _rows_of(
    rows: dict[str, list[tuple[Any, ...]]],
    of: tuple[str, int],
    seq: int,
    at_ms: int,
    type_: str,
    value: bytes,
) -> None:
    """What the consumers keep of one event, unmerged."""
    if type_ == "vend.sale-closed.v1":
        data = json.loads(value)
        sale = (data["sale_id"], data["sale_no"], at_ms, data["channel"], data["outcome"])
        what = (data.get("reason"), data["slot"], data["product_id"], data["quantity"])
        money = (data["price_charged"], data["currency"], json.dumps(data["tenders"]))
        rows["sales"].append((*of, seq, *sale, *what, *money))
        for tender in data["tenders"]:
            flow = (f"sale_applied:{tender['kind']}", data["currency"], tender["applied"], 1)
            rows["bare_flows"].append((*of, *flow))
    elif type_ == "vend.stock-changed.v1":
        data = json.loads(value)
        level = (seq, data["before"], data["delta"], 1, seq, data["after"], at_ms)
        rows["bare_levels"].append((*of, data["slot"], *level))
    elif type_ != "vend.item-dispensed.v1":
        rows["bare_latest"].append((*of, type_, "", seq, at_ms, value.decode()))


def main(arguments: list[str]) -> int:
    """``python -m tests.bench.consuming [--quick]``; 1 when a goal was missed."""
    if arguments[:1] == ["--bare"]:
        bare(*arguments[1:4])
        return 0
    scale = QUICK if "--quick" in arguments else FULL
    with tempfile.TemporaryDirectory(prefix="vendd-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user
        kafka, postgres = KafkaServer(made(folder, "kafka")), PostgresServer(made(folder, "pg"))
        kafka.start()
        postgres.start()
        try:
            rows = figures(scale, kafka, postgres)
            rows += sizing.figures(sizing.QUICK if scale is QUICK else sizing.FULL, kafka, postgres)
        finally:
            kafka.kill()
            postgres.stop()
    print(render(rows))
    return 1 if any(row.verdict == "MISSED" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
