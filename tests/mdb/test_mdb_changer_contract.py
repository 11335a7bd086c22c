"""What `ports.Changer` promises, held by the fake at the port and by the real driver, both ways."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

import pytest
from mdb_rig import EUR, FILL, Inbox, make_rig
from port_fake import FakeChanger

from hw_sim.loop import run_virtual
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
from vendd.drivers.changer import PayoutWay
from vendd.ports import Changer, Refused

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


def fake() -> Bench:
    inbox = Inbox()
    it = FakeChanger(inbox, tubes=dict(FILL))
    it.start()

    def jam(coins: int) -> None:
        it.jam_after = coins

    return Bench(it, it, inbox, jam, it.reset, lambda: sum(it.cup))


def driver(way: PayoutWay) -> Bench:
    rig = make_rig(rules=replace(EUR, payout=way))
    it = rig.changer

    def jam(coins: int) -> None:
        it.inject("payout_jam", after=coins)

    return Bench(rig.driver, it, rig.inbox, jam, it.reset_itself, it.truth.cup_total)


KINDS: dict[str, Callable[[], Bench]] = {
    "fake": fake,
    "driver by value": lambda: driver(PayoutWay.VALUE),
    "driver by coins": lambda: driver(PayoutWay.COINS),
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
        assert ended.why == "tube_jam"
        assert worth(ended) == bench.cup() < 300

    play(story)


def test_unplugged_in_a_payout(play: Callable[[Story], None]) -> None:
    """What was paid is not known; then the loss; after the return the tubes tell."""

    async def story(bench: Bench) -> None:
        await bench.changer.pay_out("p1", ((4, 8),))
        await asyncio.sleep(1.5)
        bench.world.unplug()
        await bench.inbox.until(ChangerLost)
        order = [r for r in bench.inbox.reports if isinstance(r, PayoutEnded | ChangerLost)]
        assert isinstance(order[0], PayoutEnded)
        assert len(order) == 2
        assert not order[0].certain
        assert worth(order[0]) <= bench.cup()
        for order_again in (bench.changer.pay_out("p2", ((0, 1),)), bench.changer.read_tubes()):
            with pytest.raises(Refused):
                await order_again
        bench.inbox.clear()
        bench.world.plug()
        ready = await bench.inbox.until(ChangerReady)
        assert sum(t.value * t.count for t in ready.tubes) == total() - bench.cup()
        await asyncio.sleep(30)
        assert not bench.inbox.of(PayoutEnded)

    play(story)


def test_reset_in_a_payout(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        await bench.changer.pay_out("p1", ((4, 8),))
        await asyncio.sleep(1.5)
        bench.inbox.clear()
        bench.reset()
        ready = await bench.inbox.until(ChangerReady)
        (ended,) = bench.inbox.of(PayoutEnded)
        assert not ended.certain
        assert bench.inbox.reports.index(ended) < bench.inbox.reports.index(ready)
        assert sum(t.value * t.count for t in ready.tubes) == total() - bench.cup()

    play(story)


def test_the_accepted_types_survive_a_reset(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.changer.accept(ALL)
        await asyncio.sleep(1)
        bench.inbox.clear()
        bench.reset()
        await bench.inbox.until(ChangerReady)
        await asyncio.sleep(1)
        bench.world.insert_coin(20)
        assert (await bench.inbox.until(CoinAccepted)).value == 20

    play(story)


def test_lever_hands_and_asking_for_the_tubes(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.world.press_lever()
        bench.world.manual_dispense(10)
        await asyncio.sleep(2)
        assert bench.inbox.of(LeverPressed) == [LeverPressed()]
        assert bench.inbox.of(ManuallyDispensed) == [ManuallyDispensed(1, 1, FILL[10] - 1)]
        bench.inbox.clear()
        await bench.changer.read_tubes()
        assert {t.value: t.count for t in (await bench.inbox.until(TubesRead)).tubes} == {
            **FILL,
            10: FILL[10] - 1,
        }

    play(story)


def worth(ended: PayoutEnded) -> int:
    return sum((5, 10, 20, 50, 100, 200)[t] * n for t, n in ended.paid)


def total() -> int:
    return sum(value * count for value, count in FILL.items())
