"""The tables of the fleet's database, and how they came to be.

One file per version under ``migrations/``, in the SQL that SQLite and PostgreSQL share. A file
that has shipped is never edited.
"""

from importlib.resources import files
from typing import Final

from vendd.fleet.database.port import Database, DatabaseRefused, Session

_LOCK: Final = 0x56454E44  # "VEND"


class SchemaUnusable(Exception):
    """The database can't be used by this version; the message says what to do."""


def migrate(database: Database) -> int:
    """Bring the tables to this version's state, each step in a transaction of its own; returns
    the schema's version. Raises `SchemaUnusable` for a database of a newer version or of somebody
    else."""
    newest = len(_steps())
    while True:
        with database.transaction() as session:
            version = _version(session, database)
            if version > newest:
                raise SchemaUnusable(
                    f"the database has schema version {version}, this vendd-fleet knows up to"
                    f" {newest}: install the newer vendd-fleet; nothing was changed"
                )
            if version == newest:
                return version
            _apply(session, version + 1)


def _version(session: Session, database: Database) -> int:
    if database.lock:  # two processes start at once: one of them makes the tables
        session.rows("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
    session.execute("CREATE TABLE IF NOT EXISTS fleet_schema (version INTEGER NOT NULL)")
    try:
        found = session.rows("SELECT version FROM fleet_schema")
    except DatabaseRefused as error:
        raise SchemaUnusable(f"fleet_schema is not ours: {error}") from error
    if not found:
        session.execute("INSERT INTO fleet_schema (version) VALUES (0)")
        return 0
    return int(found[0][0])


def _apply(session: Session, version: int) -> None:
    for statement in _statements(_steps()[version - 1]):
        session.execute(statement)
    session.execute("UPDATE fleet_schema SET version = ?", (version,))


def _steps() -> list[str]:
    """File names in order: ``0001_projection.sql`` and so on, without gaps."""
    folder = files("vendd.fleet.database").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1)), names
    return names


def _statements(name: str) -> list[str]:
    text = files("vendd.fleet.database").joinpath("migrations", name).read_text(encoding="utf-8")
    bare = "\n".join(line.partition("--")[0] for line in text.splitlines())
    return [statement.strip() for statement in bare.split(";") if statement.strip()]
