"""What `ports.Changer` promises, held by the model at the port and by the real drivers."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

import pytest
from mdb_rig import EUR, FILL, Inbox, make_rig

from hw_sim.clock import WorldClock
from hw_sim.devices.cctalk_acceptor import CcTalkAcceptor
from hw_sim.devices.cctalk_coins import CcTalkMech
from hw_sim.devices.cctalk_hopper import CcTalkHopper
from hw_sim.devices.cctalk_link import CcTalkWire
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.waferstar import WaferstarAdapter
from hw_sim.loop import run_virtual
from hw_sim.ports.changer import PortChanger, filled
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinPath,
    LeverPressed,
    ManuallyDispensed,
    PayoutEnded,
    TubesRead,
)
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.drivers.cctalk_coins import CcTalkCoins
from vendd.drivers.cctalk_hopper import HopperFit
from vendd.drivers.changer import MdbChanger, PayoutWay
from vendd.drivers.waferstar import waferstar_bus
from vendd.ports import Changer, Refused
from vendd.wire.cctalk.coin_acceptor import CoinRules
from vendd.wire.cctalk.hopper import HopperRules

ALL = frozenset(range(6))


class World(Protocol):
    def insert_coin(self, value: int) -> None: ...
    def press_lever(self) -> None: ...
    def manual_dispense(self, value: int) -> None: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...


@dataclass
class Bench:
    changer: Changer
    world: World
    inbox: Inbox
    jam_after: Callable[[int], None]
    reset: Callable[[], None]
    cup: Callable[[], int]
    one_device: bool = True  # else an acceptor and hoppers: each is lost and comes back by itself


def port_model() -> Bench:
    inbox = Inbox()
    it = filled(PortChanger(WorldClock(asyncio.get_running_loop()), random.Random(1)), FILL)
    it.begin(inbox)

    def jam(coins: int) -> None:
        it.inject("payout_jam", after=coins)

    return Bench(it, it, inbox, jam, it.reset, it.truth.cup_total)


def driver(way: PayoutWay) -> Bench:
    rig = make_rig(rules=replace(EUR, payout=way))
    return over_model(rig.changer, rig.driver, rig.inbox)


def second_adapter() -> Bench:
    loop = asyncio.get_running_loop()
    it = CoinChanger(loop, random.Random(1))
    for value, count in FILL.items():
        it.fill_tube(value, count)
    line = MemoryLine(loop, WaferstarAdapter(loop, [it]))
    inbox = Inbox()
    bus = waferstar_bus(line.open, "virtual", inbox)
    driver = MdbChanger(bus, inbox, EUR)
    bus.start()
    return over_model(it, driver, inbox)


def over_model(it: CoinChanger, driver: MdbChanger, inbox: Inbox) -> Bench:
    def jam(coins: int) -> None:
        it.inject("payout_jam", after=coins)

    return Bench(driver, it, inbox, jam, it.reset_itself, it.truth.cup_total)


class AllPlugs:
    """An acceptor and its hoppers on one plug, as a changer is."""

    def __init__(self, mech: CcTalkMech) -> None:
        self._mech = mech
        self.insert_coin = mech.insert_coin
        self.press_lever = mech.press_lever

    def manual_dispense(self, value: int) -> None:
        """A hopper has no key for that."""

    def unplug(self) -> None:
        for device in (self._mech.acceptor, *self._mech.hoppers.values()):
            device.power_off()

    def plug(self) -> None:
        for device in (self._mech.acceptor, *self._mech.hoppers.values()):
            device.power_on()

    def power_cycle(self) -> None:
        for device in (self._mech.acceptor, *self._mech.hoppers.values()):
            device.power_cycle(0.6)


def cctalk() -> Bench:
    """Coin n in the acceptor is type n-1, and its hopper has address n+2 and its own exit."""
    loop = asyncio.get_running_loop()
    places = dict(enumerate(FILL, 1))
    coins = {n: (f"EU{v:03d}A", v) for n, v in enumerate((5, 10, 20, 50, 100, 200), 1)}
    acceptor = CcTalkAcceptor(loop, coins=coins, paths={n: n for n in places})
    hoppers = [CcTalkHopper(loop, address=n + 2, value=v, coins=0) for n, v in places.items()]
    mech = CcTalkMech(loop, acceptor, hoppers)
    for value, count in FILL.items():
        mech.hoppers[value].fill(count)
        mech.truth.fill(value, count)
    inbox = Inbox()
    line = MemoryLine(loop, CcTalkWire(loop, [acceptor, *hoppers]))
    bus = CcTalkBus(line.open, "virtual", inbox)
    fits = tuple(
        HopperFit(n, v, HopperRules(n + 2), count=FILL[v], fed_by=n) for n, v in places.items()
    )
    driver = CcTalkCoins(bus, inbox, CoinRules("EU"), fits)
    bus.start()
    world = AllPlugs(mech)

    def jam(coins: int) -> None:
        mech.inject("payout_jam", after=coins)

    cup = mech.truth.cup_total
    return Bench(driver, world, inbox, jam, world.power_cycle, cup, one_device=False)


KINDS: dict[str, Callable[[], Bench]] = {
    "model at the port": port_model,
    "driver by value": lambda: driver(PayoutWay.VALUE),
    "driver by coins": lambda: driver(PayoutWay.COINS),
    "second adapter": second_adapter,
    "ccTalk": cctalk,
}
Story = Callable[[Bench], Awaitable[None]]


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest) -> Callable[[Story], None]:
    async def with_bench(story: Story) -> None:
        bench = KINDS[request.param]()
        await bench.inbox.until(ChangerReady)
        await story(bench)

    return lambda story: run_virtual(with_bench(story))


def test_ready_tells_coins_and_tubes(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        ready = await bench.inbox.until(ChangerReady)
        assert [c.value for c in ready.coins] == [5, 10, 20, 50, 100, 200]
        assert [c.to_tube for c in ready.coins] == [True] * 5 + [False]
        assert {t.value: t.count for t in ready.tubes} == FILL
        assert len(bench.inbox.reports) == 1

    play(story)


def test_only_accepted_types_are_taken(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.world.insert_coin(50)
        await asyncio.sleep(2)
        assert not bench.inbox.of(CoinAccepted)
        assert bench.cup() == 50
        bench.changer.accept(frozenset({3, 5}))
        await asyncio.sleep(1)
        for value in (50, 10, 200):
            bench.world.insert_coin(value)
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        taken = [(c.type, c.value, c.path) for c in bench.inbox.of(CoinAccepted)]
        assert taken == [(3, 50, CoinPath.TUBE), (5, 200, CoinPath.BOX)]
        assert bench.inbox.of(CoinAccepted)[0].tube_count == FILL[50] + 1

    play(story)


def test_a_payout_ends_once_and_tells_the_tubes(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        await bench.changer.pay_out("p1", ((3, 1), (1, 2)))
        ended = await bench.inbox.until(PayoutEnded)
        assert (ended.payout_id, ended.certain, ended.why) == ("p1", True, "")
        assert worth(ended) == 70 == bench.cup()
        tubes = await bench.inbox.until(TubesRead)
        assert sum(t.value * t.count for t in tubes.tubes) == total() - 70
        await asyncio.sleep(60)
        assert len(bench.inbox.of(PayoutEnded)) == 1

    play(story)


def test_payouts_one_after_the_other(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        for number in range(3):
            bench.inbox.clear()
            await bench.changer.pay_out(f"p{number}", ((0, number + 1),))
            assert (await bench.inbox.until(PayoutEnded)).payout_id == f"p{number}"
            await bench.inbox.until(TubesRead)
            await asyncio.sleep(1)
        assert bench.cup() == 30

    play(story)


def test_one_payout_at_a_time(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        await bench.changer.pay_out("p1", ((3, 2),))
        with pytest.raises(Refused):
            await bench.changer.pay_out("p2", ((3, 2),))
        await asyncio.sleep(30)
        assert [e.payout_id for e in bench.inbox.of(PayoutEnded)] == ["p1"]
        assert bench.cup() == 100

    play(story)


@pytest.mark.parametrize("coins", [(), ((9, 1),), ((3, 0),)])
def test_impossible_payouts_are_refused(
    play: Callable[[Story], None], coins: tuple[tuple[int, int], ...]
) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused):
            await bench.changer.pay_out("p1", coins)
        await asyncio.sleep(5)
        assert not bench.inbox.of(PayoutEnded)

    play(story)


@pytest.mark.parametrize("after", [0, 2])
def test_a_jam_ends_short_and_certain(play: Callable[[Story], None], after: int) -> None:
    async def story(bench: Bench) -> None:
        bench.jam_after(after)
        await bench.changer.pay_out("p1", ((4, 3),))
        ended = await bench.inbox.until(PayoutEnded)
        assert ended.certain
        assert ended.why
        assert worth(ended) == bench.cup() < 300

    play(story)


def test_unplugged_in_a_payout(play: Callable[[Story], None]) -> None:
    """What was paid is told once; after the return the tubes tell."""

    async def story(bench: Bench) -> None:
        await bench.changer.pay_out("p1", ((4, 8),))
        await asyncio.sleep(1.5)
        bench.world.unplug()
        await bench.inbox.until(ChangerLost)
        ended = await bench.inbox.until(PayoutEnded, 200)
        order = [r for r in bench.inbox.reports if isinstance(r, PayoutEnded | ChangerLost)]
        assert len(order) == 2
        if bench.one_device:
            assert order[0] is ended
        assert not ended.certain
        assert worth(ended) <= bench.cup()
        for order_again in (bench.changer.pay_out("p2", ((0, 1),)), bench.changer.read_tubes()):
            with pytest.raises(Refused):
                await order_again
        bench.inbox.clear()
        bench.world.plug()
        ready = await bench.inbox.until(ChangerReady)
        assert told(ready) == total() - bench.cup()
        await asyncio.sleep(30)
        assert not bench.inbox.of(PayoutEnded)

    play(story)


def test_reset_in_a_payout(play: Callable[[Story], None]) -> None:
    """It may be certain what was paid, where the device counts for life."""

    async def story(bench: Bench) -> None:
        await bench.changer.pay_out("p1", ((4, 8),))
        await asyncio.sleep(1.5)
        bench.inbox.clear()
        bench.reset()
        await asyncio.sleep(60)
        (ended,) = bench.inbox.of(PayoutEnded)
        assert worth(ended) == bench.cup() if ended.certain else worth(ended) <= bench.cup()
        if bench.one_device:
            assert not ended.certain
            (ready,) = bench.inbox.of(ChangerReady)
            assert bench.inbox.reports.index(ended) < bench.inbox.reports.index(ready)
        bench.inbox.clear()
        await bench.changer.read_tubes()
        assert told(await bench.inbox.until(TubesRead)) == total() - bench.cup()

    play(story)


def test_the_accepted_types_survive_a_reset(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.changer.accept(ALL)
        await asyncio.sleep(1)
        bench.inbox.clear()
        bench.reset()
        await asyncio.sleep(20)  # where nothing shows that it was reset, its settings do
        bench.world.insert_coin(20)
        assert (await bench.inbox.until(CoinAccepted)).value == 20

    play(story)


def test_lever_hands_and_asking_for_the_tubes(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.world.press_lever()
        if bench.one_device:
            bench.world.manual_dispense(10)
        await asyncio.sleep(2)
        assert bench.inbox.of(LeverPressed) == [LeverPressed()]
        by_hand = [ManuallyDispensed(1, 1, FILL[10] - 1)] if bench.one_device else []
        assert bench.inbox.of(ManuallyDispensed) == by_hand
        bench.inbox.clear()
        await bench.changer.read_tubes()
        assert {t.value: t.count for t in (await bench.inbox.until(TubesRead)).tubes} == {
            **FILL,
            10: FILL[10] - len(by_hand),
        }

    play(story)


def worth(ended: PayoutEnded) -> int:
    return sum((5, 10, 20, 50, 100, 200)[t] * n for t, n in ended.paid)


def told(report: ChangerReady | TubesRead) -> int:
    """What the tubes hold according to the newest report."""
    return sum(t.value * t.count for t in report.tubes)


def total() -> int:
    return sum(value * count for value, count in FILL.items())
