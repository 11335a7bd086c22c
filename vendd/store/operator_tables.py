"""What people decide at the machine: prices, and doubtful sales; and how they are read and kept.

A price that was set here holds until the configuration names another than it did then: the
newest word counts, wherever it was said.
"""

from collections.abc import Mapping
from sqlite3 import Connection
from typing import Final

from vendd.core.rows import ClaimSet, DoubtSet, PricePending, PriceSet
from vendd.store.entries import Entries

TABLES: Final = (
    # `file`: what the configuration says, `own`: what was set here, `pending`: what waits until
    # no customer is there.
    """CREATE TABLE prices (
        selection TEXT NOT NULL,
        price_list TEXT NOT NULL,
        file INTEGER CHECK (file >= 0),
        own INTEGER CHECK (own > 0),
        pending INTEGER CHECK (pending > 0),
        asked_at TEXT NOT NULL DEFAULT '',
        why TEXT NOT NULL DEFAULT '',
        user TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (selection, price_list)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE doubts (
        number INTEGER PRIMARY KEY CHECK (number > 0),
        at TEXT NOT NULL,
        sale_id TEXT NOT NULL,
        amount INTEGER NOT NULL,
        tender TEXT NOT NULL,
        policy TEXT NOT NULL,
        booked_as TEXT NOT NULL,
        evidence TEXT NOT NULL CHECK (json_valid(evidence)),
        decision TEXT,
        decided_at TEXT,
        decided_by TEXT,
        why TEXT
    ) STRICT""",
    # Those of before, as far as their events are still here.
    """INSERT INTO doubts (number, at, sale_id, amount, tender, policy, booked_as, evidence)
        SELECT row_number() OVER (ORDER BY seq), at, body ->> '$.sale_id', body ->> '$.amount',
            body ->> '$.tender', body ->> '$.policy', body ->> '$.booked_as', body -> '$.evidence'
        FROM (SELECT seq, at, CAST(data AS TEXT) AS body FROM outbox
            WHERE type = 'vend.sale-doubtful.v1')""",
    "PRAGMA user_version = 6",
)

_PENDING: Final = (
    "INSERT INTO prices (selection, price_list, pending, asked_at, why, user)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET pending = excluded.pending,"
    " asked_at = excluded.asked_at, why = excluded.why, user = excluded.user"
)
_PRICE: Final = (
    "INSERT INTO prices (selection, price_list, own) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET own = excluded.own, pending = NULL"
)
_DOUBT: Final = (
    "INSERT INTO doubts (number, at, sale_id, amount, tender, policy, booked_as, evidence)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_DECIDED: Final = (
    "UPDATE doubts SET decision = ?, decided_at = ?, decided_by = ?, why = ? WHERE number = ?"
)
_FILE: Final = (
    "INSERT INTO prices (selection, price_list, file) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET file = excluded.file, own = NULL, pending = NULL"
)


def write_operator(connection: Connection, entries: Entries, at: str) -> None:
    """Prices and doubtful sales, in the order in which they were decided."""
    for price in entries.prices:
        if isinstance(price, PricePending):
            named = (price.asked_at, price.why, price.user)
            values = (price.selection, price.price_list, price.price)
            connection.execute(_PENDING, (*values, *named))
        else:
            connection.execute(_PRICE, (price.selection, price.price_list, price.price))
    for doubt in entries.doubts:
        if doubt.decision is None:
            said = (doubt.sale_id, doubt.amount, doubt.tender, doubt.policy, doubt.booked_as)
            connection.execute(_DOUBT, (doubt.number, at, *said, doubt.evidence))
        else:
            decided = (doubt.decision, at, doubt.decided_by, doubt.why)
            connection.execute(_DECIDED, (*decided, doubt.number))


def follow_file(connection: Connection, prices: Mapping[tuple[str, str], int]) -> None:
    """What the configuration says now, by slot and list. Where it says something else than
    before, that counts; what it no longer knows is forgotten."""
    known = {
        (selection, name): file
        for selection, name, file in connection.execute(
            "SELECT selection, price_list, file FROM prices"
        )
    }
    for key, file in known.items():
        gone = key not in prices and (file is not None or key[0] not in {s for s, _ in prices})
        if gone:
            connection.execute("DELETE FROM prices WHERE selection = ? AND price_list = ?", key)
    for key, price in prices.items():
        if known.get(key) != price:
            connection.execute(_FILE, (*key, price))


def prices_set(connection: Connection) -> tuple[PriceSet, ...]:
    """Prices that were set here and hold."""
    rows = connection.execute("SELECT selection, price_list, own FROM prices WHERE own IS NOT NULL")
    return tuple(PriceSet(*row) for row in rows)


def prices_pending(connection: Connection) -> tuple[PricePending, ...]:
    rows = connection.execute(
        "SELECT selection, price_list, pending, asked_at, why, user FROM prices"
        " WHERE pending IS NOT NULL"
    )
    return tuple(PricePending(*row) for row in rows)


def open_claims(connection: Connection) -> tuple[ClaimSet, ...]:
    rows = connection.execute(
        "SELECT ref, amount, reason, sale_id FROM claims WHERE closed_how IS NULL"
    )
    return tuple(ClaimSet(*row) for row in rows)


def open_doubts(connection: Connection) -> tuple[tuple[DoubtSet, ...], int]:
    """Those nobody has decided, and the newest number of all."""
    rows = connection.execute(
        "SELECT number, sale_id, amount, tender, policy, booked_as, evidence FROM doubts"
        " WHERE decision IS NULL ORDER BY number"
    )
    (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM doubts").fetchone()
    return tuple(DoubtSet(*row) for row in rows), int(newest)
