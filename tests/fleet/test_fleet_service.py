"""A consumer's life while the database, Kafka or its partitions are away."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import pytest
from fleet_rig import CHECKS, PARTS, Rig, SetClock, numbered
from machine_stream import ModelMachine

from vendd.fleet.database import DatabaseDown, Session, migrate
from vendd.fleet.database.sqlite import Sqlite
from vendd.fleet.envelope import Record
from vendd.fleet.inventory import Inventory
from vendd.fleet.pump import Handled, Offsets, Part, Pump
from vendd.fleet.service import LONGEST_WAIT_S, READ_S, Service
from vendd.fleet.stream import BrokerDown, Stream

IDLE = 30  # polls without anything, and the test is over


class ModelStream:
    """A group of one in front of topics that stand still. Time passes where it waits."""

    def __init__(self, records: Sequence[Record], clock: SetClock, stop: threading.Event) -> None:
        self._records, self._clock, self._stop = records, clock, stop
        self._positions: dict[Part, int] = {}
        self._idle = 0
        self.unplaced: list[Part] = list(PARTS)
        self.begun: list[Mapping[Part, int]] = []
        self.noted: dict[Part, int] = {}
        self.waited: list[float] = []
        self.jump_ms = 0

    def read(self, limit: int, wait_s: float) -> list[Record]:
        found = [] if self.unplaced else self._next(limit)
        if not found:
            self._clock.ms += int(wait_s * 1000) + self.jump_ms
            self.waited[-1:] = [self.waited[-1] + wait_s] if self.waited else []
            self._idle += not self.unplaced
            if self._idle > IDLE:
                self._stop.set()
        return found

    def _next(self, limit: int) -> list[Record]:
        found = []
        for record in self._records:
            part = (record.topic, record.partition)
            if len(found) < limit and record.offset == self._positions[part]:
                self._positions[part] += 1
                found.append(record)
        return found

    def place(self, begin: Mapping[Part, int]) -> None:
        self._positions = dict(begin)
        self.begun.append(begin)
        self.unplaced = []

    def replace(self) -> None:
        self.unplaced = list(PARTS)
        self.waited.append(0.0)

    def note(self, positions: Mapping[Part, int]) -> None:
        self.noted = dict(positions)

    def made_anew(self, records: Sequence[Record]) -> None:
        """The topics are deleted and made again; a position behind their end is out of range."""
        self._records = records
        self._positions = dict.fromkeys(self._positions, 0)

    def went_back(self, positions: Mapping[Part, int]) -> dict[Part, int]:
        return {part: 0 for part, at in positions.items() if self._ends().get(part, 0) < at}

    def lags(self, positions: Mapping[Part, int]) -> dict[Part, int]:
        return {part: self._ends().get(part, 0) - at for part, at in positions.items()}

    def _ends(self) -> dict[Part, int]:
        return {(record.topic, record.partition): record.offset + 1 for record in self._records}


class Flaky(Sqlite):
    """Is down for as many transactions as are planned, from one on."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.count = 0
        self.down = range(0)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.count += 1
        with super().transaction() as session:
            yield session
            if self.count in self.down:
                raise DatabaseDown("the server closed the connection")


class Scene:
    """One consumer of a machine's records, stopped when it was idle for a while."""

    def __init__(self) -> None:
        self.machine = ModelMachine()
        self.machine.random_day(100)
        self.clock, self.stop = SetClock(), threading.Event()
        self.stream = ModelStream(self.machine.records, self.clock, self.stop)
        self.database = Flaky()
        self.said: list[str] = []
        self.handled = Handled()
        self.told: list[Mapping[Part, int]] = []
        self.refusals = 0

    def begin(self) -> Pump:
        if self.refusals:
            self.refusals -= 1
            raise BrokerDown("nobody answers")
        migrate(self.database)
        handler = Inventory(self.database, "test", self.clock)
        offsets = Offsets("inventory", "test")
        bury, wait = _nothing_is_buried, self.stream.waited.append
        return Pump(self.database, offsets, handler, CHECKS, bury, self.clock, wait)

    def batch(self, handled: Handled, seconds: float, age_s: float) -> None:
        assert seconds >= 0
        self.handled.add(handled)

    def lags(self, lags: Mapping[Part, int]) -> None:
        self.told.append(lags)

    def run(self) -> None:
        stream = cast(Stream, self.stream)
        Service(stream, self.begin, self.clock, self.stop, self.said.append, self, ()).run()

    def complete(self) -> bool:
        rig = Rig(self.database, group="reader")
        return rig.completeness().complete and rig.differences() == []


def _nothing_is_buried(_record: Record, _reason: str) -> bool:
    raise AssertionError


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.database.close()


def test_it_reads_to_the_end_and_says_so(scene: Scene) -> None:
    scene.run()
    assert (scene.handled.new, scene.handled.duplicates) == (len(scene.machine.records), 0)
    assert scene.complete()
    assert sum(scene.stream.noted.values()) == len(scene.machine.records)
    assert set(scene.told[-1].values()) == {0}
    assert scene.said == []


def test_a_database_that_is_down_is_waited_for_and_nothing_is_lost(scene: Scene) -> None:
    scene.run()
    used = scene.database.count
    for first in range(1, used + 1):
        tried = Scene()
        tried.database.down = range(first, first + 3)
        tried.run()
        assert len(tried.said) >= 3
        assert set(tried.said) == {"the server closed the connection; trying again"}
        assert tried.complete(), first
        assert tried.handled.duplicates == 0
        tried.database.close()


def test_it_waits_twice_as_long_each_time_but_not_for_ever(scene: Scene) -> None:
    scene.refusals = 10
    scene.run()
    assert scene.said == ["nobody answers; trying again"] * 10
    assert scene.stream.waited[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_WAIT_S]
    assert scene.complete()


def test_a_clock_that_is_set_back_prolongs_no_wait(scene: Scene) -> None:
    scene.stream.jump_ms = -3_600_000
    scene.refusals = 2
    scene.run()
    assert scene.stream.waited[:1] == [READ_S]
    assert scene.complete()
    assert len(scene.told) > 1


def test_topics_that_were_made_anew_are_read_from_their_beginning(scene: Scene) -> None:
    whole = scene.machine.records
    anew = numbered(whole[-10:])
    scene.stream = ModelStream(whole[:-10], scene.clock, scene.stop)
    told = scene.lags

    def lost(lags: Mapping[Part, int]) -> None:
        told(lags)
        if len(scene.told) == 1:
            scene.stream.made_anew(anew)

    scene.lags = lost  # type: ignore[method-assign]
    scene.run()
    assert scene.said[0].endswith("made anew? It is read from its beginning")
    assert scene.complete()
    assert scene.handled.duplicates == 0
