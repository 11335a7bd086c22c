"""Both databases keep the same promises: one suite for SQLite and for PostgreSQL itself."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from fleet_rig import Rig, numbered, shuffled
from machine_stream import ModelMachine

from vendd.fleet.database import (
    Database,
    DatabaseDown,
    DatabaseRefused,
    SchemaUnusable,
    migrate,
    open_database,
)
from vendd.fleet.database.sqlite import Sqlite

pytestmark = pytest.mark.real_server


@pytest.fixture
def database(new_database: Callable[[], str]) -> Iterator[Database]:
    opened = open_database(new_database())
    yield opened
    opened.close()


def test_migration_makes_the_tables_once(database: Database) -> None:
    assert migrate(database) == migrate(database) >= 1


def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    version = migrate(database)
    with database.transaction() as session:
        session.execute("UPDATE fleet_schema SET version = ?", (version + 1,))
    with pytest.raises(SchemaUnusable, match="install the newer vendd-fleet; nothing was changed"):
        migrate(database)
    with database.transaction() as session:
        assert session.rows("SELECT version FROM fleet_schema") == [(version + 1,)]


def test_two_that_start_at_once_make_one_schema(new_database: Callable[[], str]) -> None:
    url = new_database()
    versions: list[int] = []

    def start() -> None:
        database = open_database(url)
        versions.append(migrate(database))
        database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(versions) == 4
    assert len(set(versions)) == 1


def test_an_exception_rolls_everything_back(database: Database) -> None:
    migrate(database)
    with suppress(ZeroDivisionError), database.transaction() as session:
        session.execute("INSERT INTO last_sales VALUES ('m', 'coin', 1)")
        raise ZeroDivisionError
    with database.transaction() as session:
        assert session.rows("SELECT * FROM last_sales") == []


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("INSERT INTO last_sales VALUES (?, ?, ?)", ("m", "coin", None)),
        ("INSERT INTO last_sales VALUES (?, ?, ?)", ("m", "coin", 2**70)),
        ("INSERT INTO last_sales VALUES (?, ?, ?)", ("m", "coin\udc80", 1)),
        ("INSERT INTO fleet_schema (version) VALUES (NULL)", ()),
    ],
)
def test_what_it_will_never_take_is_refused(
    database: Database, statement: str, parameters: tuple[object, ...]
) -> None:
    migrate(database)
    with pytest.raises(DatabaseRefused), database.transaction() as session:
        session.execute(statement, parameters)
    with database.transaction() as session:
        assert session.rows("SELECT * FROM last_sales") == []


def test_a_key_that_exists_is_refused_by_load(database: Database) -> None:
    migrate(database)
    row = ("m", "coin", 1)
    with database.transaction() as session:
        session.load("last_sales", ("machine", "tender", "at_ms"), [row])
    with pytest.raises(DatabaseRefused), database.transaction() as session:
        session.load("last_sales", ("machine", "tender", "at_ms"), [row])


@pytest.mark.parametrize("url", ["postgresql://nobody@/x?host=/nowhere", "sqlite:////nowhere/x"])
def test_an_absent_database_is_down(url: str) -> None:
    with pytest.raises(DatabaseDown):
        migrate(open_database(url))


@pytest.mark.parametrize("url", ["mysql://x", "fleet.db", "sqlite://x", ""])
def test_another_url_says_what_is_known(url: str) -> None:
    with pytest.raises(ValueError, match=r"postgresql:// or sqlite:///"):
        open_database(url)


def test_the_projection_is_the_same_in_both(database: Database) -> None:
    machine = ModelMachine(chance=random.Random(7))
    machine.random_day(150)
    backup = machine.backup()
    machine.random_day(50)
    machine.restore(backup)
    machine.random_day(100)
    mixed = shuffled(machine.records, random.Random(8))
    rig, reference = Rig(database), Rig(Sqlite(":memory:"))
    rig.take(numbered([*mixed, *mixed[40:90]]), size=30)
    reference.take(machine.records)
    assert rig.projection() == reference.projection()
    assert rig.completeness().complete
    assert rig.completeness().duplicates == 50
    assert rig.differences() == []
