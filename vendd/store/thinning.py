"""Dropping telemetry: which rows go, and the event that names them, in one transaction (E3).

Every work here takes a connection inside a transaction. Rows of a table are not given back
page by page when some of a page stay, so the rows that stay are written anew beside each other.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from sqlite3 import Connection
from typing import Any, Final, Literal

from vendd.core.facts import OutboxThinned, ThinnedRange
from vendd.events.context import Context
from vendd.events.kinds import BY_TYPE
from vendd.ports import StoredEvent
from vendd.store.publishing import Publisher

WINDOW: Final = 200
"""Rows that one transaction looks at and writes anew: some 30 ms on an SD card."""

PERIODIC: Final = tuple(kind.type for kind in BY_TYPE.values() if kind.periodic)
TELEMETRY: Final = tuple(kind.type for kind in BY_TYPE.values() if not kind.money)

Why = Literal["space", "budget", "disabled"]
Record = Callable[[Sequence[ThinnedRange], Why, Connection], list[StoredEvent]]
_Row = tuple[Any, ...]
_COLUMNS: Final = "seq, topic, type, at, money, attributes, data"


def recording(publisher: Publisher, context: Context) -> Record:
    """What publishes the event that names dropped ranges."""

    def record(
        ranges: Sequence[ThinnedRange], why: Why, connection: Connection
    ) -> list[StoredEvent]:
        (oldest,) = connection.execute("SELECT min(seq) FROM outbox").fetchone()
        fact = OutboxThinned(tuple(ranges), why, oldest)
        return publisher.append([fact], context, connection)[1]

    return record


def thin_window(
    after_seq: int, types: tuple[str, ...], record: Record, connection: Connection
) -> tuple[int, list[StoredEvent]]:
    """Drop the oldest telemetry of these types behind `after_seq`, within `WINDOW` rows.

    Returns the last seq looked at (0: there is none left) and the event about it.
    """
    marks = ",".join("?" * len(types))
    (first,) = connection.execute(
        f"SELECT min(seq) FROM outbox INDEXED BY outbox_telemetry"
        f" WHERE money = 0 AND seq > ? AND type IN ({marks})",
        (after_seq, *types),
    ).fetchone()
    if first is None:
        return 0, []
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE seq >= ? ORDER BY seq LIMIT ?", (first, WINDOW)
    ).fetchall()
    return rows[-1][0], _drop(rows, lambda row: not row[4] and row[2] in types, record, connection)


def thin_seqs(seqs: Sequence[int], record: Record, connection: Connection) -> list[StoredEvent]:
    """Drop these, as far as they are there and no money; the link can't afford them."""
    rows = [
        row
        for seq in sorted(seqs)
        for row in connection.execute(
            f"SELECT {_COLUMNS} FROM outbox WHERE seq = ? AND money = 0", (seq,)
        )
    ]
    if not rows:
        return []
    connection.executemany("DELETE FROM outbox WHERE seq = ?", [(row[0],) for row in rows])
    return record(ranges_of(rows), "budget", connection)


def _drop(
    rows: Sequence[_Row],
    doomed: Callable[[_Row], bool],
    record: Record,
    connection: Connection,
) -> list[StoredEvent]:
    connection.execute("DELETE FROM outbox WHERE seq BETWEEN ? AND ?", (rows[0][0], rows[-1][0]))
    connection.executemany(
        f"INSERT INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [row for row in rows if not doomed(row)],
    )
    return record(ranges_of(row for row in rows if doomed(row)), "space", connection)


def ranges_of(rows: Iterable[_Row]) -> list[ThinnedRange]:
    """Runs of seqs without a gap and of one topic, exactly these and no other, in order."""
    ranges: list[ThinnedRange] = []
    numbered = enumerate(rows)
    for (_, topic), run in groupby(numbered, lambda pair: (pair[1][0] - pair[0], pair[1][1])):
        events = [row for _, row in run]
        types = Counter(str(row[2]) for row in events)
        ranges.append(ThinnedRange(events[0][0], events[-1][0], topic, dict(types)))
    return ranges


# --- nobody wants them ------------------------------------------------------------------------

_DISCARDED: Final = (
    "INSERT INTO discarded (type, count, from_seq, to_seq) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count, to_seq = excluded.to_seq"
)


def discard(before: str, connection: Connection) -> int:
    """Delete up to `WINDOW` of the oldest rows that are older than `before`, money too: Kafka is
    switched off. Those that were never delivered are counted until `announce`."""
    (watermark,) = connection.execute("SELECT watermark FROM meta").fetchone()
    rows = []
    for row in connection.execute(
        "SELECT seq, type, at FROM outbox ORDER BY seq LIMIT ?", (WINDOW,)
    ):
        if row[2] >= before:
            break
        rows.append(row)
    unsent = [(seq, type_) for seq, type_, _ in rows if seq > watermark]
    for name, count in Counter(type_ for _, type_ in unsent).items():
        connection.execute(_DISCARDED, (name, count, unsent[0][0], unsent[-1][0]))
    connection.executemany("DELETE FROM outbox WHERE seq = ?", [(row[0],) for row in rows])
    return len(rows)


def announce(record: Record, connection: Connection) -> list[StoredEvent]:
    """Tell which events were discarded while Kafka was switched off; nothing when none were."""
    rows = connection.execute("SELECT type, count, from_seq, to_seq FROM discarded").fetchall()
    if not rows:
        return []
    first, last = min(row[2] for row in rows), max(row[3] for row in rows)
    everything = ThinnedRange(first, last, "*", {row[0]: row[1] for row in rows})
    connection.execute("DELETE FROM discarded")
    return record([everything], "disabled", connection)
