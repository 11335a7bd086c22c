"""A disk that takes no commit for a while: nothing is sold late, nobody is stuck, it is told."""

import asyncio

from hw_sim.inline_writer import InlineWriter
from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import config, credit_of, of_type, play, seen, select
from vendd.daemon import Daemon, StartRefused
from vendd.store import Database


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


class _Full(VirtualMachine):
    """Its disk is full when the daemon starts: nothing can be committed."""

    full = True

    def _new_writer(self, loop: asyncio.AbstractEventLoop, database: Database) -> InlineWriter:
        writer = super()._new_writer(loop, database)
        writer.disk_full = self.full
        return writer


def test_a_disk_that_is_full_at_the_start_is_waited_for_in_place() -> None:
    async def run() -> None:
        machine = _Full(config(), 1)
        starting = asyncio.ensure_future(machine.start())
        await asyncio.sleep(20)
        assert machine.lines()[0] == "OUT OF SERVICE"
        assert machine.running
        assert machine.writer is not None
        machine.writer.disk_full = False
        await starting
        await seen(machine, "MAKE A SELECTION")
        await machine.stop()
        (started,) = await of_type(machine, "machine-started")
        assert started["cause"] == "planned"
        machine.close()

    run_virtual(run())


def test_a_start_that_waits_for_its_disk_can_be_stopped() -> None:
    async def run() -> None:
        machine = _Full(config(), 1)
        stop = asyncio.Event()
        running = asyncio.ensure_future(Daemon(machine.config, machine._edge()).run(stop))
        await asyncio.sleep(60)
        assert not running.done()
        stop.set()
        (ended,) = await asyncio.gather(running, return_exceptions=True)
        assert isinstance(ended, StartRefused)
        assert "database or disk is full" in str(ended)
        machine.close()

    run_virtual(run())
