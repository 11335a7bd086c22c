"""The write-ahead log: what a power cut leaves is taken, what is missing or damaged is refused."""

import os
import shutil
from pathlib import Path

import pytest
from store_samples import coin, context

from vendd.store import Database, DatabaseDamaged, SqliteBooks
from vendd.store import database as database_module
from vendd.store.opening import FILE, LOG, MARKER
from vendd.store.wal import NOTE, damage

FRAME = 24 + 4096


def left_behind(folder: Path, commits: int = 3) -> Path:
    """The files of a daemon that was killed."""
    alive = folder / "alive"
    database = Database.open(alive)
    for number in range(1, commits + 1):
        commit(database, number)
    left = folder / "left"
    shutil.copytree(alive, left)
    database.close()
    return left


def commit(database: Database, number: int) -> None:
    apply = SqliteBooks(None)._apply  # type: ignore[arg-type]  # the work itself, no writer
    database.transact([lambda c: apply(b"state", tuple(coin(number)), context(), c)])


def coins(folder: Path) -> int:
    database = Database.open(folder)
    (count,) = database.connection.execute("SELECT count(*) FROM ledger").fetchone()
    database.close()
    return int(count)


def frames(log: Path) -> int:
    return (log.stat().st_size - 32) // FRAME


def test_a_killed_daemon_leaves_all_of_it(tmp_path):
    left = left_behind(tmp_path)
    assert (left / NOTE).exists()
    assert coins(left) == 3
    assert sorted(path.name for path in left.iterdir()) == sorted([FILE, MARKER])


@pytest.mark.parametrize("how", ["deleted", "emptied", "zeroed", "other_header"])
def test_a_log_that_is_gone_is_not_taken_for_a_folded_one(tmp_path, how):
    left = left_behind(tmp_path)
    log = left / LOG
    before = log.read_bytes()
    match how:
        case "deleted":
            log.unlink()
        case "emptied":
            log.write_bytes(b"")
        case "zeroed":
            log.write_bytes(bytes(len(before)))
        case "other_header":
            log.write_bytes(bytes([before[0]]) + b"\xff" + before[2:])
    with pytest.raises(DatabaseDamaged, match=LOG):
        Database.open(left)
    with pytest.raises(DatabaseDamaged, match=LOG):  # and not the next time either
        Database.open(left)


def test_a_damaged_commit_before_others_is_no_torn_end(tmp_path):
    left = left_behind(tmp_path, commits=4)
    log = left / LOG
    whole = log.read_bytes()
    ends = [n for n in range(frames(log)) if any(whole[36 + n * FRAME : 40 + n * FRAME])]
    for frame in range(frames(log)):
        damaged = bytearray(whole)
        damaged[32 + frame * FRAME + 2000] ^= 0x10
        log.write_bytes(damaged)
        said = damage(left, log)
        if frame < ends[-2]:
            assert said == f"{LOG} is damaged at frame {frame + 1}, and later commits are in it"
        else:  # as if the power had gone while that was written
            assert said is None
    log.write_bytes(whole[: 32 + 2 * FRAME] + bytes(FRAME) + whole[32 + 3 * FRAME :])
    with pytest.raises(DatabaseDamaged, match="frame 3"):
        Database.open(left)


def test_a_torn_header_is_not_believed(tmp_path):
    """Found by `make crashstates`: its first bytes are of an older log, and say "commit"."""
    left = left_behind(tmp_path, commits=2)
    log = left / LOG
    whole = bytearray(log.read_bytes())
    torn = 32 + (frames(log) - 3) * FRAME
    whole[torn + 4 : torn + 8] = (40).to_bytes(4, "big")
    log.write_bytes(whole)
    assert damage(left, log) is None
    assert coins(left) == 1


def test_a_torn_end_is_what_a_power_cut_leaves(tmp_path):
    left = left_behind(tmp_path, commits=2)
    log = left / LOG
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - 700)
    assert coins(left) == 1


def test_what_a_failed_commit_left_behind_is_no_damage(tmp_path):
    """It was written over by shorter ones; its later frames are still there."""
    first = left_behind(tmp_path, commits=1)
    second = tmp_path / "second"
    shutil.copytree(first, second)
    database = Database.open(first)
    database.transact([lambda c: c.execute("CREATE TABLE big AS SELECT zeroblob(90000) AS x")])
    failed = (first / LOG).read_bytes()
    database.connection.close()
    database = Database.open(second)
    for number in (2, 3):
        commit(database, number)
    left = tmp_path / "both"
    shutil.copytree(second, left)
    database.connection.close()
    log = left / LOG
    assert len(failed) > log.stat().st_size + 2 * FRAME
    log.write_bytes(log.read_bytes() + failed[log.stat().st_size :])
    assert damage(left, log) is None
    assert coins(left) == 3


def test_what_a_killed_daemon_wrote_is_synced_before_more_is_written(tmp_path, monkeypatch):
    """Found by `make crashstates`: or its last commit could be lost under a later one."""
    left = left_behind(tmp_path)
    synced = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), (left / LOG).stat().st_size))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    before = (left / LOG).stat().st_size
    database = Database.open(left)
    assert synced[0] == (str(left / LOG), before)
    database.close()


def test_an_orderly_end_leaves_no_note(tmp_path):
    Database.open(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([FILE, MARKER])
    Database.open(tmp_path).close()


def test_the_log_is_set_aside_with_the_books(tmp_path):
    left = left_behind(tmp_path)
    (left / LOG).unlink()
    with pytest.raises(DatabaseDamaged):
        Database.open(left)
    database_module.set_aside(left, "damaged")
    assert coins(left) == 0
