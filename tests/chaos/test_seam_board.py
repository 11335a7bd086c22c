"""The page that arms a seam, both sides of it."""

from pathlib import Path

import pytest

from hw_sim.chaos_plan import Phase, plan
from hw_sim.seam_board import Kind, SeamBoard, When


@pytest.fixture
def boards(tmp_path: Path) -> tuple[SeamBoard, SeamBoard]:
    """The simulator's view and the child's view of one page."""
    return SeamBoard(tmp_path / "seams"), SeamBoard(tmp_path / "seams")


def test_nothing_armed_nothing_happens(boards: tuple[SeamBoard, SeamBoard]) -> None:
    ours, child = boards
    for _ in range(3):
        assert child.begins(Kind.COMMIT) is None
        assert child.done(Kind.COMMIT) is None
    assert ours.count(Kind.COMMIT) == 3
    assert ours.count(Kind.PTY) == 0


def test_before_the_second_from_now(boards: tuple[SeamBoard, SeamBoard]) -> None:
    ours, child = boards
    child.begins(Kind.PTY)
    assert ours.arm(Kind.PTY, When.BEFORE, 2, stall_ms=50) == 3
    assert child.begins(Kind.GPIO) is None
    assert child.begins(Kind.PTY) is None
    assert child.done(Kind.PTY) is None
    assert child.begins(Kind.PTY) == 50


def test_after_the_next(boards: tuple[SeamBoard, SeamBoard]) -> None:
    ours, child = boards
    assert ours.arm(Kind.COMMIT, When.AFTER, 1) == 1
    assert child.begins(Kind.COMMIT) is None
    assert child.done(Kind.COMMIT) == 0


def test_a_life_begins_with_a_clean_page(boards: tuple[SeamBoard, SeamBoard]) -> None:
    ours, child = boards
    ours.arm(Kind.COMMIT, When.BEFORE, 1)
    ours.clear()
    assert child.begins(Kind.COMMIT) is None


@pytest.mark.parametrize("deaths", [1, 10, 50])
def test_a_plan_has_that_many_deaths_half_of_them_at_seams(deaths: int) -> None:
    planned = plan(deaths, 1)
    assert sum(1 if death.again_s is None else 2 for death in planned) == deaths
    assert planned == plan(deaths, 1)
    seams = [death for death in planned if death.seam is not None]
    assert abs(len(planned) - 2 * len(seams)) <= 1


def test_a_plan_of_fifty_leaves_nothing_out() -> None:
    planned = plan(50, 1)
    assert {d.phase for d in planned if d.seam is None} == set(Phase) - {
        Phase.ARRIVED,
        Phase.KEYED,
    }
    assert {(d.seam.kind, d.seam.when) for d in planned if d.seam} == {
        (kind, when) for kind in Kind for when in When
    }
