"""Whether anything is missing: the proof that a machine's numbers lead to (E1).

A number is there when its event was projected, or when a record stands for it: thinned
telemetry, or a dead letter that waits for somebody. Everything else between the first and the
last number is missing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vendd.fleet.database import Session
from vendd.fleet.spans import Range, Spans, shown

FIRST_SEQ = 1


@dataclass(frozen=True, slots=True)
class LifeRow:
    """One life as the database has it."""

    life: int
    bootid: str
    bootcount: int
    epoch: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """One row of numbers, from the first expected to the last known. `went_back_from`: where the
    epoch before had already been, when this one began below it."""

    number: int
    first: int
    last: int
    seen: int
    missing: tuple[Range, ...]
    thinned: int
    dead: tuple[Range, ...]
    lives: int
    went_back_from: int | None = None

    @property
    def complete(self) -> bool:
        return not self.missing

    def __str__(self) -> str:
        missing = f"missing {shown(self.missing)}" if self.missing else "nothing missing"
        parts = [f"seq {self.first}..{self.last}", missing]
        if self.dead:
            count = sum(last - first + 1 for first, last in self.dead)
            parts.append(f"{count} dead letter{'s' if count > 1 else ''} ({shown(self.dead)})")
        if self.thinned:
            parts.append(f"{self.thinned} thinned")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Completeness:
    """One machine's epochs, oldest first. `conflicts`: numbers that came again with another
    content."""

    machine: str
    epochs: tuple[Epoch, ...]
    duplicates: int
    conflicts: int

    @property
    def complete(self) -> bool:
        return all(epoch.complete for epoch in self.epochs) and not self.conflicts

    def lines(self) -> list[str]:
        """For people: one line per epoch, counts on the last."""
        lines = [self._line(epoch) for epoch in self.epochs] or [f"machine {self.machine}: nothing"]
        lines[-1] += f", {_count(self.duplicates, 'duplicate')} ignored"
        if self.conflicts:
            lines[-1] += f", {_count(self.conflicts, 'number')} used twice"
        return lines

    def _line(self, epoch: Epoch) -> str:
        name = f"machine {self.machine}"
        if epoch.number > 1:
            name += f", epoch {epoch.number} (went back from {epoch.went_back_from})"
        return f"{name}: {epoch}"


def machines(session: Session) -> list[str]:
    """Every machine that was ever heard of."""
    return [name for (name,) in session.rows("SELECT machine FROM machines ORDER BY machine")]


def lives_of(session: Session, machine: str) -> list[LifeRow]:
    """In the order in which they were lived."""
    rows = session.rows(
        "SELECT life, bootid, bootcount, epoch, low, high FROM lives WHERE machine = ?", (machine,)
    )
    return sorted((LifeRow(*row) for row in rows), key=lambda each: (each.epoch, each.bootcount))


def completeness(session: Session, machine: str) -> Completeness:
    """Of one machine, as far as its topics are consumed. `KeyError` for an unknown machine."""
    counts = session.rows(
        "SELECT duplicates, conflicts FROM machines WHERE machine = ?", (machine,)
    )
    if not counts:
        raise KeyError(machine)
    lives = lives_of(session, machine)
    of_epoch = {life.life: life.epoch for life in lives}
    seen: dict[int, Spans] = {life.epoch: Spans() for life in lives}
    for life, first, last in session.rows(
        "SELECT life, first_seq, last_seq FROM spans WHERE machine = ? ORDER BY first_seq",
        (machine,),
    ):
        seen[of_epoch[life]].add(first, last)
    accounted: dict[int, list[tuple[str, Range]]] = {}
    for life, first, last, how in session.rows(
        "SELECT life, first_seq, last_seq, how FROM accounted WHERE machine = ?", (machine,)
    ):
        accounted.setdefault(of_epoch[life], []).append((how, (first, last)))
    epochs: list[Epoch] = []
    for number in sorted(seen):
        of = [life for life in lives if life.epoch == number]
        before = epochs[-1].last if epochs else None
        epochs.append(_epoch(number, of, seen[number], accounted.get(number, ()), before))
    ((duplicates, conflicts),) = counts
    return Completeness(machine, tuple(epochs), duplicates, conflicts)


def _epoch(
    number: int,
    lives: Sequence[LifeRow],
    seen: Spans,
    accounted: Iterable[tuple[str, Range]],
    before: int | None,
) -> Epoch:
    first = FIRST_SEQ if number == 1 else min(life.low for life in lives)
    last = max(life.high for life in lives)
    dead = Spans(range_ for how, range_ in accounted if how == "dead_letter")
    thinned = Spans(range_ for how, range_ in accounted if how == "thinned")
    known = Spans([*seen, *dead, *thinned])
    return Epoch(
        number=number,
        first=first,
        last=last,
        seen=len(seen),
        missing=tuple(known.missing(first, last)),
        thinned=len(thinned.without([*seen, *dead])),
        dead=tuple(dead.without(seen)),
        lives=len(lives),
        went_back_from=before,
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
