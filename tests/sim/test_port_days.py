"""Days at port depth: same customers, promises and auditor, over devices that hold the ports."""

import tempfile
from pathlib import Path

import pytest

from hw_sim.auditor import Verdict
from hw_sim.loop import run_virtual
from hw_sim.machines import describe
from hw_sim.opening import SAMPLE, deepened
from hw_sim.ports.machine import PortMachine
from hw_sim.shop import Day, Shop
from vendd.config import load


def port_day(purchases: int, seed: int, machine: str = "full") -> Day:
    async def day() -> Day:
        with tempfile.TemporaryDirectory() as folder:
            config = load(describe(SAMPLE, machine, Path(folder)))
        front = PortMachine(deepened(config, purchases), seed)
        try:
            return await Shop(front, seed, patient=True, say=lambda line: None).day(purchases)
        finally:
            front.close()

    return run_virtual(day())


@pytest.mark.parametrize("machine", ["full", "plain"])
def test_a_day_keeps_every_promise(machine: str) -> None:
    day = port_day(25, 7, machine)
    verdict: Verdict = day.verdict
    assert verdict.violations == ()
    assert verdict.sold > 12
    assert verdict.committed == verdict.delivered > 25
    assert sum(slot.fell for slot in verdict.slots) == verdict.sold


def test_the_same_seed_is_the_same_day() -> None:
    assert port_day(12, 3).history == port_day(12, 3).history != port_day(12, 4).history
