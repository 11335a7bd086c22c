"""The crash model itself: what it lets survive, and that a careless program is found out."""

import random
import sqlite3
from pathlib import Path

import pytest

from tests.crashstates import calls, verdict
from tests.crashstates.calls import TraceNotUnderstood
from tests.crashstates.choices import images
from tests.crashstates.disk import SECTOR, Disk
from tests.crashstates.operations import (
    Created,
    DirectorySynced,
    Marked,
    Operation,
    Operations,
    Removed,
    Renamed,
    Resized,
    Synced,
    Written,
)

OLD, NEW = b"o" * SECTOR, b"n" * SECTOR


def survivors(*operations: Operation, syncs: bool = True, count: int = 400) -> list[dict]:
    disk = Disk(syncs)
    for number, operation in enumerate(operations):
        disk.apply(number, operation)
    found = [dict(image) for image in images(disk, random.Random(1), count)]
    return [image for n, image in enumerate(found) if image not in found[:n]]


def test_without_an_fsync_everything_may_be_lost():
    assert {} in survivors(Created(0, "a", 0), Written(0, 0, 0, NEW))


def test_an_fsync_of_the_file_keeps_its_data_and_not_its_name():
    written = (Created(0, "a", 0), Written(0, 0, 0, NEW), Synced(0, 0))
    assert survivors(*written) == [{}, {"a": NEW}]
    assert survivors(*written, DirectorySynced(0)) == [{"a": NEW}]


def test_a_disk_that_ignores_fsync_loses_what_was_synced():
    written = (Created(0, "a", 0), Written(0, 0, 0, NEW), Synced(0, 0), DirectorySynced(0))
    assert {} in survivors(*written, syncs=False)


BASE = (Created(0, "a", 0), Written(0, 0, 0, OLD * 2), Synced(0, 0), DirectorySynced(0))


def test_a_write_is_torn_at_sectors_and_nowhere_else():
    contents = {image["a"] for image in survivors(*BASE, Written(0, 0, 0, NEW * 2))}
    assert contents == {OLD + OLD, NEW + OLD, OLD + NEW, NEW + NEW}


def test_a_later_write_may_survive_an_earlier_one():
    later = survivors(*BASE, Written(0, 0, 0, NEW), Written(0, 0, SECTOR, NEW))
    assert {"a": OLD + NEW} in later


def test_two_writes_into_one_sector_survive_in_order():
    half = SECTOR // 2
    first, second = Written(0, 0, 0, b"1" * half), Written(0, 0, half, b"2" * half)
    contents = {image["a"][:SECTOR] for image in survivors(*BASE, first, second)}
    assert contents == {OLD, b"1" * half + b"o" * half, b"1" * half + b"2" * half}


def test_a_file_that_grew_without_its_data_reads_zeros():
    grown = survivors(*BASE, Written(0, 0, 2 * SECTOR, NEW))
    assert {"a": OLD * 2} in grown
    assert {"a": OLD * 2 + bytes(SECTOR)} in grown


def test_a_shortened_file_may_be_as_long_as_before():
    shorter = survivors(*BASE, Resized(0, 0, SECTOR))
    assert {"a": OLD} in shorter
    assert {"a": OLD * 2} in shorter


def test_names_change_in_order():
    changes = (Renamed(0, "a", "b"), Created(0, "c", 1), Removed(0, "b"))
    names = {frozenset(image) for image in survivors(*BASE, *changes)}
    assert names == {frozenset("a"), frozenset("b"), frozenset("bc"), frozenset("c")}


# --- a program that is careless, from strace's text to the finding ---------------------

FOLDER = "/b"
HEX = {name: "".join(f"\\x{ord(c):02x}" for c in name) for name in ("/b/x", "/b", "/m", "/b/y")}


def line(text: str, process: int = 7) -> str:
    for name, coded in HEX.items():
        text = text.replace(f"`{name}`", coded)
    return f"{process} 100.5 {text}"


def operations_of(*lines: str) -> list[Operation]:
    return list(Operations(Path("/b"), Path("/m")).of_life(calls.read(lines)))


