"""The audit's tables, and what a store from before them already knows."""

from collections import Counter
from sqlite3 import Connection
from typing import Any, Final

from vendd.core import ledger
from vendd.core.audit.cash import of_posting
from vendd.core.audit.vend import Count
from vendd.core.rows import Posted

TABLES: Final = (
    # `reported`: what a read-out under way has shown; a reset takes just that off.
    """CREATE TABLE audit_counters (
        segment TEXT NOT NULL,
        subject TEXT NOT NULL,
        what TEXT NOT NULL,
        total INTEGER NOT NULL CHECK (total >= 0),
        since_reset INTEGER NOT NULL CHECK (since_reset BETWEEN 0 AND total),
        reported INTEGER NOT NULL DEFAULT 0 CHECK (reported BETWEEN 0 AND since_reset),
        PRIMARY KEY (segment, subject, what)
    ) STRICT, WITHOUT ROWID""",
    # Doubtful sales that were booked as sold and that nobody has resolved: counted nowhere.
    """CREATE TABLE audit_suspense (
        sale_id TEXT PRIMARY KEY,
        vend TEXT NOT NULL CHECK (json_valid(vend)),
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE audit_last_sales (
        selection TEXT PRIMARY KEY,
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE audit_devices (
        device TEXT PRIMARY KEY,
        manufacturer TEXT NOT NULL,
        model TEXT NOT NULL,
        serial TEXT NOT NULL,
        firmware TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # `since`: when it began, while it is active.
    """CREATE TABLE audit_events (
        code TEXT NOT NULL,
        source TEXT NOT NULL,
        total INTEGER NOT NULL CHECK (total >= 0),
        since_reset INTEGER NOT NULL CHECK (since_reset BETWEEN 0 AND total),
        reported INTEGER NOT NULL DEFAULT 0 CHECK (reported BETWEEN 0 AND since_reset),
        since TEXT,
        PRIMARY KEY (code, source)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE audit_event_log (
        id INTEGER PRIMARY KEY,
        code TEXT NOT NULL,
        began TEXT NOT NULL,
        minutes INTEGER NOT NULL CHECK (minutes >= 0)
    ) STRICT""",
    """CREATE TABLE audit_reads (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        reads INTEGER NOT NULL DEFAULT 0,
        resets INTEGER NOT NULL DEFAULT 0,
        last_at TEXT,
        last_by TEXT NOT NULL DEFAULT '',
        CHECK (resets <= reads)
    ) STRICT""",
    "INSERT INTO audit_reads (id) VALUES (1)",
)

_KEPT: Final = (  # rows of periods that were not pruned
    " FROM ledger WHERE id > (SELECT coalesce(max(last_ledger_id), 0) FROM periods WHERE pruned)"
)
_ROWS: Final = (
    f"SELECT debit, credit, reason, sum(amount), count(DISTINCT ref){_KEPT}"
    " GROUP BY debit, credit, reason"
)
_PRUNED: Final = (
    "SELECT account, sum(inflow), sum(outflow) FROM period_balances"
    " JOIN periods ON periods.id = period WHERE pruned GROUP BY account"
)
_PAID: Final = f"SELECT count(DISTINCT ref){_KEPT} AND credit = ? AND reason = 'sale'"


def count_what_was(connection: Connection) -> None:
    """Counters since initialisation that agree with the ledger from the start.

    From its rows as far as they are there, of pruned periods from the accounts alone. Which
    products were sold is in neither: counters of products begin with this version.
    """
    counts: Counter[Count] = Counter()
    for debit, credit, reason, amount, sales in connection.execute(_ROWS).fetchall():
        if credit == ledger.SALES:
            _sold(counts, debit, amount, sales)
        for key, value in of_posting(Posted(debit, credit, amount, reason)):
            counts[key] += value
    pruned = connection.execute(_PRUNED).fetchall()
    _pruned(counts, {account: (inflow, outflow) for account, inflow, outflow in pruned})
    _numbers(connection, counts, any_pruned=bool(pruned))
    connection.executemany(
        "INSERT INTO audit_counters (segment, subject, what, total, since_reset)"
        " VALUES (?1, ?2, ?3, ?4, ?4)",
        [(*key, amount) for key, amount in counts.items()],
    )


def _sold(counts: Counter[Count], paid_by: str, amount: int, sales: int) -> None:
    segment = {ledger.cashless(1): "DA2", ledger.cashless(2): "DB2"}.get(paid_by, "CA2")
    counts[Count("VA1", "", "value")] += amount
    counts[Count(segment, "", "value")] += amount
    counts[Count(segment, "", "number")] += sales


def _pruned(counts: Counter[Count], moved: dict[str, Any]) -> None:
    sales = moved.get(ledger.SALES, (0, 0))[1]
    by_card = {n: min(sales, moved.get(ledger.cashless(n), (0, 0))[0]) for n in (1, 2)}
    for number, amount in by_card.items():
        _sold(counts, ledger.cashless(number), amount, 0)
    _sold(counts, ledger.CUSTOMER, sales - sum(by_card.values()), 0)
    for account, (inflow, outflow) in moved.items():
        if ledger.is_store(account):
            for key, value in of_posting(Posted(account, ledger.CUSTOMER, inflow, "")):
                counts[key] += value
        elif account in (ledger.CHANGE, ledger.REFUNDS):
            counts[Count("CA4", "", "cash")] += inflow
        elif account == ledger.OVERPAY:
            counts[Count("CA8", "", "value")] += outflow


def _numbers(connection: Connection, counts: Counter[Count], *, any_pruned: bool) -> None:
    """All sales were counted together, free ones too; only the ledger's rows tell them apart."""
    (paid,) = connection.execute(_PAID, (ledger.SALES,)).fetchone()
    (closed,) = connection.execute("SELECT sales_count FROM meta").fetchone()
    counts[Count("VA1", "", "number")] = max(paid, closed) if any_pruned else paid
    if not any_pruned:
        counts[Count("VA3", "", "number")] = max(0, closed - paid)
