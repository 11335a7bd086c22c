"""The whole daemon with every MDB device, in virtual time, cabinet and customers included."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path

from hw_sim.devices.bill_validator import BillValidator
from hw_sim.devices.card_reader import CardReader
from hw_sim.devices.line import MemoryLine
from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from hw_sim.world import TUBES, World
from tests.daemon.virtual import CONFIG, seen
from vendd.config import Config, load
from vendd.store import SqliteBooks

PRICE = 120  # of A3
IDLE = "MAKE A SELECTION|COINS BILLS CARD"
DEVICES = """
[bill_validator]

[[card_reader]]
number = 1

[[card_reader]]
number = 2
"""


@cache
def _whole() -> Config:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.toml"
        path.write_text(CONFIG.read_text("utf-8"), "utf-8")
        more = path.with_name("whole.toml.d")
        more.mkdir()
        (more / "70-devices.toml").write_text(DEVICES, "utf-8")
        return load(path)


def play(
    scenario: Callable[[VirtualMachine], Awaitable[None]],
    *,
    tubes: Mapping[int, int] = TUBES,
    idle: str = IDLE,
    **sale: object,
) -> None:
    """Run a scenario on a machine that takes every tender; the books are whole afterwards."""
    config = _whole()
    config = config.model_copy(update={"sale": config.sale.model_copy(update=sale)})

    async def run() -> None:
        loop = asyncio.get_running_loop()
        world = World(config, loop, 1, tubes=tubes, recycled={500: 5, 1000: 5})
        machine = VirtualMachine(config, 1, world)
        try:
            await machine.start()
            await seen(machine, idle)
            await asyncio.sleep(1)
            await scenario(machine)
            await books_whole(machine)
            await machine.stop()
        finally:
            machine.close()

    run_virtual(run())


async def books_whole(machine: VirtualMachine) -> None:
    assert machine.writer is not None
    assert await SqliteBooks(machine.writer).audit() == []
    assert machine.changer.truth.conserved()
    assert bills(machine).truth.conserved()


async def cut_power(machine: VirtualMachine, off_s: float = 2.0) -> None:
    """The controller loses its power and comes back; the devices keep theirs."""
    machine.cut(power=True)
    await asyncio.sleep(off_s)
    await machine.start()


def bills(machine: VirtualMachine) -> BillValidator:
    assert isinstance(machine.till.bills, BillValidator)
    return machine.till.bills


def reader(machine: VirtualMachine) -> CardReader:
    return machine.till.readers[1]


def in_hand(machine: VirtualMachine) -> int:
    """Cash that the customer has again: the return cup, bills handed back, bills paid."""
    truth = bills(machine).truth
    return machine.changer.truth.cup_total() + truth.returned + truth.paid


def delivered(machine: VirtualMachine) -> int:
    return len(machine.cabinet.tray)


class Tap:
    """What the daemon wrote to the MDB adapter, with the time."""

    def __init__(self, machine: VirtualMachine) -> None:
        self.lines: list[tuple[float, bytes]] = []
        line: MemoryLine = machine.line
        send = line.to_device

        def to_device(wire: object, data: bytes) -> None:
            self.lines.append((machine.loop.time(), data))
            send(wire, data)  # type: ignore[arg-type]

        line.to_device = to_device  # type: ignore[method-assign]
