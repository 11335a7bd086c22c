"""``make bench``: the table of measured figures, each beside a baseline of the same run.

``python -m tests.bench [--quick]``. Six minutes, or one and a half with fewer repetitions. Exit
code 1 when a figure could not be measured, or when a goal was missed.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hw_sim.broker import embedded_kafka
from tests.bench import delivery, exchange, footprint, polling, recording, selling
from tests.bench.customers import NotMeasured
from tests.bench.fsyncs import Watch
from tests.bench.table import Row, render

_ROOT: Final = Path(__file__).parents[2]
_WAYS: Final = {
    "preload": "a preloaded library counts and slows every fsync of the daemon",
    "strace": "strace counts and slows every fsync of the daemon",
    "seam": "neither cc nor strace: commits are counted and slowed by a seam in the writer",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    sales: int
    alone: bool  # what is timed has the machine to itself
    exchange: exchange.Scale
    coin_sales: int  # paid in small coins, for the figures of the bus
    delivery: delivery.Scale
    footprint: footprint.Scale


FULL: Final = Scale(
    sales=26,
    alone=True,
    exchange=exchange.Scale(batch=100, rounds=200),
    coin_sales=16,
    delivery=delivery.Scale(commits=200, backlog=10_000, rounds=7),
    footprint=footprint.Scale(starts=5, year_sales=100_000, sales=3, idle_s=10),
)
QUICK: Final = Scale(
    sales=3,
    alone=False,
    exchange=exchange.Scale(batch=100, rounds=50),
    coin_sales=2,
    delivery=delivery.Scale(commits=40, backlog=10_000, rounds=5, judged=False),
    footprint=footprint.Scale(starts=1, year_sales=30_000, sales=1, idle_s=3),
)


async def measure(scale: Scale, folder: Path, watch: Watch) -> list[Row]:
    """One group after the other, each with a broker of its own; a group that can't be measured
    becomes one row that says so."""
    groups: tuple[tuple[str, Callable[[str], Awaitable[list[Row]]]], ...] = (
        (
            "selling",
            lambda bootstrap: selling.figures(bootstrap, watch, scale.sales, alone=scale.alone),
        ),
        (
            "bus",
            lambda bootstrap: polling.figures(
                bootstrap, watch, scale.coin_sales, alone=scale.alone
            ),
        ),
        ("delivery", lambda bootstrap: delivery.figures(folder, bootstrap, scale.delivery)),
        ("footprint", lambda bootstrap: footprint.figures(bootstrap, scale.footprint)),
    )
    rows = []
    for name, figures in groups:
        try:
            async with embedded_kafka() as bootstrap:
                rows += await figures(bootstrap)
        except (NotMeasured, RuntimeError, OSError) as error:
            rows.append(Row(name, None, note=str(error) or type(error).__name__))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measured figures.")
    parser.add_argument(
        "--quick", action="store_true", help="fewer repetitions, a minute and a half"
    )
    quick = parser.parse_args().quick
    os.chdir(_ROOT)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="vendd-bench-") as name:
        folder = Path(name)
        _as_installed(folder)
        watch = Watch.find(folder)
        scale = QUICK if quick else FULL
        rows = exchange.figures(scale.exchange)
        rows += recording.figures(folder, watch)
        rows += asyncio.run(measure(scale, folder, watch))
    took = time.perf_counter() - began
    print(render(rows))
    print(
        f"\n{_WAYS[watch.way]}. {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end,"
        f" {took:.0f} s{', --quick: too few repetitions for a p99' if quick else ''}."
    )
    return 1 if any(row.verdict in ("MISSED", "NOT MEASURED") for row in rows) else 0


def _as_installed(folder: Path) -> None:
    """Children find bytecode, as pip leaves it; the source tree stays clean. And what was
    imported is left out of garbage collections here, as the daemon does it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
