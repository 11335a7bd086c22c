"""Figures of event delivery, each beside a baseline of the same run.

``python -m tests.bench.delivery`` prints them. Real SQLite with FULL commits, real
librdkafka, the mock cluster in its own process.
"""

import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from hw_sim.broker import embedded_kafka
from vendd.core import facts
from vendd.core.facts import Fact
from vendd.events import Context, StoredEvent
from vendd.links.forwarder import Forwarder
from vendd.links.kafka import LibrdkafkaBroker
from vendd.links.message import message
from vendd.store import Database, SqliteBooks, SqliteOutbox, ThreadWriter

BACKLOG: Final = 10_000
COMMITS: Final = 300
PAUSE_S: Final = 0.02
OFFLINE: Final = "127.0.0.1:1"
_CONTEXT: Final = Context(
    machine="bench-0001",
    boot_id="7b0c",
    boot_count=1,
    uptime_ms=1_234,
    time="2026-01-31T12:00:00.000Z",
    clocksync=True,
    currency="EUR",
    exponent=2,
    software="0.1.0",
    config_hash="c0ffee",
    planogram_ver=1,
    price_ver=1,
)
_FACTS: Final[tuple[Fact, ...]] = (
    facts.ItemDispensed("s1", "a1", "A1", "cola", 1, facts.Proof.DROP, 1, 3, 2, facts.Channel.FREE),
    facts.StockChanged("A1", "cola", 3, -1, 2, 10, 10, 2, facts.StockReason.SOLD, "s1"),
    facts.CashMoved("tube", "operator", (facts.CoinCount(50, 2),), 100, "collection", True),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is figure / baseline, for rates so that more is better."""

    name: str
    unit: str
    figure: float
    baseline: float

    @property
    def ratio(self) -> float:
        return self.figure / self.baseline if self.baseline else float("nan")


class _Watched(SqliteOutbox):
    """Notes when the watermark passed each seq."""

    def __init__(self, writer: ThreadWriter) -> None:
        super().__init__(writer)
        self.moves: list[tuple[int, float]] = []
        self.moved = asyncio.Event()

    def delivered(self, up_to_seq: int) -> None:
        self.moves.append((up_to_seq, time.perf_counter()))
        self.moved.set()
        super().delivered(up_to_seq)

    async def reached(self, seq: int) -> float:
        """When the watermark reached `seq`."""
        while not self.moves or self.moves[-1][0] < seq:
            self.moved.clear()
            await self.moved.wait()
        return next(at for up_to, at in self.moves if up_to >= seq)


@dataclass
class _Life:
    writer: ThreadWriter
    books: SqliteBooks
    outbox: _Watched
    forwarder: Forwarder
    task: "asyncio.Task[None] | None" = None

    @classmethod
    async def start(cls, folder: Path, bootstrap: str, *, forward: bool = True) -> "_Life":
        writer = ThreadWriter(asyncio.get_running_loop(), Database.open(folder))
        books, outbox = SqliteBooks(writer), _Watched(writer)
        await books.load({})
        forwarder = Forwarder(
            outbox, lambda: LibrdkafkaBroker(bootstrap, "bench"), random.Random(1)
        )
        life = cls(writer, books, outbox, forwarder)
        if forward:
            life.task = asyncio.create_task(forwarder.run())
        return life

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
        await self.books.close(clean=True)
        await self.writer.close()

    async def commit(self, published: Sequence[Fact]) -> list[StoredEvent]:
        events = await self.books.commit(None, list(published), _CONTEXT)
        self.forwarder.committed(events)
        return events


async def lag(folder: Path, bootstrap: str) -> list[Figure]:
    """From durable to reported, against a bare producer with the same guarantees; and what
    delivery costs in commits."""
    life = await _Life.start(folder, bootstrap)
    await life.commit(_FACTS)
    await life.outbox.reached(3)  # connected
    before = life.writer.counts.commits
    committed: dict[int, float] = {}
    sent: list[StoredEvent] = []
    for _ in range(COMMITS):
        events = await life.commit(_FACTS)
        committed[events[-1].seq] = time.perf_counter()
        sent += events
        await asyncio.sleep(PAUSE_S)
    last = max(committed)
    await life.outbox.reached(last)
    added = (life.writer.counts.commits - before - COMMITS) / len(sent)
    lags = [await life.outbox.reached(seq) - at for seq, at in committed.items()]
    await life.end()
    bare = await asyncio.to_thread(_bare_lag, bootstrap, sent)
    figures = [
        Figure(f"commit to delivery, p{share}", "ms", _at(lags, share), _at(bare, share))
        for share in (50, 99)
    ]
    return [*figures, Figure("commits added by delivery per event", "", added, 1.0)]


def _bare_lag(bootstrap: str, events: list[StoredEvent]) -> list[float]:
    """Produce three, poll until the last is reported."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "log_level": 2}
    )
    lags: list[float] = []
    for number, event in enumerate(events, start=1):
        _produce(producer, event, "bare.")
        if number % 3 == 0:
            began = time.perf_counter()
            while len(producer):
                producer.poll(0.1)
            lags.append(time.perf_counter() - began)
            time.sleep(PAUSE_S)  # noqa: TID251  # the same rhythm, on a thread of its own
    return lags[1:]  # the first one connected


