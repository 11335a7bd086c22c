"""What the events add up to, beside what the machine says it has.

Both follow from the same events, so a difference means that one is missing, was counted twice,
or that the machine's books don't follow their own rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vendd.fleet.completeness import LifeRow, lives_of
from vendd.fleet.database import Session


@dataclass(frozen=True, slots=True)
class Difference:
    """`what`: sales_count, sales_value, or ``stock <slot>``."""

    machine: str
    epoch: int
    what: str
    projected: int
    reported: int

    def __str__(self) -> str:
        return (
            f"machine {self.machine}: {self.what} is {self.projected} by the events,"
            f" {self.reported} by the machine"
        )


@dataclass(frozen=True, slots=True)
class SlotLevel:
    """`confirmed`: the newest epoch has said it; else the level is from before a restore."""

    slot: str
    level: int
    product_id: str | None
    capacity: int | None
    par: int | None
    threshold: int | None
    at_ms: int
    confirmed: bool


def differences(session: Session, machine: str) -> list[Difference]:
    """Empty when everything adds up."""
    lives = lives_of(session, machine)
    found: list[Difference] = []
    for epoch in sorted({life.epoch for life in lives}):
        order = [life.life for life in lives if life.epoch == epoch]
        found += _totals(session, machine, epoch, order)
        found += _stock(session, machine, epoch, order)
    return found


def stock(session: Session, machine: str) -> list[SlotLevel]:
    """The slots as their newest events have them."""
    lives = lives_of(session, machine)
    newest = max((life.epoch for life in lives), default=0)
    terms = _newest(
        session,
        "SELECT life, slot, product_id, capacity, par, threshold FROM slot_terms WHERE machine = ?",
        machine,
        lives,
    )
    levels = _newest(
        session,
        "SELECT life, slot, level, level_ms FROM slot_levels WHERE machine = ?",
        machine,
        lives,
    )
    found: list[SlotLevel] = []
    for slot, (epoch, (level, at_ms)) in sorted(levels.items()):
        _, (product, capacity, par, threshold) = terms.get(slot, (0, (None,) * 4))
        confirmed = epoch == newest
        found.append(SlotLevel(slot, level, product, capacity, par, threshold, at_ms, confirmed))
    return found


def _newest(
    session: Session, statement: str, machine: str, lives: Iterable[LifeRow]
) -> dict[str, tuple[int, tuple[Any, ...]]]:
    rank = {life.life: place for place, life in enumerate(lives)}
    epochs = {life.life: life.epoch for life in lives}
    found: dict[str, tuple[int, tuple[Any, ...]]] = {}
    rows = session.rows(statement, (machine,))
    for life, item, *values in sorted(rows, key=lambda row: rank[row[0]]):
        found[item] = (epochs[life], tuple(values))
    return found


def _totals(session: Session, machine: str, epoch: int, order: list[int]) -> list[Difference]:
    rows = {
        life: values
        for life, *values in session.rows(
            "SELECT life, sold, value, opening_count, opening_value, reported_count,"
            " reported_value FROM totals WHERE machine = ?",
            (machine,),
        )
    }
    lived = [rows[life] for life in order if life in rows]
    if not lived:
        return []
    opening_count, opening_value = lived[0][2:4]
    reported_count, reported_value = lived[-1][4:6]
    count = opening_count + sum(row[0] for row in lived)
    value = opening_value + sum(row[1] for row in lived)
    pairs = (("sales_count", count, reported_count), ("sales_value", value, reported_value))
    return [Difference(machine, epoch, *pair) for pair in pairs if pair[1] != pair[2]]


def _stock(session: Session, machine: str, epoch: int, order: list[int]) -> list[Difference]:
    chains: dict[str, dict[int, tuple[int, int, int]]] = {}
    for life, slot, opening, moved, level in session.rows(
        "SELECT life, slot, opening, moved, level FROM slot_levels WHERE machine = ?", (machine,)
    ):
        chains.setdefault(slot, {})[life] = (opening, moved, level)
    found: list[Difference] = []
    for slot, links in sorted(chains.items()):
        lived = [links[life] for life in order if life in links]
        if not lived:
            continue
        projected = lived[0][0] + sum(moved for _, moved, _ in lived)
        if projected != lived[-1][2]:
            found.append(Difference(machine, epoch, f"stock {slot}", projected, lived[-1][2]))
    return found
