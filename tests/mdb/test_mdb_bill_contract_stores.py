"""What `ports.BillValidator` promises of its stores and payouts, whatever stands behind it."""

import asyncio

import pytest
from bill_benches import FILL, FOUR, KINDS, RECYCLERS, Bench, Play, player

from vendd.core.sale.bill_reports import (
    BillPath,
    BillPayoutEnded,
    BillStacked,
    BillValidatorLost,
    BillValidatorReady,
    RecyclerRead,
    StackerRead,
)
from vendd.ports import Refused


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest) -> Play:
    return player(request.param)


@pytest.fixture(params=RECYCLERS)
def recycle(request: pytest.FixtureRequest) -> Play:
    return player(request.param)


def test_the_stores_are_told_when_asked_for(play: Play) -> None:
    async def story(bench: Bench) -> None:
        ready = await bench.inbox.until(BillValidatorReady)
        await bench.port.read_stores()
        assert (await bench.inbox.until(StackerRead)).stacker == ready.stacker
        if ready.recycler:
            assert (await bench.inbox.until(RecyclerRead)).stores == ready.recycler
            assert {s.value: s.count for s in ready.recycler} == FILL

    play(story)


@pytest.mark.parametrize("kind", [name for name in KINDS if name not in RECYCLERS])
def test_nothing_is_paid_without_a_recycler(kind: str) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused):
            await bench.port.pay_out("p1", ((0, 1),))
        await asyncio.sleep(10)
        assert not bench.inbox.of(BillPayoutEnded)

    player(kind)(story)


def test_a_recycled_bill_can_be_paid_again(recycle: Play) -> None:
    async def story(bench: Bench) -> None:
        held = await bench.held(2000)
        bench.port.stack(held.bill)
        assert (await bench.inbox.until(BillStacked)).path is BillPath.RECYCLER
        await asyncio.sleep(5)
        await bench.port.read_stores()
        await asyncio.sleep(1)
        counts = {s.value: s.count for s in bench.inbox.of(RecyclerRead)[-1].stores}
        assert counts == {**FILL, 2000: 5}
        await bench.port.pay_out("p1", ((2, 5),))
        assert worth(await bench.inbox.until(BillPayoutEnded, 60)) == 10_000

    recycle(story)


def test_a_payout_ends_once_and_tells_the_stores(recycle: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.port.pay_out("p1", ((1, 2), (0, 1)))
        ended = await bench.inbox.until(BillPayoutEnded, 60)
        assert (ended.payout_id, ended.certain, ended.why) == ("p1", True, "")
        assert worth(ended) == 2500 == bench.in_hand()
        await asyncio.sleep(60)
        assert len(bench.inbox.of(BillPayoutEnded)) == 1
        assert sum(s.value * s.count for s in bench.inbox.of(RecyclerRead)[-1].stores) == (
            sum(v * n for v, n in FILL.items()) - 2500
        )

    recycle(story)


def test_one_payout_at_a_time_and_none_with_a_bill_in_escrow(recycle: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.port.pay_out("p1", ((1, 2),))
        with pytest.raises(Refused):
            await bench.port.pay_out("p2", ((1, 1),))
        await bench.inbox.until(BillPayoutEnded, 60)
        await asyncio.sleep(2)
        held = await bench.held()
        with pytest.raises(Refused):
            await bench.port.pay_out("p3", ((1, 1),))
        bench.port.give_back(held.bill)
        await asyncio.sleep(30)
        assert [e.payout_id for e in bench.inbox.of(BillPayoutEnded)] == ["p1"]
        assert bench.in_hand() == 2000 + 1000

    recycle(story)


@pytest.mark.parametrize("bills", [(), ((9, 1),), ((3, 1),), ((0, 0),)])
def test_impossible_payouts_are_refused(recycle: Play, bills: tuple[tuple[int, int], ...]) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused):
            await bench.port.pay_out("p1", bills)
        await asyncio.sleep(10)
        assert not bench.inbox.of(BillPayoutEnded)

    recycle(story)


@pytest.mark.parametrize("after", [0, 1])
def test_a_jam_ends_short_and_certain(recycle: Play, after: int) -> None:
    async def story(bench: Bench) -> None:
        assert bench.jam_after is not None
        bench.jam_after(after)
        await bench.port.pay_out("p1", ((1, 3),))
        ended = await bench.inbox.until(BillPayoutEnded, 60)
        assert (ended.certain, ended.why) == (True, "recycler_jam")
        assert worth(ended) == bench.in_hand() == 1000 * after

    recycle(story)


@pytest.mark.parametrize("plugged_back", [False, True])
def test_reset_or_unplugged_in_a_payout(recycle: Play, plugged_back: bool) -> None:
    """What was paid is not certain; it is told once, and the stores say the rest."""

    async def story(bench: Bench) -> None:
        await bench.port.pay_out("p1", ((1, 4),))
        await asyncio.sleep(4)
        if plugged_back:
            bench.world.unplug()
            await bench.inbox.until(BillValidatorLost)
            with pytest.raises(Refused):
                await bench.port.pay_out("p2", ((0, 1),))
            bench.world.plug()
        else:
            bench.reset()
        ended = await bench.inbox.until(BillPayoutEnded, 60)
        assert not ended.certain
        await asyncio.sleep(60)  # what sticks out is taken
        assert worth(ended) <= bench.in_hand()
        assert len(bench.inbox.of(BillPayoutEnded)) == 1
        ready = bench.inbox.of(BillValidatorReady)[-1]
        told = sum(s.value * s.count for s in ready.recycler)
        assert told == sum(v * n for v, n in FILL.items()) - bench.in_hand()

    recycle(story)


def worth(ended: BillPayoutEnded) -> int:
    return sum(FOUR[t] * n for t, n in ended.paid)
