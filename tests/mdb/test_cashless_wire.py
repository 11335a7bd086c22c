"""Driver and bus against the simulator's adapter and card reader: who paid what agrees."""

import asyncio
import random
from contextlib import suppress

import pytest
from card_rig import EUR, LEVEL_1, Card, CardRig, ReaderModel, card_rig, sim

from hw_sim.devices.card_reader import CardFault
from hw_sim.devices.card_reader_parts import Outcome
from hw_sim.loop import run_virtual
from vendd.core.sale.card_reports import (
    AgeVerified,
    CardReaderLost,
    CardReaderReady,
    RefundState,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import DeviceIdentity
from vendd.drivers.cashless import CashlessRules
from vendd.ports import Refused

MODELS = {
    "level 1": LEVEL_1,
    "level 2, on poll": ReaderModel(level=2, answers="on poll"),
    "level 3": ReaderModel(),
    "level 3, narrow, session first": ReaderModel(options=0),
    "pax": ReaderModel(level=1, scale=10, begin_bytes=4, answers="on poll", max_response_s=45),
}


def test_it_says_who_it_is() -> None:
    async def story(rig: CardRig) -> None:
        ready = await rig.inbox.until(CardReaderReady)
        who = DeviceIdentity("SIM", "000000000011", "CARDS-1", "0150", 3, 0x22, "1978", 1, 2)
        assert ready == CardReaderReady(1, who, 10, True, False, True, False)

    sim(story)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("number", [1, 2])
def test_tap_choose_deliver(model: ReaderModel, number: int) -> None:
    async def story(rig: CardRig) -> None:
        card = Card()
        begun = await rig.session(card)
        assert (begun.reader, begun.funds) == (number, 5000)
        assert await rig.vend() == VendApproved(number, "v1", 150)
        assert (await rig.succeeded()).acknowledged
        assert (await rig.over()).why == "completed"
        assert (card.balance, rig.reader.truth.paid()) == (4850, 150)

    sim(story, model=model, number=number)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_tap_choose_and_nothing_falls(model: ReaderModel) -> None:
    async def story(rig: CardRig) -> None:
        card = Card()
        await rig.session(card)
        await rig.vend()
        assert (await rig.failed()).state is RefundState.CONFIRMED
        await rig.over()
        assert card.balance == 5000

    sim(story, model=model)


def test_choose_then_tap() -> None:
    async def story(rig: CardRig) -> None:
        rig.driver.request("v", 150, 1)
        await asyncio.sleep(8)
        rig.reader.tap(Card())
        assert await rig.answer("v") == VendApproved(1, "v", 150)
        rig.driver.succeeded("v")
        assert (await rig.over()).why == "completed"

    sim(story)


def test_choose_then_a_coin_falls_instead() -> None:
    async def story(rig: CardRig) -> None:
        rig.driver.request("v", 150, 1)
        await asyncio.sleep(2)
        rig.driver.cancel("v")
        assert await rig.answer("v") == VendDenied(1, "v", "cancelled")
        await rig.over()
        assert rig.reader.truth.charges == []

    sim(story)


def test_two_products_in_one_session() -> None:
    async def story(rig: CardRig) -> None:
        await rig.session()
        for _ in range(2):
            assert isinstance(await rig.vend(), VendApproved)
            rig.driver.succeeded(rig.vends[-1], keep_session=True)
            await asyncio.sleep(1)
        assert not rig.inbox.of(SessionEnded)
        rig.driver.end_session()
        await rig.over()
        assert rig.reader.truth.paid() == 300

    sim(story, model=ReaderModel(multi_vend=True))


def test_declined() -> None:
    async def story(rig: CardRig) -> None:
        rig.reader.decline_next()
        await rig.session()
        assert await rig.vend() == VendDenied(1, "v1", "denied")
        await rig.over()
        assert rig.reader.tap(Card())

    sim(story)


def test_age() -> None:
    async def story(rig: CardRig) -> None:
        rig.driver.check_age("a", 18)
        await asyncio.sleep(5)
        assert rig.reader.asks_age
        rig.reader.show_age(17)
        assert not (await rig.inbox.until(AgeVerified)).verified
        rig.inbox.clear()
        rig.driver.check_age("b", 16)
        await asyncio.sleep(5)
        rig.reader.show_age(17)
        assert await rig.inbox.until(AgeVerified) == AgeVerified(1, "b", True, "9F10")

    rules = CashlessRules(978, 2, age_approved=frozenset({b"\x9f\x10"}))
    sim(story, model=ReaderModel(ages=True), rules=rules)


REFUNDS = [
    (CardFault.REFUND_ERROR, RefundState.FAILED, 4850),
    (CardFault.REFUND_SILENT, RefundState.UNCONFIRMED, 4850),
    (CardFault.REFUND_SLOW, RefundState.CONFIRMED, 5000),
]


@pytest.mark.parametrize(("fault", "state", "balance"), REFUNDS)
def test_refunds_that_go_wrong(fault: CardFault, state: RefundState, balance: int) -> None:
    """Field note 13."""

    async def story(rig: CardRig) -> None:
        card = Card()
        await rig.session(card)
        rig.reader.inject(fault)
        await rig.vend()
        assert (await rig.failed()).state is state
        await rig.over()
        await asyncio.sleep(30)
        assert card.balance == balance
        assert rig.reader.tap(Card()), "it works again"

    sim(story)


@pytest.mark.parametrize("fault", [CardFault.POWER_CUT_APPROVED, CardFault.RESET_APPROVED])
def test_reader_restarts_after_its_approval(fault: CardFault) -> None:
    """Field note 14: it counts the vend as sold, so nothing that fails is refunded."""

    async def story(rig: CardRig) -> None:
        await rig.session()
        rig.reader.inject(fault)
        await rig.vend()
        await asyncio.sleep(20)
        assert (await rig.failed()).state is RefundState.UNCONFIRMED
        assert rig.reader.truth.paid() == 150

    sim(story)


def test_reader_silent_after_its_approval_gets_failure_before_reset() -> None:
    async def story(rig: CardRig) -> None:
        card = Card()
        await rig.session(card)
        await rig.vend()
        rig.reader.silence(30)
        await asyncio.sleep(25)
        assert rig.inbox.of(CardReaderLost)
        rig.driver.failed("v1")
        assert (await rig.inbox.until(VendFailureSettled)).state is RefundState.CONFIRMED
        assert card.balance == 5000
        rig.inbox.clear()
        await rig.inbox.until(CardReaderReady)

    sim(story)


def test_other_amount() -> None:
    async def story(rig: CardRig) -> None:
        await rig.session()
        rig.reader.inject("other_amount")
        assert await rig.vend() == VendApproved(1, "v1", 120)

    sim(story)


def test_cancel_and_approval_cross() -> None:
    """Field note 21."""

    async def story(rig: CardRig) -> None:
        card = Card()
        await rig.session(card)
        rig.reader.inject("crossing")
        rig.driver.request("v", 150, 1)
        await asyncio.sleep(0.3)
        rig.driver.cancel("v")
        assert await rig.answer("v") == VendDenied(1, "v", "cancelled")
        assert card.balance == 5000
        assert rig.reader.faults.hits

    sim(story)


@pytest.mark.parametrize("fault", ["no_answer", "silent_authorising", "request_out_of_sequence"])
def test_requests_that_get_no_plain_answer(fault: str) -> None:
    async def story(rig: CardRig) -> None:
        await rig.session()
        rig.reader.inject(fault)
        rig.driver.request("v", 150, 1)
        await asyncio.sleep(35)
        rig.driver.cancel("v")
        answer = await rig.answer("v")
        if fault == "silent_authorising":
            assert isinstance(answer, VendApproved)
            rig.driver.failed("v")
            await rig.inbox.until(VendFailureSettled)
        else:
            assert isinstance(answer, VendDenied)
            assert not answer.doubtful
        assert rig.reader.truth.paid() == 0
        await asyncio.sleep(30)
        assert rig.reader.tap(Card())

    sim(story)


def test_sessions_that_end_oddly() -> None:
    async def story(rig: CardRig) -> None:
        for fault in ("repeat_begin", "drop_session", "never_end"):
            rig.inbox.clear()
            rig.reader.inject(fault)
            await rig.session()
            await asyncio.sleep(3)
            rig.driver.end_session()
            await rig.over()
            await asyncio.sleep(20)
            assert len(rig.inbox.of(SessionBegun)) == len(rig.inbox.of(SessionEnded)) == 1

    sim(story)


def test_unplugged_and_plugged_back() -> None:
    async def story(rig: CardRig) -> None:
        rig.inbox.clear()
        rig.reader.lose_power()
        await asyncio.sleep(60)
        assert len(rig.inbox.of(CardReaderLost)) == 1
        with pytest.raises(Refused):
            rig.driver.request("v", 150, 1)
        rig.reader.plug()
        await rig.inbox.until(CardReaderReady)
        await asyncio.sleep(1)
        await rig.session()

    sim(story)


def test_the_adapter_goes_in_the_middle_of_a_vend_and_comes_back() -> None:
    async def story(rig: CardRig) -> None:
        await rig.session()
        await rig.vend()
        rig.line.unplug()
        await asyncio.sleep(3)
        rig.line.replug()
        assert (await rig.succeeded()).acknowledged
        assert rig.reader.truth.paid() == 150

    sim(story)


def test_a_failed_vend_of_an_earlier_life_is_settled_before_any_reset() -> None:
    async def main() -> None:
        rig = card_rig(model=LEVEL_1)
        await rig.ready()
        card = Card()
        await rig.session(card)
        await rig.vend()
        rig.bus.close()  # the machine dies here, the reader does not
        from vendd.drivers.cashless import MdbCashless
        from vendd.drivers.mdb_bus import MdbBus

        bus = MdbBus(rig.line.open, "virtual", 115200, rig.inbox)
        rig.inbox.clear()
        again = MdbCashless(bus, rig.inbox, EUR, held=True)
        bus.start()
        await asyncio.sleep(2)
        again.failed("v1")
        assert (await rig.inbox.until(VendFailureSettled)).state is RefundState.CONFIRMED
        assert card.balance == 5000
        await rig.inbox.until(CardReaderReady)

    run_virtual(main())


RATES = {
    "silent": 0.02, "deaf": 0.01, "answer_nak": 0.01, "bad_chk": 0.03, "noise": 0.02,
    "ack_lost": 0.03, "malfunction": 0.005, "random_reset": 0.0005, "repeat_begin": 0.1,
    "drop_session": 0.05, "never_end": 0.05, "no_answer": 0.05, "silent_authorising": 0.1,
    "other_amount": 0.1, "crossing": 0.3, "power_cut_approved": 0.05, "reset_approved": 0.05,
    "refund_error": 0.1, "refund_silent": 0.05, "refund_slow": 0.1,
    "request_out_of_sequence": 0.05,
}  # fmt: skip


async def a_customer(rig: CardRig, rng: random.Random, told: dict[str, str]) -> None:
    """Taps, chooses, sometimes changes the mind; sometimes nothing falls."""
    rig.inbox.clear()
    rig.reader.tap(Card())
    await asyncio.sleep(rng.uniform(0.2, 3))
    vend_id = f"v{len(told) + 1}"
    try:
        rig.driver.request(vend_id, 150, len(told) + 1)
    except Refused:
        rig.driver.end_session()
        await asyncio.sleep(20)
        return
    if rng.random() < 0.2:
        await asyncio.sleep(rng.uniform(0.0, 4))
        rig.driver.cancel(vend_id)
    with suppress(AssertionError):
        await rig.answer(vend_id, within_s=30)
    rig.driver.cancel(vend_id)
    answer = await rig.answer(vend_id)
    if isinstance(answer, VendDenied):
        told[vend_id] = "doubtful" if answer.doubtful else "denied"
        return
    await asyncio.sleep(rng.uniform(1, 8))
    if rng.random() < 0.5:
        rig.driver.succeeded(vend_id)
        await rig.inbox.until(VendSuccessSettled, 60)
        told[vend_id] = f"sold {answer.amount}"
    else:
        rig.driver.failed(vend_id)
        told[vend_id] = (await rig.inbox.until(VendFailureSettled, 60)).state.value


@pytest.mark.parametrize("name", ["level 1", "level 3"])
@pytest.mark.parametrize("seed", range(4))
def test_bad_days_agree_with_what_holders_paid(seed: int, name: str) -> None:
    """Nobody who was told *denied* or *refunded* has paid; everybody who got goods has."""

    async def story(rig: CardRig) -> None:
        rng = random.Random(seed)
        told: dict[str, str] = {}
        for fault, rate in RATES.items():
            rig.reader.faults.rate(fault, rate)
        for _ in range(60):
            await a_customer(rig, rng, told)
            await asyncio.sleep(rng.uniform(5, 15))
        await asyncio.sleep(60)
        assert len(told) > 30
        outcomes: dict[str, list[tuple[Outcome, int]]] = {}
        for charge in rig.reader.truth.charges:
            outcomes.setdefault(f"v{charge.item}", []).append((charge.outcome, charge.amount))
        for vend_id, word in told.items():
            paid = [amount for how, amount in outcomes.get(vend_id, []) if how is Outcome.PAID]
            if word in ("denied", "confirmed"):
                assert not paid, f"{vend_id} was told {word} and paid {paid}"
            elif word.startswith("sold"):
                assert paid == [int(word.split()[1])], f"{vend_id} {word}: {outcomes.get(vend_id)}"
            assert len(paid) <= 1, "paid twice"

    sim(story, model=MODELS[name], seed=seed)
