"""The real driver, bus and codec on a virtual line; card reader and adapter are models."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from mdb_rig import Inbox

from hw_sim.devices.card_reader import Card, CardReader, ReaderModel
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx import QibixxAdapter
from hw_sim.loop import run_virtual
from vendd.core.sale.card_reports import (
    CardReaderReady,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.drivers.cashless import CashlessRules, MdbCashless
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Cashless, Refused

EUR = CashlessRules(currency=978, exponent=2)
LEVEL_1 = ReaderModel(level=1, options=0)


@dataclass
class CardRig:
    reader: CardReader
    line: MemoryLine
    inbox: Inbox
    bus: MdbBus
    driver: Cashless
    vends: list[str] = field(default_factory=list)

    async def ready(self) -> None:
        self.driver.enable(True)
        await self.inbox.until(CardReaderReady)
        await asyncio.sleep(0.5)

    async def session(self, card: Card | None = None) -> SessionBegun:
        assert self.reader.tap(card or Card())
        return await self.inbox.until(SessionBegun)

    async def vend(self, price: int = 150) -> VendApproved | VendDenied:
        """Request, and wait for the one answer. The item number is the vend's own."""
        vend_id = f"v{len(self.vends) + 1}"
        self.vends.append(vend_id)
        self.driver.request(vend_id, price, len(self.vends))
        return await self.answer(vend_id)

    async def answer(self, vend_id: str, within_s: float = 400.0) -> VendApproved | VendDenied:
        for _ in range(int(within_s / 0.05)):
            for report in self.inbox.reports:
                if isinstance(report, VendApproved | VendDenied) and report.vend_id == vend_id:
                    return report
            await asyncio.sleep(0.05)
        raise AssertionError(f"no answer to {vend_id}: {self.inbox.reports}")

    async def failed(self) -> VendFailureSettled:
        self.driver.failed(self.vends[-1])
        return await self.inbox.until(VendFailureSettled)

    async def succeeded(self) -> VendSuccessSettled:
        self.driver.succeeded(self.vends[-1])
        return await self.inbox.until(VendSuccessSettled)

    async def over(self) -> SessionEnded:
        return await self.inbox.until(SessionEnded)


def card_rig(
    *,
    model: ReaderModel | None = None,
    rules: CashlessRules = EUR,
    number: int = 1,
    seed: int = 1,
    held: bool = False,
) -> CardRig:
    loop = asyncio.get_running_loop()
    reader = CardReader(loop, random.Random(seed), model, number=number)
    line = MemoryLine(loop, QibixxAdapter(loop, [reader]), rng=random.Random(seed), torn=0.2)
    inbox = Inbox()
    bus = MdbBus(line.open, "virtual", 115200, inbox)
    driver = MdbCashless(bus, inbox, replace(rules, number=number), held=held)
    bus.start()
    return CardRig(reader, line, inbox, bus, driver)


def sim(story: Callable[[CardRig], Awaitable[None]], **rig: object) -> None:
    async def main() -> None:
        it = card_rig(**rig)  # type: ignore[arg-type]
        await it.ready()
        await story(it)

    run_virtual(main())


__all__ = ["EUR", "LEVEL_1", "Card", "CardRig", "ReaderModel", "Refused", "card_rig", "sim"]
