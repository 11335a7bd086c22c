"""Why the books can't be opened or written, beside `ports.StoreFailed` and `ports.BooksRefused`."""

import sqlite3
from typing import Final

from vendd.ports import BooksRefused, StoreFailed


class DatabaseDamaged(StoreFailed):
    """The file is missing where there was one, is not ours, or is corrupt.

    Nothing is repaired, moved or begun anew: the machine goes out of service and the files
    stay as they are until an operator decides (`Database.set_aside`).
    """


class DatabaseTooNew(StoreFailed):
    """A newer vendd wrote this database; this one would misread it (L6)."""


class DatabaseInUse(StoreFailed):
    """Another process has the database open. There is one connection, ever."""


_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def store_error(error: sqlite3.Error) -> StoreFailed:
    """The error of the ports' vocabulary for what SQLite said."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # primary code of the extended one
    text = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    if code in _DAMAGE:
        return DatabaseDamaged(text)
    if code == sqlite3.SQLITE_CONSTRAINT:
        return BooksRefused(text)
    if code == sqlite3.SQLITE_BUSY:
        return DatabaseInUse(text)
    return StoreFailed(text)
