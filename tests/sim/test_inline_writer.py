"""The virtual-time writer on the real database: group commit, failures, power cuts."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim.inline_writer import InlineWriter
from hw_sim.loop import VirtualLoop
from vendd.ports import StoreFailed
from vendd.store.database import Database


class Desk:
    def __init__(self, directory: Path) -> None:
        self.loop = VirtualLoop(start=0.0)
        self.directory = directory
        self.writer = self.open()

    def open(self) -> InlineWriter:
        self.database = Database.open(self.directory, synchronous="OFF")
        self.database.connection.execute("CREATE TABLE IF NOT EXISTS seen (n INTEGER)")
        return InlineWriter(self.loop, self.database, random.Random(1), latency=lambda _: 0.01)

    def rows(self) -> list[int]:
        return [n for (n,) in self.database.connection.execute("SELECT n FROM seen")]

    def settle(self, seconds: float = 1.0) -> None:
        self.loop.run_for(seconds)


def add(n: int) -> Any:
    def work(connection: Any) -> int:
        connection.execute("INSERT INTO seen VALUES (?)", (n,))
        return n

    return work


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.loop.run_until_complete(made.writer.close())
    made.loop.close()


def test_works_that_arrive_together_share_the_next_commit(desk: Desk) -> None:
    first = desk.writer.run(add(1))
    others = [desk.writer.run(add(n)) for n in (2, 3)]
    assert desk.rows() == []
    desk.settle(0.011)
    assert first.result() == 1
    assert desk.rows() == [1]
    desk.settle(0.011)
    assert [other.result() for other in others] == [2, 3]
    assert desk.writer.counts.commits == 2
    assert desk.writer.counts.max_latency == pytest.approx(0.02)


def test_a_full_disk_fails_the_work_and_changes_nothing(desk: Desk) -> None:
    desk.writer.disk_full = True
    failed = desk.writer.run(add(1))
    desk.settle()
    assert isinstance(failed.exception(), StoreFailed)
    desk.writer.disk_full = False
    desk.writer.fail_next(1)
    failed, fine = desk.writer.run(add(2)), None
    desk.settle()
    assert isinstance(failed.exception(), StoreFailed)
    fine = desk.writer.run(add(3))
    desk.settle()
    assert fine.result() == 3
    assert desk.rows() == [3]


def test_later_rides_along_or_goes_alone_and_survives_a_failure(desk: Desk) -> None:
    desk.writer.later(add(1))
    desk.writer.run(add(2))
    desk.settle(0.02)
    assert desk.rows() == [2, 1]
    assert desk.writer.counts.commits == 1
    desk.writer.fail_next(1)
    desk.writer.later(add(3))
    desk.settle(5.5)
    assert desk.rows() == [2, 1]
    desk.settle(5.5)
    assert desk.rows() == [2, 1, 3]


@pytest.mark.parametrize(("lands", "expected"), [(False, [1]), (True, [1, 2])])
def test_power_cut(desk: Desk, lands: bool, expected: list[int]) -> None:
    desk.writer.run(add(1))
    desk.settle()
    flying, queued = desk.writer.run(add(2)), desk.writer.run(add(3))
    desk.writer.power_cut(in_flight_lands=lands)
    desk.settle()
    assert not flying.done()
    assert not queued.done()
    desk.writer = desk.open()
    assert desk.rows() == expected


def test_close_finishes_what_was_asked_for(desk: Desk) -> None:
    async def main() -> Any:
        answer = desk.writer.run(add(1))
        desk.writer.later(add(2))
        await desk.writer.close()
        with pytest.raises(StoreFailed):
            await desk.writer.run(add(3))
        return await asyncio.shield(answer)

    assert desk.loop.run_until_complete(main()) == 1
    desk.writer = desk.open()
    assert desk.rows() == [1, 2]
