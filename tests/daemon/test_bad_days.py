"""Bad input and bad days, each with the whole daemon on real bytes and pin levels, in virtual time.

What goes wrong has a defined outcome for the customer, an event for the fleet,
and the books stay whole.
"""

import asyncio
import random

from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import credit_of, of_type, play, seen, select, types
from vendd.store import SqliteBooks


async def _books_whole(machine: VirtualMachine) -> None:
    assert machine.daemon is not None
    assert machine.writer is not None
    assert await SqliteBooks(machine.writer).audit() == []
    truth = machine.changer.truth
    assert truth.conserved()
    assert machine.daemon.engine is not None
    book = sum(t.value * t.count for t in machine.daemon.engine.snapshot.tubes)
    assert book == truth.tubes_total()


def test_a_sale_with_change() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT      2.00")
        await select(machine, "A3")
        await seen(machine, "THANK YOU|CHANGE 0.80")
        assert [f.selection for f in machine.cabinet.tray] == ["A3"]
        assert sum(value for _, value in machine.changer.truth.cup) == 80
        await asyncio.sleep(1)
        (sale,) = await of_type(machine, "sale-closed")
        assert (sale["outcome"], sale["price_charged"], sale["change_paid"]) == ("sold", 120, 80)
        await _books_whole(machine)

    play(day)


def test_the_glass_of_a_machine_that_was_stopped_asks_nobody_for_a_selection() -> None:
    async def day(machine: VirtualMachine) -> None:
        await machine.stop()
        assert machine.lines()[0] == "OUT OF SERVICE"

    play(day)


def test_a_slug_gives_no_credit_and_an_event() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_slug()
        await asyncio.sleep(3)
        assert credit_of(machine) == 0
        assert machine.screen.blinks == 1
        (event,) = await of_type(machine, "security")
        assert (event["kind"], event["count"]) == ("coin_slug", 1)

    play(day)


def test_a_coin_already_rolling_while_vending_comes_back() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(100)
        await seen(machine, "CREDIT      1.00")
        machine.changer.insert_coin(20)
        await seen(machine, "CREDIT      1.20")
        machine.cabinet.press("A")
        await asyncio.sleep(0.2)
        machine.changer.insert_coin(50)  # falls while the second key is pressed
        machine.cabinet.press("3")
        await seen(machine, "VENDING A3")
        await seen(machine, "THANK YOU")
        await asyncio.sleep(2)
        assert sum(value for _, value in machine.changer.truth.cup) == 50
        assert credit_of(machine) == 0
        await _books_whole(machine)

    play(day)


def test_a_key_held_for_a_minute_is_one_press_then_a_fault_then_over() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.cabinet.press("A", hold_ms=60_000)
        await seen(machine, "SELECTION A_")
        await seen(machine, "OUT OF SERVICE", 40)
        await seen(machine, "MAKE A SELECTION", 40)
        await asyncio.sleep(1)
        faults = await of_type(machine, "fault")
        assert [(f["code"], f["state"]) for f in faults] == [
            ("key_stuck", "started"),
            ("key_stuck", "ended"),
        ]

    play(day)


def test_a_changer_unplugged_in_mid_payout_pays_the_rest_when_asked_again() -> None:
    async def day(machine: VirtualMachine) -> None:
        for _ in range(5):
            machine.changer.insert_coin(20)
            await asyncio.sleep(1)
        await seen(machine, "CREDIT      1.00")
        machine.changer.inject("payout_power_cut", after=0)
        machine.changer.press_lever()
        await seen(machine, "RETURNING MONEY")
        await seen(machine, "WE OWE YOU", 120)
        owed = credit_of(machine)
        paid = sum(value for _, value in machine.changer.truth.cup)
        assert owed + paid == 100
        machine.changer.press_lever()
        await seen(machine, "MAKE A SELECTION", 120)
        assert sum(value for _, value in machine.changer.truth.cup) == 100
        await _books_whole(machine)

    play(day)


def test_a_full_disk_takes_no_money_and_loses_none() -> None:
    async def day(machine: VirtualMachine) -> None:
        assert machine.writer is not None
        machine.changer.insert_coin(100)
        await asyncio.sleep(0.3)
        machine.writer.disk_full = True  # the coin is falling: its credit can't be committed
        await seen(machine, "OUT OF SERVICE")
        await asyncio.sleep(30)
        machine.changer.insert_coin(50)  # inhibited: straight back
        await asyncio.sleep(3)
        assert sum(value for _, value in machine.changer.truth.cup) == 50
        machine.writer.disk_full = False
        await seen(machine, "CREDIT      1.00")
        await _books_whole(machine)

    play(day)


