"""What the books keep of people's orders: doubts of before an upgrade; the journal's bounds."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from vendd.store import Archive, Database, SqliteBooks, SqliteRecords, ThreadWriter
from vendd.store.migrations import MIGRATIONS
from vendd.store.opening import FILE
from vendd.store.schema import JOURNAL_KEPT

EVENT = {
    "sale_id": "s7",
    "amount": 150,
    "tender": "coin",
    "policy": "left_home",
    "booked_as": "sold",
    "evidence": {"left_home": True},
}


def test_an_upgrade_finds_the_doubtful_sales_of_before(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    MIGRATIONS.apply(Tables(connection), stop_before="m0006_operator")
    connection.execute("UPDATE meta SET seq = 3")
    connection.execute(
        "INSERT INTO outbox VALUES (3, 'transaction-events', 'vend.sale-doubtful.v1',"
        " '2026-01-31T12:00:00.000Z', 1, '{}', ?)",
        (json.dumps(EVENT).encode(),),
    )
    connection.close()

    async def run() -> None:
        database = Database.open(tmp_path)
        writer = ThreadWriter(asyncio.get_running_loop(), database)
        loaded = await SqliteBooks(writer).load({})
        (doubt,) = loaded.operator.doubts
        assert (doubt.number, doubt.sale_id, doubt.amount) == (1, "s7", 150)
        assert loaded.operator.doubts_ever == 1
        (line,) = await SqliteRecords(writer).doubts(closed=False, limit=9)
        assert json.loads(line.evidence) == {"left_home": True}
        await writer.close()

    asyncio.run(run())


def test_the_journal_is_append_only_and_keeps_its_newest_lines(tmp_path: Path) -> None:
    async def run() -> None:
        database = Database.open(tmp_path)
        database.connection.executemany(
            "INSERT INTO journal VALUES (?, 't', 1, 0, 0, 'root', 'owner', 'x', '', '', '{}',"
            " '{}', 'done')",
            [(number,) for number in range(1, JOURNAL_KEPT + 6)],
        )
        for forbidden in (
            "UPDATE journal SET user = 'anna' WHERE id = 1",
            f"DELETE FROM journal WHERE id = {JOURNAL_KEPT}",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                database.connection.execute(forbidden)
        writer = ThreadWriter(asyncio.get_running_loop(), database)
        assert await Archive(writer).prune_journal(wanted=True) == 5
        assert await Archive(writer).prune_journal(wanted=True) == 0
        await writer.close()

    asyncio.run(run())
