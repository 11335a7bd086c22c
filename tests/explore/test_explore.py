"""Histories from seeds: repeatable to the byte, made short when they fail, and told."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from hw_sim.explore.history import History, Level
from hw_sim.explore.shrink import Shrinker, kind_of
from hw_sim.explore.stage import Played

ROOT = Path(__file__).parents[2]
WHOLE = History(7, "plain", 1.0, Level.ALL)


def _played(names: frozenset[str], *broken: str) -> Played:
    return Played(WHOLE, broken, (), names, len(names), 0, 0, 0, 0.0, "")


def test_what_is_kept_of_a_history_is_what_it_was() -> None:
    guests = list(islice(WHOLE.guests(), 60))
    some = [guest for guest in guests if guest.mishaps][:3]
    names = {str(guest.number) for guest in some} | {some[0].mishaps[0].name}
    kept = list(replace(WHOLE, kept=frozenset(names)).guests())
    assert [guest.number for guest in kept] == [guest.number for guest in some]
    assert kept[0].mishaps[0] == some[0].mishaps[0]
    assert [guest.mishaps for guest in kept[1:]] == [(), ()]
    assert [guest.after_s for guest in kept] == [guest.after_s for guest in some]


@pytest.mark.parametrize("level", list(Level))
def test_each_level_has_its_mishaps(level: Level) -> None:
    guests = islice(replace(WHOLE, level=level).guests(), 400)
    kinds = {mishap.kind for guest in guests for mishap in guest.mishaps}
    assert ("jam" in kinds) == (level is not Level.NONE)
    assert ("kill at commit" in kinds) == (level is Level.ALL)


def test_a_failing_history_is_made_as_short_as_it_can_be() -> None:
    """It takes guests 4 and 9, and what went wrong with 9."""
    played = []

    def play(names: frozenset[str]) -> Played:
        played.append(names)
        fails = {"4", "9", "9.1"} <= names
        return _played(names, "customer 9: paid 120 for nothing") if fails else _played(names)

    names = frozenset({*map(str, range(1, 41)), "4.0", "9.0", "9.1", "17.0"})
    shortest = Shrinker(_played(names, "customer 9: paid 150 for nothing"), play).shrink()
    assert shortest.names == {"4", "9", "9.1"}
    assert len(played) < 60


def test_another_failure_is_not_the_same_failure() -> None:
    def play(names: frozenset[str]) -> Played:
        return _played(names, "events never arrived")

    whole = _played(frozenset({"1", "2"}), "box: 5 more than booked")
    assert Shrinker(whole, play).shrink() is whole
    assert kind_of("box: 5 more than booked") == kind_of("box: 70 more than booked")


def test_the_same_seed_is_the_same_trace_whatever_the_hash_seed() -> None:
    outputs = {_output(hash_seed) for hash_seed in ("0", "4711")}
    assert len(outputs) == 1
    (line,) = outputs
    assert ", trace " in line
    assert line.endswith(": kept")


def _output(hash_seed: str) -> str:
    command = [sys.executable, "-m", "hw_sim", "explore", "--seeds", "1:2", "--hours", "0.06"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[0]
