"""Hardware that a technician takes out of the configuration between two starts."""

import asyncio

from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import config, of_type, seen, select


def test_a_product_that_falls_after_its_slot_is_gone_stops_nothing() -> None:
    async def run() -> None:
        machine = VirtualMachine(config(), 1)
        await machine.start()
        await seen(machine, "MAKE A SELECTION")
        machine.cabinet.slot("A3").queue.clear()
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        await select(machine, "A3")
        await seen(machine, "NOT DELIVERED")
        machine.changer.press_lever()
        await seen(machine, "MAKE A SELECTION")
        await machine.stop()
        left = tuple(s for s in machine.config.slot if s.selection != "A3")
        machine.config = machine.config.model_copy(update={"slot": left})
        await machine.start()
        await seen(machine, "MAKE A SELECTION")
        machine.cabinet.beam.block(True)  # a hand in the tray
        await asyncio.sleep(0.1)
        machine.cabinet.beam.block(False)
        await asyncio.sleep(1)
        assert (await of_type(machine, "security"))[-1]["kind"] == "drop_without_sale"
        await machine.stop()
        machine.close()

    run_virtual(run())


def test_a_door_switch_that_is_taken_out_while_it_says_open_keeps_nothing_shut() -> None:
    async def run() -> None:
        machine = VirtualMachine(config(), 1)
        await machine.start()
        await seen(machine, "MAKE A SELECTION")
        machine.cabinet.set_door(is_open=True)
        await seen(machine, "DOOR OPEN")
        await machine.stop()
        machine.config = machine.config.model_copy(update={"door": None})
        await machine.start()
        await seen(machine, "MAKE A SELECTION")
        await machine.stop()
        machine.close()

    run_virtual(run())
