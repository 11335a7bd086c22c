"""`ports.Outbox`: what was committed and is on its way to the broker.

Rows stay for some days after they were acknowledged, then go in small pieces; rows
that were not acknowledged never go here, however old or many they are.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.ports import StoredEvent, Writer
from vendd.store.books import outbox_row

_PIECE: Final = 200  # rows deleted per transaction, so that a sale never waits long
_ADVANCE: Final = 1_000  # events delivered that are worth a commit of their own


class SqliteOutbox:
    """The forwarder's side of the store. One per writer: it remembers the watermark."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._watermark = -1  # not read yet
        self._stored = 0
        self._pending = False
        self._own: asyncio.Future[None] | None = None

    async def read(self, after_seq: int, limit: int) -> list[StoredEvent]:
        """Events with seq > `after_seq` in seq order, dead letters left out."""
        return await self._writer.run(partial(_read, after_seq, limit))

    async def watermark(self) -> int:
        """The seq up to which everything was delivered, at least as far as is durable."""
        self._stored = await self._writer.run(_stored_watermark)
        self._watermark = max(self._watermark, self._stored)
        return self._watermark

    def delivered(self, up_to_seq: int) -> None:
        """Move the watermark, never back. Moves ride on somebody else's commit; only a drained
        backlog gets commits of its own."""
        self._watermark = max(self._watermark, up_to_seq)
        if self._watermark - self._stored >= _ADVANCE and self._own is None:
            self._own = asyncio.ensure_future(self._writer.run(self._store_watermark))
            self._own.add_done_callback(self._own_done)
        elif not self._pending:
            self._pending = True
            self._writer.later(self._store_watermark)

    def _own_done(self, done: "asyncio.Future[None]") -> None:
        self._own = None
        if not done.cancelled():
            done.exception()  # a failed commit costs duplicates at most; the next move tries again

    def _store_watermark(self, connection: Connection) -> None:
        self._pending = False  # first, so that a move from now on asks for the next commit
        self._stored = self._watermark
        connection.execute(
            "UPDATE meta SET watermark = min(seq, ?1) WHERE watermark < ?1", (self._stored,)
        )

    async def bury(self, event: StoredEvent, reason: str) -> None:
        """Into the dead letters and out of the way; again is no harm."""
        await self._writer.run(partial(_bury, event, reason))

    async def dead_letters(self, after_seq: int, limit: int) -> list[tuple[StoredEvent, str]]:
        """What was buried, with reasons, in seq order: for replay and for people."""
        return await self._writer.run(partial(_dead_letters, after_seq, limit))

    async def prune(self, keep_days: int, now: str) -> int:
        """Delete acknowledged rows older than `keep_days` at `now` (RFC 3339 UTC).

        Returns how many went. Stops at the first row that has to stay, so that what is
        kept has no gaps.
        """
        limit = cutoff(keep_days, now)
        pruned = 0
        while (gone := await self._writer.run(partial(_prune, limit))) > 0:
            pruned += gone
        return pruned

    async def depth(self) -> int:
        """Events that were not delivered yet."""
        return await self._writer.run(_depth)


def cutoff(keep_days: int, now: str) -> str:
    """`keep_days` before `now`, in the same notation."""
    then = datetime.fromisoformat(now).astimezone(UTC) - timedelta(days=keep_days)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_COLUMNS: Final = "seq, topic, type, money, attributes, data"


_decode: Final = json.JSONDecoder().raw_decode  # without the checks of text that isn't ours


def _event(
    seq: int, topic: str, type_: str, money: int, attributes: str, data: bytes
) -> StoredEvent:
    """One row of `_COLUMNS`; STRICT tables vouch for the types."""
    return StoredEvent(seq, topic, type_, _decode(attributes)[0], data, bool(money))


def _read(after_seq: int, limit: int, connection: Connection) -> list[StoredEvent]:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit)
    )
    return [_event(*row) for row in rows]


def _stored_watermark(connection: Connection) -> int:
    return int(connection.execute("SELECT watermark FROM meta").fetchone()[0])


def _bury(event: StoredEvent, reason: str, connection: Connection) -> None:
    seq, topic, type_, _, money, attributes, data = outbox_row(event, "")
    connection.execute(
        f"INSERT INTO dead_letters ({_COLUMNS}, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET reason = excluded.reason",
        (seq, topic, type_, money, attributes, data, reason),
    )
    connection.execute("DELETE FROM outbox WHERE seq = ?", (seq,))


def _dead_letters(
    after_seq: int, limit: int, connection: Connection
) -> list[tuple[StoredEvent, str]]:
    rows = connection.execute(
        f"SELECT {_COLUMNS}, reason FROM dead_letters WHERE seq > ? ORDER BY seq LIMIT ?",
        (after_seq, limit),
    )
    return [(_event(*row[:-1]), row[-1]) for row in rows]


def _prune(limit: str, connection: Connection) -> int:
    seqs = []
    for seq, at in connection.execute(
        "SELECT seq, at FROM outbox WHERE seq <= (SELECT watermark FROM meta) ORDER BY seq LIMIT ?",
        (_PIECE,),
    ):
        if at >= limit:
            break
        seqs.append((seq,))
    connection.executemany("DELETE FROM outbox WHERE seq = ?", seqs)
    return len(seqs)


def _depth(connection: Connection) -> int:
    return int(
        connection.execute(
            "SELECT count(*) FROM outbox WHERE seq > (SELECT watermark FROM meta)"
        ).fetchone()[0]
    )
