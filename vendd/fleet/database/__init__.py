"""The fleet's database: PostgreSQL, or SQLite for a demonstration and for tests."""

from vendd.fleet.database.opening import open_database
from vendd.fleet.database.port import Database, DatabaseDown, DatabaseRefused, Session, Upsert
from vendd.fleet.database.schema import SchemaUnusable, migrate

__all__ = [
    "Database",
    "DatabaseDown",
    "DatabaseRefused",
    "SchemaUnusable",
    "Session",
    "Upsert",
    "migrate",
    "open_database",
]
