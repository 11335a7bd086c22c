"""SQLite: open, pragmas, migrations, one writer. The only importer of sqlite_utils.

Composition: ``database = Database.open(directory)``, ``writer = ThreadWriter(loop, database)``,
then `SqliteBooks(writer)`, `SqliteOutbox(writer)` and `Archive(writer)` share that one writer;
at the end ``await books.close(clean=True)`` and ``await writer.close()``.
"""

from vendd.store.archive import Archive
from vendd.store.books import SqliteBooks
from vendd.store.bounds import Bounds
from vendd.store.database import Database
from vendd.store.errors import DatabaseDamaged, DatabaseInUse, DatabaseTooNew
from vendd.store.journal import ThreadJournal
from vendd.store.outbox import SqliteOutbox
from vendd.store.records import SqliteRecords
from vendd.store.ring import Ring
from vendd.store.writer import ThreadWriter

__all__ = [
    "Archive",
    "Bounds",
    "Database",
    "DatabaseDamaged",
    "DatabaseInUse",
    "DatabaseTooNew",
    "Ring",
    "SqliteBooks",
    "SqliteOutbox",
    "SqliteRecords",
    "ThreadJournal",
    "ThreadWriter",
]
