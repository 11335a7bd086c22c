"""A bus with changer, validator and reader, its drivers, a seeded customer, and the recorder."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field

from hw_sim.devices.bill_validator import BillModel, BillValidator
from hw_sim.devices.card_reader import Card, CardReader, ReaderModel
from hw_sim.devices.coin_changer import ChangerModel, CoinChanger
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx import GENERIC_MASTER, QibixxAdapter
from hw_sim.loop import run_virtual
from vendd.core.sale.bill_reports import BillInEscrow
from vendd.core.sale.card_reports import SessionBegun, VendApproved
from vendd.core.sale.reports import Report
from vendd.drivers.bill_validator import BillRules, MdbBillValidator
from vendd.drivers.bus_trace import BusTrace
from vendd.drivers.cashless import CashlessRules, MdbCashless
from vendd.drivers.changer import ChangerRules, MdbChanger
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Refused
from vendd.wire.masking import masked
from vendd.wire.trace import Header, Line, Trace

COINS = frozenset(range(16))


@dataclass
class Rig:
    """`late_s`: how much later than asked the loop of the recorded machine is, at most."""

    seed: int
    reports: list[tuple[float, Report]] = field(default_factory=list)

    def __post_init__(self) -> None:
        loop, rng = asyncio.get_running_loop(), random.Random(self.seed)
        self.rng = rng
        self.changer = CoinChanger(
            loop, random.Random(f"{self.seed}/c"), ChangerModel(level=rng.choice((2, 3, 3)))
        )
        for value in (5, 10, 20, 50, 100):
            self.changer.fill_tube(value, 20)
        self.bills = BillValidator(
            loop, random.Random(f"{self.seed}/b"), BillModel(level=rng.choice((1, 2)))
        )
        if self.bills.model.level == 2:
            self.bills.fill(500, 5)
            self.bills.fill(1000, 5)
        self.reader = CardReader(
            loop,
            random.Random(f"{self.seed}/r"),
            ReaderModel(level=rng.choice((1, 2, 3)), multi_vend=rng.random() < 0.5),
        )
        devices = [self.changer, self.bills, self.reader]
        self.line = MemoryLine(
            loop,
            QibixxAdapter(loop, devices, dialect=GENERIC_MASTER),
            rng=random.Random(f"{self.seed}/l"),
            torn=0.2,
        )
        self.recorder = BusTrace(loop.time)
        self.bus = MdbBus(self.recorder.through(self.line.open), "/dev/mdb", 115200, self)
        self.coins = MdbChanger(self.bus, self, ChangerRules(978, 2))
        self.notes = MdbBillValidator(self.bus, self, BillRules(978, 2))
        self.cards = MdbCashless(self.bus, self, CashlessRules(978, 2))
        self.payouts: dict[str, int] = {}
        self.vends = 0
        self.loop = loop

    # --- what a sale would do -----------------------------------------------------

    def put(self, report: Report) -> None:
        self.reports.append((self.loop.time(), report))
        if isinstance(report, BillInEscrow):
            self.loop.call_later(self.rng.uniform(0.0, 2.0), self.decide, report.bill)
        elif isinstance(report, SessionBegun):
            self.loop.call_later(self.rng.uniform(0.0, 2.0), self.sell)
        elif isinstance(report, VendApproved):
            self.loop.call_later(self.rng.uniform(0.5, 4.0), self.deliver, report.vend_id)

    def crowded(self) -> bool:
        return False

    def decide(self, bill: int) -> None:
        with suppress(Refused):
            (self.notes.stack if self.rng.random() < 0.6 else self.notes.give_back)(bill)

    def sell(self) -> None:
        if self.rng.random() < 0.2:
            self.cards.end_session()
            return
        with suppress(Refused):
            self.cards.request(f"vend-{self.vends + 1}", self.rng.randrange(50, 400, 5), 7)
            self.vends += 1
            if self.rng.random() < 0.2:
                vend = f"vend-{self.vends}"
                self.loop.call_later(self.rng.uniform(0.1, 1.5), self.cards.cancel, vend)

    def deliver(self, vend: str) -> None:
        if self.rng.random() < 0.6:
            self.cards.succeeded(vend, keep_session=self.rng.random() < 0.5)
        else:
            self.cards.failed(vend)

    async def pay(self) -> None:
        """Coins or bills, at most one payout of each at a time."""
        kind = self.rng.choice(("coins", "bills"))
        driver = self.coins if kind == "coins" else self.notes
        if kind == "bills" and self.bills.model.level == 1:
            return
        some = {self.rng.randrange(2 if kind == "bills" else 5): 1 for _ in range(2)}
        number = self.payouts.get(kind, 0) + 1
        with suppress(Refused):
            self.payouts[kind] = number
            await driver.pay_out(f"payout-{number}", tuple(sorted(some.items())))
            return
        self.payouts[kind] = number - 1

    # --- what the world does --------------------------------------------------------

    async def live(self, steps: int, *, trouble: bool) -> None:
        self.coins.accept(COINS if self.rng.random() < 0.5 else frozenset())
        self.notes.accept(COINS)
        self.bus.start()
        await asyncio.sleep(self.rng.uniform(0.5, 8.0))
        self.coins.accept(COINS)
        self.cards.show_prices(400, 50)
        self.cards.enable(True)
        await asyncio.sleep(6.0)
        for _ in range(steps):
            await self.step(trouble=trouble)
            await asyncio.sleep(self.rng.choice((0.05, 0.3, 2.0, 6.0)))
        await asyncio.sleep(30.0)
        self.bus.close()

    async def step(self, *, trouble: bool) -> None:
        rng = self.rng
        match rng.randrange(10 if trouble else 8):
            case 0 | 1:
                self.changer.insert_coin(rng.choice((5, 10, 20, 50, 100, 200)))
            case 2:
                self.bills.insert_bill(rng.choice((500, 1000, 2000)))
            case 3:
                self.reader.tap(Card(declined=rng.random() < 0.2))
            case 4:
                await self.pay()
            case 5:
                self.coins.accept(frozenset(rng.sample(range(6), rng.randrange(6))))
            case 6:
                self.notes.accept(frozenset(rng.sample(range(5), rng.randrange(5))))
            case 7:
                self.changer.press_lever()
            case 8:
                rng.choice((self.changer, self.bills, self.reader)).power_cycle(
                    rng.uniform(0.1, 9.0)
                )
            case _:
                rng.choice((self.changer.reset_itself, self.bills.reset_itself, self.unplug))()

    def unplug(self) -> None:
        self.line.unplug()
        self.loop.call_later(self.rng.uniform(0.1, 8.0), self.line.replug)

    def trace(self) -> Trace:
        header = Header(
            lines=(Line("/dev/mdb", 115200, "qibixx"),),
            start=self.recorder.began,
            at=self.loop.time(),
            currency="EUR",
            poll_ms=100,
            payout="auto",
        )
        return Trace(header, tuple(masked(header, self.recorder.pieces())))


def recorded(
    seed: int, steps: int = 12, *, trouble: bool = False
) -> tuple[Trace, list[tuple[float, Report]]]:
    """A recording, and what the drivers reported while it was made."""

    async def run() -> Rig:
        rig = Rig(seed)
        await rig.live(steps, trouble=trouble)
        return rig

    rig = run_virtual(run())
    return rig.trace(), rig.reports
