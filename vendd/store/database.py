"""One SQLite file, one connection, many works in one durable commit.

Is NOT responsible for threads or time: whoever owns a `Database` calls it from one
thread at a time (`hurry` excepted), so that production runs it in a writer thread and
virtual time runs the same code inline.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from vendd.ports import StoreFailed
from vendd.store import opening, wal
from vendd.store.errors import store_error
from vendd.store.schema import SCHEMA_VERSION

Work = Callable[[sqlite3.Connection], Any]

WAL_ROWS_IDLE: Final = 2_000
"""Changed rows that make a checkpoint worth its fsyncs when nobody waits: some 100 commits."""

WAL_ROWS_LIMIT: Final = 20_000
"""Changed rows after which a checkpoint no longer waits for a quiet moment: about 20 MiB of WAL."""

PUT_OFF: Final = object()
"""The result of a rider that did not run because there was nothing to ride on."""


class Database:
    """The open books. `Database.open` refuses rather than begins anew."""

    def __init__(self, connection: sqlite3.Connection, directory: Path) -> None:
        self.directory = directory
        self._connection = connection
        self._changes = connection.total_changes
        self._checkpoint_lock = threading.Lock()
        self._checkpointing = False

    @classmethod
    def open(
        cls, directory: str | Path, *, max_mib: int | None = None, synchronous: str = "FULL"
    ) -> "Database":
        """Open, check and migrate the database in `directory`, or create it on the first start.

        `max_mib` is a hard limit of the file: commits beyond it fail with `StoreFailed`.
        Raises `DatabaseDamaged`, `DatabaseTooNew`, `DatabaseInUse`, or `StoreFailed` for
        everything else that keeps the file from being opened.
        """
        directory = Path(directory)
        return cls(opening.connect(directory, max_mib, synchronous), directory)

    @property
    def connection(self) -> sqlite3.Connection:
        """For reading in tests and tools; whoever uses it owns the database's thread."""
        return self._connection

    @property
    def changes(self) -> int:
        """Rows changed since it was opened: moves with each commit that needed an fsync."""
        return self._connection.total_changes

    def transact(self, works: Sequence[Work], riders: Sequence[Work] = ()) -> list[Any]:
        """Run all works in one transaction; one result per work and rider, in order.

        A work that raises is undone alone and has its exception in place of a result; what
        SQLite raised becomes `StoreFailed` or, for a broken constraint, `BooksRefused`.
        When the commit itself fails nothing was changed and every work has a `StoreFailed`.
        Riders join when the works changed something, or when there are no works; otherwise
        they are `PUT_OFF`, so that reading never costs an fsync.
        """
        if not works and not riders:
            return []
        try:
            return self._transact(works, riders)
        except sqlite3.Error as error:
            self._undo()
            return [store_error(error) for _ in (*works, *riders)]

    def _transact(self, works: Sequence[Work], riders: Sequence[Work]) -> list[Any]:
        connection = self._connection
        if connection.in_transaction:  # an undo that failed: the disk may be back by now
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        changes = connection.total_changes
        results = [self._share(work) for work in works]
        if works and connection.total_changes == changes:
            results += [PUT_OFF for _ in riders]
        else:
            results += [self._share(work) for work in riders]
        connection.execute("COMMIT")
        return results

    def _share(self, work: Work) -> Any:
        share = _Share(self._connection)
        with share:
            share.result = work(self._connection)
        if not self._connection.in_transaction:  # SQLite took the whole transaction back
            raise sqlite3.OperationalError(f"transaction lost: {share.result}")
        return share.result

    def _undo(self) -> None:
        """Take back what is open, and make sure that it can't come back.

        A COMMIT whose fsync failed has left a complete, valid transaction at the end of the
        WAL; a crash before the next commit would bring it to life although it was reported
        as failed. The next commit overwrites it, so there is one right away.
        """
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.execute("UPDATE meta SET failed_commits = failed_commits + 1")

    def wants_checkpoint(self, *, idle: bool) -> bool:
        """Whether the WAL is worth folding back into the file now."""
        rows = self._connection.total_changes - self._changes
        return rows >= (WAL_ROWS_IDLE if idle else WAL_ROWS_LIMIT)

    def checkpoint(self, *, yielding: bool = True) -> bool:
        """Fold the WAL into the file; False when it was cut short or failed, which harms nothing.

        `yielding`: `hurry` from another thread may end it early. A small commit follows, so
        that the fsync of the new WAL's header is paid here and not by the next customer.
        """
        if yielding:
            with self._checkpoint_lock:
                self._checkpointing = True
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.OperationalError:
            return False
        finally:
            with self._checkpoint_lock:
                self._checkpointing = False
        with suppress(sqlite3.Error):
            # An UPDATE that changes nothing would write nothing; this always writes one page.
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._changes = self._connection.total_changes
        return True

    def hurry(self) -> None:
        """Work is waiting: end a checkpoint that is under way. Callable from any thread."""
        with self._checkpoint_lock:
            # Under the lock, so that the interrupt can never hit a commit: the flag is
            # cleared before the next statement starts, and that clears the interrupt.
            if self._checkpointing:
                self._connection.interrupt()

    def close(self) -> None:
        """Close; what was committed stays. Folds the WAL into the file when the disk allows it."""
        with suppress(sqlite3.Error, OSError):
            fold = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            busy, frames, folded = fold.fetchone()
            if not busy and frames == folded:
                wal.folded(self.directory)  # before SQLite removes the log
        self._connection.close()


class _Share:
    """One work's share of a commit: undone by itself when the work fails.

    The failure is not swallowed but kept as the result, for whoever asked for the work.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.result: Any = None

    def __enter__(self) -> None:
        self._connection.execute("SAVEPOINT share")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            self._connection.execute("RELEASE share")
            return False
        if not isinstance(error, Exception):
            return False
        self.result = store_error(error) if isinstance(error, sqlite3.Error) else error
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK TO share")
            self._connection.execute("RELEASE share")
        return True


def set_aside(directory: str | Path, suffix: str) -> list[Path]:
    """The operator's decision after damage: move the files away as evidence, names + `suffix`.

    The next start creates fresh books. Never called by the daemon on its own.
    Raises `StoreFailed` when a file of that name exists already.
    """
    moved = []
    for path in opening.files_of(Path(directory)):
        target = path.with_name(f"{path.name}.{suffix}")
        if target.exists():
            raise StoreFailed(f"{target} exists already")
        path.rename(target)
        moved.append(target)
    return moved
