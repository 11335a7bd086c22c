"""Histories at port depth: a seed is one history, and what was found there stays mended."""

import pytest

from hw_sim.explore.history import History, Level
from hw_sim.explore.stage import play


def test_the_same_seed_is_the_same_history() -> None:
    history = History(15, "full", 0.1, Level.ALL)
    first, again = play(history, "port"), play(history, "port")
    assert first.broken == ()
    assert (first.trace, first.lines) == (again.trace, again.lines)
    assert first.trace != play(History(16, "full", 0.1, Level.ALL), "port").trace


@pytest.mark.parametrize(
    ("seed", "machine", "hours"),
    [(101, "full", 0.35), (109, "cctalk", 0.42)],  # a filling at a start; mains and an approval
)
def test_what_was_found_stays_mended(seed: int, machine: str, hours: float) -> None:
    played = play(History(seed, machine, hours, Level.ALL), "port")
    assert played.broken == ()
    assert played.deaths > 5
