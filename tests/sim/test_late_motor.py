"""In real time a loop is late: no milestone of a turning cam may get lost for that."""

import asyncio
import random
from typing import Any

import pytest

from hw_sim.clock import WorldClock
from hw_sim.loop import run_virtual
from hw_sim.motor import Motor


class LateClock(WorldClock):
    """Every timer fires that much too late."""

    late_s = 0.0

    def later(self, delay: float, callback: Any, *args: Any) -> asyncio.TimerHandle:
        return super().later(delay + self.late_s, callback, *args)


@pytest.mark.parametrize("late_s", [0.0, 0.004, 0.011])
@pytest.mark.parametrize("every_s", [0.008, 0.1])
def test_power_that_flickers_loses_no_mark(late_s: float, every_s: float) -> None:
    """As when coupled motors on one sense line are asked in turn: off and on again at once."""
    contacts: list[bool] = []
    released: list[float] = []

    async def run() -> None:
        clock = LateClock(asyncio.get_running_loop())
        clock.late_s = late_s
        motor = Motor(
            "D5",
            clock,
            random.Random(1),
            lambda: contacts.append(motor.contact),
            lambda: released.append(clock.now()),
        )
        motor.power(True)
        while motor.angle < 370.0:
            await asyncio.sleep(every_s)
            motor.power(False)
            motor.power(True)
        motor.power(False)
        await asyncio.sleep(1.0)

    run_virtual(run())
    assert len(released) == 1
    opened = contacts.index(False)
    assert True in contacts[opened:]
