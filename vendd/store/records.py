"""`ports.desk.Records`: the books as people read them. Every read is bounded."""

from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.core.operator.sight import ClaimLine, DoubtLine, JournalLine
from vendd.ports import Writer

MOST: Final = 500
"""Rows of one answer: some milliseconds between two commits."""
_JOURNAL: Final = (
    "SELECT id, at, boot, seq, uid, user, role, action, target, why, before, after, outcome"
    " FROM journal WHERE id < ? ORDER BY id DESC LIMIT ?"
)
_NEWEST: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class SqliteRecords:
    """One connection serves the customer at the same time, so nothing here reads far."""

    writer: Writer

    async def journal(self, before_id: int | None, limit: int) -> list[JournalLine]:
        """See `ports.desk.Records`."""
        return await self.writer.run(partial(_journal, before_id or _NEWEST, min(limit, MOST)))

    async def claims(self, *, closed: bool, limit: int) -> list[ClaimLine]:
        """See `ports.desk.Records`."""
        return await self.writer.run(partial(_claims, closed, min(limit, MOST)))

    async def doubts(self, *, closed: bool, limit: int) -> list[DoubtLine]:
        """See `ports.desk.Records`."""
        return await self.writer.run(partial(_doubts, closed, min(limit, MOST)))


def _claims(closed: bool, limit: int, connection: Connection) -> list[ClaimLine]:
    rows = connection.execute(
        "SELECT ref, amount, reason, sale_id, opened_at, closed_how, closed_by, changed_at"
        " FROM claims WHERE closed_how IS NULL OR ? ORDER BY opened_at DESC, ref DESC LIMIT ?",
        (closed, limit),
    )
    return [ClaimLine(*row) for row in rows]


def _doubts(closed: bool, limit: int, connection: Connection) -> list[DoubtLine]:
    rows = connection.execute(
        "SELECT number, at, sale_id, amount, tender, policy, booked_as, evidence, decision,"
        " decided_at, decided_by, why FROM doubts WHERE decision IS NULL OR ?"
        " ORDER BY number DESC LIMIT ?",
        (closed, limit),
    )
    return [DoubtLine(*row) for row in rows]


def _journal(before_id: int, limit: int, connection: Connection) -> list[JournalLine]:
    return [JournalLine(*row) for row in connection.execute(_JOURNAL, (before_id, limit))]
