"""What `ports.BillValidator` promises of bills that come in, whatever stands behind it."""

import asyncio

import pytest
from bill_benches import ALL, FILL, FOUR, KINDS, Bench, Play, player

from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillReturned,
    BillStacked,
    BillUnclear,
    BillValidatorLost,
    BillValidatorReady,
)
from vendd.ports import Refused


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest) -> Play:
    return player(request.param)


# --- bills that come in --------------------------------------------------------------------


def test_ready_tells_the_bills_it_knows_once(play: Play) -> None:
    async def story(bench: Bench) -> None:
        ready = await bench.inbox.until(BillValidatorReady)
        known = {b.type: b.value for b in ready.bills}
        assert {t: known[t] for t in range(4)} == dict(enumerate(FOUR))
        assert ready.escrow
        assert not ready.stacker.full
        recycled = {b.value for b in ready.bills if b.recycled}
        assert recycled == {s.value for s in ready.recycler} == (set(FILL) if recycled else set())
        await asyncio.sleep(30)
        assert len(bench.inbox.of(BillValidatorReady)) == 1

    play(story)


def test_a_bill_is_money_when_it_is_stacked_and_not_before(play: Play) -> None:
    async def story(bench: Bench) -> None:
        held = await bench.held(1000)
        assert (held.bill, held.type, held.value) == (1, 1, 1000)
        await asyncio.sleep(10)
        assert bench.fates() == []
        assert bench.inbox.of(BillInEscrow) == [held]
        bench.port.stack(held.bill)
        stacked = await bench.inbox.until(BillStacked)
        assert (stacked.bill, stacked.type, stacked.value) == (1, 1, 1000)
        await asyncio.sleep(60)
        assert bench.fates() == [stacked]
        assert bench.in_store() == 1000

    play(story)


def test_a_bill_is_given_back_on_order(play: Play) -> None:
    async def story(bench: Bench) -> None:
        held = await bench.held(2000)
        bench.port.give_back(held.bill)
        returned = await bench.inbox.until(BillReturned)
        assert returned == BillReturned(1, 2, 2000, "ordered")
        await asyncio.sleep(60)
        assert bench.fates() == [returned]
        assert (bench.in_store(), bench.in_hand()) == (0, 2000)

    play(story)


def test_bills_are_numbered_as_they_come(play: Play) -> None:
    async def story(bench: Bench) -> None:
        for number, value in enumerate((500, 2000, 500, 5000), 1):
            bench.inbox.clear()
            held = await bench.held(value)
            assert (held.bill, held.value) == (number, value)
            (bench.port.stack if number % 2 else bench.port.give_back)(number)
            await asyncio.sleep(8)
            (fate,) = bench.fates()
            assert isinstance(fate, BillStacked if number % 2 else BillReturned)
            assert fate.bill == number
        assert (bench.in_store(), bench.in_hand()) == (1000, 7000)

    play(story)


def test_an_order_for_a_bill_that_does_not_wait_is_refused(play: Play) -> None:
    async def story(bench: Bench) -> None:
        def refused(bill: int) -> None:
            for order in (bench.port.stack, bench.port.give_back):
                with pytest.raises(Refused):
                    order(bill)

        refused(1)
        held = await bench.held()
        refused(held.bill + 1)
        bench.port.stack(held.bill)
        refused(held.bill)  # it is on its way
        await bench.inbox.until(BillStacked)
        refused(held.bill)
        await asyncio.sleep(10)
        assert len(bench.fates()) == 1

    play(story)


@pytest.mark.parametrize("accepted", [frozenset(), frozenset({0, 3})])
def test_only_accepted_types_are_taken(play: Play, accepted: frozenset[int]) -> None:
    async def story(bench: Bench) -> None:
        bench.port.accept(accepted)
        await asyncio.sleep(1)
        drawn_in = bench.world.insert_bill(1000)
        await asyncio.sleep(8)
        assert not bench.inbox.of(BillInEscrow)
        assert bench.fates() == []
        assert bench.in_hand() == (1000 if drawn_in else 0)
        bench.port.accept(frozenset({1}))
        await asyncio.sleep(1)
        await bench.held(1000)

    play(story)


