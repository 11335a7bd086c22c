"""The tables and how they came to be. A migration that has shipped is never edited.

STRICT tables and CHECKs state what must hold at every commit: stock is never
negative nor promised twice (S2), and per account opening + in - out = closing (M1).

Imported only by a start that has something to migrate: sqlite-utils and what it brings along
are 7 MiB of memory that a machine would otherwise carry for life.
"""

from typing import Final

from sqlite_utils import Database, Migrations

from vendd.store import audit_tables, operator_tables
from vendd.store.schema import APPLICATION_ID, JOURNAL_KEPT

MIGRATIONS: Final = Migrations("vendd")

_BOOKS: Final = (
    """CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        machine TEXT,
        boot_count INTEGER NOT NULL DEFAULT 0 CHECK (boot_count >= 0),
        clean INTEGER NOT NULL DEFAULT 1 CHECK (clean IN (0, 1)),
        seq INTEGER NOT NULL DEFAULT 0 CHECK (seq >= 0),
        watermark INTEGER NOT NULL DEFAULT 0 CHECK (watermark BETWEEN 0 AND seq),
        last_commit_at TEXT,
        failed_commits INTEGER NOT NULL DEFAULT 0,
        sales_count INTEGER NOT NULL DEFAULT 0,
        sales_value INTEGER NOT NULL DEFAULT 0,
        cash_in INTEGER NOT NULL DEFAULT 0,
        cash_out INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "INSERT INTO meta (id) VALUES (1)",
    """CREATE TABLE topics (
        topic TEXT PRIMARY KEY,
        topicseq INTEGER NOT NULL CHECK (topicseq > 0)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        data BLOB NOT NULL,
        software TEXT NOT NULL,
        written_at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL CHECK (json_valid(value))
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE slots (
        selection TEXT PRIMARY KEY,
        level INTEGER NOT NULL CHECK (level >= 0),
        reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
        state TEXT NOT NULL DEFAULT 'on_sale',
        reason TEXT NOT NULL DEFAULT '',
        no_drop_streak INTEGER NOT NULL DEFAULT 0 CHECK (no_drop_streak >= 0),
        CHECK (reserved <= level)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE reservations (
        sale_id TEXT NOT NULL,
        selection TEXT NOT NULL REFERENCES slots (selection),
        quantity INTEGER NOT NULL CHECK (quantity >= 0),
        PRIMARY KEY (sale_id, selection)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE tubes (
        type INTEGER PRIMARY KEY CHECK (type BETWEEN 0 AND 255),
        value INTEGER NOT NULL CHECK (value >= 0),
        count INTEGER NOT NULL CHECK (count >= 0),
        "full" INTEGER NOT NULL CHECK ("full" IN (0, 1)),
        defective INTEGER NOT NULL CHECK (defective IN (0, 1))
    ) STRICT""",
    """CREATE TABLE balances (
        account TEXT PRIMARY KEY,
        opening INTEGER NOT NULL,
        inflow INTEGER NOT NULL CHECK (inflow >= 0),
        outflow INTEGER NOT NULL CHECK (outflow >= 0),
        closing INTEGER NOT NULL,
        CHECK (opening + inflow - outflow = closing)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE claims (
        ref TEXT PRIMARY KEY,
        amount INTEGER NOT NULL CHECK (amount >= 0),
        reason TEXT NOT NULL,
        sale_id TEXT,
        opened_at TEXT NOT NULL,
        changed_at TEXT NOT NULL,
        closed_how TEXT,
        closed_by TEXT
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE ledger (
        id INTEGER PRIMARY KEY,
        seq INTEGER NOT NULL,
        boot INTEGER NOT NULL,
        at TEXT NOT NULL,
        debit TEXT NOT NULL,
        credit TEXT NOT NULL,
        amount INTEGER NOT NULL CHECK (amount > 0),
        reason TEXT NOT NULL,
        ref TEXT,
        CHECK (debit <> credit)
    ) STRICT""",
    """CREATE TABLE periods (
        id INTEGER PRIMARY KEY CHECK (id > 0),
        closed_at TEXT NOT NULL,
        last_seq INTEGER NOT NULL,
        last_ledger_id INTEGER NOT NULL,
        pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1))
    ) STRICT""",
    """CREATE TABLE period_balances (
        period INTEGER NOT NULL REFERENCES periods (id),
        account TEXT NOT NULL,
        opening INTEGER NOT NULL,
        inflow INTEGER NOT NULL,
        outflow INTEGER NOT NULL,
        closing INTEGER NOT NULL,
        PRIMARY KEY (period, account),
        CHECK (opening + inflow - outflow = closing)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    # A closed period marked as pruned has its totals in period_balances; its rows may go.
    """CREATE TRIGGER ledger_is_only_pruned BEFORE DELETE ON ledger
        WHEN OLD.id > (SELECT coalesce(max(last_ledger_id), 0) FROM periods WHERE pruned)
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY CHECK (seq > 0),
        topic TEXT NOT NULL,
        type TEXT NOT NULL,
        at TEXT NOT NULL,
        money INTEGER NOT NULL CHECK (money IN (0, 1)),
        attributes TEXT NOT NULL,
        data BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE dead_letters (
        seq INTEGER PRIMARY KEY CHECK (seq > 0),
        topic TEXT NOT NULL,
        type TEXT NOT NULL,
        money INTEGER NOT NULL CHECK (money IN (0, 1)),
        attributes TEXT NOT NULL,
        data BLOB NOT NULL,
        reason TEXT NOT NULL
    ) STRICT""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    "PRAGMA user_version = 1",
)


@MIGRATIONS()
def m0001_books(database: Database) -> None:
    """The books of the first release. `user_version` moves in the same transaction (L6)."""
    for statement in _BOOKS:
        database.execute(statement)


_BILLS: Final = (
    """CREATE TABLE recycler (
        type INTEGER PRIMARY KEY CHECK (type BETWEEN 0 AND 255),
        value INTEGER NOT NULL CHECK (value >= 0),
        count INTEGER NOT NULL CHECK (count >= 0),
        "full" INTEGER NOT NULL CHECK ("full" IN (0, 1)),
        defective INTEGER NOT NULL CHECK (defective IN (0, 1))
    ) STRICT""",
    # What lies in a box nobody can pay from, by denomination. The coin box may hold more than
    # that: nobody counted its coins before this version.
    """CREATE TABLE boxes (
        box TEXT NOT NULL,
        value INTEGER NOT NULL CHECK (value > 0),
        count INTEGER NOT NULL CHECK (count >= 0),
        PRIMARY KEY (box, value)
    ) STRICT, WITHOUT ROWID""",
    "PRAGMA user_version = 2",
)


@MIGRATIONS()
def m0002_bills(database: Database) -> None:
    """Bills: the recycler's stores, and what lies in stacker and coin box."""
    for statement in _BILLS:
        database.execute(statement)


_STREAM: Final = (
    # Telemetry is found without reading the money events between it.
    "CREATE INDEX outbox_telemetry ON outbox (seq, type) WHERE money = 0",
    # Events that went unsent because nobody wanted them (Kafka switched off), until it is told.
    """CREATE TABLE discarded (
        type TEXT PRIMARY KEY,
        count INTEGER NOT NULL CHECK (count > 0),
        from_seq INTEGER NOT NULL CHECK (from_seq > 0),
        to_seq INTEGER NOT NULL CHECK (to_seq >= from_seq)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE replays (
        id INTEGER PRIMARY KEY,
        next_seq INTEGER NOT NULL CHECK (next_seq > 0),
        to_seq INTEGER NOT NULL CHECK (to_seq >= next_seq - 1)
    ) STRICT""",
    # What the link carried on the day it was last used.
    """CREATE TABLE link (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        day TEXT NOT NULL,
        bytes INTEGER NOT NULL CHECK (bytes >= 0)
    ) STRICT""",
    "PRAGMA user_version = 3",
)


@MIGRATIONS()
def m0003_stream(database: Database) -> None:
    """The event stream's bounds: thinning, discarding, replay, the link's budget."""
    for statement in _STREAM:
        database.execute(statement)


@MIGRATIONS()
def m0004_audit(database: Database) -> None:
    """The audit's counters since initialisation and since the last reset."""
    for statement in audit_tables.TABLES:
        database.execute(statement)
    audit_tables.count_what_was(database.conn)
    database.execute("PRAGMA user_version = 4")


_JOURNAL: Final = (
    # Who did what to money, stock, prices or hardware, and who was not let. `seq`: the newest
    # event of the same commit.
    """CREATE TABLE journal (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        boot INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        user TEXT NOT NULL,
        role TEXT NOT NULL,
        action TEXT NOT NULL CHECK (action <> ''),
        target TEXT NOT NULL,
        why TEXT NOT NULL,
        before TEXT NOT NULL CHECK (json_valid(before)),
        after TEXT NOT NULL CHECK (json_valid(after)),
        outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused'))
    ) STRICT""",
    """CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    f"""CREATE TRIGGER journal_is_only_pruned BEFORE DELETE ON journal
        WHEN OLD.id > (SELECT max(id) FROM journal) - {JOURNAL_KEPT}
        BEGIN SELECT RAISE(ABORT, 'the newest lines of the journal stay'); END""",
    "PRAGMA user_version = 5",
)


@MIGRATIONS()
def m0005_journal(database: Database) -> None:
    """The audit journal of what people do to the machine."""
    for statement in _JOURNAL:
        database.execute(statement)


@MIGRATIONS()
def m0006_operator(database: Database) -> None:
    """Prices that were set at the machine, and doubtful sales until somebody decides them."""
    for statement in operator_tables.TABLES:
        database.execute(statement)
