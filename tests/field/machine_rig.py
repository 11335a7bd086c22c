"""All payment devices of a machine behind one adapter, the real drivers, and a sink."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hw_sim.devices.bill_validator import BillModel, BillValidator
from hw_sim.devices.card_reader import CardReader, ReaderModel
from hw_sim.devices.changer_parts import ChangerModel
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx import QibixxAdapter
from hw_sim.loop import run_virtual
from vendd.core.sale.bill_reports import BillInEscrow
from vendd.core.sale.reports import Report
from vendd.drivers.bill_validator import BillRules, MdbBillValidator
from vendd.drivers.cashless import CashlessRules, MdbCashless
from vendd.drivers.changer import ChangerRules, MdbChanger
from vendd.drivers.mdb_bus import MdbBus

R = TypeVar("R", bound=Report)
ALL = frozenset(range(16))
TUBES = {5: 20, 10: 20, 20: 20, 50: 20, 100: 20}
COIN_TYPES = {5: 0, 10: 1, 20: 2, 50: 3, 100: 4, 200: 5}
STEP_S = 0.05


class Inbox:
    """A `ports.Sink` that remembers, with the time of each report."""

    def __init__(self) -> None:
        self.told: list[tuple[float, Report]] = []
        self.decide: Callable[[int], None] = lambda bill: None

    def put(self, report: Report) -> None:
        self.told.append((asyncio.get_running_loop().time(), report))
        if isinstance(report, BillInEscrow):
            asyncio.get_running_loop().call_soon(self.decide, report.bill)

    def crowded(self) -> bool:
        return False

    def of(self, *kinds: type[R]) -> list[R]:
        return [report for _, report in self.told if isinstance(report, kinds)]

    async def until(self, kind: type[R], seconds: float = 60.0) -> R:
        """The newest report of a kind, waiting for the first one."""
        for _ in range(int(seconds / STEP_S)):
            if self.of(kind):
                return self.of(kind)[-1]
            await asyncio.sleep(STEP_S)
        raise AssertionError(f"no {kind.__name__} within {seconds} s: {self.told}")


class CountedLine(MemoryLine):
    """Remembers when the host wrote what."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.written: list[tuple[float, bytes]] = []

    def to_device(self, wire: Any, data: bytes) -> None:
        self.written.append((asyncio.get_running_loop().time(), data))
        super().to_device(wire, data)

    def times(self, line: bytes, since: float = 0.0) -> list[float]:
        """When exactly this was written."""
        return [at for at, data in self.written if data == line and at >= since]


@dataclass
class Machine:
    """Devices (models of the simulator), the line between, and the drivers of one life."""

    changer: CoinChanger
    bills: BillValidator
    readers: tuple[CardReader, ...]
    line: CountedLine
    lives: list["Life"] = field(default_factory=list)

    @property
    def now(self) -> "Life":
        return self.lives[-1]

    @property
    def inbox(self) -> Inbox:
        return self.now.inbox

    def next_life(self) -> "Life":
        """The daemon dies without a word and starts anew."""
        if self.lives:
            self.now.bus.close()
        self.lives.append(Life(self.line))
        return self.now

    async def ready(self, kinds: Iterable[type[Report]]) -> None:
        for kind in kinds:
            await self.inbox.until(kind)
        await asyncio.sleep(1.0)


class Life:
    """Bus and drivers, started; everything that takes money is on."""

    def __init__(self, line: MemoryLine) -> None:
        self.inbox = Inbox()
        self.bus = MdbBus(line.open, "virtual", 115200, self.inbox)
        self.changer = MdbChanger(self.bus, self.inbox, ChangerRules(currency=978, exponent=2))
        self.bills = MdbBillValidator(self.bus, self.inbox, BillRules(currency=978, exponent=2))
        self.readers = tuple(
            MdbCashless(self.bus, self.inbox, CashlessRules(currency=978, exponent=2, number=n))
            for n in (1, 2)
        )
        self.bus.start()
        self.changer.accept(ALL)
        self.bills.accept(ALL)
        for reader in self.readers:
            reader.enable(True)


def play(
    story: Callable[[Machine], Awaitable[None]],
    *,
    changer: ChangerModel | None = None,
    bills: BillModel | None = None,
    readers: Sequence[ReaderModel] = (ReaderModel(), ReaderModel()),
    ready: Iterable[type[Report]] = (),
) -> None:
    """Run a story on a machine whose devices of the kinds `ready` are up."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        coins = CoinChanger(loop, random.Random(1), changer)
        for value, count in TUBES.items():
            coins.fill_tube(value, count)
        validator = BillValidator(loop, random.Random(2), bills)
        cards = tuple(
            CardReader(loop, random.Random(n), model, number=n)
            for n, model in enumerate(readers, 1)
        )
        adapter = QibixxAdapter(loop, [coins, validator, *cards])
        machine = Machine(coins, validator, cards, CountedLine(loop, adapter))
        machine.next_life()
        await machine.ready(ready)
        await story(machine)

    run_virtual(main())
