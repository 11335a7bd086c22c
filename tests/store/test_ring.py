"""The flight recorder's ring: bounded, readable while it is written, and there after a SIGKILL."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vendd.__main__ import main
from vendd.store.journal import CAPACITY, ThreadJournal
from vendd.store.ring import FOLDER, SEGMENTS, Ring, lines, segments

LIMIT = 16_000
CONFIG = Path(__file__).parents[2] / "config" / "small-6.toml"


def begin() -> bytes:
    return b"begin\n"


def test_the_newest_stays_within_the_limit(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "flight", LIMIT)
    for number in range(3_000):
        ring.append(b"%06d of many\n" % number, begin)
        if number % 500 == 0:
            assert sum(path.stat().st_size for path in segments(tmp_path / "flight")) <= LIMIT
    found = list(lines(tmp_path / "flight"))
    told = [int(line[:6]) for line in found if line != begin()]
    assert told == list(range(told[0], 3_000))
    assert len(told) > LIMIT // 14 * 0.8
    assert found[0] == begin()
    assert found.count(begin()) <= SEGMENTS


def test_every_life_begins_a_segment_and_a_torn_line_is_not_there_yet(tmp_path: Path) -> None:
    for _ in range(2):
        ring = Ring(tmp_path, LIMIT)
        ring.append(b"one\n", begin)
        ring.append(b"two\n", begin)
        ring.close()
    (_, newest) = segments(tmp_path)
    newest.write_bytes(newest.read_bytes() + b'{"half')
    assert list(lines(tmp_path)) == [begin(), b"one\n", b"two\n"] * 2


def test_small_segments_of_many_starts_make_room_too(tmp_path: Path) -> None:
    for number in range(200):
        ring = Ring(tmp_path, 2_000)
        ring.append(b"%03d" % number + b"." * 96 + b"\n", begin)
        ring.close()
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 2_000
    assert list(lines(tmp_path))[-1].startswith(b"199")


KILLED = """
import asyncio, sys
from vendd.store.journal import ThreadJournal
from vendd.store.ring import Ring
from pathlib import Path

async def main():
    journal = ThreadJournal(asyncio.get_running_loop(), Ring(Path(sys.argv[1]), 1_000_000))
    for number in range(500):
        journal.put(lambda n=number: b"%d\\n" % n, lambda: b"begin\\n")
    while journal._waiting.qsize():
        await asyncio.sleep(0)
    print("put", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "put\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert len(list(lines(tmp_path))) >= 500  # the opening, and at most one was in hand


def test_a_disk_that_takes_nothing_disturbs_nobody_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, write = [50], os.write

    def written(file: int, data: bytes) -> int:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", written)

    async def run() -> None:
        journal = ThreadJournal(asyncio.get_running_loop(), Ring(tmp_path, LIMIT))
        for number in range(60):
            journal.put(lambda n=number: b"%d\n" % n, begin)
        await journal.close()

    asyncio.run(run())
    found = list(lines(tmp_path))
    assert found[0] == begin()
    assert found[1:] == [b"%d\n" % number for number in range(50, 60)]
    assert len(segments(tmp_path)) <= SEGMENTS


def drained(journal: ThreadJournal) -> None:
    while journal._waiting.qsize():
        pass


def test_a_disk_that_hangs_costs_lines_and_no_memory(tmp_path: Path) -> None:
    async def run() -> None:
        journal = ThreadJournal(asyncio.get_running_loop(), Ring(tmp_path, 1_000_000))
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hangs() -> bytes:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
            return b"late\n"

        journal.put(hangs, begin)
        for _ in range(CAPACITY + 100):
            journal.put(lambda: b"x\n", begin)
        assert journal._waiting.qsize() <= CAPACITY
        gate.set()
        await asyncio.to_thread(drained, journal)
        journal.put(lambda: b"after\n", begin)
        await journal.close()

    asyncio.run(run())
    found = list(lines(tmp_path))
    assert found[:2] == [begin(), b"late\n"]
    assert found[-2:] == [begin(), b"after\n"]  # after the gap comes a beginning of its own


def test_dump_gives_out_what_is_there(tmp_path: Path, capfdbinary) -> None:
    config = tmp_path / "vendd.toml"
    state = tmp_path / "state"
    config.write_text(CONFIG.read_text().replace("/var/lib/vendd", str(state)))
    assert main(["dump", "--config", str(config)]) == 1
    assert b"nothing is recorded here" in capfdbinary.readouterr().err
    Ring(state / FOLDER, LIMIT).append(b"one\n", begin)
    out = tmp_path / "out.jsonl"
    assert main(["dump", "--config", str(config), "--out", str(out)]) == 0
    assert out.read_bytes() == b"begin\none\n"
    assert main(["dump", "--config", str(config)]) == 0
    assert capfdbinary.readouterr().out == b"begin\none\n"
    assert main(["dump", "--config", str(config), "--out", str(tmp_path / "no" / "x")]) == 1
    assert b"vendd dump: " in capfdbinary.readouterr().err
