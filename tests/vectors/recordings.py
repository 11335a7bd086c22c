"""Conversations and examples recorded elsewhere, where they are present, and how many hold.

They are not part of this project. They are looked for in the folder that the environment names
(`VENDD_VECTORS`), else in ``shared/protocols/vectors`` beside any folder above this one.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PLACE = "VENDD_VECTORS"
MDB, CCTALK = "mdb-transcripts.json", "cctalk-spec-examples.json"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Held:
    """One conversation: how many of its exchanges came to be, and of how many. `sound` False: it
    came to something else than recorded all the same. `why`: what keeps it from holding."""

    name: str
    exchanges: int
    of: int
    why: str = ""
    sound: bool = True

    @property
    def holds(self) -> bool:
        return self.exchanges == self.of and self.sound


@dataclass(frozen=True, slots=True)
class Group:
    """All conversations of one kind, against one machine or model of ours."""

    title: str
    conversations: tuple[Held, ...]

    @property
    def holding(self) -> int:
        return sum(one.holds for one in self.conversations)

    def lines(self) -> list[str]:
        """A summary, and a line for each that does not hold."""
        exchanges = sum(one.exchanges for one in self.conversations)
        total = sum(one.of for one in self.conversations)
        of = f"{self.holding} of {len(self.conversations)}"
        return [
            f"{self.title}: {of} hold, {exchanges} of {total} exchanges",
            *(
                f"  {one.name}: {one.exchanges} of {one.of}: {one.why or 'NOT EXPLAINED'}"
                for one in self.conversations
                if not one.holds
            ),
        ]

    def unexplained(self) -> list[str]:
        """Those that neither hold nor are said why; and explanations of what does hold."""
        return [one.name for one in self.conversations if one.holds == bool(one.why)]


def place(name: str) -> Path | None:
    """The file, or None."""
    named = os.environ.get(PLACE)
    places = [Path(named)] if named else [p / "shared/protocols/vectors" for p in ROOT.parents]
    return next((p / name for p in places if (p / name).is_file()), None)


def load(name: str) -> Any:
    """Its contents. Skips the test where it is not there; the word *transcripts* tells CI why."""
    found = place(name)
    if found is None:
        pytest.skip(f"transcripts of real devices are no part of this project: no {name}")
    return json.loads(found.read_text("utf-8"))


def conversations(role: str, device: str) -> dict[str, list[str]]:
    """Steps by name. `role`: who was tested then, ``master`` or ``slave``."""
    stored = load(MDB)
    return {
        one["test"]: one["steps"]
        for one in stored
        if one["role"] == role and f"/{device}/" in one["file"]
    }


def exchanges(steps: Iterable[str]) -> list[tuple[str, str]]:
    """(command, answer) in order; a command without an answer was met by silence."""
    found: list[tuple[str, str]] = []
    for step in steps:
        kind, text = step[0], step[1:]
        if kind == ">" and text != "ACK":
            found.append((text, "-"))
        elif kind == "<" and found:
            found[-1] = (found[-1][0], {"TIMEOUT": "-", "RET": "?"}.get(text, text))
    return found


def credits_told(steps: Iterable[str], field: int) -> list[int]:
    """What the driver of the recording credited, in its minor units: this field of its events."""
    told = (step.rstrip(">}").split(",") for step in steps if ",Deposite," in step)
    return [int(fields[field]) for fields in told]


def judged(group: Group, capsys: pytest.CaptureFixture[str], explained: Mapping[str, str]) -> None:
    """Print it; everything that does not hold is explained, and nothing that does."""
    with capsys.disabled():
        print("", *group.lines(), sep="\n")
    assert group.unexplained() == []
    names = {one.name for one in group.conversations}
    assert explained.keys() <= names, "an explanation of nothing"
