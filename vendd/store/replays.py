"""Events that are sent again because somebody asked: what is asked for, and how far it is.

Delivered events stay for `keep_days`, dead letters until they are delivered after all. A
request survives a restart.
"""

from collections.abc import Collection
from sqlite3 import Connection
from typing import Final

from vendd.ports import Replay

LONGEST: Final = 20
"""Requests that wait at most: whoever asks for more has to wait for the first."""


def ask(from_seq: int, to_seq: int, connection: Connection) -> Replay | None:
    """Note a request for what is there of `from_seq` .. `to_seq`; None when nothing is.

    What was not delivered yet is left out: it comes by itself.
    """
    (waiting,) = connection.execute("SELECT count(*) FROM replays").fetchone()
    first, last, events = connection.execute(
        f"SELECT min(seq), max(seq), count(*) FROM ({_KEPT})",
        {"first": from_seq, "last": to_seq},
    ).fetchone()
    if not events or waiting >= LONGEST:
        return None
    (number,) = connection.execute(
        "INSERT INTO replays (next_seq, to_seq) VALUES (?, ?) RETURNING id", (first, last)
    ).fetchone()
    return Replay(number, first, last, events)


def following(connection: Connection) -> Replay | None:
    """The oldest request that is not done."""
    row = connection.execute(
        "SELECT id, next_seq, to_seq FROM replays ORDER BY id LIMIT 1"
    ).fetchone()
    return None if row is None else Replay(*row)


def moved(number: int, next_seq: int, refused: Collection[int], connection: Connection) -> None:
    """Everything before `next_seq` was sent again; dead letters that were taken live again."""
    bounds = connection.execute(
        "SELECT next_seq, to_seq FROM replays WHERE id = ?", (number,)
    ).fetchone()
    if bounds is None:
        return
    dead = connection.execute(
        "SELECT seq FROM dead_letters WHERE seq BETWEEN ? AND ?",
        (bounds[0], min(next_seq - 1, bounds[1])),
    ).fetchall()
    for seq in (seq for seq in dead if seq[0] not in refused):
        connection.execute(_REVIVE, seq)
        connection.execute("DELETE FROM dead_letters WHERE seq = ?", seq)
    if next_seq > bounds[1]:
        connection.execute("DELETE FROM replays WHERE id = ?", (number,))
    else:
        connection.execute("UPDATE replays SET next_seq = ? WHERE id = ?", (next_seq, number))


_REVIVE: Final = (
    "INSERT OR IGNORE INTO outbox (seq, topic, type, at, money, attributes, data)"
    " SELECT seq, topic, type, json_extract(attributes, '$.time'), money, attributes, data"
    " FROM dead_letters WHERE seq = ?"
)
_KEPT: Final = (
    "SELECT seq, topic, type, money, attributes, data FROM outbox"
    " WHERE seq BETWEEN :first AND :last AND seq <= (SELECT watermark FROM meta)"
    " UNION ALL SELECT seq, topic, type, money, attributes, data FROM dead_letters"
    " WHERE seq BETWEEN :first AND :last AND seq <= (SELECT watermark FROM meta)"
)
KEPT: Final = f"SELECT * FROM ({_KEPT}) ORDER BY seq LIMIT :limit"
"""Delivered events and dead letters between `first` and `last`, in seq order."""
