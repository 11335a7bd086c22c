"""The real drivers, bus and machines on a simulated single wire, in virtual time."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hw_sim.devices.cctalk_acceptor import CcTalkAcceptor
from hw_sim.devices.cctalk_hopper import CcTalkHopper as HopperModel
from hw_sim.devices.cctalk_link import CcTalkWire
from hw_sim.devices.cctalk_validator import CcTalkValidator
from hw_sim.devices.line import MemoryLine
from hw_sim.loop import run_virtual
from vendd.core.sale.bill_reports import BillValidatorReady
from vendd.core.sale.reports import ChangerReady, CoinAccepted, PayoutEnded, Report
from vendd.drivers.cctalk_bills import CcTalkBills
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.drivers.cctalk_coins import CcTalkCoins, CoinsKept
from vendd.drivers.cctalk_hopper import HopperFit
from vendd.wire.cctalk.bill_validator import BillRules
from vendd.wire.cctalk.coin_acceptor import CoinRules
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.hopper import HopperRules
from vendd.wire.cctalk.hopper_payout import Security, Serial
from vendd.wire.cctalk.news import Evidence

R = TypeVar("R", bound=Report)
EURO_TYPE, FIFTY_TYPE = 1, 2  # coin types of the one euro and fifty cent coins
ALL_COINS = frozenset(range(16))
ALL_BILLS = frozenset(range(16))


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
class Kept:
    """What outlives the drivers: event counters, and how the hoppers stood."""

    coins: int | None = None
    bills: int | None = None
    evidence: dict[int, Evidence] = field(default_factory=dict)

    def coins_at(self, counter: int) -> None:
        self.coins = counter

    def bills_at(self, counter: int) -> None:
        self.bills = counter


@dataclass
class Rig:
    """Models, wire and drivers of one bus: acceptor, hoppers for 1.00 and 0.50, validator."""

    acceptor: CcTalkAcceptor
    hoppers: dict[int, HopperModel]
    validator: CcTalkValidator
    wire: CcTalkWire
    line: MemoryLine
    inbox: Inbox
    bus: CcTalkBus
    coins: CcTalkCoins
    bills: CcTalkBills
    kept: Kept
    lives: list[Any] = field(default_factory=list)

    async def ready(self) -> None:
        await self.inbox.until(ChangerReady)
        await self.inbox.until(BillValidatorReady)
        self.coins.accept(ALL_COINS)
        self.bills.accept(ALL_BILLS)
        await asyncio.sleep(1.0)

    def next_life(self) -> None:
        """The daemon dies without a word and starts anew, with what was kept."""
        self.bus.close()
        self.inbox = Inbox()
        self.bus, self.coins, self.bills = drivers(self.line, self.inbox, kept=self.kept)
        self.bus.start()


def drivers(
    line: MemoryLine,
    inbox: Inbox,
    *,
    checksum: Checksum = Checksum.SUM,
    security: Security | None = None,
    kept: Kept | None = None,
) -> tuple[CcTalkBus, CcTalkCoins, CcTalkBills]:
    bus = CcTalkBus(line.open, "virtual", inbox)
    way = security or Serial()
    fits = (
        HopperFit(2, 100, HopperRules(3, checksum, way), count=50, fed_by=1),
        HopperFit(3, 50, HopperRules(4, checksum, way), count=50, fed_by=2),
    )
    kept = kept or Kept()
    keep = CoinsKept(kept.coins_at, kept.evidence.__setitem__)
    rules = CoinRules("EU", checksum=checksum)
    coins = CcTalkCoins(bus, inbox, rules, fits, counter=kept.coins, keep=keep)
    bill_rules = BillRules("EU", checksum=checksum)
    bills = CcTalkBills(bus, inbox, bill_rules, counter=kept.bills, note=kept.bills_at)
    return bus, coins, bills


def make_rig(
    *,
    crc: bool = False,
    security: str = "serial",
    way: Security | None = None,
    counts: bool = True,
    echo: bool = True,
    torn: float = 0.2,
    seed: int = 1,
    wrap: Callable[[Any], Any] = lambda wire: wire,
) -> Rig:
    loop = asyncio.get_running_loop()
    hoppers = {
        EURO_TYPE: HopperModel(
            loop, address=3, value=100, security=security, counts=counts, crc=crc
        ),
        FIFTY_TYPE: HopperModel(
            loop, address=4, value=50, security=security, counts=counts, crc=crc, serial=815
        ),
    }

    def deliver(position: int, value: int) -> None:
        if position - 1 in hoppers:
            hoppers[position - 1].fill(1)

    acceptor = CcTalkAcceptor(loop, paths={2: 1, 3: 2}, deliver=deliver, crc=crc)
    validator = CcTalkValidator(loop, crc=crc)
    rng = random.Random(seed)
    wire = CcTalkWire(loop, [acceptor, *hoppers.values(), validator], echo=echo, rng=rng)
    line = MemoryLine(loop, wrap(wire), rng=random.Random(seed), torn=torn)
    inbox = Inbox()
    checksum = Checksum.CRC if crc else Checksum.SUM
    kept = Kept()
    bus, coins, bills = drivers(line, inbox, checksum=checksum, security=way, kept=kept)
    bus.start()
    return Rig(acceptor, hoppers, validator, wire, line, inbox, bus, coins, bills, kept)


DISPENSE = 167


def run(scenario: Coroutine[Any, Any, None]) -> None:
    run_virtual(scenario)


def credit(rig: Rig) -> int:
    return sum(report.value for report in rig.inbox.of(CoinAccepted))


def paid_out(rig: Rig, coin_type: int = EURO_TYPE) -> int:
    return len(rig.hoppers[coin_type].cup)


def dispenses(rig: Rig) -> int:
    """Commands that a hopper really got."""
    return rig.wire.log.count((DISPENSE, True))


async def payout(rig: Rig, count: int = 3) -> PayoutEnded:
    rig.inbox.clear()
    await rig.coins.pay_out("p", ((EURO_TYPE, count),))
    return await rig.inbox.until(PayoutEnded, 60)
