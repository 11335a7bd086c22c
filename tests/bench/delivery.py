"""Figures of event delivery: real SQLite with FULL commits, the forwarder, real librdkafka.

Both baselines use the very settings of the forwarder's producer and the same mock cluster.
"""

import asyncio
import json
import random
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from confluent_kafka import Producer

from tests.bench.samples import CONTEXT, FACTS
from tests.bench.table import Goal, Row, percentile
from vendd.core.facts import Fact
from vendd.events import StoredEvent
from vendd.links import kafka
from vendd.links.forwarder import Forwarder
from vendd.links.kafka import LibrdkafkaBroker
from vendd.links.message import message
from vendd.store import Database, SqliteBooks, SqliteOutbox, ThreadWriter

PAUSE_S: Final = 0.02
OFFLINE: Final = "127.0.0.1:1"
_LAG: Final = (
    f"{len(FACTS)} events per commit, from durable to reported; bare: the same events produced"
    " and polled in a loop of their own, same client settings, same cluster."
)
_DRAIN: Final = (
    "Plain loop: select 500, produce, flush, one delete, on a copy of the same store with the"
    " same client settings; started anew each time, alternating."
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    commits: int
    backlog: int
    rounds: int
    judged: bool = True  # enough rounds to hold the drain against its goal


class Watched(SqliteOutbox):
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
class Life:
    writer: ThreadWriter
    books: SqliteBooks
    outbox: Watched
    forwarder: Forwarder
    task: "asyncio.Task[None] | None" = None

    @classmethod
    async def start(cls, folder: Path, bootstrap: str, *, forward: bool = True) -> "Life":
        writer = ThreadWriter(asyncio.get_running_loop(), Database.open(folder))
        books, outbox = SqliteBooks(writer), Watched(writer)
        loaded = await books.load({})
        forwarder = Forwarder(
            outbox,
            lambda: LibrdkafkaBroker(bootstrap, "bench"),
            random.Random(1),
            last_seq=loaded.last_seq,
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
        events = await self.books.commit(None, list(published), CONTEXT)
        self.forwarder.committed(events)
        return events


async def figures(folder: Path, bootstrap: str, scale: Scale) -> list[Row]:
    """Lag and drain, one after the other."""
    return [
        *await lag(folder / "lag", bootstrap, scale),
        *await drain(folder / "backlog", bootstrap, scale),
    ]


# --- lag --------------------------------------------------------------------------------


async def lag(folder: Path, bootstrap: str, scale: Scale) -> list[Row]:
    """From durable to reported, while connected."""
    life = await Life.start(folder, bootstrap)
    await life.commit(FACTS)
    await life.outbox.reached(len(FACTS))  # connected
    committed: dict[int, float] = {}
    sent: list[StoredEvent] = []
    for _ in range(scale.commits):
        events = await life.commit(FACTS)
        committed[events[-1].seq] = time.perf_counter()
        sent += events
        await asyncio.sleep(PAUSE_S)
    await life.outbox.reached(max(committed))
    lags = [(await life.outbox.reached(seq) - at) * 1000 for seq, at in committed.items()]
    await life.end()
    bare = await asyncio.to_thread(_bare_lag, bootstrap, sent)
    return [
        Row(
            f"commit to delivery while connected, p{share}, n={len(lags)}",
            percentile(lags, share),
            "ms",
            percentile(bare, share),
            "bare produce to report",
            note=_LAG,
        )
        for share in (50, 99)
    ]


def _bare_lag(bootstrap: str, events: list[StoredEvent]) -> list[float]:
    """Produce as many as a commit has, poll until the last is reported. Milliseconds."""
    producer = producer_of(bootstrap)
    lags: list[float] = []
    for first in range(0, len(events), len(FACTS)):
        began = time.perf_counter()
        for event in events[first : first + len(FACTS)]:
            produce(producer, event, "bare.")
        while len(producer):
            producer.poll(0.1)
        lags.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE_S)  # noqa: TID251  # the same rhythm, on a thread of its own
    return lags[1:]  # the first one connected


def producer_of(bootstrap: str) -> Producer:
    return Producer({**kafka._SETTINGS, "bootstrap.servers": bootstrap, "log_level": 2})


def produce(producer: Producer, event: StoredEvent, prefix: str) -> None:
    bare = message(event, prefix)
    producer.produce(bare.topic, bare.value, bare.key, headers=list(bare.headers))


# --- drain ------------------------------------------------------------------------------


async def drain(folder: Path, bootstrap: str, scale: Scale) -> list[Row]:
    """A backlog after days offline, against the plain loop on a copy of the same store."""
    await fill(folder, scale.backlog)
    plain, ours = [], []
    for number in range(scale.rounds):
        copies = [folder.with_name(f"{folder.name}-{name}{number}") for name in ("plain", "ours")]
        for copy in copies:
            shutil.copytree(folder, copy)
        if number % 2:
            ours.append(await drained(copies[1], bootstrap, scale.backlog))
        plain.append(await asyncio.to_thread(plain_loop, copies[0], bootstrap))
        if not number % 2:
            ours.append(await drained(copies[1], bootstrap, scale.backlog))
    return [
        Row(
            f"drain of a backlog of {scale.backlog:,} events, median of {scale.rounds}",
            scale.backlog / median(ours),
            "events/s",
            scale.backlog / median(plain),
            "plain loop",
            Goal(">=", 1, "ratio") if scale.judged else None,
            _DRAIN,
        )
    ]


async def fill(folder: Path, backlog: int) -> None:
    life = await Life.start(folder, OFFLINE, forward=False)
    for _ in range(backlog // 100):
        facts = [FACTS[number % len(FACTS)] for number in range(100)]
        await life.books.commit(None, facts, CONTEXT)
    await life.end()


async def drained(store: Path, bootstrap: str, backlog: int) -> float:
    """Seconds, from an opened store to the watermark behind the last event."""
    life = await Life.start(store, bootstrap, forward=False)
    began = time.perf_counter()
    life.task = asyncio.create_task(life.forwarder.run())
    took = await life.outbox.reached(backlog) - began
    await life.end()
    return took


def plain_loop(store: Path, bootstrap: str) -> float:
    """Select 500, produce, flush, one delete. Seconds, from an opened store to the end."""
    (file,) = store.glob("*.db")
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    select = "SELECT seq, topic, type, attributes, data FROM outbox ORDER BY seq LIMIT 500"
    began = time.perf_counter()
    producer = producer_of(bootstrap)
    while rows := connection.execute(select).fetchall():
        for seq, topic, type_, attributes, data in rows:
            produce(producer, StoredEvent(seq, topic, type_, json.loads(attributes), data), "p.")
        producer.flush()
        connection.execute("DELETE FROM outbox WHERE seq <= ?", (rows[-1][0],))
    took = time.perf_counter() - began
    connection.close()
    return took
