"""Open, refuse, never begin anew in silence."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_samples import coin, context

from vendd.store import Database, DatabaseDamaged, DatabaseInUse, DatabaseTooNew, SqliteBooks
from vendd.store import database as database_module
from vendd.store.opening import FILE, MARKER
from vendd.store.schema import HOT_TABLES, SCHEMA_VERSION


def make(directory: Path) -> Path:
    database = Database.open(directory)
    apply = SqliteBooks(None)._apply  # type: ignore[arg-type]  # the work itself, no writer
    database.transact([lambda connection: apply(b"state", tuple(coin(1)), context(), connection)])
    database.close()
    return directory / FILE


def test_the_file_is_opened_the_way_it_was_promised(tmp_path):
    database = Database.open(tmp_path)
    pragma = {
        name: database.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
    }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "wal_autocheckpoint": 0,
    }
    tables = database.connection.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
        " AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'"
    ).fetchall()
    assert {name for name, strict in tables if not strict} == set()
    assert set(HOT_TABLES) <= {name for name, _ in tables}
    assert database.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    database.close()


def test_a_start_without_a_migration_does_not_load_the_schema_library(tmp_path):
    make(tmp_path)
    program = (
        "import sys; from vendd.store import Database; Database.open(sys.argv[1]).close();"
        " print('sqlite_utils' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "False\n"


def test_a_second_opener_is_told(tmp_path):
    database = Database.open(tmp_path)
    with pytest.raises(DatabaseInUse):
        Database.open(tmp_path)
    database.close()
    Database.open(tmp_path).close()


def test_books_that_are_gone_are_not_begun_anew(tmp_path):
    make(tmp_path).unlink()
    with pytest.raises(DatabaseDamaged, match="missing"):
        Database.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_an_emptied_file_is_not_begun_anew(tmp_path):
    make(tmp_path).write_bytes(b"")
    with pytest.raises(DatabaseDamaged, match="missing or empty"):
        Database.open(tmp_path)


def test_a_zeroed_header_is_damage(tmp_path):
    file = make(tmp_path)
    data = bytearray(file.read_bytes())
    data[:100] = bytes(100)
    file.write_bytes(data)
    with pytest.raises(DatabaseDamaged):
        Database.open(tmp_path)
    assert file.read_bytes() == data


@pytest.mark.parametrize("table", HOT_TABLES)
def test_a_torn_page_of_a_hot_table_is_found_at_the_start(tmp_path, table):
    file = make(tmp_path)
    with sqlite3.connect(file) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    data = bytearray(file.read_bytes())
    data[(root - 1) * size : root * size] = b"\xa5" * size
    file.write_bytes(data)
    with pytest.raises(DatabaseDamaged):
        Database.open(tmp_path)
    assert file.exists()


def test_another_programs_database_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    with pytest.raises(DatabaseDamaged, match="not a vendd database"):
        Database.open(tmp_path)


def test_a_newer_version_is_refused_in_words(tmp_path):
    file = make(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(DatabaseTooNew, match="install the newer vendd"):
        Database.open(tmp_path)


def test_a_first_start_that_was_cut_off_is_simply_done_again(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    Database.open(tmp_path).close()
    assert (tmp_path / MARKER).exists()


def test_a_lost_marker_comes_back(tmp_path):
    make(tmp_path)
    (tmp_path / MARKER).unlink()
    Database.open(tmp_path).close()
    assert (tmp_path / MARKER).exists()


def test_only_the_operator_sets_damaged_books_aside(tmp_path):
    file = make(tmp_path)
    file.write_bytes(b"rubbish" * 1_000)
    with pytest.raises(DatabaseDamaged):
        Database.open(tmp_path)
    moved = database_module.set_aside(tmp_path, "damaged-1")
    assert tmp_path / f"{FILE}.damaged-1" in moved
    Database.open(tmp_path).close()
    assert (tmp_path / f"{FILE}.damaged-1").read_bytes() == b"rubbish" * 1_000


def test_the_size_has_a_hard_limit(tmp_path):
    database = Database.open(tmp_path, max_mib=1)
    (result,) = database.transact(
        [lambda c: c.execute("INSERT INTO settings VALUES ('x', ?)", (f'"{"x" * 2_000_000}"',))]
    )
    assert "SQLITE_FULL" in str(result)
    database.close()
