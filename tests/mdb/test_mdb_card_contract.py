"""What `ports.Cashless` promises of sessions and vends, whatever stands behind it."""

import asyncio

import pytest
from card_benches import KINDS, SELECTION_FIRST, Bench, Features, Play, player

from vendd.core.sale.card_reports import (
    CardReaderReady,
    RefundState,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.ports import Refused


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest) -> Play:
    return player(request.param)


@pytest.fixture(params=SELECTION_FIRST)
def choose_first(request: pytest.FixtureRequest) -> Play:
    return player(request.param)


# --- sessions ------------------------------------------------------------------------------


def test_ready_is_told_once_and_says_what_it_can(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await asyncio.sleep(60)
        (ready,) = bench.inbox.of(CardReaderReady)
        assert ready.reader == bench.port.number == bench.number
        assert (ready.can_refund, ready.multi_vend, ready.wants_cash_sales) == (True, False, True)
        assert ready.max_response_s > 0
        assert len(bench.inbox.reports) == 1

    play(story)


def test_cards_are_taken_while_enabled(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.enable(False)
        await asyncio.sleep(2)
        assert not bench.world.tap()
        await asyncio.sleep(5)
        assert not bench.inbox.of(SessionBegun)
        bench.port.enable(True)
        await asyncio.sleep(2)
        begun = await bench.session()
        assert (begun.reader, begun.funds) == (bench.number, 5000)

    play(story)


def test_disabling_ends_no_session(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        bench.port.enable(False)
        await asyncio.sleep(5)
        assert bench.ends() == []
        bench.port.request("v", 150, 7)
        assert (await bench.inbox.until(VendApproved)).amount == 150
        bench.port.succeeded("v")
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(5)
        assert not bench.world.tap()

    play(story)


def test_a_session_is_ended_once(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        bench.port.end_session()
        await bench.inbox.until(SessionEnded)
        bench.port.end_session()
        await asyncio.sleep(10)
        assert bench.ends() == ["completed"]
        bench.inbox.clear()
        await bench.session()

    play(story)


def test_the_holder_takes_the_card_away(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        bench.world.leave()
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(10)
        assert len(bench.ends()) == 1
        with_card = bench.selection_first
        if not with_card:
            with pytest.raises(Refused):
                bench.port.request("v", 150, 7)
        assert bench.vends() == []

    play(story)


# --- a vend ------------------------------------------------------------------------------------


def test_approved_and_delivered(play: Play) -> None:
    async def story(bench: Bench) -> None:
        approved = await bench.approved()
        assert approved == VendApproved(bench.number, "v", 150)
        await asyncio.sleep(5)
        assert bench.ends() == []
        bench.port.succeeded("v")
        settled = await bench.inbox.until(VendSuccessSettled)
        assert settled == VendSuccessSettled(bench.number, "v", acknowledged=True)
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(30)
        assert bench.vends() == [approved, settled]
        assert bench.ends() == ["completed"]
        assert bench.holder.balance == 4850

    play(story)


def test_approved_and_not_delivered(play: Play) -> None:
    async def story(bench: Bench) -> None:
        approved = await bench.approved()
        bench.port.failed("v")
        settled = await bench.inbox.until(VendFailureSettled)
        assert settled == VendFailureSettled(bench.number, "v", RefundState.CONFIRMED)
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(30)
        assert bench.vends() == [approved, settled]
        assert bench.ends() == ["completed"]
        assert bench.holder.balance == 5000

    play(story)


def test_denied(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.world.decline()
        await bench.session()
        bench.port.request("v", 150, 7)
        denied = await bench.inbox.until(VendDenied)
        assert denied == VendDenied(bench.number, "v", "denied", doubtful=False)
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(10)
        assert bench.vends() == [denied]
        assert len(bench.ends()) == 1
        assert bench.holder.balance == 5000
        assert bench.world.tap()

    play(story)


def test_more_than_the_holder_has_is_denied(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        bench.port.request("v", 5001, 7)
        assert not (await bench.inbox.until(VendDenied)).doubtful
        assert bench.holder.balance == 5000

    play(story)


def test_the_approved_amount_may_differ(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.world.approve_less()
        assert (await bench.approved()).amount == 120
        bench.port.succeeded("v")
        await bench.inbox.until(SessionEnded)
        assert bench.holder.balance == 4880

    play(story)


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.7])
def test_a_request_that_is_taken_back_costs_nothing(play: Play, after_s: float) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        bench.port.request("v", 150, 7)
        await asyncio.sleep(after_s)
        bench.port.cancel("v")
        denied = await bench.inbox.until(VendDenied)
        assert denied == VendDenied(bench.number, "v", "cancelled", doubtful=False)
        await asyncio.sleep(30)
        assert bench.vends() == [denied]
        assert bench.holder.balance == 5000

    play(story)


def test_taking_it_back_comes_too_late_once_it_is_approved(play: Play) -> None:
    async def story(bench: Bench) -> None:
        approved = await bench.approved()
        bench.port.cancel("v")
        await asyncio.sleep(10)
        assert bench.vends() == [approved]
        bench.port.succeeded("v")
        assert (await bench.inbox.until(VendSuccessSettled)).acknowledged
        await asyncio.sleep(10)
        assert bench.holder.balance == 4850

    play(story)


def test_a_request_nobody_answers_ends_when_it_is_taken_back(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.world.mute()
        await bench.session()
        bench.port.request("v", 150, 7)
        await asyncio.sleep(40)
        assert bench.vends() == []
        bench.port.cancel("v")
        await bench.inbox.until(VendDenied)
        await asyncio.sleep(60)
        assert len(bench.vends()) == 1
        assert bench.holder.balance == 5000

    play(story)


def test_the_holder_leaves_while_it_is_asked_for(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.world.mute()
        await bench.session()
        bench.port.request("v", 150, 7)
        await asyncio.sleep(2)
        bench.world.leave()
        denied = await bench.inbox.until(VendDenied)
        assert not denied.doubtful
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(10)
        assert bench.vends() == [denied]
        assert len(bench.ends()) == 1

    play(story)


def test_no_session_is_ended_in_the_middle_of_a_vend(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        bench.port.request("v", 150, 7)
        bench.port.end_session()
        await bench.inbox.until(VendApproved)
        bench.port.end_session()
        await asyncio.sleep(5)
        assert bench.ends() == []
        bench.port.succeeded("v")
        await bench.inbox.until(SessionEnded)
        assert bench.holder.balance == 4850

    play(story)


def test_what_can_t_be_asked_for_is_refused(play: Play) -> None:
    async def story(bench: Bench) -> None:
        def refused(price: int = 150) -> None:
            with pytest.raises(Refused):
                bench.port.request("w", price, 7)

        if not bench.selection_first:
            refused()
        bench.port.enable(False)
        await asyncio.sleep(2)
        refused()
        bench.port.enable(True)
        await asyncio.sleep(2)
        await bench.session()
        refused(10**12)
        refused(-5)
        bench.port.request("v", 150, 7)
        refused()
        await bench.inbox.until(VendApproved)
        refused()
        bench.port.succeeded("v")
        await asyncio.sleep(10)
        assert {getattr(r, "vend_id", "") for r in bench.vends()} == {"v"}

    play(story)


def test_several_products_in_one_session_where_the_reader_can(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        for vend_id in ("v1", "v2"):
            bench.inbox.clear()
            bench.port.request(vend_id, 150, 7)
            await bench.inbox.until(VendApproved)
            bench.port.succeeded(vend_id, keep_session=True)
            assert (await bench.inbox.until(VendSuccessSettled)).vend_id == vend_id
            await asyncio.sleep(3)
            assert bench.ends() == []
        bench.port.end_session()
        await bench.inbox.until(SessionEnded)
        assert bench.holder.balance == 4700

    play(story, Features(multi_vend=True))


def test_a_reader_for_one_product_ends_its_session_all_the_same(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.approved()
        bench.port.succeeded("v", keep_session=True)
        await bench.inbox.until(SessionEnded)
        assert len(bench.ends()) == 1

    play(story)


# --- the choice comes first ----------------------------------------------------------------------


def test_choose_then_tap(choose_first: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.request("v", 150, 7)
        await asyncio.sleep(8)
        assert bench.vends() == []
        assert bench.world.tap()
        assert (await bench.inbox.until(VendApproved)).amount == 150
        bench.port.succeeded("v")
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(10)
        assert len(bench.ends()) == 1
        assert bench.holder.balance == 4850

    choose_first(story)


def test_choose_then_think_again(choose_first: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.request("v", 150, 7)
        await asyncio.sleep(3)
        bench.port.cancel("v")
        denied = await bench.inbox.until(VendDenied)
        assert denied == VendDenied(bench.number, "v", "cancelled", doubtful=False)
        await bench.inbox.until(SessionEnded)
        await asyncio.sleep(10)
        assert bench.vends() == [denied]
        assert len(bench.ends()) == 1
        await bench.session()

    choose_first(story)
