"""The one table: figure, value, baseline of the same run, ratio, goal, ok."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

_HEAD: Final = ("figure", "value", "baseline, same run", "ratio", "goal", "ok?")


@dataclass(frozen=True, slots=True)
class Goal:
    """`of` the value, of its ratio to the baseline, or of what it has more than the baseline;
    a limit is still good."""

    sense: Literal["<=", ">=", "<"]
    limit: float
    of: Literal["value", "ratio", "excess"] = "value"

    def met(self, number: float) -> bool:
        tests: dict[str, Callable[[float, float], bool]] = {
            "<=": float.__le__,
            ">=": float.__ge__,
            "<": float.__lt__,
        }
        return tests[self.sense](float(number), float(self.limit))


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `value` None: it could not be measured, `note` says why."""

    figure: str
    value: float | None
    unit: str = ""
    baseline: float | None = None
    baseline_is: str = ""
    goal: Goal | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value by baseline; None without one."""
        return self.value / self.baseline if self.value is not None and self.baseline else None

    @property
    def excess(self) -> float | None:
        """What the value has more than the baseline; None without one."""
        if self.value is None or self.baseline is None:
            return None
        return self.value - self.baseline

    @property
    def verdict(self) -> Literal["ok", "MISSED", "-", "NOT MEASURED"]:
        if self.value is None:
            return "NOT MEASURED"
        if self.goal is None:
            return "-"
        number = {"value": self.value, "ratio": self.ratio, "excess": self.excess}[self.goal.of]
        if number is None:
            return "NOT MEASURED"
        return "ok" if self.goal.met(number) else "MISSED"


def percentile(values: Iterable[float], share: int) -> float:
    """Nearest rank: the smallest value that `share` % of all are not above. One is enough."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def render(rows: Sequence[Row]) -> str:
    """Plain text, columns aligned, notes numbered below."""
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    cells = [_HEAD, *(_cells(row, notes) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join([*lines, *(f"[{n}] {note}" for n, note in enumerate(notes, start=1))])


def _cells(row: Row, notes: list[str]) -> tuple[str, ...]:
    mark = f" [{notes.index(row.note) + 1}]" if row.note else ""
    baseline = "" if row.baseline is None else f"{_number(row.baseline, row.unit)}"
    if row.baseline_is:
        baseline = f"{row.baseline_is}: {baseline}".removesuffix(": ")
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    value = "" if row.value is None else _number(row.value, row.unit)
    return row.figure + mark, value, baseline, ratio, _goal(row.goal), row.verdict


def _goal(goal: Goal | None) -> str:
    if goal is None:
        return ""
    name = {"value": "", "ratio": "ratio ", "excess": "more by "}[goal.of]
    return f"{name}{goal.sense} {goal.limit:g}"


def _number(value: float, unit: str) -> str:
    size = abs(value)
    digits = 0 if size >= 1000 or (not unit and value == int(value)) else 1 if size >= 100 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()
