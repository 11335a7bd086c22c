"""A disk that takes no commit for a while: nothing is sold late, nobody is stuck, it is told."""

import asyncio

from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import config, credit_of, of_type, play, seen, select


def test_keys_that_wait_behind_a_coin_buy_nothing_minutes_later() -> None:
    async def day(machine: VirtualMachine) -> None:
        assert machine.writer is not None
        machine.changer.insert_coin(100)
        await seen(machine, "CREDIT      1.00")
        machine.changer.insert_coin(20)
        await asyncio.sleep(0.3)
        machine.writer.disk_full = True  # the second coin can't be booked
        await seen(machine, "OUT OF SERVICE")
        await select(machine, "A3")
        await asyncio.sleep(120)  # and the customer goes away
        machine.writer.disk_full = False
        await seen(machine, "CREDIT      1.20")
        await asyncio.sleep(30)
        assert machine.cabinet.tray == []
        assert credit_of(machine) == 120
        await select(machine, "A3")
        await seen(machine, "THANK YOU")

    play(day)


def test_after_a_key_that_could_not_be_booked_the_machine_sells_again_by_itself() -> None:
    async def run() -> None:
        loaded = config()
        slots = tuple(
            s.model_copy(update={"level": 0}) if s.selection == "A3" else s for s in loaded.slot
        )
        machine = VirtualMachine(loaded.model_copy(update={"slot": slots}), 1)
        await machine.start()
        await seen(machine, "MAKE A SELECTION")
        assert machine.writer is not None
        machine.writer.disk_full = True
        await select(machine, "A3")  # sold out: a lost sale to be booked, and nobody has money in
        await seen(machine, "OUT OF SERVICE")
        await asyncio.sleep(600)
        machine.writer.disk_full = False
        await seen(machine, "MAKE A SELECTION")
        machine.changer.insert_coin(100)
        await seen(machine, "CREDIT      1.00")
        await machine.stop()
        machine.close()

    run_virtual(run())


def test_a_full_disk_is_told_when_it_is_over() -> None:
    async def day(machine: VirtualMachine) -> None:
        assert machine.writer is not None
        machine.changer.insert_coin(100)
        await asyncio.sleep(0.3)
        machine.writer.disk_full = True
        await seen(machine, "OUT OF SERVICE")
        await asyncio.sleep(600)
        machine.writer.disk_full = False
        await seen(machine, "CREDIT      1.00")
        await asyncio.sleep(5)
        started, ended = await of_type(machine, "fault")
        assert (started["code"], started["state"]) == ("commit_failed", "started")
        assert (ended["code"], ended["state"]) == ("commit_failed", "ended")
        assert 590 < ended["duration_s"] < 620
        assert credit_of(machine) == 100

    play(day)
