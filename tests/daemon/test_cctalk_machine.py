"""Coins and bills on ccTalk: the machine sells, and a kill at any moment costs nobody anything."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hw_sim.devices.cctalk_coins import CcTalkMech
from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import CONFIG, credit_of, of_type, seen, select
from vendd.config import Config, load
from vendd.config.payment import BillValidator, CcTalk, Changer

BUS = {
    "port": "/dev/vendd-cctalk",
    "coins": {"country": "EU"},
    "hopper": [
        {"coin": 2, "value": "1.00", "address": 3, "fed_by": 1},
        {"coin": 3, "value": "0.50", "address": 4, "fed_by": 2},
        {"coin": 5, "value": "0.10", "address": 5, "fed_by": 3},
    ],
    "bills": {"country": "EU"},
}


def config() -> Config:
    return load(CONFIG).model_copy(
        update={
            "cctalk": CcTalk.model_validate(BUS),
            "changer": Changer(bus="cctalk"),
            "bill_validator": BillValidator(bus="cctalk"),
            "card_reader": (),
            "mdb": None,
        }
    )


def play(scenario: Callable[[VirtualMachine], Awaitable[None]], seed: int = 1) -> None:
    async def run() -> None:
        machine = VirtualMachine(config(), seed)
        try:
            await machine.start()
            await seen(machine, "MAKE A SELECTION")
            await asyncio.sleep(5)
            await scenario(machine)
        finally:
            machine.close()

    run_virtual(run())


def coins_of(machine: VirtualMachine) -> CcTalkMech:
    coins = machine.till.coins
    assert isinstance(coins, CcTalkMech)
    return coins


async def put(machine: VirtualMachine, *values: int) -> None:
    for value in values:
        coins_of(machine).insert_coin(value)
        await asyncio.sleep(1.5)


def hoppers(machine: VirtualMachine) -> dict[int, int]:
    return {value: hopper.coins for value, hopper in coins_of(machine).hoppers.items()}


def test_coins_buy_and_hoppers_give_change() -> None:
    async def day(machine: VirtualMachine) -> None:
        await put(machine, 10, 10, 10, 50, 50, 50)
        await seen(machine, "CREDIT      1.80")
        await select(machine, "A3")  # 1.20
        await seen(machine, "THANK YOU|CHANGE")
        assert hoppers(machine) == {100: 0, 50: 2, 10: 2}
        await machine.stop()

    play(day)


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0])
def test_a_kill_while_a_coin_is_credited_neither_loses_nor_doubles_it(after_s: float) -> None:
    """The counter is on record with the coin, so the next life knows which ones are new."""

    async def day(machine: VirtualMachine) -> None:
        await put(machine, 50)
        coins_of(machine).insert_coin(10)
        await asyncio.sleep(after_s)
        machine.cut()
        await asyncio.sleep(2)
        await machine.start()
        await seen(machine, "CREDIT      0.60")
        await asyncio.sleep(10)
        assert credit_of(machine) == 60
        await machine.stop()

    play(day)


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5])
def test_a_kill_while_hoppers_pay_pays_nothing_twice(after_s: float) -> None:
    """What a hopper paid is asked from the hopper: our own count of it knows nothing of that."""

    async def day(machine: VirtualMachine) -> None:
        await put(machine, 50, 50, 10, 10)
        coins_of(machine).press_lever()
        await asyncio.sleep(0.1 + after_s)
        machine.cut()
        await machine.start()
        await seen(machine, "MAKE A SELECTION", 400)
        await asyncio.sleep(2)
        assert credit_of(machine) == 0
        left = hoppers(machine)
        assert machine.daemon is not None
        assert machine.daemon.engine is not None
        tubes = machine.daemon.engine.snapshot.tubes
        assert {tube.value: tube.count for tube in tubes} == left
        owed = sum(claim["amount"] for claim in await of_type(machine, "claim-opened"))
        assert sum(value * count for value, count in left.items()) == owed, "paid, or owed"
        assert owed in (0, 120)
        await machine.stop()

    play(day)
