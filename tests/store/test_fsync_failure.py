"""A commit whose fsync failed was reported as failed: it must not come back after a crash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vendd
from vendd.store import Database

PROGRAM = """
import asyncio, os, signal, sys
from vendd.ports import StoreFailed
from vendd.store import Database, ThreadWriter

def put(n):
    return lambda connection: connection.execute("INSERT INTO settings VALUES (?, '1')", (str(n),))

async def main():
    writer = ThreadWriter(asyncio.get_running_loop(), Database.open(sys.argv[1]))
    for n in range(100):
        try:
            await writer.run(put(n))
        except StoreFailed as error:
            print(n, type(error).__name__, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_a_failed_fsync_is_a_failed_commit_for_good(tmp_path):
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    inject = "inject=fsync,fdatasync:error=EIO:when=30"
    run = subprocess.run(
        [
            *(strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"),
            *("-e", inject, sys.executable, "-c", PROGRAM, tmp_path),
        ],
        env=os.environ | {"PYTHONPATH": str(Path(vendd.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in run.stderr and not run.stdout:
        pytest.skip("strace may not trace here")
    failed, error = run.stdout.split()
    assert error == "StoreFailed"
    database = Database.open(tmp_path)
    stored = {name for (name,) in database.connection.execute("SELECT name FROM settings")}
    (failures,) = database.connection.execute("SELECT failed_commits FROM meta").fetchone()
    database.close()
    assert stored == {str(n) for n in range(int(failed))}
    assert failures == 1
