"""``vendd`` as a child that is watched by strace and says when a commit has returned.

``python -m tests.crashstates.recorded MARKS --config FILE``: the same daemon, its Edge wrapped. The
marks are writes to a file outside the books, so that strace has them in one order with all others:
`opened DIGEST` after the start's recovery, `commit DIGEST` when a COMMIT has returned, `sent SEQ
HASH` before an event is handed to Kafka.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any, cast

from hw_sim.daemon_process import die_with_parent
from tests.crashstates.contents import digest, fingerprint
from vendd.config import load
from vendd.daemon import Edge, main, production
from vendd.ports import Broker, DeliveryFailed, Message
from vendd.store import Database, ThreadWriter, database

ROWS_IDLE = 60
"""Changed rows that make a checkpoint: a few commits, so that a short day has many."""


class Marks:
    """A file that only grows, one line per write."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


class _Commits:
    """A connection that tells what the books hold whenever a COMMIT changed them."""

    def __init__(self, connection: Connection, marks: Marks) -> None:
        self._connection, self._marks = connection, marks
        self._changes = connection.total_changes
        marks.tell(f"opened {digest(connection)}")

    def execute(self, statement: str, *parameters: Any) -> Any:
        result = self._connection.execute(statement, *parameters)
        if statement == "COMMIT" and self._connection.total_changes != self._changes:
            self._changes = self._connection.total_changes
            self._marks.tell(f"commit {digest(self._connection)}")
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Sending:
    """A broker that tells what it is given."""

    def __init__(self, broker: Broker, marks: Marks) -> None:
        self._broker, self._marks = broker, marks

    def send(self, message: Message, done: Callable[[DeliveryFailed | None], None]) -> bool:
        seq = dict(message.headers)["ce_seq"].decode()
        self._marks.tell(f"sent {seq} {fingerprint(message.value)}")
        return self._broker.send(message, done)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def wrapped(edge: Edge, marks: Marks) -> Edge:
    """The same edge, telling."""
    open_broker = edge.open_broker
    assert open_broker is not None

    def writer(loop: Any, books: Database) -> ThreadWriter:
        told = _Commits(books.connection, marks)
        return ThreadWriter(loop, Database(cast(Connection, told), books.directory))

    return replace(
        edge, writer=writer, open_broker=lambda: cast(Broker, _Sending(open_broker(), marks))
    )


def run(arguments: list[str]) -> int:
    marks, option, file = arguments
    assert option == "--config"
    vars(database)["WAL_ROWS_IDLE"] = ROWS_IDLE
    config = load(Path(file))
    return main(config, wrapped(production(config), Marks(marks)))


if __name__ == "__main__":
    die_with_parent()
    sys.exit(run(sys.argv[1:]))
