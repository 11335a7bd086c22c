"""What only the thread of production does: stalls, queues, checkpoints."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from vendd.ports import StoreFailed
from vendd.store import Database, ThreadWriter
from vendd.store.database import WAL_ROWS_IDLE


def run(tmp_path: Path, scenario: Callable[[ThreadWriter], Awaitable[Any]], **options: Any) -> Any:
    async def play() -> Any:
        writer = ThreadWriter(asyncio.get_running_loop(), Database.open(tmp_path), **options)
        try:
            return await scenario(writer)
        finally:
            await writer.close()

    return asyncio.run(play())


def put(value: int) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute(
        "INSERT INTO settings VALUES ('n', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (str(value),),
    )


def many(connection: sqlite3.Connection) -> None:
    connection.executemany(
        "INSERT INTO settings VALUES (?, '1') ON CONFLICT DO UPDATE SET value = '2'",
        [(str(n),) for n in range(WAL_ROWS_IDLE)],
    )


def test_a_stalled_disk_stalls_neither_loop_nor_bounds(tmp_path):
    released, entered = threading.Event(), threading.Event()

    def stall(connection: sqlite3.Connection) -> None:
        entered.set()
        released.wait(10)

    async def scenario(writer):
        stalled = writer.run(stall)
        entered.wait(10)
        queued = [writer.run(put(n)) for n in range(3)]
        with pytest.raises(StoreFailed, match="waiting"):
            await writer.run(put(9))  # at once, though the thread stands still
        assert not writer.healthy(stall_s=0.0)
        assert writer.oldest_wait() > 0
        assert writer.healthy(stall_s=20.0)
        released.set()
        await asyncio.gather(stalled, *queued)
        assert writer.oldest_wait() == 0.0

    run(tmp_path, scenario, capacity=3)


def test_reading_does_not_carry_riders(tmp_path):
    async def scenario(writer):
        writer.later(put(1))
        for _ in range(5):
            await writer.run(lambda connection: connection.execute("SELECT 1").fetchall())
        assert writer.counts.commits == 0
        await writer.run(put(2))
        assert writer.counts.commits == 1

    run(tmp_path, scenario)


def test_a_quiet_moment_folds_the_wal(tmp_path):
    async def scenario(writer):
        await writer.run(many)
        async with asyncio.timeout(10):
            while not writer.counts.checkpoints:  # noqa: ASYNC110  # the thread decides when
                await asyncio.sleep(0.001)

    run(tmp_path, scenario, idle_after=0.0)


def test_little_work_is_not_worth_a_checkpoint(tmp_path):
    database = Database.open(tmp_path)
    assert not database.wants_checkpoint(idle=True)
    database.transact([many])
    assert database.wants_checkpoint(idle=True)
    assert not database.wants_checkpoint(idle=False)
    assert database.checkpoint()
    assert not database.wants_checkpoint(idle=True)
    database.close()


def test_hurry_never_hits_a_commit(tmp_path):
    database = Database.open(tmp_path)
    done = threading.Event()

    def nag() -> None:
        while not done.is_set():
            database.hurry()

    nagging = threading.Thread(target=nag)
    nagging.start()
    try:
        for n in range(40):
            (result,) = database.transact([put(n)])
            assert not isinstance(result, Exception)
            database.checkpoint()
            (result,) = database.transact([lambda c: c.execute("SELECT 1").fetchone()])
            assert result == (1,)
    finally:
        done.set()
        nagging.join()
        database.close()
