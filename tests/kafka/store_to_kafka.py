"""A real store, the forwarder and librdkafka put together as the daemon does it."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vendd.core import facts
from vendd.core.facts import Fact
from vendd.events import Context, StoredEvent
from vendd.links.budget import Budget
from vendd.links.forwarder import Forwarder
from vendd.links.kafka import LibrdkafkaBroker
from vendd.links.kafka_security import Security
from vendd.links.troubles import Told
from vendd.store import Database, SqliteBooks, SqliteOutbox, ThreadWriter

CONTEXT = Context(
    machine="demo-0001",
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
SAMPLES: tuple[Fact, ...] = (
    facts.ClaimOpened("K-1", 50, "payout_incomplete", sale_id="Köln-1"),
    facts.StockChanged("A1", "cola", 3, -1, 2, 10, 10, 2, facts.StockReason.SOLD, "s1"),
    facts.LowStockAlert(facts.AlertState.RAISED, "A1", "cola", 2, 2, 10, 8, 5),
    facts.CashMoved("tube", "operator", (facts.CoinCount(50, 2),), 100, "collection", True),
)  # one per topic


@dataclass
class Machine:
    """What a test commits on, and how far delivery is."""

    books: SqliteBooks
    outbox: SqliteOutbox
    forwarder: Forwarder
    last_seq: int = 0
    context: Context = CONTEXT

    async def commit(self, *published: Fact) -> list[StoredEvent]:
        events = await self.books.commit(None, list(published), self.context)
        self.last_seq = events[-1].seq
        self.forwarder.committed(events)
        return events

    async def delivered(self, timeout_s: float = 30.0) -> None:
        """Until everything committed is reported as delivered."""
        async with asyncio.timeout(timeout_s):
            while self.forwarder.standing().watermark < self.last_seq:  # noqa: ASYNC110  # no such event
                await asyncio.sleep(0.005)


@asynccontextmanager
async def machine(
    directory: Path,
    bootstrap: str,
    prefix: str = "",
    security: Security | None = None,
    told: Told | None = None,
    budget: Budget | None = None,
    context: Context = CONTEXT,
    options: Mapping[str, str] | None = None,
) -> AsyncIterator[Machine]:
    """One life of a machine whose store is in `directory`."""
    proof, more = security or Security(), dict(options or {})
    database = Database.open(directory)
    writer = ThreadWriter(asyncio.get_running_loop(), database)
    books, outbox = SqliteBooks(writer), SqliteOutbox(writer, lambda: context)
    loaded = await books.load({})
    forwarder = Forwarder(
        outbox,
        lambda: LibrdkafkaBroker(bootstrap, context.machine, {**proof.options(), **more}),
        random.Random(1),
        prefix,
        last_seq=loaded.last_seq,
        budget=budget,
        told=told,
    )
    forwarding = asyncio.create_task(forwarder.run())
    try:
        yield Machine(books, outbox, forwarder, loaded.last_seq, context)
    finally:
        forwarding.cancel()
        await asyncio.wait([forwarding])
        await books.close(clean=True)
        await writer.close()
    assert forwarding.cancelled(), forwarding.exception()
