"""What a campaign prints: a table of counts; of a failure, all it takes to see it again."""

from collections.abc import Iterable
from typing import Any

from tests.fuzz.campaign import Failure, Result
from tests.fuzz.counts import Counts
from tests.fuzz.edits import Edit
from tests.fuzz.mdb_steps import Sane, Wait

HEAD = ("target", "cases", "bytes", "reports", "credits")


def table(results: Iterable[Result]) -> list[str]:
    total = Counts()
    rows: list[tuple[str, ...]] = [HEAD]
    for result in results:
        total.add(result.counts)
        rows.append((result.target.name, *_numbers(result.counts)))
    rows.append(("all", *_numbers(total)))
    width = max(len(row[0]) for row in rows)
    return [f"{row[0]:<{width}}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows]


def _numbers(it: Counts) -> tuple[str, ...]:
    return tuple(f"{n:,}".replace(",", " ") for n in (it.cases, it.bytes, it.reports, it.credits))


def failure(it: Failure, seed: int) -> list[str]:
    said = str(it.error).splitlines() or [""]
    again = f"make fuzz SEED={seed} FUZZ_ARGS=\"--only '{it.target}' --batch {it.batch}\""
    return [
        f"FAILED {it.target}: {type(it.error).__name__}: {said[0]}",
        *(f"    {frame}" for frame in it.where),
        "  smallest input:",
        *(f"    {line}" for line in shown(it.case)),
        f"  again: {again}",
    ]


def shown(case: Any) -> list[str]:
    """One line per step."""
    if isinstance(case, tuple | list) and not isinstance(case, bytes):
        lines: list[str] = []
        for one in case:
            inner = shown(one)
            lines += inner if len(inner) == 1 else ["-", *(f"  {line}" for line in inner)]
        return lines or ["(nothing)"]
    return [word(case)]


def word(one: Any) -> str:
    match one:
        case bytes():
            return f"bytes {one.hex(' ').upper()}" if one else "no bytes"
        case Sane(edits):
            return "good answer" + "".join(f", {word(edit)}" for edit in edits)
        case Wait(ms, answer):
            return f"{'the answer takes' if answer else 'wait'} {ms} ms"
        case Edit(kind, at, value):
            return f"{kind} at {at} ({value:02X})"
        case _ if hasattr(one, "answer") and hasattr(one, "data"):
            return f"{one.answer.name} {one.data.hex(' ').upper()}".strip()
        case _:
            return repr(one)
