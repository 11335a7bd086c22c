"""Driver and bus against the simulator's adapter and changer: money agrees, lines come and go."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from mdb_rig import EUR, FILL, Rig, make_rig

from hw_sim.devices import wire_faults
from hw_sim.devices.coin_changer import ChangerModel
from hw_sim.devices.qibixx import GENERIC_MASTER
from hw_sim.loop import run_virtual
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    FaultEnded,
    FaultStarted,
    PayoutEnded,
)
from vendd.drivers.changer import PayoutWay
from vendd.drivers.mdb_bus import Link
from vendd.ports import Refused


def sim(story: Callable[[Rig], Awaitable[None]], **rig: object) -> None:
    async def main() -> None:
        it = make_rig(**rig)  # type: ignore[arg-type]
        await it.ready()
        await story(it)

    run_virtual(main())


def test_the_makers_own_dialect_will_do_too() -> None:
    async def story(rig: Rig) -> None:
        rig.driver.accept(frozenset({3}))
        await asyncio.sleep(0.5)
        rig.changer.insert_coin(50)
        assert (await rig.inbox.until(CoinAccepted)).value == 50

    sim(story, dialect=GENERIC_MASTER)


@pytest.mark.parametrize("level", [2, 3])
def test_levels(level: int) -> None:
    async def story(rig: Rig) -> None:
        await rig.driver.pay_out("p", ((3, 2), (0, 1)))
        assert (await rig.inbox.until(PayoutEnded)).certain
        assert rig.changer.truth.cup_total() == 105

    sim(story, model=ChangerModel(level=level))


def test_the_adapter_is_unplugged_for_a_moment_and_nothing_is_lost() -> None:
    async def story(rig: Rig) -> None:
        rig.driver.accept(frozenset(range(6)))
        await asyncio.sleep(1)
        rig.changer.insert_coin(20)
        rig.line.unplug()
        await asyncio.sleep(0.3)
        rig.line.replug()
        assert (await rig.inbox.until(CoinAccepted)).value == 20
        assert len(rig.inbox.of(ChangerReady)) == 1
        assert not rig.inbox.of(ChangerLost)

    sim(story)


def test_the_adapter_is_unplugged_for_long() -> None:
    async def story(rig: Rig) -> None:
        rig.line.unplug()
        await rig.inbox.until(ChangerLost)
        await asyncio.sleep(100)
        assert len(rig.inbox.of(ChangerLost)) == 1
        assert [f.code for f in rig.inbox.of(FaultStarted)] == ["bus_lost"]
        rig.line.replug()
        rig.inbox.clear()
        await rig.ready()
        assert rig.inbox.of(FaultEnded) == [FaultEnded("bus_lost", "mdb")]

    sim(story)


def test_the_adapter_is_unplugged_in_a_payout() -> None:
    async def story(rig: Rig) -> None:
        await rig.driver.pay_out("p", ((4, 10),))
        await asyncio.sleep(1)
        rig.line.unplug()
        ended = await rig.inbox.until(PayoutEnded)
        assert not ended.certain
        rig.inbox.clear()
        rig.line.replug()
        ready = await rig.ready()
        left = sum(t.value * t.count for t in ready.tubes)
        assert left == sum(v * n for v, n in FILL.items()) - rig.changer.truth.cup_total()
        assert not rig.inbox.of(PayoutEnded)

    sim(story)


def test_giving_up_waiting_for_a_payout_that_goes_on_leaves_one_end() -> None:
    async def story(rig: Rig) -> None:
        rig.changer.inject("silent", times=8)  # the tubes can't be read at first
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rig.driver.pay_out("p", ((3, 2),)), 0.15)
        await asyncio.sleep(20)
        assert rig.inbox.of(PayoutEnded) == []
        assert rig.changer.truth.cup_total() == 0
        rig.changer.inject("deaf", after=1)  # carried out, and the answer is not heard
        task = asyncio.ensure_future(rig.driver.pay_out("q", ((3, 2),)))
        await asyncio.sleep(0.1)
        task.cancel()
        ended = await rig.inbox.until(PayoutEnded)
        assert (ended.payout_id, ended.certain) == ("q", True)
        assert rig.changer.truth.cup_total() == 100
        assert len(rig.inbox.of(PayoutEnded)) == 1

    sim(story)


COINS = {5: 0, 10: 1, 20: 2, 50: 3, 100: 4, 200: 5}
# What a changer does wrong without losing money it told of: the books must agree to the coin.
HONEST = ["silent", "deaf", "answer_nak", "bad_chk", "noise", "short_answer", "busy", "payout_jam",
          "payout_reset", "payout_power_cut", "unknown_status", "acceptor_unplugged",
          "long_diag"]  # fmt: skip


async def a_busy_hour(rig: Rig, rng: random.Random) -> None:
    """Coins in and coins out; after each payout the coins in the cup are those that were told."""
    truth, inbox = rig.changer.truth, rig.inbox
    rig.driver.accept(frozenset(range(6)))
    await asyncio.sleep(1)
    for number in range(25):
        before = truth.inside(), sum(c.value for c in inbox.of(CoinAccepted))
        for _ in range(rng.randint(0, 3)):
            rig.changer.insert_coin(rng.choice(list(COINS)))
            await asyncio.sleep(rng.uniform(0.5, 1.0))
        await asyncio.sleep(3)
        credited = sum(c.value for c in inbox.of(CoinAccepted)) - before[1]
        assert credited == truth.inside() - before[0]
        truth.take_cup()
        ended = len(inbox.of(PayoutEnded))
        try:
            await rig.driver.pay_out(f"p{number}", ((rng.choice((1, 2, 3)), rng.randint(1, 4)),))
        except Refused:
            await asyncio.sleep(20)
            assert truth.cup_total() == 0
            assert len(inbox.of(PayoutEnded)) == ended
            continue
        for _ in range(1000):
            if len(inbox.of(PayoutEnded)) > ended:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        (end,) = inbox.of(PayoutEnded)[ended:]
        assert end.payout_id == f"p{number}"
        told = sum(list(COINS)[t] * n for t, n in end.paid)
        assert told == truth.cup_total()
        rig.changer.memory.defective.clear()
        for value, count in truth.counts().items():
            rig.changer.fill_tube(value, max(0, 10 - count))
        await asyncio.sleep(15)


@pytest.mark.parametrize("way", [PayoutWay.VALUE, PayoutWay.COINS])
@pytest.mark.parametrize("fault", ["none", *HONEST])
def test_money_agrees_whatever_the_changer_does(fault: str, way: PayoutWay) -> None:
    async def story(rig: Rig) -> None:
        if fault != "none":
            rig.changer.faults.rate(fault, 0.05)
        await a_busy_hour(rig, random.Random(7))

    sim(story, rules=replace(EUR, payout=way), seed=11)


@pytest.mark.parametrize("kind", ["DropsBytes", "DropsAll", "InsertsNoise", "FlipsBits",
                                  "Truncates", "Duplicates", "Delays"])  # fmt: skip
def test_a_faulty_line_is_survived(kind: str) -> None:
    """Coins may get lost on such a line (the tubes tell), but it works and it never hangs."""

    def wrap(adapter: object, loop: asyncio.AbstractEventLoop) -> object:
        more = {"loop": loop} if kind == "Delays" else {}
        return getattr(wire_faults, kind)(adapter, random.Random(3), 0.05, **more)

    async def story(rig: Rig) -> None:
        rig.driver.accept(frozenset(range(6)))
        ended = 0
        for number in range(20):
            rig.changer.insert_coin(10)
            await asyncio.sleep(2)
            try:
                await rig.driver.pay_out(f"p{number}", ((1, 1),))
                ended += 1
            except Refused:
                pass
            await asyncio.sleep(15)
        ids = [e.payout_id for e in rig.inbox.of(PayoutEnded)]
        assert len(ids) == len(set(ids)) == ended
        assert len(rig.inbox.of(CoinAccepted)) >= 15
        assert rig.bus.link is not Link.CLOSED or rig.bus.counters.reopened

    sim(story, wrap=wrap)
