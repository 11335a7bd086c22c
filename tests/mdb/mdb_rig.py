"""What the tests of the bus share: a sink that keeps reports, the simulator's changer on a line."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from hw_sim.devices.coin_changer import ChangerModel, CoinChanger
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx import QibixxAdapter
from vendd.core.sale.reports import ChangerReady, Report
from vendd.drivers.changer import ChangerRules, MdbChanger
from vendd.drivers.mdb_bus import MdbBus

R = TypeVar("R", bound=Report)
EUR = ChangerRules(currency=978, exponent=2)
FILL = {5: 20, 10: 20, 20: 20, 50: 20, 100: 20}


class Inbox:
    """A `ports.Sink` that remembers."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.full = False

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return self.full

    def of(self, kind: type[R]) -> list[R]:
        return [r for r in self.reports if isinstance(r, kind)]

    def clear(self) -> None:
        self.reports.clear()

    async def until(self, kind: type[R], within_s: float = 30.0) -> R:
        """The newest report of a kind, waiting for the first one."""
        for _ in range(int(within_s / 0.01)):
            if self.of(kind):
                return self.of(kind)[-1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind.__name__} within {within_s} s: {self.reports}")


@dataclass
class Rig:
    """The real driver, bus and codec on a virtual line; the changer and adapter are models."""

    changer: CoinChanger
    line: MemoryLine
    adapter: QibixxAdapter
    inbox: Inbox
    bus: MdbBus
    driver: MdbChanger

    async def ready(self) -> ChangerReady:
        return await self.inbox.until(ChangerReady)


def make_rig(
    *,
    model: ChangerModel | None = None,
    rules: ChangerRules = EUR,
    fill: dict[int, int] | None = None,
    wrap: Callable[[Any, asyncio.AbstractEventLoop], Any] = lambda adapter, loop: adapter,
    seed: int = 1,
    torn: float = 0.2,
    **adapter: Any,
) -> Rig:
    loop = asyncio.get_running_loop()
    changer = CoinChanger(loop, random.Random(seed), model)
    for value, count in (FILL if fill is None else fill).items():
        changer.fill_tube(value, count)
    qibixx = QibixxAdapter(loop, [changer], **adapter)
    line = MemoryLine(loop, wrap(qibixx, loop), rng=random.Random(seed), torn=torn)
    inbox = Inbox()
    bus = MdbBus(line.open, "virtual", 115200, inbox)
    driver = MdbChanger(bus, inbox, rules)
    bus.start()
    return Rig(changer, line, qibixx, inbox, bus, driver)
