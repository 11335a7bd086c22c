"""`ports.Outbox`: what was committed and is on its way to the broker.

Rows stay for some days after they were acknowledged, then go in small pieces; rows
that were not acknowledged never go here, however old or many they are.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.events.context import Context
from vendd.ports import Replay, StoredEvent, Writer
from vendd.store import replays
from vendd.store.publishing import Publisher, outbox_row
from vendd.store.thinning import recording, thin_seqs

_PIECE: Final = 200  # rows deleted per transaction, so that a sale never waits long
_EVER: Final = "9999"  # later than any time in the books
_ADVANCE: Final = 1_000  # events delivered that are worth a commit of their own


class SqliteOutbox:
    """The forwarder's side of the store. One per writer: it remembers the watermark.

    `context` makes the common part of events about the outbox itself; without it nothing can be
    thinned.
    """

    def __init__(
        self,
        writer: Writer,
        context: Callable[[], Context] | None = None,
        publisher: Publisher | None = None,
    ) -> None:
        self._writer = writer
        self._context = context
        self._publisher = publisher or Publisher()
        self._carried = ("", 0)
        self._carry_pending = False
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

    async def thin(self, seqs: Sequence[int]) -> list[StoredEvent]:
        """See `ports.Outbox`."""
        assert self._context is not None, "made without a context"
        record = recording(self._publisher, self._context())
        return await self._writer.run(partial(thin_seqs, tuple(seqs), record))

    async def ask_replay(self, from_seq: int, to_seq: int) -> Replay | None:
        """See `ports.Outbox`. The watermark of this moment counts, not the durable one."""
        await self._writer.run(self._store_watermark)
        return await self._writer.run(partial(replays.ask, from_seq, to_seq))

    async def next_replay(self) -> Replay | None:
        """See `ports.Outbox`."""
        return await self._writer.run(replays.following)

    async def read_again(self, replay: Replay, limit: int) -> list[StoredEvent]:
        """See `ports.Outbox`."""
        bounds = {"first": replay.next_seq, "last": replay.to_seq, "limit": limit}
        return await self._writer.run(partial(_read_again, bounds))

    async def replayed(self, replay: Replay, next_seq: int, refused: frozenset[int]) -> None:
        """See `ports.Outbox`."""
        await self._writer.run(partial(replays.moved, replay.id, next_seq, refused))

    async def carried(self) -> tuple[str, int]:
        """See `ports.Outbox`."""
        self._carried = await self._writer.run(_carried)
        return self._carried

    def carry(self, day: str, total: int) -> None:
        """See `ports.Outbox`."""
        self._carried = (day, total)
        if not self._carry_pending:
            self._carry_pending = True
            self._writer.later(self._store_carried)

    def _store_carried(self, connection: Connection) -> None:
        self._carry_pending = False
        connection.execute(
            "INSERT INTO link (id, day, bytes) VALUES (1, ?, ?)"
            " ON CONFLICT DO UPDATE SET day = excluded.day, bytes = excluded.bytes",
            self._carried,
        )

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

    async def prune_piece(self) -> int:
        """Delete some of the oldest acknowledged rows however young: room is needed."""
        await self._writer.run(self._store_watermark)
        return await self._writer.run(partial(_prune, _EVER))

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


def _read_again(bounds: dict[str, int], connection: Connection) -> list[StoredEvent]:
    return [_event(*row) for row in connection.execute(replays.KEPT, bounds)]


def _carried(connection: Connection) -> tuple[str, int]:
    row = connection.execute("SELECT day, bytes FROM link").fetchone()
    return ("", 0) if row is None else (row[0], row[1])


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
