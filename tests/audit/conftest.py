"""Books in memory, as the migrations make them, fresh for each test."""

from collections.abc import Iterator
from sqlite3 import Connection

import pytest
from sqlite_utils import Database as Utils

from vendd.store.migrations import MIGRATIONS


@pytest.fixture(scope="session")
def migrated() -> Connection:
    utils = Utils(memory=True)
    MIGRATIONS.apply(utils)
    utils.conn.commit()
    utils.conn.isolation_level = None
    return utils.conn


@pytest.fixture
def books(migrated: Connection) -> Iterator[Connection]:
    migrated.execute("BEGIN")
    yield migrated
    migrated.execute("ROLLBACK")
