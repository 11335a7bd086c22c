"""The table of section 9: as it is kept (``section9.toml``), against what was seen."""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hw_sim.cuts.run import Seen

FILE: Final = Path(__file__).with_name("section9.toml")
START: Final = "<!-- section9:start -->"
END: Final = "<!-- section9:end -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One moment. `outcomes`: all that may come of it, each of which does come. `kept` False:
    the machine has no such sale yet, and nobody cuts it."""

    id: str
    moment: str
    after: str
    booked: str
    outcomes: tuple[str, ...]
    kept: bool = True


def rows(file: Path = FILE) -> tuple[Row, ...]:
    """In the order of the rules. Raises `ValueError` or `TypeError` for what is no table."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))["row"]
    return tuple(Row(**{**row, "outcomes": tuple(row["outcomes"])}) for row in told)


@dataclass(slots=True)
class Table:
    """What was seen: by row, how often each outcome came, and an example of it."""

    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def add(self, seen: Seen) -> None:
        self.counts[seen.row][seen.outcome] += 1
        self.examples.setdefault((seen.row, seen.outcome), str(seen))
        self.findings += seen.findings

    @property
    def cuts(self) -> int:
        return sum(counter.total() for counter in self.counts.values())

    def differences(self, kept: Sequence[Row], *, every: bool = True) -> Iterator[str]:
        """Against the table as it is kept; `every`: each outcome has to have come, too."""
        known: Mapping[str, Row] = {row.id: row for row in kept}
        for row, outcomes in sorted(self.counts.items()):
            if row not in known:
                yield f"{row}: no row of the table"
                continue
            for outcome in outcomes:
                if outcome not in known[row].outcomes:
                    yield f"{row}: {outcome!r} is not in the table ({self.examples[row, outcome]})"
        for one in kept if every else ():
            if not one.kept:
                continue
            for outcome in one.outcomes:
                if not self.counts[one.id][outcome]:
                    yield f"{one.id}: {outcome!r} is in the table and never came"

    def lines(self, kept: Iterable[Row]) -> Iterator[str]:
        """The table as it was seen."""
        for row in kept:
            yield f"{row.moment}{'' if row.kept else ' (not simulated)'}"
            for outcome, count in self.counts[row.id].most_common():
                yield f"{count:>7}  {outcome}"


def markdown(kept: Iterable[Row]) -> str:
    """For README."""
    lines = [
        "| moment of the cut | after start-up | booked | in the simulation |",
        "|---|---|---|---|",
    ]
    for row in kept:
        seen = "<br>".join(row.outcomes) if row.kept else "not built yet"
        lines.append(f"| {row.moment} | {row.after} | {row.booked} | {seen} |")
    return "\n".join(lines)


def placed(text: str, kept: Iterable[Row]) -> str:
    """`text` with the table between its markers. ValueError: they are not there."""
    head, rest = text.split(START)
    _, tail = rest.split(END)
    return f"{head}{START}\n{markdown(kept)}\n{END}{tail}"
