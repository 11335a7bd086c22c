"""What stops the machine from selling is told to the fleet: once as it starts, once as it ends."""

import asyncio
from dataclasses import replace

from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import config, of_type, play, seen
from vendd.core.sale.reports import FaultStarted
from vendd.daemon import Edge


async def _faults(machine: VirtualMachine) -> list[tuple[str, str, str]]:
    await asyncio.sleep(1)
    return [(f["code"], f["state"], f["severity"]) for f in await of_type(machine, "fault")]


def test_a_changer_that_does_not_answer() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.unplug()
        await seen(machine, "OUT OF SERVICE")
        assert await _faults(machine) == [("changer_lost", "started", "no_cash")]
        machine.changer.plug()
        await seen(machine, "MAKE A SELECTION")
        assert (await _faults(machine))[1:] == [("changer_lost", "ended", "no_cash")]

    play(day)


def test_a_beam_that_stays_interrupted_and_no_coin_is_asked_for() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.cabinet.beam.block(True)
        await seen(machine, "OUT OF SERVICE")
        assert await _faults(machine) == [("beam_blocked", "started", "slot_off")]
        machine.cabinet.beam.block(False)
        await seen(machine, "MAKE A SELECTION|COINS")
        assert (await _faults(machine))[1:] == [("beam_blocked", "ended", "slot_off")]

    play(day)


class _DarkMachine(VirtualMachine):
    """Its display is found dead before anything else is ready."""

    def _edge(self) -> Edge:
        edge = super()._edge()

        def display(loop, sink):  # type: ignore[no-untyped-def]
            sink.put(FaultStarted("display", "display"))
            return self.screen

        return replace(edge, display=display)


def test_a_display_that_was_dead_before_and_is_dead_at_the_start_is_not_reported_as_cured() -> None:
    async def run() -> None:
        machine = _DarkMachine(config(), 1)
        for _ in range(2):
            await machine.start()
            await asyncio.sleep(60)
            await machine.stop()
        told = await of_type(machine, "fault")
        assert [f["state"] for f in told if f["code"] == "display"] == [
            "started",
            "ended",
            "started",
        ]
        machine.close()

    run_virtual(run())
