"""What card readers did in the field, by the row of the field notes."""

import asyncio
from dataclasses import replace

import pytest

from hw_sim.devices.card_reader import Card, ReaderModel
from hw_sim.devices.card_reader_parts import CardFault
from tests.field.machine_rig import Machine, play
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
from vendd.core.sale.reports import FaultEnded, FaultStarted

PAX = ReaderModel(level=1, options=0, begin_bytes=4, answers="on poll", max_response_s=45)
PLAIN = ReaderModel(level=1, options=0)
SLOW = ReaderModel(max_response_s=25)


def cards(story: object, *models: ReaderModel) -> None:
    both = (*models, ReaderModel())[:2]
    play(story, readers=both, ready=[CardReaderReady])  # type: ignore[arg-type]


async def session(machine: Machine, card: Card) -> SessionBegun:
    assert machine.readers[0].tap(card)
    return await machine.inbox.until(SessionBegun)


async def approved(machine: Machine, card: Card) -> VendApproved:
    await session(machine, card)
    machine.now.readers[0].request("v", 150, 1)
    return await machine.inbox.until(VendApproved)


def test_row_08_begin_session_again_and_again_is_one_session() -> None:
    async def story(machine: Machine) -> None:
        machine.readers[0].inject("repeat_begin")
        await session(machine, Card())
        await asyncio.sleep(5)
        assert len(machine.inbox.of(SessionBegun)) == 1
        machine.now.readers[0].end_session()
        await machine.inbox.until(SessionEnded)
        await asyncio.sleep(10)
        assert len(machine.inbox.of(SessionBegun)) == len(machine.inbox.of(SessionEnded)) == 1

    cards(story)


@pytest.mark.parametrize("message", ["begin", "approved"])
def test_row_08_a_reader_that_does_not_hear_our_ack_says_it_again_and_it_counts_once(
    message: str,
) -> None:
    async def story(machine: Machine) -> None:
        if message == "begin":
            machine.readers[0].inject("ack_lost", times=3)
        await session(machine, Card())
        await asyncio.sleep(2)
        if message == "approved":
            machine.readers[0].inject("ack_lost", times=3)
        machine.now.readers[0].request("v", 150, 1)
        await machine.inbox.until(VendApproved)
        await asyncio.sleep(5)
        assert len(machine.inbox.of(SessionBegun)) == 1
        assert len(machine.inbox.of(VendApproved)) == 1
        machine.now.readers[0].succeeded("v")
        await machine.inbox.until(SessionEnded)
        assert machine.readers[0].truth.paid() == 150

    cards(story)


@pytest.mark.parametrize("how", ["at once", "on poll"])
def test_row_09_end_session_comes_with_the_answer_or_with_a_poll(how: str) -> None:
    async def story(machine: Machine) -> None:
        await session(machine, Card())
        machine.now.readers[0].end_session()
        await machine.inbox.until(SessionEnded, 3)
        await asyncio.sleep(1)
        assert not machine.line.times(b"R,10\n", since=machine.inbox.told[-1][0])

    cards(story, replace(PLAIN, answers=how))  # type: ignore[arg-type]


def test_row_09_end_session_never_comes_and_a_reset_ends_it() -> None:
    async def story(machine: Machine) -> None:
        machine.readers[0].inject("never_end")
        await session(machine, Card())
        asked = asyncio.get_running_loop().time()
        machine.now.readers[0].end_session()
        await machine.inbox.until(SessionEnded, 30)
        await asyncio.sleep(10)
        assert len(machine.line.times(b"R,10\n", since=asked)) == 1
        machine.inbox.told.clear()
        await session(machine, Card())  # and it works again

    cards(story, PLAIN)


def test_row_10_a_reader_that_resets_itself_again_and_again_gets_no_tight_loop() -> None:
    async def story(machine: Machine) -> None:
        begun = asyncio.get_running_loop().time()
        for _ in range(150):  # five minutes of it, every two seconds
            machine.readers[0].reset_itself()
            await asyncio.sleep(2)
        setups = [at for at, data in machine.line.written if data.startswith(b"R,11,00")]
        assert len([at for at in setups if at > begun]) < 100
        loops = [f for f in machine.inbox.of(FaultStarted) if f.code == "reader_reset_loop"]
        assert len(loops) == 1, "one event, not one per reset"
        await asyncio.sleep(120)
        machine.inbox.told.clear()
        await session(machine, Card())
        assert not machine.inbox.of(FaultEnded)

    cards(story)


def test_row_11_four_bytes_begin_a_session_and_the_rest_comes_on_poll() -> None:
    async def story(machine: Machine) -> None:
        card = Card()
        begun = await session(machine, card)
        assert begun.funds == 5000
        machine.now.readers[0].request("v", 150, 1)
        assert (await machine.inbox.until(VendApproved)).amount == 150
        machine.now.readers[0].succeeded("v")
        await machine.inbox.until(SessionEnded)
        assert card.balance == 4850

    cards(story, PAX)


def test_row_12_another_amount_than_asked_is_the_amount_that_is_told() -> None:
    async def story(machine: Machine) -> None:
        machine.readers[0].inject("other_amount")
        card = Card()
        assert (await approved(machine, card)).amount == 120
        machine.now.readers[0].succeeded("v")
        await machine.inbox.until(VendSuccessSettled)
        assert card.balance == 5000 - 120

    cards(story)


