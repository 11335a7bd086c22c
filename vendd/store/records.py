"""`ports.desk.Records`: the books as people read them. Every read is bounded."""

from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.core.operator.sight import JournalLine
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


def _journal(before_id: int, limit: int, connection: Connection) -> list[JournalLine]:
    return [JournalLine(*row) for row in connection.execute(_JOURNAL, (before_id, limit))]
