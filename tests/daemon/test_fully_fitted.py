"""The fully fitted machine of the samples: changer, bill validator and card reader on one bus."""

import asyncio
from collections.abc import Awaitable, Callable

from hw_sim.devices.card_reader_parts import Card
from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import CONFIG, of_type, seen, select
from vendd.config import load
from vendd.daemon.media import hashed


def play(scenario: Callable[[VirtualMachine], Awaitable[None]]) -> None:
    async def run() -> None:
        machine = VirtualMachine(load(CONFIG), 1)
        try:
            await machine.start()
            await seen(machine, "COINS BILLS CARD")
            await asyncio.sleep(1)  # and all of them are told so
            await scenario(machine)
            if machine.running:
                await machine.stop()
        finally:
            machine.close()

    run_virtual(run())


def test_each_device_that_is_gone_is_told_and_the_others_sell_on() -> None:
    async def day(machine: VirtualMachine) -> None:
        plugs = machine.till.plugs
        for device, left in (
            ("reader 1", "CASH ONLY"),
            ("validator", "CASH ONLY"),
            ("changer", "OUT OF SERVICE"),
        ):
            plugs[device].pull()
            await asyncio.sleep(10)
            await seen(machine, left)
        faults = [(f["code"], f["severity"]) for f in await of_type(machine, "fault")]
        assert faults == [
            ("card_reader_lost", "no_card"),
            ("bill_validator_lost", "degraded"),
            ("changer_lost", "no_cash"),
        ]
        for device in ("reader 1", "validator", "changer"):
            plugs[device].plug()
        await seen(machine, "COINS BILLS CARD", 120)
        await asyncio.sleep(2)
        ended = [f["code"] for f in await of_type(machine, "fault") if f["state"] == "ended"]
        assert sorted(ended) == ["bill_validator_lost", "card_reader_lost", "changer_lost"]

    play(day)


def test_cards_are_known_outside_by_their_hash_only() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.till.readers[1].tap(Card())
        await seen(machine, "CARD READY")
        await select(machine, "A3")
        await seen(machine, "THANK YOU")
        await asyncio.sleep(5)
        (sale,) = await of_type(machine, "sale-closed")
        (tender,) = sale["tenders"]
        assert len(tender["media_hash"]) == 16
        key = (machine.books() / "media.key").read_bytes()
        assert tender["media_hash"] == hashed(f"{Card().number:08X}", key)

    play(day)


def test_while_nothing_can_be_committed_a_bill_comes_back_at_once() -> None:
    async def day(machine: VirtualMachine) -> None:
        bills = machine.till.bills
        assert bills is not None
        assert machine.writer is not None
        machine.writer.disk_full = True
        bills.insert_bill(500)
        await seen(machine, "OUT OF SERVICE")
        await asyncio.sleep(20)
        assert [value for _, value in bills.truth.hand] == [500]
        assert machine.lines()[0] == "OUT OF SERVICE"
        machine.writer.disk_full = False
        await seen(machine, "COINS BILLS CARD")

    play(day)


def test_a_stop_takes_no_more_money_and_lets_a_card_sale_end() -> None:
    async def day(machine: VirtualMachine) -> None:
        await select(machine, "A3")
        await seen(machine, "TAP CARD OR COIN")
        machine.till.readers[1].tap(Card())
        await seen(machine, "VENDING A3")
        stopping = asyncio.ensure_future(machine.stop())
        await asyncio.sleep(1)
        machine.changer.insert_coin(200)
        await stopping
        (sale,) = await of_type(machine, "sale-closed")
        assert sale["outcome"] == "sold"
        assert machine.changer.truth.cup_total() == 200

    play(day)
