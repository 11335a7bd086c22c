"""What a start has to know of the tables; how they came to be stands in `migrations`."""

from typing import Final

APPLICATION_ID: Final = 0x56454E44  # "VEND": tells our file from any other SQLite database
SCHEMA_VERSION: Final = 6

AUDIT_TABLES: Final = (
    "audit_counters",
    "audit_suspense",
    "audit_last_sales",
    "audit_devices",
    "audit_events",
    "audit_event_log",
    "audit_reads",
)

JOURNAL_KEPT: Final = 10_000
"""The newest lines of the audit journal stay whatever happens: some 3 MB."""

HOT_TABLES: Final = (
    "meta",
    "topics",
    "state",
    "settings",
    "slots",
    "reservations",
    "tubes",
    "recycler",
    "boxes",
    "balances",
    "claims",
    "periods",
    "discarded",
    "replays",
    "link",
    "prices",
    "doubts",
    *AUDIT_TABLES,
)
"""Small tables that a start reads and every sale needs: checked before anything is sold."""

SINCE: Final = {
    "recycler": 2,
    "boxes": 2,
    "discarded": 3,
    "replays": 3,
    "link": 3,
    **dict.fromkeys(AUDIT_TABLES, 4),
    "journal": 5,
    "prices": 6,
    "doubts": 6,
}
"""The version that brought a table; 1 for all others."""

LONG_TABLES: Final = (
    ("ledger", "id"),
    ("outbox", "seq"),
    ("dead_letters", "seq"),
    ("journal", "id"),
)
"""Tables that grow with the months, and their keys: checked in pieces while the machine lives."""
