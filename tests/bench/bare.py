"""The yardstick of a commit: one row, WAL, synchronous=FULL, nothing else.

``python -m tests.bench.bare FOLDER COUNT`` prints the latencies in ms as JSON. It is a process
of its own so that its fsyncs can be slowed like the daemon's.
"""

import asyncio
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Final

from tests.bench import fsyncs
from tests.bench.fsyncs import Watch

PAUSE_S: Final = 0.02  # a disk that was just idle, as between two customers


def commits(folder: Path, count: int) -> list[float]:
    """Latencies in ms."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, text TEXT)")
    seam_log, delay_s = fsyncs.seam()
    taken = []
    for _ in range(count + 1):
        time.sleep(PAUSE_S)  # noqa: TID251  # a process of its own
        began = time.perf_counter()
        connection.execute("INSERT INTO bare (text) VALUES ('one row')")
        if seam_log:
            time.sleep(delay_s)  # noqa: TID251
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return taken[1:]  # the first one also made the WAL


async def measured(folder: Path, watch: Watch, count: int, delay_ms: int = 0) -> list[float]:
    """In a child, on the file system of `folder`."""
    plain = (sys.executable, "-m", "tests.bench.bare", str(folder), str(count))
    process = await asyncio.create_subprocess_exec(
        *watch.command(plain, folder / "bare-fsyncs", delay_ms), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    latencies: list[float] = json.loads(said)
    return latencies


if __name__ == "__main__":
    print(json.dumps(commits(Path(sys.argv[1]), int(sys.argv[2]))))
