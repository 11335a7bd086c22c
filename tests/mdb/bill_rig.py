"""The real driver, bus and codec on a virtual line; the validator and the adapter are models."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from mdb_rig import Inbox

from hw_sim.devices.bill_validator import BillModel, BillValidator
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx import QibixxAdapter
from hw_sim.loop import run_virtual
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillReturned,
    BillStacked,
    BillUnclear,
    BillValidatorReady,
)
from vendd.core.sale.reports import Report
from vendd.drivers.bill_validator import BillRules, MdbBillValidator
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import BillValidator as BillPort
from vendd.ports import Refused

EUR = BillRules(currency=978, exponent=2)
ALL = frozenset(range(16))


class Teller(Inbox):
    """A sink that decides about each bill in escrow: `verdicts` in turn, then `usual`.

    True stacks, False returns, None leaves it there.
    """

    def __init__(self, usual: bool | None = True) -> None:
        super().__init__()
        self.driver: BillPort | None = None
        self.usual = usual
        self.verdicts: list[bool | None] = []

    def put(self, report: Report) -> None:
        super().put(report)
        if isinstance(report, BillInEscrow):
            asyncio.get_running_loop().call_soon(self._decide, report.bill)

    def _decide(self, bill: int) -> None:
        verdict = self.verdicts.pop(0) if self.verdicts else self.usual
        assert self.driver is not None
        if verdict is None:
            return
        with suppress(Refused):  # gone meanwhile; what became of it is reported
            (self.driver.stack if verdict else self.driver.give_back)(bill)

    @property
    def credit(self) -> int:
        return sum(r.value for r in self.of(BillStacked))

    @property
    def unclear(self) -> list[BillUnclear]:
        """Bills that stayed unclear: no late report settled them."""
        settled = {r.bill for r in (*self.of(BillStacked), *self.of(BillReturned)) if r.bill}
        return [r for r in self.of(BillUnclear) if r.bill not in settled]


@dataclass
class BillRig:
    bills: BillValidator
    adapter: QibixxAdapter
    line: MemoryLine
    inbox: Teller
    bus: MdbBus
    driver: MdbBillValidator
    port: BillPort = field(init=False)

    def __post_init__(self) -> None:
        self.port = self.driver  # the driver is what the port asks for

    async def ready(self) -> BillValidatorReady:
        return await self.inbox.until(BillValidatorReady)

    def in_store(self) -> int:
        """Customers' money that went into stacker and recycler."""
        truth = self.bills.truth
        return truth.into_stacker + truth.into_recycler


def make_rig(
    model: BillModel | None = None, *, rules: BillRules = EUR, seed: int = 1,
    usual: bool | None = True, fill: dict[int, int] | None = None,
) -> BillRig:  # fmt: skip
    loop = asyncio.get_running_loop()
    bills = BillValidator(loop, random.Random(seed), model)
    for value, count in (fill or {}).items():
        bills.fill(value, count)
    adapter = QibixxAdapter(loop, [bills])
    line = MemoryLine(loop, adapter, rng=random.Random(seed), torn=0.2)
    inbox = Teller(usual)
    bus = MdbBus(line.open, "virtual", 115200, inbox)
    driver = MdbBillValidator(bus, inbox, rules)
    inbox.driver = driver
    driver.accept(ALL)
    bus.start()
    return BillRig(bills, adapter, line, inbox, bus, driver)


def sim(story: Callable[[BillRig], Awaitable[None]], model: BillModel | None = None,
        **rig: object) -> None:  # fmt: skip
    async def main() -> None:
        it = make_rig(model, **rig)  # type: ignore[arg-type]
        await it.ready()
        await asyncio.sleep(0.5)
        await story(it)
        assert it.bills.truth.conserved()

    run_virtual(main())
