"""What came of an order: refused in plain words, or decided; and how the journal tells it."""

import json
from dataclasses import dataclass
from enum import StrEnum

from vendd.core.operator.kept import Kept
from vendd.core.operator.orders import Ordered, action_of
from vendd.core.operator.people import Person
from vendd.core.privacy import masked
from vendd.core.rows import Journalled, Record
from vendd.core.sale.acts import Act
from vendd.core.sale.reports import Report
from vendd.core.sale.states import State
from vendd.core.snapshot import Snapshot

Value = int | str | bool | None


class Why(StrEnum):
    """Whose fault a refusal is; the exit code of a command follows from it."""

    STATE = "state"  # not now: a sale, the door, what is in the machine
    INVALID = "invalid"  # never: the order contradicts itself or the machine
    NOT_FOUND = "not_found"  # no such slot, claim or number
    NOT_ALLOWED = "not_allowed"  # not this person
    FAULT = "fault"  # the hardware could not
    STORE = "store"  # the books could not be written: nothing happened


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing happened. `remedy`: what the person can do about it."""

    why: Why
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different now: ``Change("A3", "level", 2, 10)``."""

    what: str
    field: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Decided:
    """`records` and `acts` join the commit of the order. `report`: what the sale machine is to
    hear of it. `pending`: the answer follows later (a motor turns). `said`: a sentence for people.
    """

    changes: tuple[Change, ...] = ()
    records: tuple[Record, ...] = ()
    acts: tuple[Act, ...] = ()
    report: Report | None = None
    kept: Kept | None = None
    pending: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What an order is decided on: who asks and why, the machine as committed, the visit.
    `number` of the order."""

    number: int
    person: Person
    why: str
    faults: tuple[str, ...]
    state: State
    world: Snapshot
    kept: Kept


def journalled(ordered: Ordered, changes: tuple[Change, ...]) -> Journalled:
    """The row of the audit journal. Before and after as JSON objects, ``{"A3.level": 2}``."""
    before = {f"{c.what}.{c.field}": c.before for c in changes}
    after = {f"{c.what}.{c.field}": c.after for c in changes}
    person = ordered.person
    return Journalled(
        uid=person.uid,
        user=person.user,
        role=str(person.role or ""),
        action=action_of(ordered.order),
        target=" ".join(dict.fromkeys(c.what for c in changes)),
        why=masked(ordered.why),
        before=_json(before),
        after=_json(after),
    )


def _json(values: dict[str, Value]) -> str:
    return json.dumps(values, separators=(",", ":"), sort_keys=True)
