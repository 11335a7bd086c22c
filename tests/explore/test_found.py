"""What the explorer has found, in its shortest history; and a planted fault that it must find."""

import pytest

from hw_sim.explore.history import History, Level
from hw_sim.explore.stage import play
from hw_sim.seams import ActsFirst
from vendd import log
from vendd.daemon import life


@pytest.mark.parametrize(
    ("seed", "machine", "kept"),
    [
        # Three coins fell while the daemon started: two at most were credit, three nobody's.
        pytest.param(413, "waferstar", "13,13.0,13.1", id="coins at a bus that polls itself"),
        # A bill went into the recycler while nobody lived: claimed, and found by the count.
        pytest.param(118, "waferstar", "50,50.0", id="a bill that nobody told of"),
        # The drop could not be recorded, the disk was full; then the power went.
        pytest.param(128, "waferstar", "28,28.0,28.1,28.2,28.3", id="full disk, then no power"),
        # The cams of a slot with two motors were read in the matrix: no second turn.
        pytest.param(487, "one-tender", "16,16.0,17,17.0", id="cams read after a stall"),
    ],
)
def test_a_history_that_once_broke_a_promise(seed: int, machine: str, kept: str) -> None:
    log.configure(level="critical")
    names = frozenset(kept.split(","))
    assert play(History(seed, machine, 0.4, Level.ALL, names)).broken == ()


@pytest.mark.parametrize("planted", [False, True])
def test_a_daemon_that_acts_before_it_commits_is_found_out(
    monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    """Killed between the motor and the commit of its intent."""
    if planted:
        monkeypatch.setitem(vars(life), "Engine", ActsFirst)
    played = play(History(4, "plain", 0.1, Level.ALL, frozenset({"55", "55.1"})))
    assert bool(played.broken) is planted
    assert not planted or "committed intents: 0" in played.broken[0]