def _produce(producer: Producer, event: StoredEvent, prefix: str) -> None:
    bare = message(event, prefix)
    producer.produce(bare.topic, bare.value, bare.key, headers=list(bare.headers))


async def drain(folder: Path, bootstrap: str) -> list[Figure]:
    """A backlog after days offline, against the plain loop on a copy of the same store."""
    ours, plain = folder / "ours", folder / "plain"
    for store in (ours, plain):
        store.mkdir()
        life = await _Life.start(store, OFFLINE, forward=False)
        for _ in range(BACKLOG // 100):
            await life.books.commit(None, [_FACTS[n % 3] for n in range(100)], _CONTEXT)
        await life.end()
    baseline = await asyncio.to_thread(_plain_loop, plain, bootstrap)
    life = await _Life.start(ours, bootstrap, forward=False)
    began = time.perf_counter()
    life.task = asyncio.create_task(life.forwarder.run())
    took = await life.outbox.reached(BACKLOG) - began
    await life.end()
    return [Figure(f"drain of {BACKLOG} events", "events/s", BACKLOG / took, BACKLOG / baseline)]


def _plain_loop(store: Path, bootstrap: str) -> float:
    """Select 500, produce, flush, one delete."""
    (file,) = store.glob("*.db")
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    producer = Producer(
        {"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "log_level": 2}
    )
    select = "SELECT seq, topic, type, attributes, data FROM outbox ORDER BY seq LIMIT 500"
    began = time.perf_counter()
    while rows := connection.execute(select).fetchall():
        for seq, topic, type_, attributes, data in rows:
            _produce(producer, StoredEvent(seq, topic, type_, json.loads(attributes), data), "p.")
        producer.flush()
        connection.execute("DELETE FROM outbox WHERE seq <= ?", (rows[-1][0],))
    took = time.perf_counter() - began
    connection.close()
    return took


async def figures() -> list[Figure]:
    """All of them, one after the other."""
    async with embedded_kafka() as bootstrap:
        with tempfile.TemporaryDirectory() as folder:
            return [
                *await lag(Path(folder) / "lag", bootstrap),
                *await drain(Path(folder), bootstrap),
            ]


def _at(lags: list[float], share: int) -> float:
    """The percentile in ms."""
    return 1_000 * sorted(lags)[min(len(lags) - 1, len(lags) * share // 100)]


if __name__ == "__main__":
    for row in asyncio.run(figures()):
        sys.stdout.write(
            f"{row.name:40} {row.figure:10.3f} {row.baseline:10.3f} {row.unit:9}"
            f" ratio {row.ratio:.2f}\n"
        )
