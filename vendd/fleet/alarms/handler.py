"""The notification consumer's half of Kafka: events become alarms, each once.

It keeps no inbox: order is promised per machine within a topic, so the highest `topicseq` of each
life tells what was seen. A restored machine starts a new life, and its alarms count again.
"""

from collections.abc import Sequence
from typing import Final

from vendd.fleet.alarms.book import AlarmBook
from vendd.fleet.alarms.from_events import turns
from vendd.fleet.alarms.rules import Limits
from vendd.fleet.clock import Clock
from vendd.fleet.database import Session, Upsert
from vendd.fleet.envelope import DeadLetter, Event, Record
from vendd.fleet.pump import Handled

_MARKS: Final = Upsert(
    "marks",
    ("group_id", "machine", "bootid", "bootcount", "topic", "topicseq"),
    "(group_id, machine, bootid, bootcount, topic) DO UPDATE SET topicseq = excluded.topicseq",
)
_PER_STATEMENT: Final = 200
_Key = tuple[str, str, int, str]


class Alarming:
    """`Handler` of the notification group."""

    def __init__(self, group: str, limits: Limits, quiet_ms: int, clock: Clock) -> None:
        self._group = group
        self._limits = limits
        self._quiet_ms = quiet_ms
        self._clock = clock

    def handle(
        self, session: Session, events: Sequence[Event], letters: Sequence[DeadLetter]
    ) -> Handled:
        handled = Handled()
        marks = self._marks(session, {_key(event) for event in events})
        found = []
        for event in events:
            key = _key(event)
            if event.topicseq <= marks.get(key, 0):
                handled.duplicates += 1
                continue
            marks[key] = event.topicseq
            found += turns(event, self._limits)
            handled.new += 1
        if marks:
            rows = [(self._group, *key, topicseq) for key, topicseq in sorted(marks.items())]
            session.merge(_MARKS, rows)
        if found:
            book = AlarmBook(session, self._clock.now_ms(), self._quiet_ms)
            for turn in found:
                if turn.on:
                    book.raise_(turn.condition)
                else:
                    book.clear(*turn.condition.subject)
        return handled

    def keep(self, session: Session, record: Record, reason: str) -> None:
        """The inventory consumer does that; here poison is passed over."""

    def forget(self) -> None:
        """Nothing is remembered between transactions."""

    def _marks(self, session: Session, keys: set[_Key]) -> dict[_Key, int]:
        wanted = sorted(keys)
        found: dict[_Key, int] = {}
        for begin in range(0, len(wanted), _PER_STATEMENT):
            chunk = wanted[begin : begin + _PER_STATEMENT]
            places = ", ".join(["(?, ?, ?, ?)"] * len(chunk))
            for machine, bootid, bootcount, topic, topicseq in session.rows(
                "SELECT machine, bootid, bootcount, topic, topicseq FROM marks WHERE group_id = ?"
                f" AND (machine, bootid, bootcount, topic) IN (VALUES {places})",
                [self._group, *(value for key in chunk for value in key)],
            ):
                found[machine, bootid, bootcount, topic] = topicseq
        return found


def _key(event: Event) -> _Key:
    return event.who.machine, event.who.bootid, event.who.bootcount, event.record.topic