def test_types_that_need_not_be_held_go_straight_in(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.accept(ALL, frozenset({2, 3}))
        await asyncio.sleep(1)
        assert bench.world.insert_bill(1000)
        assert (await bench.inbox.until(BillStacked)).value == 1000
        assert not bench.inbox.of(BillInEscrow)
        await asyncio.sleep(5)
        held = await bench.held(2000)
        await asyncio.sleep(5)
        assert bench.credit() == bench.in_store() == 1000
        bench.port.give_back(held.bill)
        await bench.inbox.until(BillReturned)

    play(story)


# --- orders that go wrong -------------------------------------------------------------------


def test_an_order_without_effect_comes_back_as_a_question(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.bounce()
        held = await bench.held()
        bench.inbox.clear()
        bench.port.stack(held.bill)
        assert await bench.inbox.until(BillInEscrow, 60) == held
        assert bench.fates() == []
        bench.port.stack(held.bill)
        await bench.inbox.until(BillStacked)
        await asyncio.sleep(40)
        assert len(bench.fates()) == 1
        assert bench.in_store() == 1000

    play(story)


def test_a_bill_that_comes_back_instead_is_no_money(play: Play) -> None:
    async def story(bench: Bench) -> None:
        if bench.spit is None:
            return
        bench.spit()
        held = await bench.held()
        bench.port.stack(held.bill)
        assert await bench.inbox.until(BillReturned) == BillReturned(1, 1, 1000, "returned")
        await asyncio.sleep(40)
        assert len(bench.fates()) == 1
        assert (bench.in_store(), bench.in_hand()) == (0, 1000)

    play(story)


def test_an_order_that_vanishes_is_unclear_within_half_a_minute(play: Play) -> None:
    async def story(bench: Bench) -> None:
        if bench.freeze is None:
            return
        bench.freeze()
        held = await bench.held()
        bench.port.stack(held.bill)
        began = asyncio.get_running_loop().time()
        unclear = await bench.inbox.until(BillUnclear, 60)
        assert 25 <= asyncio.get_running_loop().time() - began <= 32
        assert (unclear.bill, unclear.type, unclear.value) == (1, 1, 1000)
        assert not unclear.stacker_rose
        assert bench.credit() == bench.in_store() == 0

    play(story)


# --- power and plugs --------------------------------------------------------------------------


@pytest.mark.parametrize("stacking", [False, True])
def test_a_reset_with_a_bill_inside_is_told_and_then_settled(play: Play, stacking: bool) -> None:
    async def story(bench: Bench) -> None:
        held = await bench.held(2000)
        if stacking:
            bench.port.stack(held.bill)
            await asyncio.sleep(0.4)
        bench.inbox.clear()
        bench.reset()
        await bench.inbox.until(BillValidatorReady)
        await asyncio.sleep(40)
        (interrupted,) = bench.inbox.of(BillInterrupted)
        phase = "stacking" if stacking else "escrow"
        assert (interrupted.bill, interrupted.value, interrupted.phase) == (1, 2000, phase)
        (fate,) = bench.fates()
        assert isinstance(fate, BillStacked if stacking else BillReturned)
        assert bench.inbox.reports.index(interrupted) < bench.inbox.reports.index(fate)
        assert bench.credit() == bench.in_store()
        assert bench.in_store() + bench.in_hand() == 2000

    play(story)


@pytest.mark.parametrize("stacking", [False, True])
def test_unplugged_with_a_bill_inside_and_plugged_back(play: Play, stacking: bool) -> None:
    async def story(bench: Bench) -> None:
        held = await bench.held(2000)
        if stacking:
            bench.port.stack(held.bill)
            await asyncio.sleep(0.4)
        bench.inbox.clear()
        bench.world.unplug()
        await bench.inbox.until(BillValidatorLost)
        await asyncio.sleep(60)
        assert len(bench.inbox.of(BillValidatorLost)) == 1
        assert len(bench.inbox.of(BillInterrupted)) == 1
        assert bench.fates() == []
        for order in (bench.port.stack, bench.port.give_back):
            with pytest.raises(Refused):
                order(held.bill)
        with pytest.raises(Refused):
            await bench.port.read_stores()
        bench.world.plug()
        await bench.inbox.until(BillValidatorReady)
        await asyncio.sleep(40)
        (fate,) = bench.fates()
        assert isinstance(fate, BillStacked if stacking else BillReturned)
        assert bench.credit() == bench.in_store()
        assert bench.in_store() + bench.in_hand() == 2000
        assert len(bench.inbox.of(BillInterrupted)) == 1

    play(story)


def test_the_accepted_types_survive_a_reset(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.accept(frozenset({1, 2}), frozenset({1}))
        await asyncio.sleep(1)
        bench.reset()
        await asyncio.sleep(20)  # where nothing shows that it was reset, its settings do
        await bench.held(1000)
        bench.port.stack(1)
        await bench.inbox.until(BillStacked)
        await asyncio.sleep(5)
        assert bench.world.insert_bill(2000)
        await asyncio.sleep(8)
        assert bench.credit() == bench.in_store() == 3000
        assert len(bench.inbox.of(BillInEscrow)) == 1

    play(story)
