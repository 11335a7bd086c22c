"""How the database file is opened, checked and brought to this version. Never a silent fresh start.

Beside the file stands a marker that says that this machine has books; a missing or
empty file next to it is damage, not a first start.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

from vendd.ports import StoreFailed
from vendd.store import wal
from vendd.store.errors import DatabaseDamaged, DatabaseTooNew, store_error
from vendd.store.schema import APPLICATION_ID, HOT_TABLES, LONG_TABLES, SCHEMA_VERSION, SINCE

FILE: Final = "vendd.db"
LOG: Final = f"{FILE}-wal"
MARKER: Final = "initialised"
_BUSY_S: Final = 1.0  # a predecessor that is just dying
_TAIL: Final = 50  # newest rows of the long tables that a start reads


def connect(directory: Path, max_mib: int | None, synchronous: str) -> sqlite3.Connection:
    """The one connection, checked and migrated. Errors as `Database.open`."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _refuse_loss(directory)
    except OSError as error:
        raise StoreFailed(f"{directory}: {error}") from error
    try:
        connection = sqlite3.connect(
            directory / FILE,
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,  # opened by the starter, used by the writer's thread
            cached_statements=256,
        )
    except sqlite3.Error as error:
        raise store_error(error) from error
    try:
        _prepare(connection, directory, max_mib, synchronous)
    except sqlite3.Error as error:
        connection.close()
        raise store_error(error) from error
    except OSError as error:
        connection.close()
        raise StoreFailed(f"{directory}: {error}") from error
    except StoreFailed:
        connection.close()
        raise
    return connection


def files_of(directory: Path) -> list[Path]:
    """The files that together are the books, as far as they exist."""
    names = (FILE, LOG, f"{FILE}-shm", MARKER, wal.NOTE)
    return [directory / name for name in names if (directory / name).exists()]


def _refuse_loss(directory: Path) -> None:
    file, log = directory / FILE, directory / LOG
    if file.exists() and file.stat().st_size > 0:
        if (lost := wal.missing(directory, log)) is not None:
            raise DatabaseDamaged(f"{directory}: {lost}")
        return
    if (directory / MARKER).exists():
        raise DatabaseDamaged(f"{file} is missing or empty, but this machine had books")
    if log.exists() and log.stat().st_size > 0:
        raise DatabaseDamaged(f"{file} is missing or empty, but {log.name} is there")


def _prepare(
    connection: sqlite3.Connection, directory: Path, max_mib: int | None, synchronous: str
) -> None:
    # Exclusive: nobody else can write or checkpoint beside us (before 3.51.3 two can corrupt
    # the file), the WAL index needs no shared memory, and a second daemon is told so.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # the lock is ours
    if (lost := wal.check(directory, directory / LOG)) is not None:
        raise DatabaseDamaged(f"{directory}: {lost}")
    version = _version(connection, directory)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreFailed(f"the file system allows no WAL (journal mode {mode})")
    for pragma in (
        f"synchronous = {synchronous}",
        "wal_autocheckpoint = 0",
        "journal_size_limit = 33554432",
        "foreign_keys = ON",
        "cell_size_check = ON",
        "temp_store = MEMORY",
        f"max_page_count = {max_mib * 256 if max_mib else 4294967294}",  # pages of 4 KiB
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if version:
        check_hot(connection, version)
    if version < SCHEMA_VERSION:
        _migrate(connection)
    _mark(directory)
    if not (directory / wal.NOTE).exists():
        # Always writes one page, so that there is a log: SQLite syncs it and its name.
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        wal.note(directory)


def _migrate(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database

    from vendd.store.migrations import MIGRATIONS

    MIGRATIONS.apply(Database(connection, execute_plugins=False))


def _version(connection: sqlite3.Connection, directory: Path) -> int:
    """The schema version of the file; 0 for a file that is about to be created."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application == 0 and version == 0 and not (directory / MARKER).exists():
        # Also a first start that was cut off: sqlite-utils' own table may be there already.
        from vendd.store.migrations import MIGRATIONS

        names = connection.execute("SELECT tbl_name FROM sqlite_schema").fetchall()
        if not tables or {name for (name,) in names} == {MIGRATIONS.migrations_table}:
            return 0
    if application != APPLICATION_ID:
        raise DatabaseDamaged(f"{directory / FILE} is not a vendd database")
    if version > SCHEMA_VERSION:
        raise DatabaseTooNew(
            f"{directory / FILE} has schema version {version}, this vendd knows"
            f" {SCHEMA_VERSION}: install the newer vendd again"
        )
    return int(version)


def check_hot(connection: sqlite3.Connection, version: int = SCHEMA_VERSION) -> None:
    """Check what a start reads: the small tables of this version in full, the long ones at
    their end.

    Takes milliseconds whatever the age of the books. Raises `DatabaseDamaged`.
    """
    for table in (t for t in HOT_TABLES if SINCE.get(t, 1) <= version):
        findings = [row[0] for row in connection.execute(f"PRAGMA quick_check('{table}')")]
        if findings != ["ok"]:
            raise DatabaseDamaged(f"{table}: {'; '.join(findings[:3])}")
    for table, key in LONG_TABLES:
        if SINCE.get(table, 1) > version:
            continue
        connection.execute(f"SELECT * FROM {table} ORDER BY {key} DESC LIMIT {_TAIL}").fetchall()
    singles = connection.execute("SELECT count(*) FROM meta").fetchone()[0]
    newest = connection.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()[0]
    if singles != 1 or newest > connection.execute("SELECT seq FROM meta").fetchone()[0]:
        raise DatabaseDamaged("meta does not fit the outbox")


def _mark(directory: Path) -> None:
    """Durable before the first sale: from now on a missing file is a loss."""
    marker = directory / MARKER
    if marker.exists():
        return
    with marker.open("w", encoding="ascii") as file:
        file.write("This machine has books in vendd.db; without that file vendd will not start.\n")
        file.flush()
        os.fsync(file.fileno())
    wal.sync_names(directory)
