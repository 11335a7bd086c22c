"""The daemon under measurement: production's edge, and marks where a sale passes.

``python -m tests.bench.child --config FILE``. BENCH_MARKS names the file of marks.
BENCH_TELEMETRY is how many telemetry events per second are committed and delivered beside the
customers' own. The marks are wrapped around two methods after the start; nothing else differs
from ``vendd``.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hw_sim.daemon_process import die_with_parent
from tests.bench import fsyncs
from tests.bench.samples import CONTEXT, TELEMETRY
from vendd import log
from vendd.config import Config, load
from vendd.core.sale.reports import KeyPressed, Report
from vendd.daemon import Daemon, Edge, production
from vendd.health import Supervisor
from vendd.store import Database, SqliteBooks, ThreadWriter


@dataclass(frozen=True, slots=True)
class Mark:
    at: float  # seconds of CLOCK_MONOTONIC
    what: str
    commits: int  # decisions committed so far


@dataclass(frozen=True, slots=True)
class Marks:
    """Written here, read by the parent."""

    path: Path

    def add(self, what: str, commits: int) -> None:
        with self.path.open("a") as file:
            file.write(f"{time.monotonic():.6f} {what} {commits}\n")  # noqa: TID251

    def read(self) -> list[Mark]:
        if not self.path.exists():
            return []
        lines = (line.split() for line in self.path.read_text().splitlines())
        return [Mark(float(at), what, int(commits)) for at, what, commits in lines]


def mark(daemon: Daemon, marks: Marks) -> None:
    """From now on: "key" when a key is recognised, "turn" when the motor driver is told."""
    engine, hardware, inbox = daemon.engine, daemon.hardware, daemon._inbox
    assert engine is not None
    assert hardware is not None
    put, turn = inbox.put, hardware.motors.turn

    def marked_put(report: Report, token: object | None = None) -> None:
        if isinstance(report, KeyPressed):
            marks.add("key", engine.commits)
        put(report, token)

    def marked_turn(attempt_id: str, motors: tuple[str, ...]) -> None:
        marks.add("turn", engine.commits)
        turn(attempt_id, motors)

    patched: Any = inbox
    patched.put = marked_put
    patched = hardware.motors
    patched.turn = marked_turn


async def telemetry(daemon: Daemon, per_second: float) -> None:
    """Commits of somebody else's, with events to deliver, in the same writer."""
    assert daemon.writer is not None
    books = SqliteBooks(daemon.writer)
    while True:
        await asyncio.sleep(1 / per_second)
        events = await books.commit(None, (TELEMETRY,), CONTEXT)
        if daemon.forwarder is not None:
            daemon.forwarder.committed(events)


def slowed(edge: Edge, seam_log: str, delay_s: float) -> Edge:
    """The last resort where neither a compiler nor strace is: commits get slower, seen here."""

    def writer(loop: asyncio.AbstractEventLoop, database: Database) -> ThreadWriter:
        transact = database.transact

        def slow(works: Sequence[Any], riders: Sequence[Any] = ()) -> list[Any]:
            begin, changes = time.monotonic(), database.changes  # noqa: TID251
            results = transact(works, riders)
            if database.changes != changes:
                time.sleep(delay_s)  # noqa: TID251  # on the writer's thread, as an fsync would
                seen = fsyncs.Fsync(begin, time.monotonic(), "commit")  # noqa: TID251
                fsyncs.note(seen, seam_log)
            return results

        patched: Any = database
        patched.transact = slow
        return ThreadWriter(loop, database)

    return replace(edge, writer=writer)


async def live(config: Config) -> None:
    """One life, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    edge = production(config)
    seam_log, delay_s = fsyncs.seam()
    if seam_log:
        edge = slowed(edge, seam_log, delay_s)
    daemon = Daemon(config, edge, Supervisor())
    running = asyncio.create_task(daemon.run(stop))
    ready = asyncio.create_task(daemon.ready.wait())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        mark(daemon, Marks(Path(os.environ["BENCH_MARKS"])))
    per_second = float(os.environ.get("BENCH_TELEMETRY", "0"))
    beside = asyncio.create_task(telemetry(daemon, per_second)) if per_second else None
    try:
        await running
    finally:
        if beside is not None:
            beside.cancel()


def main() -> int:
    die_with_parent()
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    log.configure()
    asyncio.run(live(load(parser.parse_args().config)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
