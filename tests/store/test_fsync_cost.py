"""One commit is one fsync, reading is none: counted by strace, not believed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vendd

PROGRAM = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from store_samples import context, coin
from vendd.store import Database, SqliteBooks, SqliteOutbox, ThreadWriter

async def main():
    writer = ThreadWriter(asyncio.get_running_loop(), Database.open(sys.argv[1]))
    books, outbox = SqliteBooks(writer), SqliteOutbox(writer)
    await books.load({"A1": 8})
    print("BEGIN", file=sys.stderr, flush=True)
    for n in range(1, 51):
        await books.commit(b"state", coin(n), context())
        outbox.delivered(n)
        await outbox.read(0, 10)
    print("END", file=sys.stderr, flush=True)
    await writer.close()

asyncio.run(main())
"""


def test_fifty_commits_are_fifty_fsyncs(tmp_path):
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    run = subprocess.run(
        [
            *(strace, "-f", "-e", "trace=fsync,fdatasync,write", "-s", "8"),
            *(sys.executable, "-c", PROGRAM, tmp_path, Path(__file__).parent),
        ],
        env=os.environ | {"PYTHONPATH": str(Path(vendd.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in run.stderr and "BEGIN" not in run.stderr:
        pytest.skip("strace may not trace here")
    assert run.returncode == 0, run.stderr
    between = run.stderr.split('"BEGIN', 1)[1].split('"END', 1)[0]
    assert len(re.findall(r"(?:fsync|fdatasync)\(", between)) == 50
