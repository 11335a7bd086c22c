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


AFTER_A_CHECKPOINT = """
import sys
from vendd.store import Database

def change(connection):
    connection.execute("UPDATE meta SET sales_count = sales_count + 1")

database = Database.open(sys.argv[1])
database.transact([change])
assert database.checkpoint(yielding=False)
print("BEGIN", file=sys.stderr, flush=True)
database.transact([change])
print("END", file=sys.stderr, flush=True)
"""


def fsyncs(program: str, directory: Path) -> int:
    """Between BEGIN and END on the program's stderr."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    run = subprocess.run(
        [
            *(strace, "-f", "-e", "trace=fsync,fdatasync,write", "-s", "8"),
            *(sys.executable, "-c", program, directory, Path(__file__).parent),
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
    return len(re.findall(r"(?:fsync|fdatasync)\(", between))


def test_fifty_commits_are_fifty_fsyncs(tmp_path):
    assert fsyncs(PROGRAM, tmp_path) == 50


def test_the_first_commit_after_a_checkpoint_is_one_fsync_too(tmp_path):
    """The new WAL's header is paid by whoever made the checkpoint, not by the next customer."""
    assert fsyncs(AFTER_A_CHECKPOINT, tmp_path) == 1
