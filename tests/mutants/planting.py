"""Bugs as data, and a copy of the tree in which one of them lives at a time."""

import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BUGS: Final = Path(__file__).with_name("bugs.toml")
_LEFT_OUT: Final = (
    ".git",
    ".venv",
    ".*_cache",
    "__pycache__",
    ".hypothesis",
    "build",
    "*.egg-info",
)


class Stale(Exception):
    """The source does not say (or says more than once) what a bug is to replace."""


@dataclass(frozen=True, slots=True)
class Bug:
    """`file`: below the root; `old` is there exactly once; `nets`: in the order of trying."""

    name: str
    promise: str
    file: str
    old: str
    new: str
    nets: tuple[str, ...]

    def planted_in(self, source: str) -> str:
        """The file with the bug. Raises `Stale`."""
        found = source.count(self.old)
        if found != 1 or self.old == self.new:
            raise Stale(f"{self.name}: {self.file} says it {found} times, not once:\n{self.old}")
        return source.replace(self.old, self.new)


def bugs(path: Path = BUGS) -> list[Bug]:
    """All of them. Raises `TypeError` for a key that is missing or unknown."""
    rows = tomllib.loads(path.read_text())["bug"]
    return [Bug(**{**row, "nets": tuple(row["nets"])}) for row in rows]


def copy_tree(folder: Path) -> Path:
    """A tree of its own below `folder`."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    return tree


@contextmanager
def planted(bug: Bug, tree: Path) -> Iterator[None]:
    """The bug lives in that tree while the context lasts."""
    file = tree / bug.file
    sound = file.read_text()
    file.write_text(bug.planted_in(sound))
    try:
        yield
    finally:
        file.write_text(sound)
