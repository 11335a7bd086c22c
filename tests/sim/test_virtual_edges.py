"""Wall clock and screen of virtual time, and the cabinet that a config describes."""

from pathlib import Path

import pytest

from hw_sim.cabinet import Cabinet
from hw_sim.clock import WorldClock
from hw_sim.loop import VirtualLoop
from hw_sim.plan_config import plan_from_config
from hw_sim.screen import VirtualScreen
from hw_sim.wall import VirtualWall
from vendd.config import load

SAMPLES = sorted((Path(__file__).parents[2] / "config").glob("*.toml"))


def test_wall_runs_with_the_loop_and_jumps() -> None:
    loop = VirtualLoop()
    wall = VirtualWall(WorldClock(loop), "2026-12-31T23:59:59Z", synchronised=False)
    loop.run_for(0.25)
    assert wall.now() == "2026-12-31T23:59:59.250Z"
    wall.jump(365 * 86_400)
    assert wall.now() == "2027-12-31T23:59:59.250Z"
    assert not wall.synchronised()
    wall.set_synchronised(True)
    assert wall.synchronised()
    loop.close()


def test_screen_keeps_history_and_waits() -> None:
    loop = VirtualLoop(start=0.0)
    screen = VirtualScreen(WorldClock(loop), 16, 2)
    loop.call_later(2, screen.show, ("Thank you", ""))
    text = loop.run_until_complete(screen.until(lambda text: "Thank" in text, seconds=5))
    assert text == "Thank you\n"
    screen.show(("Thank you   ",))  # the same for the eye
    assert list(screen.history) == [(2.0, ("Thank you", ""))]
    screen.show(("x" * 17,))
    assert (screen.lines, screen.overflows) == (("x" * 16, ""), 1)
    with pytest.raises(TimeoutError):
        loop.run_until_complete(screen.until(lambda text: "never" in text, seconds=5))
    loop.close()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_sample_machines_can_be_built(sample: Path) -> None:
    config = load(sample)
    loop = VirtualLoop()
    cabinet = Cabinet(plan_from_config(config), loop)
    assert {spiral.selection for spiral in cabinet.slots} == set(config.slots())
    assert {motor.name for motor in cabinet.motors} == config.motors.names()
    assert set(cabinet.keypad.legends) == set(config.keypad.legends())
    loop.close()


def test_there_are_samples() -> None:
    assert SAMPLES
