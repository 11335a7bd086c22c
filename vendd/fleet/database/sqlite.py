"""SQLite: for a demonstration, a single consumer and the tests."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vendd.fleet.database.port import DatabaseDown, DatabaseRefused, Row, Upsert

_BUSY_MS: Final = 30_000
_DETERMINISTIC: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    OverflowError,
    UnicodeEncodeError,
)


class Sqlite:
    """One file. Every transaction is the only writer from its beginning."""

    lock = ""

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator["_SqliteSession"]:
        connection = self._open()
        with _translated():
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield _SqliteSession(connection)
            with _translated():
                connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            with _translated():
                connection = sqlite3.connect(self._path, isolation_level=None)
                connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                self._connection = connection
        return self._connection


class _SqliteSession:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        with _translated():
            return self._connection.execute(statement, tuple(parameters)).rowcount

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with _translated():
            return self._connection.execute(statement, tuple(parameters)).fetchall()

    def many(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        with _translated():
            self._connection.executemany(statement, parameters)

    def merge(self, statement: Upsert, rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(statement.columns))
        self.many(
            f"INSERT INTO {statement.table} ({', '.join(statement.columns)}) VALUES ({marks})"
            f" ON CONFLICT {statement.then}",
            rows,
        )

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(columns))
        self.many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _DETERMINISTIC as error:
        raise DatabaseRefused(f"SQLite: {error}") from error
    except sqlite3.Error as error:
        raise DatabaseDown(f"SQLite: {error}") from error