def test_a_key_pressed_while_the_disk_is_full_buys_nothing_later() -> None:
    async def day(machine: VirtualMachine) -> None:
        assert machine.writer is not None
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT      2.00")
        machine.writer.disk_full = True
        await select(machine, "A3")
        await asyncio.sleep(60)
        machine.writer.disk_full = False
        await asyncio.sleep(60)
        assert machine.cabinet.tray == []
        assert credit_of(machine) == 200

    play(day)


def test_a_clock_that_jumps_a_year_changes_no_sale() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        await select(machine, "A3")
        await seen(machine, "VENDING")
        machine.wall.jump(365 * 86_400)
        await seen(machine, "THANK YOU|CHANGE 0.80")
        machine.wall.jump(-2 * 365 * 86_400)
        await asyncio.sleep(5)
        (sale,) = await of_type(machine, "sale-closed")
        assert sale["outcome"] == "sold"
        assert sale["total_ms"] < 10_000  # durations are the boot's, not the wall's
        seqs = sorted(r.seq for r in await machine.events())
        assert seqs == list(range(1, len(seqs) + 1))

    play(day)


def test_nothing_falls_money_back_slot_off_backend_told() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.cabinet.slot("A3").queue.clear()  # the books say five, the spiral is empty
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        await select(machine, "A3")
        await seen(machine, "NOT DELIVERED|CHOOSE OR RETURN", 60)
        assert credit_of(machine) == 200
        await select(machine, "A3")
        await seen(machine, "A3 NOT AVAILABLE|CHOOSE ANOTHER")
        machine.changer.press_lever()
        await seen(machine, "MAKE A SELECTION", 30)
        assert sum(value for _, value in machine.changer.truth.cup) == 200
        await asyncio.sleep(1)
        (sale,) = await of_type(machine, "sale-closed")
        assert (sale["outcome"], sale["reason"], sale["attempts"]) == ("refunded", "no_drop", 2)
        (slot,) = await of_type(machine, "slot-state")
        assert (slot["slot"], slot["state"]) == ("A3", "off")
        assert (await of_type(machine, "credit-closed"))[0]["returned"] == 200
        await _books_whole(machine)

    play(day)


def test_no_broker_for_hours_and_nothing_is_missing() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.cluster.outage()
        for _ in range(3):
            machine.changer.insert_coin(200)
            await seen(machine, "CREDIT")
            await select(machine, "A3")
            await seen(machine, "THANK YOU")
            await seen(machine, "MAKE A SELECTION")
        before = len(await machine.events())
        await asyncio.sleep(3 * 3_600)
        machine.cluster.restore()
        await asyncio.sleep(120)
        events = await machine.events()
        assert len(events) > before
        assert (await types(machine)).count("sale-closed") == 3
        seqs = sorted({r.seq for r in events})
        assert seqs == list(range(1, max(seqs) + 1))

    play(day)


def test_a_power_cut_with_credit_and_it_is_back() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(100)
        await seen(machine, "CREDIT      1.00")
        machine.cut(power=True)
        machine.changer.power_cycle()
        await asyncio.sleep(5)
        await machine.start()
        await seen(machine, "CREDIT      1.00")
        await asyncio.sleep(5)  # a lever pressed while the changer starts is not reported
        machine.changer.press_lever()
        await seen(machine, "MAKE A SELECTION")
        assert sum(value for _, value in machine.changer.truth.cup) == 100
        (_, restarted) = await of_type(machine, "machine-started")
        assert (restarted["cause"], restarted["credit_restored"]) == ("power_loss", 100)
        await _books_whole(machine)

    play(day)


def test_garbage_on_the_wire_makes_no_money() -> None:
    async def day(machine: VirtualMachine) -> None:
        noise = random.Random(5)
        for _ in range(200):
            machine.line.noise(noise.randbytes(noise.randrange(1, 90)))
            await asyncio.sleep(0.05)
        await asyncio.sleep(20)
        assert credit_of(machine) == 0
        machine.changer.insert_coin(100)
        await seen(machine, "CREDIT      1.00")
        await _books_whole(machine)

    play(day)