@pytest.mark.parametrize(
    ("fault", "state", "balance"),
    [
        (CardFault.REFUND_SLOW, RefundState.CONFIRMED, 5000),
        (CardFault.REFUND_SILENT, RefundState.UNCONFIRMED, 4850),
        (CardFault.REFUND_ERROR, RefundState.FAILED, 4850),
    ],
)
def test_row_13_silent_while_it_refunds_or_unable_to(
    fault: CardFault, state: RefundState, balance: int
) -> None:
    """Polled until it answers; no RESET before its time is over, because that counts as sold."""

    async def story(machine: Machine) -> None:
        card = Card()
        machine.readers[0].inject(fault)
        await approved(machine, card)
        failed_at = asyncio.get_running_loop().time()
        machine.now.readers[0].failed("v")
        settled = await machine.inbox.until(VendFailureSettled, 90)
        assert settled.state is state
        resets = machine.line.times(b"R,10\n", since=failed_at)
        assert not resets or resets[0] - failed_at >= SLOW.max_response_s
        await asyncio.sleep(30)
        assert card.balance == balance

    cards(story, SLOW)


@pytest.mark.parametrize("fault", [CardFault.POWER_CUT_APPROVED, CardFault.RESET_APPROVED])
def test_row_14_a_reset_between_approved_and_success_counts_as_sold(fault: CardFault) -> None:
    """So a failure after it is not confirmed by anything, and somebody has to be told."""

    async def story(machine: Machine) -> None:
        machine.readers[0].inject(fault)
        await approved(machine, Card())
        await asyncio.sleep(20)
        machine.now.readers[0].failed("v")
        assert (await machine.inbox.until(VendFailureSettled)).state is RefundState.UNCONFIRMED
        assert machine.readers[0].truth.paid() == 150

    cards(story)


def test_row_14_silent_after_the_approval_gets_failure_before_any_reset() -> None:
    async def story(machine: Machine) -> None:
        card = Card()
        await approved(machine, card)
        machine.readers[0].silence(30)
        since = asyncio.get_running_loop().time()
        await asyncio.sleep(29)
        assert not machine.line.times(b"R,10\n", since=since)
        machine.now.readers[0].failed("v")
        assert (await machine.inbox.until(VendFailureSettled)).state is RefundState.CONFIRMED
        assert card.balance == 5000

    cards(story)


def test_row_15_a_reader_may_be_silent_as_long_as_it_said() -> None:
    """Its own maximum response time counts, not the five seconds of the standard."""

    async def story(machine: Machine) -> None:
        machine.readers[0].inject("silent_authorising")
        await session(machine, Card())
        machine.readers[0].model = SLOW
        machine.now.readers[0].request("v", 150, 1)
        since = asyncio.get_running_loop().time()
        assert (await machine.inbox.until(VendApproved)).amount == 150
        took = asyncio.get_running_loop().time() - since
        assert 15 < took < 25
        assert not machine.line.times(b"R,10\n", since=since)
        machine.now.readers[0].succeeded("v")
        await machine.inbox.until(SessionEnded)

    cards(story, replace(SLOW, authorises_s=(18.0, 18.0)))


def test_row_15_a_session_that_the_reader_drops_is_over_once() -> None:
    async def story(machine: Machine) -> None:
        machine.readers[0].inject("drop_session")
        await session(machine, Card())
        await machine.inbox.until(SessionEnded)
        machine.now.readers[0].end_session()
        await asyncio.sleep(20)
        assert len(machine.inbox.of(SessionEnded)) == 1
        machine.inbox.told.clear()
        await session(machine, Card())

    cards(story)


def test_row_21_an_approval_that_crosses_the_cancel_is_given_back() -> None:
    async def story(machine: Machine) -> None:
        card = Card()
        machine.readers[0].inject("crossing")
        await session(machine, card)
        machine.now.readers[0].request("v", 150, 1)
        await asyncio.sleep(0.3)
        machine.now.readers[0].cancel("v")
        denied = await machine.inbox.until(VendDenied)
        assert not denied.doubtful
        await asyncio.sleep(10)
        assert not machine.inbox.of(VendApproved), "nobody may vend on it"
        assert card.balance == 5000

    cards(story)


def test_row_25_new_prices_are_told_to_the_reader_when_it_rests() -> None:
    async def story(machine: Machine) -> None:
        machine.now.readers[0].show_prices(350, 100)
        await asyncio.sleep(1)
        told = b"R,11,01000001\n".replace(b"000001", b"0000015E000000641978")
        assert len(machine.line.times(told)) == 1
        await session(machine, Card())
        machine.now.readers[0].show_prices(400, 100)
        await asyncio.sleep(5)
        changed = told.replace(b"015E", b"0190")
        assert not machine.line.times(changed), "not in the middle of a session"
        machine.now.readers[0].end_session()
        await machine.inbox.until(SessionEnded)
        await asyncio.sleep(1)
        assert len(machine.line.times(changed)) == 1

    cards(story)
