"""Keeping the books small and sound over the years: periods, pruning, checks (L4).

A period's balances stay for good; its ledger rows may go once they are old enough and
every event they belong to was acknowledged. Each step is a transaction of a few
milliseconds, so none of this is felt by a customer.
"""

from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.ports import Writer
from vendd.store.outbox import cutoff
from vendd.store.schema import HOT_TABLES, JOURNAL_KEPT, LONG_TABLES

_PIECE: Final = 500  # ledger rows deleted per transaction
_CHECKED: Final = 1_000  # rows read per transaction of a full check


@dataclass(frozen=True, slots=True)
class Archive:
    """The owner's housekeeping, called nightly and at collections."""

    writer: Writer

    async def close_period(self, now: str) -> int:
        """Close the period: every account's closing becomes its opening. Returns its number."""
        return await self.writer.run(partial(_close_period, now))

    async def prune(self, keep_days: int, now: str) -> int:
        """Delete the ledger rows of closed periods that ended more than `keep_days` before
        `now` and whose events were all acknowledged. Returns how many rows went."""
        marked = await self.writer.run(partial(_mark_prunable, cutoff(keep_days, now)))
        pruned = 0
        while marked and (gone := await self.writer.run(partial(_prune, marked))) > 0:
            pruned += gone
        return pruned

    async def prune_journal(self, *, wanted: bool) -> int:
        """Delete lines of the audit journal beyond the newest `JOURNAL_KEPT` whose events were
        acknowledged, where somebody `wanted` them. Returns how many went."""
        pruned = 0
        while (gone := await self.writer.run(partial(_prune_journal, wanted))) > 0:
            pruned += gone
        return pruned

    async def size(self) -> int:
        """Bytes in use in the database file, without free pages."""
        return await self.writer.run(_size)

    async def check_fully(self) -> list[str]:
        """Read every row and check what a start leaves out; findings, empty when sound.

        In pieces between commits: one connection serves the customer at the same time.
        """
        findings = []
        for table in (*HOT_TABLES, "period_balances"):
            findings += await self.writer.run(partial(_check_table, table))
        for table, key in LONG_TABLES:
            after = 0
            while (piece := await self.writer.run(partial(_check_piece, table, key, after)))[0]:
                after = piece[0]
                findings += piece[1]
        return findings


def _close_period(now: str, connection: Connection) -> int:
    period: int
    (period,) = connection.execute(
        "INSERT INTO periods (closed_at, last_seq, last_ledger_id)"
        " SELECT ?, seq, max((SELECT coalesce(max(id), 0) FROM ledger),"
        "  (SELECT coalesce(max(last_ledger_id), 0) FROM periods)) FROM meta RETURNING id",
        (now,),
    ).fetchone()
    connection.execute(
        "INSERT INTO period_balances SELECT ?, account, opening, inflow, outflow, closing"
        " FROM balances",
        (period,),
    )
    connection.execute("UPDATE balances SET opening = closing, inflow = 0, outflow = 0")
    return period


def _mark_prunable(limit: str, connection: Connection) -> int:
    """The newest ledger id that may go. The trigger on the ledger lets only these go."""
    connection.execute(
        "UPDATE periods SET pruned = 1"
        " WHERE closed_at < ? AND last_seq <= (SELECT watermark FROM meta)"
        " AND id < (SELECT max(id) FROM periods)",  # the newest closed one can still be audited
        (limit,),
    )
    newest = "SELECT coalesce(max(last_ledger_id), 0) FROM periods WHERE pruned"
    return int(connection.execute(newest).fetchone()[0])


def _prune(newest: int, connection: Connection) -> int:
    # The newest row of all stays, so that ids are never used twice.
    return connection.execute(
        "DELETE FROM ledger WHERE id IN (SELECT id FROM ledger WHERE id <= ?"
        " AND id < (SELECT max(id) FROM ledger) ORDER BY id LIMIT ?)",
        (newest, _PIECE),
    ).rowcount


def _prune_journal(wanted: bool, connection: Connection) -> int:
    told = " AND seq <= (SELECT watermark FROM meta)" if wanted else ""
    return connection.execute(
        "DELETE FROM journal WHERE id IN (SELECT id FROM journal"
        f" WHERE id <= (SELECT max(id) FROM journal) - {JOURNAL_KEPT}"
        f"{told} ORDER BY id LIMIT ?)",
        (_PIECE,),
    ).rowcount


def _size(connection: Connection) -> int:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (bytes_per_page,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * bytes_per_page)


def _check_table(table: str, connection: Connection) -> list[str]:
    rows = connection.execute(f"PRAGMA quick_check('{table}')")
    return [f"{table}: {row[0]}" for row in rows if row[0] != "ok"]


def _check_piece(
    table: str, key: str, after: int, connection: Connection
) -> tuple[int | None, list[str]]:
    """The last key read (None at the end) and findings. Reading alone finds torn pages."""
    sound = (
        "1"
        if table in ("ledger", "journal")
        else "json_valid(attributes) AND json_valid(CAST(data AS TEXT))"
    )
    rows = connection.execute(
        f"SELECT {key}, {sound}, * FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?",
        (after, _CHECKED),
    ).fetchall()
    findings = [f"{table} {row[0]}: not JSON" for row in rows if not row[1]]
    return (rows[-1][0] if rows else None), findings
