"""A store as it stands after a year: N sales, delivered but not pruned. Fast, and in balance.

`python tests/store/year_store.py DIRECTORY [SALES]`; 100,000 sales are 300,000 events and
300,000 ledger rows. Every row has the shape that the books themselves write: the texts come
from one real sale whose numbers are replaced.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection

from store_samples import context, delivered

from vendd import events
from vendd.core.facts import Fact
from vendd.store import Database
from vendd.store.publishing import outbox_row

_START = datetime(2025, 1, 1, tzinfo=UTC)
_PIECE = 5_000  # sales per transaction
_OUTBOX = "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?)"
_LEDGER = "INSERT INTO ledger VALUES (?, ?, 1, ?, ?, ?, 100, ?, ?)"
_BALANCE = "INSERT INTO balances VALUES (?, 0, ?, ?, ?)"


def fill(directory: str | Path, sales: int, slots: int = 24, acknowledged: bool = True) -> None:
    """Fill the fresh store in `directory` with `sales` sales of 1.00, evenly over one year."""
    database = Database.open(directory)
    for first in range(0, sales, _PIECE):
        numbers = range(first, min(first + _PIECE, sales))
        _checked(database, lambda c, numbers=numbers: _sales(c, numbers, sales))
        database.checkpoint(yielding=False)
    _checked(database, lambda c: _totals(c, sales, slots, acknowledged))
    database.close()


def _checked(database: Database, work) -> None:
    (result,) = database.transact([work])
    if isinstance(result, Exception):
        raise result


def _at(number: int, sales: int) -> str:
    then = _START + timedelta(days=365) * number / sales
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _templates() -> list[tuple[str, str, int, str, bytes]]:
    """Topic, type, money, attributes and data of one sale's events, numbers still to be filled."""
    now = context("AT-OF-EVENT")
    facts = [record for record in delivered("SALE-ID", 8) if isinstance(record, Fact)]
    rows = [outbox_row(events.encode(fact, 777_777, 888_888, now), "") for fact in facts]
    return [row[1:3] + row[4:] for row in rows]


def _sales(connection: Connection, numbers: range, sales: int) -> None:
    connection.executemany(_OUTBOX, _events(numbers, sales))
    connection.executemany(_LEDGER, _postings(numbers, sales))


def _events(numbers: range, sales: int) -> Iterator[tuple[object, ...]]:
    templates = _templates()
    for number in numbers:
        at, sale_id = _at(number, sales), f"s{number:08}"
        for offset, (topic, type_, money, attributes, data) in enumerate(templates):
            seq = number * 3 + offset + 1
            text = attributes.replace("777777", str(seq)).replace("AT-OF-EVENT", at)
            text = text.replace("888888", str(number + 1)).replace("SALE-ID", sale_id)
            yield seq, topic, type_, at, money, text, data.replace(b"SALE-ID", sale_id.encode())


def _postings(numbers: range, sales: int) -> Iterator[tuple[object, ...]]:
    for number in numbers:
        at, sale_id, seq = _at(number, sales), f"s{number:08}", number * 3
        yield seq + 1, seq, at, "tube:100", "customer", "coin", sale_id
        yield seq + 2, seq + 3, at, "customer", "sales", "sale", sale_id
        yield seq + 3, seq + 3, at, "coin_box", "tube:100", "tube_to_box", sale_id


def _totals(connection: Connection, sales: int, slots: int, acknowledged: bool) -> None:
    value = sales * 100
    moved = {"tube:100": (value, value), "customer": (value, value)}
    for account, (inflow, outflow) in (
        moved | {"sales": (0, value), "coin_box": (value, 0)}
    ).items():
        connection.execute(_BALANCE, (account, inflow, outflow, inflow - outflow))
    connection.executemany(
        "INSERT INTO slots (selection, level) VALUES (?, 8)",
        [(f"{'ABCD'[n // 6]}{n % 6 + 1}",) for n in range(slots)],
    )
    connection.execute("INSERT INTO tubes VALUES (3, 100, 0, 0, 0)")
    topics = (("transaction-events", 2 * sales), ("inventory-updates", sales))
    connection.executemany("INSERT INTO topics VALUES (?, ?)", topics)
    connection.execute(
        "UPDATE meta SET machine = 'demo-0001', boot_count = 1, seq = ?1, watermark = ?2,"
        " last_commit_at = ?3, sales_count = ?4, sales_value = ?5, cash_in = ?5",
        (3 * sales, 3 * sales if acknowledged else 0, _at(sales, sales), sales, value),
    )


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
