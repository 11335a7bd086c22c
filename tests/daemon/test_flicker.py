"""A drop sensor that flickers for hours fills no books and takes no sale away."""

import asyncio

from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import of_type, play, seen, select


def test_a_flickering_beam_is_told_a_few_times_an_hour_and_then_counted() -> None:
    async def day(machine: VirtualMachine) -> None:
        for _ in range(2_000):
            machine.cabinet.beam.block(True)
            await asyncio.sleep(0.02)
            machine.cabinet.beam.block(False)
            await asyncio.sleep(0.08)
        await asyncio.sleep(3_600)
        assert len(await of_type(machine, "security")) <= 30
        machine.cabinet.beam.block(True)
        await asyncio.sleep(0.02)
        machine.cabinet.beam.block(False)
        await asyncio.sleep(1)
        told = await of_type(machine, "security")
        assert sum(event["count"] for event in told) == 2_001  # none is lost
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        await select(machine, "A3")
        await seen(machine, "THANK YOU")

    play(day)
