"""From records to a committed transaction: the projection and the group's offsets together.

Exactly once in effect: offsets live in the database and move with what was made of
the records, so a consumer that dies at any point leaves both or neither. The move is
a compare-and-set: a consumer that lost its partitions without noticing finds them
moved by the next owner, and its transaction ends in `Fenced`.

What can't become an event goes to the dead-letter topic before the offsets pass it. A
database that refuses a batch gets its records one by one, each a bounded number of
times; the one that it refuses alone is put aside as well.

It is NOT responsible for Kafka's group protocol (`stream`) nor for waiting for a
database that is down (`service`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from vendd.fleet.clock import Clock
from vendd.fleet.contract import Check
from vendd.fleet.database import Database, DatabaseRefused, Session
from vendd.fleet.envelope import (
    DLQ_SUFFIX,
    DeadLetter,
    Event,
    Poison,
    Record,
    dead_letter,
    decode,
)

Part = tuple[str, int]
"""Topic (without prefix) and partition."""
Wait = Callable[[float], None]
Bury = Callable[[Record, str], bool]
"""Puts a record with a reason on its dead-letter topic, durably when it returns. False: there is
no such topic for us; then the record is noted where it lies."""

ATTEMPTS: Final = 4
FIRST_WAIT_S: Final = 0.2


class Fenced(Exception):
    """Another consumer has moved these offsets: our partitions are not ours any more."""


@dataclass(slots=True)
class Handled:
    """What became of a batch. `refused` belong on the dead-letter topic."""

    new: int = 0
    duplicates: int = 0
    letters: int = 0
    refused: list[tuple[Record, str]] = field(default_factory=list)

    def add(self, other: "Handled") -> None:
        self.new += other.new
        self.duplicates += other.duplicates
        self.letters += other.letters
        self.refused += other.refused


class Handler(Protocol):
    """What a consumer group does with its events."""

    def handle(
        self, session: Session, events: Sequence[Event], letters: Sequence[DeadLetter]
    ) -> Handled: ...

    def keep(self, session: Session, record: Record, reason: str) -> None:
        """Note a record that has no dead-letter topic to go to."""

    def forget(self) -> None:
        """The transaction was not committed: drop what was remembered in it."""


class Offsets:
    """Where a group stands in each partition, as the database has it."""

    def __init__(self, group: str, cluster: str) -> None:
        self._key = (group, cluster)

    def start(self, session: Session, parts: Sequence[Part]) -> dict[Part, int]:
        """The next offset of each partition; 0 where the group never was."""
        session.many(
            "INSERT INTO offsets (group_id, cluster, topic, part, next_offset, caught_up_ms)"
            " VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT (group_id, cluster, topic, part) DO NOTHING",
            [(*self._key, *part) for part in sorted(parts)],
        )
        known = {
            (topic, part): offset
            for topic, part, offset in session.rows(
                "SELECT topic, part, next_offset FROM offsets WHERE group_id = ? AND cluster = ?",
                self._key,
            )
        }
        return {part: known[part] for part in parts}

    def move(self, session: Session, part: Part, before: int, after: int) -> None:
        """Raises `Fenced` unless the partition stands at `before`."""
        moved = session.execute(
            "UPDATE offsets SET next_offset = ? WHERE group_id = ? AND cluster = ?"
            " AND topic = ? AND part = ? AND next_offset = ?",
            (after, *self._key, *part, before),
        )
        if moved != 1:
            raise Fenced(f"{part[0]}/{part[1]} does not stand at {before} any more")

    def caught_up(self, session: Session, parts: Sequence[Part], now_ms: int) -> None:
        """Nothing was left to read in these partitions at `now_ms`."""
        session.many(
            "UPDATE offsets SET caught_up_ms = ? WHERE group_id = ? AND cluster = ?"
            " AND topic = ? AND part = ?",
            [(now_ms, *self._key, *part) for part in sorted(parts)],
        )


class Pump:
    """Feeds one handler. `wait` spends the time between attempts; `bury` may raise whatever the
    dead-letter topic's absence means to the caller: then nothing of the batch is committed."""

    def __init__(
        self,
        database: Database,
        offsets: Offsets,
        handler: Handler,
        checks: Mapping[str, Check],
        bury: Bury,
        clock: Clock,
        wait: Wait,
    ) -> None:
        self._database = database
        self._offsets = offsets
        self._handler = handler
        self._checks = checks
        self._bury = bury
        self._clock = clock
        self._wait = wait
        self.positions: dict[Part, int] = {}

    def assigned(self, parts: Sequence[Part]) -> dict[Part, int]:
        """Partitions that are ours from now on, and where to begin in each."""
        with self._database.transaction() as session:
            begun = self._offsets.start(session, parts)
        self._handler.forget()
        self.positions |= begun
        return begun

    def revoked(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self.positions.pop(part, None)

    def rewind(self, begin: Mapping[Part, int]) -> None:
        """Begin there again: what was projected before is found to be a duplicate."""
        with self._database.transaction() as session:
            for part in sorted(begin):
                self._offsets.move(session, part, self.positions[part], begin[part])
        self.positions |= begin

    def caught_up(self, parts: Sequence[Part]) -> None:
        with self._database.transaction() as session:
            self._offsets.caught_up(session, parts, self._clock.now_ms())

    def take(self, records: Sequence[Record]) -> Handled:
        """Commit a batch, in the order given per partition. Records of partitions that aren't
        ours, and those behind our position, are left out. Raises `Fenced`, `DatabaseDown`."""
        ours = self._ours(records)
        if not ours:
            return Handled()
        try:
            return self._commit(ours)
        except DatabaseRefused:
            done = Handled()
            for record in ours:
                done.add(self._alone(record))
            return done

    def _ours(self, records: Sequence[Record]) -> list[Record]:
        next_ = dict(self.positions)
        ours: list[Record] = []
        for record in records:
            part = (record.topic, record.partition)
            if part in next_ and record.offset >= next_[part]:
                next_[part] = record.offset + 1
                ours.append(record)
        return ours

    def _alone(self, record: Record) -> Handled:
        """One record in a transaction of its own; what is refused to the end is put aside."""
        refusal = ""
        for attempt in range(ATTEMPTS):
            try:
                return self._commit([record])
            except DatabaseRefused as error:
                refusal = str(error)
            if attempt < ATTEMPTS - 1:
                self._wait(FIRST_WAIT_S * 2.0**attempt)
        return self._commit([record], refused=f"refused {ATTEMPTS} times: {refusal}")

    def _commit(self, records: Sequence[Record], refused: str = "") -> Handled:
        moves: dict[Part, int] = {}
        for record in records:
            moves[record.topic, record.partition] = record.offset + 1
        events, letters, poison = self._sorted(records, refused)
        committed = False
        try:
            with self._database.transaction() as session:
                for part in sorted(moves):
                    self._offsets.move(session, part, self.positions[part], moves[part])
                handled = self._handler.handle(session, events, letters)
                handled.letters += len(letters)
                handled.refused += poison
                for record, reason in handled.refused:
                    if record.topic.endswith(DLQ_SUFFIX):
                        continue  # it lies there already
                    if not self._bury(record, reason):
                        self._handler.keep(session, record, reason)
            committed = True
        finally:
            if not committed:
                self._handler.forget()
        self.positions |= moves
        return handled

    def _sorted(
        self, records: Sequence[Record], refused: str
    ) -> tuple[list[Event], list[DeadLetter], list[tuple[Record, str]]]:
        events: list[Event] = []
        letters: list[DeadLetter] = []
        poison: list[tuple[Record, str]] = []
        for record in records:
            if refused:
                poison.append((record, refused))
            elif record.topic.endswith(DLQ_SUFFIX):
                letters.append(dead_letter(record))
            else:
                try:
                    events.append(decode(record, self._checks))
                except Poison as found:
                    poison.append((record, found.reason))
        return events, letters, poison
