"""The devices that hold the contract of `ports.Cashless`: the model at the port, and the real
driver over the simulator's reader, session first and selection first, as either reader."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from card_rig import Card, ReaderModel, card_rig
from mdb_rig import Inbox

from hw_sim.clock import WorldClock
from hw_sim.devices.card_reader import CardReader
from hw_sim.loop import run_virtual
from hw_sim.ports.reader import PortCardReader
from vendd.core.sale.card_reports import (
    CardReaderReady,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import Report
from vendd.drivers.cashless import CashlessRules, MdbCashless
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Cashless

RULES = CashlessRules(978, 2, revalue=True, age_approved=frozenset({b"\x9f\x10"}))
MODEL = ReaderModel(wants_cash_sales=True, ages=True)


class Account(Protocol):
    """The holder's, in minor units."""

    balance: int


@dataclass(frozen=True)
class Features:
    """What a story wants of the reader. `earlier_life`: the machine died after the approval of
    "old", for 150, and comes back with its reader held."""

    multi_vend: bool = False
    refunds: bool = True
    earlier_life: bool = False


class World(Protocol):
    def decline(self) -> None:
        """The bank says no to the next request."""

    def approve_less(self) -> None:
        """The next approval is of four fifths."""

    def mute(self) -> None:
        """The next request is never answered."""

    def fail_refund(self) -> None:
        """The next refund can't be made."""

    def tap(self) -> bool: ...

    def leave(self) -> None: ...

    def show_age(self, years: int) -> None: ...

    def unplug(self) -> None: ...

    def plug(self) -> None: ...

    def reset(self) -> None: ...

    def cash_sales(self) -> list[tuple[int, int]]: ...


@dataclass
class Bench:
    port: Cashless
    world: World
    inbox: Inbox
    holder: Account
    number: int
    next_life: Callable[[], "Bench"]

    async def session(self) -> SessionBegun:
        assert self.world.tap()
        return await self.inbox.until(SessionBegun)

    async def approved(self, vend_id: str = "v", price: int = 150) -> VendApproved:
        """A card, a request and its approval."""
        await self.session()
        self.port.request(vend_id, price, 7)
        return await self.inbox.until(VendApproved)

    def vends(self) -> list[Report]:
        """Every report about a vend."""
        kinds = VendApproved | VendDenied | VendSuccessSettled | VendFailureSettled
        return [r for r in self.inbox.reports if isinstance(r, kinds)]

    def ends(self) -> list[str]:
        return [r.why for r in self.inbox.of(SessionEnded)]

    @property
    def selection_first(self) -> bool:
        return self.inbox.of(CardReaderReady)[-1].selection_first


@dataclass
class ModelWorld:
    it: CardReader | PortCardReader
    holder: Card

    def decline(self) -> None:
        self.it.decline_next()

    def approve_less(self) -> None:
        self.it.inject("other_amount")

    def mute(self) -> None:
        self.it.inject("no_answer")

    def fail_refund(self) -> None:
        self.it.inject("refund_error")

    def tap(self) -> bool:
        return self.it.tap(self.holder)

    def leave(self) -> None:
        self.it.remove()

    def show_age(self, years: int) -> None:
        self.it.show_age(years)

    def unplug(self) -> None:
        self.it.unplug() if isinstance(self.it, PortCardReader) else self.it.lose_power()

    def plug(self) -> None:
        self.it.plug()

    def reset(self) -> None:
        self.it.reset() if isinstance(self.it, PortCardReader) else self.it.reset_itself()

    def cash_sales(self) -> list[tuple[int, int]]:
        return self.it.truth.cash_sales


def port_model(wanted: Features, *, number: int = 1, selection_first: bool = True) -> Bench:
    inbox, holder = Inbox(), Card()
    model = replace(MODEL, multi_vend=wanted.multi_vend, refunds=wanted.refunds)
    clock = WorldClock(asyncio.get_running_loop())
    rng = random.Random(1)
    it = PortCardReader(clock, rng, number, model, selection_first=selection_first)
    it.begin(inbox)
    it.release()
    world = ModelWorld(it, holder)

    def next_life() -> Bench:
        it.forsake()
        again = Inbox()
        it.begin(again)
        return Bench(it, world, again, holder, number, next_life)

    return Bench(it, world, inbox, holder, number, next_life)


def driver(wanted: Features, *, model: ReaderModel = MODEL, number: int = 1) -> Bench:
    model = replace(model, multi_vend=wanted.multi_vend, refunds=wanted.refunds)
    rig = card_rig(model=model, rules=RULES, number=number)
    holder = Card()
    world = ModelWorld(rig.reader, holder)

    def next_life() -> Bench:
        rig.bus.close()
        inbox = Inbox()
        bus = MdbBus(rig.line.open, "virtual", 115200, inbox)
        again = MdbCashless(bus, inbox, replace(RULES, number=number), held=True)
        bus.start()
        return Bench(again, world, inbox, holder, number, next_life)

    return Bench(rig.driver, world, rig.inbox, holder, number, next_life)


KINDS: dict[str, Callable[[Features], Bench]] = {
    "model at the port": port_model,
    "model at the port, second, session first": lambda wanted: port_model(
        wanted, number=2, selection_first=False
    ),
    "level 3": driver,
    "level 3, second reader": lambda wanted: driver(wanted, number=2),
    "level 3, session first": lambda wanted: driver(wanted, model=replace(MODEL, options=0)),
    "level 1": lambda wanted: driver(wanted, model=replace(MODEL, level=1, options=0)),
    "level 2, on poll": lambda wanted: driver(
        wanted, model=replace(MODEL, level=2, options=0, answers="on poll")
    ),
}
SELECTION_FIRST = ("model at the port", "level 3", "level 3, second reader")
Story = Callable[[Bench], Awaitable[None]]


class Play(Protocol):
    def __call__(self, story: Story, wanted: Features = ...) -> None: ...


def player(kind: str) -> Play:
    async def with_bench(story: Story, wanted: Features) -> None:
        bench = KINDS[kind](wanted)
        bench.port.enable(True)
        await bench.inbox.until(CardReaderReady)
        await asyncio.sleep(1)
        if wanted.earlier_life:
            await bench.approved("old")
            bench = bench.next_life()
            bench.port.enable(True)
        await story(bench)

    def play(story: Story, wanted: Features = Features()) -> None:
        run_virtual(with_bench(story, wanted))

    return play
