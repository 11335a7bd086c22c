"""Figures of the sale: from the key to the motor, in commits and in milliseconds."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Final

from tests.bench import bare
from tests.bench.fsyncs import Watch
from tests.bench.shop import Setup, Sold, shop
from tests.bench.table import Goal, Row, percentile

TELEMETRY: Final = 5.0  # events a second: hundreds of times what a machine has to say
DELAYS_MS: Final = ((25, 80.0), (100, 300.0))  # added to every fsync, goal for the p99
_BESIDE: Final = (
    f"Kafka connected and acknowledging, {TELEMETRY:g} telemetry events a second committed and"
    " delivered beside the sales. Motor start is the instant the world sees current flow."
)
_CONTACT: Final = (
    "From the contact of the second key: scanning and debouncing (two equal scans, 15 ms apart)"
    " are included; all other latencies count from the key's report."
)


@dataclass(frozen=True, slots=True)
class Run:
    """One machine's sales, and its whole life's fsyncs and events."""

    sold: tuple[Sold, ...]
    fsyncs_per_sale: float
    fsyncs: int
    events: int
    repeated: int  # selections that were pressed again: a loaded machine missed a key
    bare_ms: tuple[float, ...] = ()


async def run(setup: Setup, bootstrap: str, watch: Watch, sales: int) -> Run:
    """Sell, stop in order, count."""
    async with shop(setup, bootstrap, watch) as open_shop:
        machine = open_shop.machine
        bare_ms = await bare.measured(machine.folder, watch, sales, setup.delay_ms)
        before = len(open_shop.fsyncs())
        sold = tuple([await open_shop.sell() for _ in range(sales)])
        between = len(open_shop.fsyncs()) - before
        bare_ms += await bare.measured(machine.folder, watch, sales, setup.delay_ms)
        await machine.stop()
        fsyncs = len(open_shop.fsyncs())
        events = _events(machine.books())
        repeated = open_shop.customers.repeated
    return Run(sold, between / sales, fsyncs, events, repeated, tuple(bare_ms))


def _events(books: Path) -> int:
    (file,) = books.glob("*.db")
    connection = sqlite3.connect(file)
    try:
        return int(connection.execute("SELECT seq FROM meta").fetchone()[0])
    finally:
        connection.close()


async def figures(bootstrap: str, watch: Watch, sales: int, *, alone: bool = True) -> list[Row]:
    """The run that is timed as the disk is has the machine to itself (if `alone`); those whose
    fsyncs are slowed or only counted share it."""

    async def of(setup: Setup, count: int) -> Run:
        return await run(setup, bootstrap, watch, count)

    timing = asyncio.ensure_future(of(Setup(telemetry=TELEMETRY), sales))
    if alone:
        await timing
    timed, *slow, off, on = await asyncio.gather(
        timing,
        *(of(Setup(delay_ms=ms, telemetry=TELEMETRY), sales) for ms, _ in DELAYS_MS),
        of(Setup(kafka=False), (sales + 1) // 2),
        of(Setup(), (sales + 1) // 2),
    )
    rows = [*counted(off.sold), _per_sale(off), *latencies(timed, "")]
    for slowed, (ms, limit) in zip(slow, DELAYS_MS, strict=True):
        rows += latencies(slowed, f", +{ms} ms per fsync", Goal("<", limit))
    return [*rows, added(on, off)]


def counted(sold: Sequence[Sold]) -> list[Row]:
    """From a run without telemetry: every fsync between key and motor is the sale's own."""
    n = f"n={len(sold)}"
    return [
        Row(
            f"decisions committed, key press to motor start, worst of {n}",
            max(sale.commits for sale in sold),
            goal=Goal("<=", 1),
        ),
        Row(
            f"fsyncs, key press to motor start, worst of {n}",
            max(sale.fsyncs for sale in sold),
            goal=Goal("<=", 1),
        ),
    ]


def _per_sale(off: Run) -> Row:
    return Row(
        "commits (fsyncs) per cash sale, coins to product",
        off.fsyncs_per_sale,
        note="Exact money, two to four coins, each a commit of its own; no change.",
    )


def latencies(timed: Run, condition: str, p99: Goal | None = None) -> list[Row]:
    """Key to motor beside the bare commit under the same condition."""
    from_key = [sale.from_key_ms for sale in timed.sold]
    name = f"key press to motor start{condition}"
    again = f" {timed.repeated} selections had to be pressed again." if timed.repeated else ""
    note = _BESIDE + again
    rows = [
        Row(
            f"{name}, p{share}, n={len(from_key)}",
            percentile(from_key, share),
            "ms",
            percentile(timed.bare_ms, share),
            "bare FULL commit",
            p99 if share == 99 else None,
            note,
        )
        for share in (50, 99)
    ]
    if not condition:
        contact = median(sale.from_contact_ms for sale in timed.sold)
        rows.append(Row("the same from the key's contact, p50", contact, "ms", note=_CONTACT))
    return rows


def added(on: Run, off: Run) -> Row:
    """What the broker costs in fsyncs, over both whole lives from exec to exit."""
    events = mean((on.events, off.events))
    return Row(
        f"fsyncs added by delivery per event, {len(on.sold)} sales",
        (on.fsyncs - off.fsyncs) / events,
        goal=Goal("<=", 0.05),
        note=f"Whole lives, start and stop included: {on.fsyncs} fsyncs for {on.events} events with"
        f" the broker, {off.fsyncs} for {off.events} without.",
    )
