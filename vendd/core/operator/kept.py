"""What a machine remembers of visits between orders, across restarts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from vendd.core.facts import VisitTask

MOST_TASKS: Final = 200
"""Of one visit; later ones are in the journal only."""


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A person is at the machine. `user` by name, `entered_at` by the wall clock."""

    number: int
    user: str
    role: str
    entered_at: str
    faults_before: tuple[str, ...]
    sellable_before: int
    tasks: tuple[VisitTask, ...] = ()
    door_s: int = 0

    @property
    def id(self) -> str:
        return f"v{self.number}"


@dataclass(frozen=True, slots=True)
class Trial:
    """A motor turns by a person's order, of that number. `result`: how its turn ended."""

    number: int
    order: int
    selection: str
    uid: int
    user: str
    role: str
    left_home: bool = False
    drops: int = 0
    result: str | None = None

    @property
    def attempt_id(self) -> str:
        return f"t{self.number}"


@dataclass(frozen=True, slots=True)
class Kept:
    """`visits`, `doubts`, `trials`: how many there were."""

    visits: int = 0
    doubts: int = 0
    trials: int = 0
    trial: Trial | None = None
    visit: OpenVisit | None = None

    @property
    def ref(self) -> str | None:
        """The visit that a booking belongs to."""
        return None if self.visit is None else self.visit.id

    def with_task(self, *tasks: VisitTask) -> "Kept":
        """Noted where a visit is on."""
        if self.visit is None:
            return self
        noted = (*self.visit.tasks, *tasks)[:MOST_TASKS]
        return replace(self, visit=replace(self.visit, tasks=noted))

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From the JSON object of `dataclasses.asdict`; what it lacks was never used.

        Raises KeyError, TypeError or ValueError for what is no such object.
        """
        visit, trial = body.get("visit"), body.get("trial")
        return cls(
            visits=int(body.get("visits", 0)),
            doubts=int(body.get("doubts", 0)),
            trials=int(body.get("trials", 0)),
            trial=None if trial is None else Trial(**trial),
            visit=None if visit is None else _visit(visit),
        )


def _visit(body: Mapping[str, Any]) -> OpenVisit:
    return OpenVisit(
        number=int(body["number"]),
        user=str(body["user"]),
        role=str(body["role"]),
        entered_at=str(body["entered_at"]),
        faults_before=tuple(str(fault) for fault in body["faults_before"]),
        sellable_before=int(body["sellable_before"]),
        tasks=tuple(VisitTask(**task) for task in body["tasks"]),
        door_s=int(body.get("door_s", 0)),
    )
