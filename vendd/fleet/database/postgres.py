"""PostgreSQL through psycopg 3."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import psycopg

from vendd.fleet.database.port import DatabaseDown, DatabaseRefused, Row, Upsert

_CONNECT_S: Final = 10
_PASSES: Final = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE that pass by themselves: connection, aborted, deadlock, resources, locks,
operator intervention, system. An OperationalError of any other class is about what was sent."""


class Postgres:
    """One connection. After a failure the next transaction opens a new one."""

    lock = " FOR UPDATE"

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Row] | None = None

    @contextmanager
    def transaction(self) -> Iterator["_PostgresSession"]:
        connection = self._open()
        try:
            with _translated(), connection.transaction():
                yield _PostgresSession(connection)
        finally:
            if connection.broken or connection.closed:
                self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> psycopg.Connection[Row]:
        if self._connection is None:
            with _translated():
                self._connection = psycopg.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=_CONNECT_S,
                    application_name="vendd-fleet",
                )
        return self._connection


class _PostgresSession:
    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        with _translated():
            return self._connection.execute(_dialect(statement), parameters).rowcount

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with _translated():
            return self._connection.execute(_dialect(statement), parameters).fetchall()

    def many(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        with _translated(), self._connection.cursor() as cursor:
            cursor.executemany(_dialect(statement), parameters)

    def merge(self, statement: Upsert, rows: Sequence[Row]) -> None:
        """One statement whose text doesn't depend on the number of rows: it is prepared once."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        arrays = ", ".join(f"%b::{_array(column)}" for column in columns)
        composed = (
            f"INSERT INTO {statement.table} ({', '.join(statement.columns)})"
            f" SELECT * FROM unnest({arrays}) ON CONFLICT {statement.then}"
        )
        with _translated():  # %b: binary, or each text of each array is searched for quotes
            self._connection.execute(composed.encode(), columns)

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with (
            _translated(),
            self._connection.cursor() as cursor,
            cursor.copy(statement.encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)


@lru_cache(maxsize=256)
def _dialect(statement: str) -> bytes:
    """Bytes are what psycopg takes for SQL that was composed: of constant names only here."""
    return statement.replace("%", "%%").replace("?", "%s").encode()


def _array(column: Sequence[Any]) -> str:
    """Columns hold whole numbers or text; those that may be empty hold text."""
    return "bigint[]" if any(type(value) is int for value in column) else "text[]"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        state = error.sqlstate
        if state is None or state[:2] in _PASSES:
            raise DatabaseDown(f"PostgreSQL: {error}") from error
        raise DatabaseRefused(f"PostgreSQL: {error}") from error
    except psycopg.InterfaceError as error:
        raise DatabaseDown(f"PostgreSQL: {error}") from error
    except (psycopg.Error, UnicodeEncodeError, OverflowError) as error:
        raise DatabaseRefused(f"PostgreSQL: {error}") from error
