"""A handheld at a whole machine in virtual time: it reads while the machine sells."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from hw_sim.devices.handheld import Handheld
from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import config, seen, select
from vendd.config.sections import Dex
from vendd.store import SqliteBooks
from vendd.wire.evadts.reader import read

PORT = "/dev/vendd-dex"
Scenario = Callable[[VirtualMachine, Handheld], Awaitable[None]]


def play(scenario: Scenario, *, reset: bool = False, **manners) -> None:
    """A machine that has sold a product for 1.50, and a handheld on its DEX port."""

    async def run() -> None:
        changed = config().model_copy(update={"dex": Dex(port=PORT, reset=reset)})
        machine = VirtualMachine(changed, 3)
        handheld = Handheld(**manners)
        machine.attach(PORT, handheld)
        try:
            await machine.start()
            await buys(machine)
            await scenario(machine, handheld)
            if machine.running:
                await machine.stop()
        finally:
            machine.close()

    run_virtual(run())


async def buys(machine: VirtualMachine) -> None:
    await seen(machine, "MAKE A SELECTION")
    for _ in range(2):
        machine.changer.insert_coin(100)
        await asyncio.sleep(1.0)
    await select(machine, "A1")
    await seen(machine, "MAKE A SELECTION", 60.0)


async def reads(handheld: Handheld, seconds: float = 60.0) -> None:
    handheld.begin()
    async with asyncio.timeout(seconds):
        await handheld.ended.wait()
    await asyncio.sleep(0.5)


async def figures(machine: VirtualMachine):
    return await SqliteBooks(machine.writer).figures()


@pytest.mark.parametrize(
    "manners", [{}, {"lose_ack": frozenset({0, 3})}, {"garble": frozenset({1, 2})}], ids=str
)
def test_it_reads_a_sound_report(manners):
    async def scenario(machine, handheld):
        await reads(handheld)
        assert handheld.complete
        report = read(handheld.read)
        assert report.findings == ()
        assert (report.amount("VA1", 1), report.amount("VA1", 2)) == (150, 1)
        assert report.element("EA3", 4) == "6150210000"
        after = await figures(machine)
        assert (after.reads.reads, after.reads.resets) == (1, 0)
        assert after.of("VA1").interval == 150

    play(scenario, **manners)


def test_a_reset_is_for_what_was_read_and_a_sale_in_between_stays():
    async def scenario(machine, handheld):
        await reads(handheld)
        await buys(machine)
        after = await figures(machine)
        assert (after.of("VA1").total, after.of("VA1").interval) == (300, 150)
        assert after.reads.last_by == "6150210000"
        await reads(handheld)
        report = read(handheld.read)
        assert [report.amount("VA1", n) for n in (1, 2, 3, 4)] == [300, 2, 150, 1]
        assert report.element("EA3", 7) == "6150210000"

    play(scenario, reset=True)


def test_a_handheld_that_is_pulled_out_resets_nothing_and_may_come_again():
    async def scenario(machine, handheld):
        handheld.vanish_after = 2
        await reads(handheld)
        await asyncio.sleep(20.0)
        assert not handheld.complete
        after = await figures(machine)
        assert (after.of("VA1").interval, after.reads.reads) == (150, 0)
        handheld.vanish_after = None
        await reads(handheld)
        assert handheld.complete

    play(scenario, reset=True)


def test_who_wants_to_write_is_refused():
    async def scenario(machine, handheld):
        await reads(handheld)
        assert handheld.greeting[:2] == b"05"
        assert handheld.read == b""

    play(scenario, wants="S")


def test_the_cable_to_the_port_is_pulled_and_the_machine_sells_on():
    async def scenario(machine, handheld):
        handheld.begin()
        await asyncio.sleep(0.3)
        line = machine.lines_of[PORT]
        line.unplug()
        await buys(machine)
        await asyncio.sleep(20.0)
        line.replug()
        await asyncio.sleep(15.0)
        await reads(handheld)
        assert handheld.complete
        types = [r.headers["ce_type"] for r in await machine.events()]
        assert types.count("vend.fault.v1") == 2

    play(scenario)


def test_a_price_that_was_set_at_the_machine_is_the_one_in_the_report():
    async def scenario(machine, handheld):
        engine = machine.daemon.engine
        view = engine.snapshot.slots["A1"]
        dearer = replace(view, slot=view.slot.priced("cash", 165))
        engine.snapshot = replace(engine.snapshot, slots={**engine.snapshot.slots, "A1": dearer})
        await reads(handheld)
        prices = {pa1[1]: pa1[2] for pa1 in read(handheld.read).of("PA1")}
        assert (prices["A1"], prices["A2"]) == ("165", "150")

    play(scenario)
