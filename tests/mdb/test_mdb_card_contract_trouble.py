"""What `ports.Cashless` promises when something goes wrong, and beside the vends."""

import asyncio
from collections.abc import Callable

import pytest
from card_benches import KINDS, Bench, Features, Play, player

from vendd.core.sale.card_reports import (
    AgeVerified,
    CardReaderLost,
    CardReaderReady,
    RefundState,
    RevalueLimitRead,
    RevalueSettled,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import Report
from vendd.ports import Refused


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest) -> Play:
    return player(request.param)


# --- refunds -------------------------------------------------------------------------------


def test_a_refund_that_fails_is_due(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.approved()
        bench.world.fail_refund()
        bench.port.failed("v")
        assert (await bench.inbox.until(VendFailureSettled)).state is RefundState.FAILED
        await bench.inbox.until(SessionEnded)
        assert bench.holder.balance == 4850

    play(story)


def test_a_reader_that_can_t_refund_says_so_first_and_last(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert not bench.inbox.of(CardReaderReady)[-1].can_refund
        await bench.approved()
        bench.port.failed("v")
        assert (await bench.inbox.until(VendFailureSettled)).state is RefundState.UNSUPPORTED
        await bench.inbox.until(SessionEnded)
        assert bench.holder.balance == 4850

    play(story, Features(refunds=False))


def test_an_order_about_an_unknown_vend_is_settled_without_a_promise(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.succeeded("w")
        settled = await bench.inbox.until(VendSuccessSettled)
        assert settled == VendSuccessSettled(bench.number, "w", acknowledged=False)
        bench.port.failed("x")
        failed = await bench.inbox.until(VendFailureSettled)
        assert failed == VendFailureSettled(bench.number, "x", RefundState.UNCONFIRMED)
        bench.port.cancel("y")
        await asyncio.sleep(10)
        assert bench.vends() == [settled, failed]

    play(story)


# --- power and plugs -------------------------------------------------------------------------


@pytest.mark.parametrize("delivered", [True, False])
def test_it_starts_anew_after_its_approval(play: Play, delivered: bool) -> None:
    """Field note 14: it counts the vend as sold, whatever came of it."""

    async def story(bench: Bench) -> None:
        await bench.approved()
        bench.world.reset()
        await asyncio.sleep(3)
        if delivered:
            bench.port.succeeded("v")
            assert not (await bench.inbox.until(VendSuccessSettled)).acknowledged
        else:
            bench.port.failed("v")
            settled = await bench.inbox.until(VendFailureSettled)
            assert settled.state is RefundState.UNCONFIRMED
        await asyncio.sleep(60)
        assert len(bench.vends()) == 2
        assert len(bench.ends()) == 1
        assert bench.holder.balance == 4850

    play(story)


def test_it_starts_anew_while_it_is_asked(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.world.mute()
        await bench.session()
        bench.port.request("v", 150, 7)
        await asyncio.sleep(2)
        bench.inbox.clear()
        bench.world.reset()
        denied = await bench.inbox.until(VendDenied)
        await bench.inbox.until(CardReaderReady)
        await asyncio.sleep(30)
        assert bench.vends() == [denied]
        assert len(bench.ends()) == 1
        assert bench.holder.balance == 5000
        await bench.session()

    play(story)


def test_enabled_is_kept_across_resets(play: Play) -> None:
    async def story(bench: Bench) -> None:
        for on in (True, False):
            bench.port.enable(on)
            bench.inbox.clear()
            bench.world.reset()
            await bench.inbox.until(CardReaderReady)
            await asyncio.sleep(3)
            assert bench.world.tap() is on
            await asyncio.sleep(3)
            bench.port.end_session()
            await asyncio.sleep(3)

    play(story)


def test_lost_and_back_are_told_once_each(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.inbox.clear()
        bench.world.unplug()
        await bench.inbox.until(CardReaderLost, 60)
        await asyncio.sleep(120)
        assert len(bench.inbox.reports) == 1
        with pytest.raises(Refused):
            bench.port.request("v", 150, 7)
        with pytest.raises(Refused):
            bench.port.check_age("a", 18)
        bench.world.plug()
        await bench.inbox.until(CardReaderReady, 60)
        await asyncio.sleep(60)
        assert len(bench.inbox.reports) == 2
        await bench.approved()

    play(story)


def test_lost_with_a_session_open(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.session()
        bench.inbox.clear()
        bench.world.unplug()
        await bench.inbox.until(CardReaderLost, 60)
        await asyncio.sleep(60)
        assert len(bench.ends()) == 1
        assert bench.vends() == []
        bench.world.plug()
        await bench.inbox.until(CardReaderReady, 60)

    play(story)


def test_lost_while_it_is_asked_is_doubtful(play: Play) -> None:
    """It may have approved, and nobody can ask."""

    async def story(bench: Bench) -> None:
        bench.world.mute()
        await bench.session()
        bench.port.request("v", 150, 7)
        await asyncio.sleep(2)
        bench.world.unplug()
        denied = await bench.inbox.until(VendDenied, 60)
        assert denied.doubtful
        await bench.inbox.until(SessionEnded, 60)
        await bench.inbox.until(CardReaderLost, 60)
        await asyncio.sleep(60)
        assert bench.vends() == [denied]
        assert len(bench.ends()) == 1

    play(story)


@pytest.mark.parametrize("delivered", [True, False])
def test_lost_after_its_approval(play: Play, delivered: bool) -> None:
    async def story(bench: Bench) -> None:
        approved = await bench.approved()
        bench.world.unplug()
        await bench.inbox.until(CardReaderLost, 60)
        assert bench.vends() == [approved]
        if delivered:
            bench.port.succeeded("v")
            assert not (await bench.inbox.until(VendSuccessSettled, 60)).acknowledged
        else:
            bench.port.failed("v")
            settled = await bench.inbox.until(VendFailureSettled, 60)
            assert settled.state is RefundState.UNCONFIRMED
        bench.world.plug()
        await asyncio.sleep(120)
        assert len(bench.vends()) == 2
        assert len(bench.ends()) == 1
        assert bench.holder.balance == 4850
        bench.inbox.clear()
        await bench.session()

    play(story)


# --- an earlier life ---------------------------------------------------------------------------


def test_held_until_somebody_says_that_nothing_has_to_be_settled(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await asyncio.sleep(20)
        assert bench.inbox.reports == []
        bench.port.release()
        await bench.inbox.until(CardReaderReady)
        await asyncio.sleep(2)
        assert bench.vends() == []
        assert bench.holder.balance == 4850
        await bench.approved()

    play(story, Features(earlier_life=True))


@pytest.mark.parametrize(
    ("how", "settled", "balance"),
    [
        ("succeeded", lambda n: VendSuccessSettled(n, "old", acknowledged=True), 4850),
        ("failed", lambda n: VendFailureSettled(n, "old", RefundState.CONFIRMED), 5000),
        ("cancel", lambda n: VendDenied(n, "old", "cancelled", doubtful=False), 5000),
    ],
)
def test_a_vend_of_an_earlier_life_is_settled_before_the_reader_starts_anew(
    play: Play, how: str, settled: Callable[[int], Report], balance: int
) -> None:
    async def story(bench: Bench) -> None:
        await asyncio.sleep(2)
        getattr(bench.port, how)("old")
        await bench.inbox.until(CardReaderReady, 60)
        await asyncio.sleep(10)
        assert [type(r) for r in bench.inbox.reports[:2]] == [type(settled(1)), CardReaderReady]
        assert bench.vends() == [settled(bench.number)]
        assert bench.ends() == []
        assert bench.holder.balance == balance

    play(story, Features(earlier_life=True))


# --- beside a vend -------------------------------------------------------------------------------


def test_cash_sales_are_told_to_a_reader_that_wants_them(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.cash_sale(150, 7)
        bench.port.cash_sale(90, 8)
        await asyncio.sleep(5)
        assert bench.world.cash_sales() == [(150, 7), (90, 8)]

    play(story)


def test_money_is_put_on_a_card(play: Play) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused):
            bench.port.revalue("r", 200)
        with pytest.raises(Refused):
            bench.port.ask_revalue_limit()
        await bench.session()
        bench.port.ask_revalue_limit()
        assert await bench.inbox.until(RevalueLimitRead) == RevalueLimitRead(bench.number, 10_000)
        bench.port.revalue("r", 200)
        settled = await bench.inbox.until(RevalueSettled)
        assert settled == RevalueSettled(bench.number, "r", approved=True)
        assert bench.holder.balance == 5200
        bench.inbox.clear()
        bench.port.revalue("s", 10_001)
        assert not (await bench.inbox.until(RevalueSettled)).approved
        assert bench.holder.balance == 5200
        bench.port.request("v", 150, 7)
        await bench.inbox.until(VendApproved)

    play(story)


@pytest.mark.parametrize(("years", "verified"), [(18, True), (17, False)])
def test_an_age_is_checked_once(play: Play, years: int, verified: bool) -> None:
    async def story(bench: Bench) -> None:
        bench.port.check_age("a", 18)
        with pytest.raises(Refused):
            bench.port.check_age("b", 18)
        await asyncio.sleep(5)
        bench.world.show_age(years)
        told = await bench.inbox.until(AgeVerified)
        assert (told.reader, told.check_id, told.verified) == (bench.number, "a", verified)
        await asyncio.sleep(10)
        assert len(bench.inbox.of(AgeVerified)) == 1
        bench.port.check_age("c", 18)

    play(story)


def test_an_age_nobody_waits_for_is_not_verified(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.port.check_age("a", 18)
        await asyncio.sleep(5)
        bench.port.stop_age_check()
        told = await bench.inbox.until(AgeVerified)
        assert (told.check_id, told.verified) == ("a", False)
        bench.world.show_age(40)
        await asyncio.sleep(10)
        assert len(bench.inbox.of(AgeVerified)) == 1

    play(story)
