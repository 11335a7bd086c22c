"""The inventory consumer: stock, cash and machine state, each event counted once.

Idempotence: a number that a life's ranges contain was projected before, so the
event is a duplicate and only counted. Should its content differ, one number was
used twice: that is never merged but refused, and ends as a dead letter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from vendd.fleet.archive import Archive
from vendd.fleet.clock import Clock
from vendd.fleet.database import Database, Session
from vendd.fleet.deadletters import file_letters
from vendd.fleet.envelope import DeadLetter, Event, Record, dead_letter
from vendd.fleet.history import History, Life
from vendd.fleet.projection import Malformed, Put, project
from vendd.fleet.pump import Handled
from vendd.fleet.tables import ACCOUNTED, Row, Rows

_ROWS_PER_STATEMENT: Final = 200
_INBOX: Final = ("machine", "life", "seq", "type", "fingerprint", "arrived_ms")
_WHY: Final = 300  # characters of a dead letter's reason


class Inventory:
    """`Handler` of the group that keeps the projection."""

    def __init__(self, database: Database, cluster: str, clock: Clock) -> None:
        self._archive = Archive(database)
        self._cluster = cluster
        self._clock = clock

    def handle(
        self, session: Session, events: Sequence[Event], letters: Sequence[DeadLetter]
    ) -> Handled:
        """Project what is new. Returns what it refused, and how many were duplicates."""
        known = [letter.who for letter in letters if letter.who is not None]
        machines = {event.who.machine for event in events} | {who.machine for who in known}
        histories = self._archive.open(session, machines, self._clock.now_ms())
        batch = _Batch(histories)
        batch.recognise(session, events)
        for event in events:
            batch.take(event)
        for letter in letters:
            batch.account(letter)
        batch.write(session)
        if letters:
            file_letters(session, self._cluster, letters)
        self._archive.save(session, histories.values())
        return batch.handled

    def keep(self, session: Session, record: Record, reason: str) -> None:
        """Its number is accounted for, and the index names the place in its own topic."""
        letter = replace(dead_letter(record), reason=reason)
        self.handle(session, (), (letter,))

    def forget(self) -> None:
        self._archive.forget()


class _Batch:
    """The events of one transaction on their way into the tables."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        self._histories = histories
        self._rows = Rows()
        self._inbox: list[Row] = []
        self._fingerprints: dict[Row, int] = {}
        self.handled = Handled()

    def recognise(self, session: Session, events: Iterable[Event]) -> None:
        """What the inbox knows of those that look like duplicates."""
        wanted: list[Row] = []
        for event in events:
            life = self._histories[event.who.machine].lives.get(_life_key(event))
            if life is not None and event.who.seq in life.seen:
                wanted.append((event.who.machine, life.number, event.who.seq))
        for begin in range(0, len(wanted), _ROWS_PER_STATEMENT):
            chunk = wanted[begin : begin + _ROWS_PER_STATEMENT]
            places = ", ".join(["(?, ?, ?)"] * len(chunk))
            for *key, fingerprint in session.rows(
                "SELECT machine, life, seq, fingerprint FROM inbox"
                f" WHERE (machine, life, seq) IN (VALUES {places})",
                [value for row in chunk for value in row],
            ):
                self._fingerprints[tuple(key)] = fingerprint

    def take(self, event: Event) -> None:
        """One event: new, a duplicate, or refused."""
        who, record = event.who, event.record
        history = self._histories[who.machine]
        life = history.life(who.bootid, who.bootcount, who.seq, record.arrived_ms)
        history.last_ms = max(history.last_ms, record.arrived_ms)
        key = (who.machine, life.number, who.seq)
        if who.seq in life.seen:
            self._again(event, history, self._fingerprints.get(key, event.fingerprint))
            return
        try:
            puts = project(event, life.number)
        except Malformed as error:
            self.handled.refused.append((record, str(error)))
            return
        self._add(puts)
        life.seen.add(who.seq)
        self._fingerprints[key] = event.fingerprint
        self._inbox.append((*key, event.type, event.fingerprint, record.arrived_ms))
        self.handled.new += 1

    def account(self, letter: DeadLetter) -> None:
        """A dead letter: its number, where its headers tell it, needs no event any more."""
        who = letter.who
        if who is None:
            return
        life = self._life(letter)
        key = (who.machine, life.number, who.seq, who.seq, "dead_letter")
        self._rows.put(ACCOUNTED, key, letter.reason[:_WHY])

    def write(self, session: Session) -> None:
        if self._inbox:
            session.load("inbox", _INBOX, self._inbox)
        for table, rows in self._rows:
            table.write(session, rows)

    def _again(self, event: Event, history: History, known: int) -> None:
        if known == event.fingerprint:
            history.duplicates += 1
            self.handled.duplicates += 1
        else:
            history.conflicts += 1
            reason = f"number {event.who.seq} was used before, for something else"
            self.handled.refused.append((event.record, reason))

    def _add(self, puts: Iterable[Put]) -> None:
        for table, key, values in puts:
            self._rows.put(table, key, *values)

    def _life(self, letter: DeadLetter) -> Life:
        assert letter.who is not None
        who = letter.who
        history = self._histories[who.machine]
        return history.life(who.bootid, who.bootcount, who.seq, letter.record.arrived_ms)


def _life_key(event: Event) -> tuple[str, int]:
    return event.who.bootid, event.who.bootcount
