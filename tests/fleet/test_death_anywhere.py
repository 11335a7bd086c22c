"""A consumer that dies at any point between poll and commit, every one of them tried.

Its database connection breaks with it; another process begins where the last commit was. What
comes of it is what would have come without the death: nothing is lost, and nothing counts twice.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

from fleet_rig import CHECKS, PARTS, Rig, SetClock
from machine_stream import ModelMachine

from vendd.fleet.alarms.handler import Alarming
from vendd.fleet.alarms.rules import Limits
from vendd.fleet.database import Session, Upsert, migrate
from vendd.fleet.database.sqlite import Sqlite
from vendd.fleet.envelope import Record
from vendd.fleet.pump import Offsets, Pump

Row = tuple[Any, ...]
BATCH = 20


class Died(Exception):
    """The process is gone; nobody catches this."""


class Death:
    """Comes at the step that `after` more steps lead to; None: not now."""

    def __init__(self) -> None:
        self.after: int | None = None

    def step(self) -> None:
        if self.after is not None:
            self.after -= 1
            if self.after < 0:
                self.after = None
                raise Died


class Mortal(Sqlite):
    """Every statement is a step, and so are the moments before and after each commit."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.death = Death()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            yield MortalSession(session, self.death)
            self.death.step()
        self.death.step()


class MortalSession:
    """Dies after a statement was carried out."""

    def __init__(self, session: Session, death: Death) -> None:
        self._session, self._death = session, death

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        return self._then(self._session.execute(statement, parameters))

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._then(self._session.rows(statement, parameters))

    def many(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._then(self._session.many(statement, parameters))

    def merge(self, statement: Upsert, rows: Sequence[Row]) -> None:
        self._then(self._session.merge(statement, rows))

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self._then(self._session.load(table, columns, rows))

    def _then(self, done: Any) -> Any:
        self._death.step()
        return done


class MortalRig(Rig):
    """Dies around the dead-letter topic as well."""

    def _bury(self, record: Record, reason: str) -> bool:
        self.database.death.step()  # type: ignore[attr-defined]
        buried = super()._bury(record, reason)
        self.database.death.step()  # type: ignore[attr-defined]
        return buried


def eventful() -> list[Record]:
    """Two lives of a machine; one event comes again, and one can't be read."""
    machine = ModelMachine(slots=1, chance=random.Random(8))
    for _ in range(9):
        machine.sell("A1")
    machine.fault("started")
    machine.start()
    machine.refill("A1")
    machine.claim(close=False)
    last: dict[str, int] = {}
    records = []
    spoiled = next(n for n, r in enumerate(machine.records) if r.topic == "transaction-events")
    for number, record in enumerate(machine.records):
        copies = 2 if number == 7 else 1
        for _ in range(copies):
            last[record.topic] = last.get(record.topic, -1) + 1
            value = b"{" if number == spoiled else record.value
            records.append(replace(record, offset=last[record.topic], value=value))
    return records


def test_the_inventory_consumer_may_die_anywhere() -> None:
    records = eventful()
    calm = Rig(Sqlite(":memory:"))
    calm.take(records, BATCH)
    assert len(calm.buried) == 1
    deaths = 0
    for after in count():
        database = Mortal()
        rig = MortalRig(database)
        database.death.after = after
        try:
            rig.take(records, BATCH)
            break  # it lived to the end
        except Died:
            deaths += 1
        rig.restart()
        rig.take(records, BATCH)
        assert rig.projection() == calm.projection(), after
        assert rig.lines() == calm.lines(), after
        # Put aside before its offset is passed: perhaps twice, never not at all.
        assert {record.place for record, _ in rig.buried} == {calm.buried[0][0].place}
        database.close()
    assert deaths > 30


class Notifier:
    """The notification group on a database."""

    def __init__(self, database: Sqlite) -> None:
        self._database = database
        migrate(database)
        self.restart()

    def restart(self) -> None:
        clock = SetClock()
        alarming = Alarming("notify", Limits(), 0, clock)
        offsets = Offsets("notify", "test")
        self._pump = Pump(self._database, offsets, alarming, CHECKS, _passed, clock, _no_wait)
        self._pump.assigned(PARTS)

    def take(self, records: Sequence[Record]) -> None:
        for begin in range(0, len(records), BATCH):
            self._pump.take(records[begin : begin + BATCH])

    def outcome(self) -> list[list[Row]]:
        with self._database.transaction() as session:
            return [
                session.rows("SELECT * FROM alarms ORDER BY id"),
                session.rows("SELECT * FROM marks ORDER BY topic, bootcount"),
            ]


def _passed(_record: Record, _reason: str) -> bool:
    return True


def _no_wait(_seconds: float) -> None:
    raise AssertionError("nothing here is tried again")


def test_the_notification_consumer_may_die_anywhere() -> None:
    records = eventful()
    calm = Notifier(Sqlite(":memory:"))
    calm.take(records)
    assert len(calm.outcome()[0]) > 1
    deaths = 0
    for after in count():
        database = Mortal()
        notifier = Notifier(database)
        database.death.after = after
        try:
            notifier.take(records)
            break
        except Died:
            deaths += 1
        notifier.restart()
        notifier.take(records)
        assert notifier.outcome() == calm.outcome(), after
        database.close()
    assert deaths > 12
