"""What every `ports.Writer` promises."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from vendd.ports import BooksRefused, StoreFailed
from vendd.store import Database


def setting(name: str) -> Any:
    def work(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO settings VALUES (?, '1')", (name,))
        return name

    return work


def names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM settings ORDER BY name")]


def broken(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO settings VALUES ('half', '1')")
    connection.execute("INSERT INTO settings VALUES ('wrong', 'not json')")


def a_bug(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO settings VALUES ('bug', '1')")
    raise KeyError("bug")


def stored(directory: Path) -> list[str]:
    database = Database.open(directory)
    try:
        return names(database.connection)
    finally:
        database.close()


def test_results_belong_to_their_works(drive, tmp_path):
    async def scenario(writer):
        return await asyncio.gather(*(writer.run(setting(name)) for name in "cab"))

    assert drive(scenario) == ["c", "a", "b"]
    assert stored(tmp_path) == ["a", "b", "c"]


def test_works_that_wait_together_share_a_commit(drive):
    async def scenario(writer):
        await asyncio.gather(*(writer.run(setting(str(n))) for n in range(40)))
        return writer.counts

    counts = drive(scenario)
    assert counts.works == 40
    assert counts.commits <= 4


def test_a_refused_work_takes_nobody_with_it(drive, tmp_path):
    async def scenario(writer):
        works = (setting("a"), broken, setting("b"), a_bug, setting("c"))
        return await asyncio.gather(*(writer.run(w) for w in works), return_exceptions=True)

    a, refused, b, bug, c = drive(scenario)
    assert (a, b, c) == ("a", "b", "c")
    assert isinstance(refused, BooksRefused)
    assert isinstance(bug, KeyError)
    assert stored(tmp_path) == ["a", "b", "c"]


def test_a_full_disk_fails_everybody_changes_nothing_and_passes(drive, tmp_path):
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO settings VALUES ('big', ?)", (f'"{"x" * 400_000}"',))

    def limit(pages: int) -> Any:
        return lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    async def scenario(writer):
        await writer.run(limit(1))  # SQLite takes it as: no page more than there are
        failed = await asyncio.gather(
            *(writer.run(w) for w in (setting("a"), fill, setting("b"))), return_exceptions=True
        )
        assert any(isinstance(result, StoreFailed) for result in failed)
        assert not any(isinstance(result, BooksRefused) for result in failed)
        kept = await writer.run(names)
        assert kept == [result for result in failed if isinstance(result, str)]
        await writer.run(limit(100_000))
        await writer.run(fill)
        return await writer.run(names)

    assert "big" in drive(scenario)
    assert "big" in stored(tmp_path)


def test_later_rides_on_the_next_commit(drive):
    async def scenario(writer):
        writer.later(setting("rider"))
        await writer.run(setting("host"))
        return await writer.run(names), writer.counts.commits

    kept, commits = drive(scenario, later_after=600.0)
    assert kept == ["host", "rider"]
    assert commits <= 2


def test_later_happens_alone_after_its_time(drive):
    async def scenario(writer):
        writer.later(setting("alone"))
        async with asyncio.timeout(10):
            while not await writer.run(names):  # noqa: ASYNC110  # the writer decides when
                await asyncio.sleep(0.001)
        return await writer.run(names)

    assert drive(scenario, later_after=0.002) == ["alone"]


def test_later_never_fails_its_caller_and_close_finishes_it(drive, tmp_path):
    async def scenario(writer):
        writer.later(broken)
        writer.later(setting("last"))

    drive(scenario, later_after=600.0)
    assert stored(tmp_path) == ["last"]


def test_a_caller_that_stops_waiting_harms_nobody(drive, tmp_path):
    async def scenario(writer):
        given_up = asyncio.ensure_future(writer.run(setting("a")))
        given_up.cancel()
        await writer.run(setting("b"))

    drive(scenario)
    assert stored(tmp_path) == ["a", "b"]


def test_after_close_works_fail_and_closing_again_is_no_harm(drive):
    async def scenario(writer):
        await writer.close()
        with pytest.raises(StoreFailed):
            await writer.run(names)
        await writer.close()

    drive(scenario)


def test_counts_and_health(drive):
    async def scenario(writer):
        assert writer.oldest_wait() == 0.0
        before = writer.last_commit
        await writer.run(setting("a"))
        assert writer.healthy()
        assert writer.last_commit > before
        assert 0 < writer.counts.last_latency <= writer.counts.max_latency < 10

    drive(scenario)
