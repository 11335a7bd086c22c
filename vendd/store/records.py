"""`ports.desk.Records`: the books as people read them. Every read is bounded."""

import json
from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.core.operator.sight import ClaimLine, DoubtLine, JournalLine
from vendd.ports import StoredEvent, Writer
from vendd.store.outbox import SqliteOutbox

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

    async def events(
        self, after: int, limit: int, *, types: tuple[str, ...] = (), newest: bool = False
    ) -> list[StoredEvent]:
        """See `ports.desk.Records`."""
        return await self.writer.run(partial(_events, after, min(limit, MOST), types, newest))

    async def delivered(self) -> int:
        """See `ports.desk.Records`."""
        return await self.writer.run(_delivered)

    async def dead_letters(self, limit: int) -> list[tuple[StoredEvent, str]]:
        """See `ports.desk.Records`."""
        return await SqliteOutbox(self.writer).dead_letters(0, min(limit, MOST))

    async def boxes(self) -> list[tuple[str, int, int]]:
        """See `ports.desk.Records`."""
        return await self.writer.run(_boxes)

    async def claims(self, *, closed: bool, limit: int) -> list[ClaimLine]:
        """See `ports.desk.Records`."""
        return await self.writer.run(partial(_claims, closed, min(limit, MOST)))

    async def doubts(self, *, closed: bool, limit: int) -> list[DoubtLine]:
        """See `ports.desk.Records`."""
        return await self.writer.run(partial(_doubts, closed, min(limit, MOST)))


def _events(
    after: int, limit: int, types: tuple[str, ...], newest: bool, connection: Connection
) -> list[StoredEvent]:
    wanted = f" AND type IN ({', '.join('?' * len(types))})" if types else ""
    rows = connection.execute(
        f"SELECT seq, topic, type, attributes, data, money FROM outbox WHERE seq > ?{wanted}"
        f" ORDER BY seq {'DESC' if newest else ''} LIMIT ?",
        (after, *types, limit),
    )
    events = [
        StoredEvent(seq, topic, type_, json.loads(attributes), data, bool(money))
        for seq, topic, type_, attributes, data, money in rows
    ]
    return sorted(events, key=lambda event: event.seq)


def _delivered(connection: Connection) -> int:
    return int(connection.execute("SELECT watermark FROM meta").fetchone()[0])


def _boxes(connection: Connection) -> list[tuple[str, int, int]]:
    return connection.execute(
        "SELECT box, value, count FROM boxes WHERE count > 0 ORDER BY box, value"
    ).fetchall()


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
