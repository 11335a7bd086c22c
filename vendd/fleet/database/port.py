"""What the fleet asks of a database. Statements are the subset that both understand, with ``?``
for parameters."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Row = tuple[Any, ...]


class DatabaseDown(Exception):
    """It can't be reached, is busy or full: nothing was committed that we know of; try again."""


class DatabaseRefused(Exception):
    """It answers and won't take this: trying again gives the same."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """``INSERT INTO table (columns) … ON CONFLICT then``."""

    table: str
    columns: tuple[str, ...]
    then: str


class Session(Protocol):
    """One transaction. Everything raises `DatabaseDown` or `DatabaseRefused`."""

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """How many rows it changed."""

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]: ...

    def many(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        """The statement once for each."""

    def merge(self, statement: Upsert, rows: Sequence[Row]) -> None:
        """Rows with keys of their own, each put in or merged with the one that is there."""

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """New rows, as fast as the database can; a key that exists is refused."""


class Database(Protocol):
    """One connection, opened when it is needed and again after it broke."""

    lock: str
    """What a SELECT ends with to keep its rows from other writers."""

    def transaction(self) -> AbstractContextManager[Session]:
        """Committed at the end of the block, rolled back on any exception."""

    def close(self) -> None: ...
