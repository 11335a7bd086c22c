"""The index of the dead-letter topics: what lies there, and what became of it.

The records themselves stay in Kafka; the inventory consumer enters each one here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from vendd.fleet.database import Session, Upsert
from vendd.fleet.envelope import DLQ_SUFFIX, DeadLetter, Record

State = Literal["open", "replayed", "dropped"]
SOURCE_HEADER: Final = "dlq_source"
CUT_HEADER: Final = "dlq_data"
_SHOWN: Final = 300
_COLUMNS: Final = (
    "cluster",
    "topic",
    "part",
    "place",
    "machine",
    "seq",
    "type",
    "reason",
    "origin",
    "arrived_ms",
    "state",
    "changed_ms",
)
_FILE: Final = Upsert("dead_letters", _COLUMNS, "(cluster, topic, part, place) DO NOTHING")


@dataclass(frozen=True, slots=True)
class Filed:
    """One dead letter. `origin`: machine (refused there, the data stayed there), or the consumer
    group that put it aside. `number` 0: its headers don't say."""

    topic: str
    part: int
    place: int
    machine: str
    number: int
    type: str
    reason: str
    origin: str
    arrived_ms: int
    state: State

    @property
    def id(self) -> str:
        """As people name it: topic, partition and offset."""
        return f"{self.topic}/{self.part}/{self.place}"

    @property
    def at_home(self) -> bool:
        """It was never moved: there was no dead-letter topic for it."""
        return not self.topic.endswith(DLQ_SUFFIX)

    @property
    def home(self) -> str:
        """The topic that it was meant for."""
        return self.topic.removesuffix(DLQ_SUFFIX)


def file_letters(session: Session, cluster: str, letters: Sequence[DeadLetter]) -> None:
    """Enter those that are new."""
    rows = []
    for letter in letters:
        record, who = letter.record, letter.who
        rows.append(
            (
                cluster,
                record.topic,
                record.partition,
                record.offset,
                "" if who is None else who.machine,
                0 if who is None else who.seq,
                _header(record, "ce_type")[:_SHOWN],
                letter.reason[:_SHOWN],
                _origin(record),
                record.arrived_ms,
                "open",
                record.arrived_ms,
            )
        )
    session.merge(_FILE, rows)


def filed(
    session: Session,
    cluster: str,
    *,
    state: State | None = "open",
    topic: str | None = None,
    machine: str | None = None,
) -> list[Filed]:
    """Dead letters in the order of their topics. `topic`: that which they were meant for."""
    clauses, values = ["cluster = ?"], [cluster]
    if state is not None:
        clauses.append("state = ?")
        values.append(state)
    if topic is not None:
        clauses.append("topic IN (?, ?)")
        values += [topic.removesuffix(DLQ_SUFFIX), topic.removesuffix(DLQ_SUFFIX) + DLQ_SUFFIX]
    if machine is not None:
        clauses.append("machine = ?")
        values.append(machine)
    rows = session.rows(
        "SELECT topic, part, place, machine, seq, type, reason, origin, arrived_ms, state"
        f" FROM dead_letters WHERE {' AND '.join(clauses)} ORDER BY topic, part, place",
        values,
    )
    return [Filed(*row) for row in rows]


def mark(session: Session, cluster: str, letter: Filed, state: State, now_ms: int) -> None:
    session.execute(
        "UPDATE dead_letters SET state = ?, changed_ms = ?"
        " WHERE cluster = ? AND topic = ? AND part = ? AND place = ?",
        (state, now_ms, cluster, letter.topic, letter.part, letter.place),
    )


def _origin(record: Record) -> str:
    if not record.topic.endswith(DLQ_SUFFIX):
        return "no dead-letter topic"
    return _header(record, "dlq_group")[:_SHOWN] or "machine"


def _header(record: Record, name: str) -> str:
    found = dict(record.headers).get(name, b"")
    return found.decode(errors="replace").replace("\0", "?")