def test_what_strace_says_is_understood():
    told = operations_of(
        line('openat(AT_FDCWD<`/b`>, "`/b/x`", O_RDWR|O_CREAT, 0644) = 3<`/b/x`>'),
        line('pwrite64(3<`/b/x`>, "\\x61\\x2c", 2, 4096) = 2'),
        line('write(3<`/b/x`>, "\\x61\\x62\\x63", 3 <unfinished ...>'),
        line('write(9<`/m`>, "\\x68\\x69\\x0a", 3) = 3', process=8),
        line("<... write resumed>) = 2"),
        line("fdatasync(3<`/b/x`>) = -1 EIO (Input/output error)"),
        line("ftruncate(3<`/b/x`>, 1) = 0"),
        line("--- SIGTERM {si_signo=SIGTERM} ---"),
        line("fsync(3<`/b/x`>) = 0"),
        line("close(3<`/b/x`>) = 0"),
        line('openat(AT_FDCWD<`/b`>, "`/b`", O_RDONLY) = 3<`/b`>'),
        line("fsync(3<`/b`>) = 0"),
        line('rename("`/b/x`", "`/b/y`") = 0'),
        line('unlink("`/b/y`") = 0'),
        line("+++ killed by SIGKILL +++"),
    )
    assert told == [
        Created(100.5, "x", 0),
        Written(100.5, 0, 4096, b"a,"),
        Marked(100.5, "hi"),
        Written(100.5, 0, 0, b"ab"),
        Resized(100.5, 0, 1),
        Synced(100.5, 0),
        DirectorySynced(100.5),
        Renamed(100.5, "x", "y"),
        Removed(100.5, "y"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED, 3<`/b/x`>, 0) = 0x7f00",
        "fallocate(3<`/b/x`>, 0, 0, 99) = 0",
        'pwrite64(5<`/b/x`>, "\\x61", 1, 0) = 1',
        'link("`/b/x`", "`/b/y`") = 0',
        'write(3<`/b/x`>, "\\x61"..., 2000000) = 2000000',
        "something else",
    ],
)
def test_what_the_model_does_not_know_is_an_error(text):
    with pytest.raises(TraceNotUnderstood):
        operations_of(line(text))


def sold(folder: Path, *, synchronous: str) -> list[Operation]:
    """Commits of a small database in WAL mode as its own writes tell them."""
    file = folder / "books.db"
    operations: list[Operation] = [Created(0, file.name, 0), Created(0, f"{file.name}-wal", 1)]
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, note TEXT)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    operations += [Written(0, 0, 0, file.read_bytes()), Synced(0, 0), DirectorySynced(0)]
    wal, before = folder / f"{file.name}-wal", b""
    for number in range(1, 6):
        connection.execute("INSERT INTO sales (note) VALUES (?)", ("x" * 3000,))
        now = wal.read_bytes()
        start = len(before)
        operations.append(Written(0, 1, start, now[start:]))
        if synchronous == "FULL":
            operations.append(Synced(0, 1))
        operations.append(Marked(0, f"commit {number}"))
        before = now
    connection.close()
    return operations


def lost_commits(operations: list[Operation], folder: Path) -> int:
    """States in which a commit is missing that had returned."""
    disk, chance, returned, lost = Disk(), random.Random(1), 0, 0
    folder.mkdir()
    for number, operation in enumerate(operations):
        if isinstance(operation, Marked):
            returned += 1
        elif disk.apply(number, operation) and number > 4:
            for image in images(disk, chance, 12):
                for name, content in image.items():
                    (folder / name).write_bytes(content)
                with sqlite3.connect(folder / "books.db") as connection:
                    (there,) = connection.execute("SELECT count(*) FROM sales").fetchone()
                connection.close()
                lost += there < returned
                assert there <= returned + 1
                (folder / "books.db-shm").unlink(missing_ok=True)
    return lost


def test_sqlite_keeps_what_it_synced_and_loses_what_it_did_not(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "off").mkdir()
    assert lost_commits(sold(tmp_path / "full", synchronous="FULL"), tmp_path / "1") == 0
    assert lost_commits(sold(tmp_path / "off", synchronous="OFF"), tmp_path / "2") > 0


def test_only_the_last_returned_commit_or_the_next_will_do():
    marks = [Marked(0, text) for text in ("opened a", "commit b", "sent 1 x", "commit c")]
    promises = verdict.Promises.of(marks)
    assert promises.allowed() == ["a"]  # before the first start was done
    for mark in marks[:3]:
        promises.heard(mark)
    assert promises.allowed() == ["b", "c"]
    assert promises.sent == {1: "x"}
