"""The devices that hold the contract of `ports.BillValidator`: the model at the port, and both real
drivers over the simulator's validators."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bill_rig import EUR, make_rig
from mdb_rig import Inbox

from hw_sim.clock import WorldClock
from hw_sim.devices.bill_validator import BillModel
from hw_sim.devices.bill_validator import BillValidator as MdbModel
from hw_sim.devices.cctalk_link import CcTalkWire
from hw_sim.devices.cctalk_validator import CcTalkValidator
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.waferstar import WaferstarAdapter
from hw_sim.loop import run_virtual
from hw_sim.ports.validator import PortBillValidator
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillReturned,
    BillStacked,
    BillUnclear,
    BillValidatorReady,
)
from vendd.core.sale.reports import Report
from vendd.drivers.bill_validator import MdbBillValidator
from vendd.drivers.cctalk_bills import CcTalkBills
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.drivers.waferstar import waferstar_bus
from vendd.ports import BillValidator
from vendd.wire.cctalk.bill_validator import BillRules as CcTalkRules

FOUR = (500, 1000, 2000, 5000)
"""Types 0 to 3 of every validator here."""
ALL = frozenset(range(4))
FILL = {500: 4, 1000: 4, 2000: 4}


class World(Protocol):
    def insert_bill(self, value: int) -> bool: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...


@dataclass
class Bench:
    """`bounce` makes the next order to stack have no effect; `freeze` makes it vanish in silence,
    None where the device can't. `in_store` is customers' money that is in for good, `in_hand`
    what they have back or were paid; `jam_after` lets the next payout manage so many bills."""

    port: BillValidator
    world: World
    inbox: Inbox
    in_store: Callable[[], int]
    in_hand: Callable[[], int]
    reset: Callable[[], None]
    bounce: Callable[[], None]
    spit: Callable[[], None] | None = None
    freeze: Callable[[], None] | None = None
    jam_after: Callable[[int], None] | None = None

    async def held(self, value: int = 1000) -> BillInEscrow:
        """A bill that waits for a decision."""
        assert self.world.insert_bill(value)
        return await self.inbox.until(BillInEscrow)

    def fates(self) -> list[Report]:
        """Every report that ends a bill."""
        ends = BillStacked | BillReturned | BillUnclear
        return [r for r in self.inbox.reports if isinstance(r, ends)]

    def credit(self) -> int:
        return sum(r.value for r in self.inbox.of(BillStacked))


def port_model(recycler: dict[int, int] | None = None) -> Bench:
    inbox = Inbox()
    clock = WorldClock(asyncio.get_running_loop())
    it = PortBillValidator(clock, random.Random(1), recycled=recycler)
    it.begin(inbox)

    def inject(fault: str) -> Callable[[], None]:
        return lambda: it.inject(fault)

    def stored() -> int:
        return it.truth.into_stacker + it.truth.into_recycler - it.truth.paid

    return Bench(
        it, it, inbox, stored, lambda: it.truth.returned + it.truth.paid, it.reset,
        inject("escrow_bounce"), inject("stack_returns"), inject("stack_stuck"),
        lambda bills: it.inject("payout_jam", after=bills),
    )  # fmt: skip


def mdb(recycler: dict[int, int] | None = None) -> Bench:
    rig = make_rig(BillModel(level=2) if recycler else None, usual=None, fill=recycler)
    rig.driver.accept(frozenset())
    return over_model(rig.bills, rig.driver, rig.inbox)


def second_adapter() -> Bench:
    loop = asyncio.get_running_loop()
    it = MdbModel(loop, random.Random(1))
    line = MemoryLine(loop, WaferstarAdapter(loop, [it]))
    inbox = Inbox()
    bus = waferstar_bus(line.open, "virtual", inbox)
    driver = MdbBillValidator(bus, inbox, EUR)
    bus.start()
    return over_model(it, driver, inbox)


def over_model(it: MdbModel, driver: MdbBillValidator, inbox: Inbox) -> Bench:
    def inject(fault: str) -> Callable[[], None]:
        return lambda: it.inject(fault)

    def stored() -> int:
        truth = it.truth
        return truth.into_stacker + truth.into_recycler - truth.paid

    return Bench(
        driver, it, inbox, stored, lambda: it.truth.returned + it.truth.paid,
        it.reset_itself, inject("escrow_bounce"), inject("stack_returns"),
        inject("stack_stuck"), lambda bills: it.inject("payout_jam", after=bills),
    )  # fmt: skip


def cctalk() -> Bench:
    loop = asyncio.get_running_loop()
    it = CcTalkValidator(loop)
    line = MemoryLine(loop, CcTalkWire(loop, [it]))
    inbox = Inbox()
    bus = CcTalkBus(line.open, "virtual", inbox)
    driver = CcTalkBills(bus, inbox, CcTalkRules("EU"))
    bus.start()
    return Bench(
        driver, it, inbox, it.stacked, lambda: it.truth.returned, lambda: it.power_cycle(0.6),
        lambda: it.inject("stack_refused"),
    )  # fmt: skip


KINDS: dict[str, Callable[[], Bench]] = {
    "model at the port": port_model,
    "model at the port, with a recycler": lambda: port_model(FILL),
    "MDB": mdb,
    "MDB with a recycler": lambda: mdb(FILL),
    "MDB, second adapter": second_adapter,
    "ccTalk": cctalk,
}
RECYCLERS = [name for name in KINDS if "recycler" in name]
Story = Callable[[Bench], Awaitable[None]]
Play = Callable[[Story], None]


def player(kind: str) -> Play:
    async def with_bench(story: Story) -> None:
        bench = KINDS[kind]()
        await bench.inbox.until(BillValidatorReady)
        bench.port.accept(ALL)
        await asyncio.sleep(1)
        await story(bench)

    return lambda story: run_virtual(with_bench(story))
