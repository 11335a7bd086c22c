"""Makes a failing history shorter: whatever can go without the promise being kept, goes.

Delta debugging (Zeller and Hildebrandt, 2002) over guests, then over mishaps.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from hw_sim.explore.stage import Played

RUNS: Final = 120  # histories that may be played for it
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
Play = Callable[[frozenset[str]], Played]


def kind_of(broken: str) -> str:
    """What a finding says, whoever and whatever amount it is about."""
    return _NUMBER.sub("#", broken).split(":")[0][:60]


class Shrinker:
    """`play`: the same history with these entries alone. Gives the shortest one that still
    breaks a promise in the same words."""

    def __init__(self, failed: Played, play: Play, runs: int = RUNS) -> None:
        self._wanted = {kind_of(finding) for finding in failed.broken}
        self._play = play
        self._left = runs
        self.best = failed

    def shrink(self) -> Played:
        names = self.best.names
        kept = self._reduced([frozenset({name}) for name in _guests(names)], names)
        mishaps = [frozenset({name}) for name in sorted(kept) if "." in name]
        self._reduced(mishaps, kept)
        return self.best

    def _reduced(self, parts: Sequence[frozenset[str]], names: frozenset[str]) -> frozenset[str]:
        """`names` without those parts that are not needed. A guest's part is the guest with
        everything that goes wrong meanwhile."""
        chunk = max(1, len(parts) // 2)
        while parts:
            at, dropped = 0, False
            while at < len(parts):
                less = names - _all_of(parts[at : at + chunk], names)
                if self._still_fails(less):
                    names, dropped = less, True
                    parts = [*parts[:at], *parts[at + chunk :]]
                else:
                    at += chunk
            if chunk == 1 and not dropped:
                break
            chunk = max(1, chunk // 2)
        return names

    def _still_fails(self, names: frozenset[str]) -> bool:
        if self._left <= 0 or not names:
            return False
        self._left -= 1
        played = self._play(names)
        if not any(kind_of(finding) in self._wanted for finding in played.broken):
            return False
        self.best = replace(played, names=names)
        return True


def _guests(names: frozenset[str]) -> list[str]:
    return sorted((name for name in names if "." not in name), key=int)


def _all_of(parts: Sequence[frozenset[str]], names: frozenset[str]) -> frozenset[str]:
    gone = frozenset().union(*parts)
    return gone | {name for name in names if name.split(".")[0] in gone}
