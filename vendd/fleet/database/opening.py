"""From a URL to a database."""

from pathlib import Path

from vendd.fleet.database.port import Database


def open_database(url: str) -> Database:
    """``postgresql://…`` or ``sqlite:///path``. Raises `ValueError` for anything else; connects
    when it is first used."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in ("postgresql", "postgres"):
        from vendd.fleet.database.postgres import Postgres

        return Postgres(url)
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from vendd.fleet.database.sqlite import Sqlite

        return Sqlite(Path(rest[1:]))
    raise ValueError(
        "the database URL starts with postgresql:// or sqlite:///, as in"
        " postgresql://vendd@db/fleet, sqlite:///fleet.db or sqlite:////var/lib/fleet.db"
    )
