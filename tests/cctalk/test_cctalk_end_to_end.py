"""Drivers against simulated devices on one wire: coins, bills, faults, power, bad wires."""

import asyncio
import random

import pytest
from cctalk_rig import (
    ALL_COINS,
    EURO_TYPE,
    FIFTY_TYPE,
    Rig,
    credit,
    make_rig,
    paid_out,
    run,
)

from vendd.core.sale import bill_reports as br
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    FaultEnded,
    FaultStarted,
    LeverPressed,
    PayoutEnded,
    TubesRead,
)
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.ports import Refused


@pytest.mark.parametrize("crc", [False, True])
@pytest.mark.parametrize("echo", [False, True])
def test_a_coin_a_bill_and_a_payout(crc: bool, echo: bool) -> None:
    async def scenario() -> None:
        rig = make_rig(crc=crc, echo=echo)
        await rig.ready()
        rig.acceptor.insert(100)
        rig.acceptor.insert(20)
        rig.acceptor.insert(3)
        rig.acceptor.insert_slug()
        rig.acceptor.press_lever()
        await asyncio.sleep(2)
        assert rig.inbox.of(CoinAccepted) == [
            CoinAccepted(EURO_TYPE, 100, CoinPath.TUBE, 51),
            CoinAccepted(3, 20, CoinPath.BOX, 0),
        ]
        assert rig.inbox.of(CoinRejected) == [CoinRejected("rejected"), CoinRejected("slug")]
        assert rig.inbox.of(LeverPressed) == [LeverPressed()]
        rig.validator.insert(1000)
        assert (await rig.inbox.until(br.BillInEscrow)) == br.BillInEscrow(1, 1, 1000)
        rig.bills.stack(1)
        stacked = await rig.inbox.until(br.BillStacked)
        assert stacked == br.BillStacked(1, 1, 1000, br.BillPath.STACKER)
        rig.inbox.clear()
        await rig.coins.pay_out("p", ((EURO_TYPE, 2), (FIFTY_TYPE, 1)))
        ended = await rig.inbox.until(PayoutEnded)
        assert ended == PayoutEnded("p", ((EURO_TYPE, 2), (FIFTY_TYPE, 1)), certain=True)
        tubes = (await rig.inbox.until(TubesRead)).tubes
        assert [tube.count for tube in tubes] == [49, 49]
        assert (paid_out(rig), paid_out(rig, FIFTY_TYPE)) == (2, 1)

    run(scenario())


def test_coins_of_another_life_are_credited_by_the_counter() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.acceptor.insert(200)
        await asyncio.sleep(1)
        rig.acceptor.burst(50, 1)  # accepted, and not read any more
        rig.next_life()
        accepted = await rig.inbox.until(CoinAccepted)
        assert (accepted.value, credit(rig)) == (50, 50)

    run(scenario())


def test_an_acceptor_without_power_loses_what_it_did_not_tell() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.acceptor.insert(100)
        await asyncio.sleep(1)
        rig.inbox.clear()
        rig.acceptor.power_cycle(0.3)
        await rig.inbox.until(ChangerReady)
        lost = FaultStarted("power_loss", "coin_acceptor", "coins not yet reported are unknown")
        assert rig.inbox.of(FaultStarted) == [lost]
        assert rig.inbox.of(FaultEnded) == [FaultEnded("power_loss", "coin_acceptor")]
        await asyncio.sleep(1)
        rig.acceptor.insert(100)
        await asyncio.sleep(1)
        assert credit(rig) == 100, "inhibits are set again, and nothing is credited twice"

    run(scenario())


def test_six_coins_between_two_polls() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.inbox.full = True  # the inbox is crowded: nobody polls
        await asyncio.sleep(1)
        rig.acceptor.burst(100, 7)
        rig.inbox.full = False
        await asyncio.sleep(1)
        assert credit(rig) == 500
        lost = FaultStarted("credits_lost", "coin_acceptor", "2 events unread")
        assert rig.inbox.of(FaultStarted) == [lost]
        rig.acceptor.insert(20)
        await asyncio.sleep(1)
        assert rig.inbox.of(FaultEnded) == [FaultEnded("credits_lost", "coin_acceptor")]

    run(scenario())


def test_everything_is_pulled_and_plugged_back() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.inbox.clear()
        rig.line.unplug()
        await asyncio.sleep(20)
        assert len(rig.inbox.of(ChangerLost)) == 1
        assert len(rig.inbox.of(br.BillValidatorLost)) == 1
        assert [f.code for f in rig.inbox.of(FaultStarted)] == ["bus_lost"]
        rig.line.replug()
        await rig.inbox.until(ChangerReady)
        assert FaultEnded("bus_lost", "cctalk") in rig.inbox.reports

    run(scenario())


def test_a_wire_without_an_echo_is_opened_again_and_told() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.inbox.clear()
        rig.wire.faults.rate("echo_missing", 1.0)
        rig.wire.faults.rate("request_lost", 1.0)
        await asyncio.sleep(60)
        assert [f.code for f in rig.inbox.of(FaultStarted)] == ["bus_lost"]
        rig.wire.faults.clear()
        await rig.inbox.until(ChangerReady)
        assert rig.bus.counters.reopened >= 2

    run(scenario())


@pytest.mark.parametrize("order", ["stack", "give_back"])
@pytest.mark.parametrize(
    "fault", ["", "reply_lost", "request_lost", "reply_garbled", "nak", "busy", "echo_half"]
)
def test_orders_for_a_bill(order: str, fault: str) -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.validator.insert(500)
        bill = (await rig.inbox.until(br.BillInEscrow)).bill
        if fault:
            rig.wire.faults.arm(fault, header=154)
        getattr(rig.bills, order)(bill)
        await asyncio.sleep(10)
        stacked, returned = rig.inbox.of(br.BillStacked), rig.inbox.of(br.BillReturned)
        assert (len(stacked), len(returned)) == ((1, 0) if order == "stack" else (0, 1))
        assert (rig.validator.stacked(), rig.validator.returned) == (
            (500, 0) if order == "stack" else (0, 500)
        )

    run(scenario())


@pytest.mark.parametrize("stacks", [True, False])
@pytest.mark.parametrize("order", ["", "stack"])
def test_a_validator_loses_power_with_a_bill_inside(stacks: bool, order: str) -> None:
    async def scenario() -> None:
        rig = make_rig()
        rig.validator.stacks_at_start = stacks
        await rig.ready()
        rig.validator.insert(500)
        await rig.inbox.until(br.BillInEscrow)
        if order:
            rig.bills.stack(1)
            await asyncio.sleep(0.3)
        rig.validator.power_cycle(0.5)
        await asyncio.sleep(60)
        assert len(rig.inbox.of(br.BillInterrupted)) == 1
        credited = sum(b.value for b in rig.inbox.of(br.BillStacked))
        assert credited == rig.validator.stacked()
        assert rig.validator.conserved()
        ends = rig.inbox.of(br.BillStacked) + rig.inbox.of(br.BillReturned)
        assert len(ends) == 1

    run(scenario())


def test_a_jam_of_a_bill_is_no_credit() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.validator.jam_next = True
        rig.validator.insert(500)
        await rig.inbox.until(br.BillInEscrow)
        rig.bills.stack(1)
        unclear = await rig.inbox.until(br.BillUnclear)
        assert (unclear.bill, unclear.value) == (1, 500)
        assert rig.inbox.of(br.BillStacked) == []

    run(scenario())


def test_a_bill_is_held_for_minutes() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.validator.insert(500)
        await rig.inbox.until(br.BillInEscrow)
        await asyncio.sleep(300)
        assert rig.validator.escrow == 500
        rig.bills.give_back(1)
        assert (await rig.inbox.until(br.BillReturned)).why == "ordered"

    run(scenario())


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_wire_costs_nobody_money(seed: int) -> None:
    """An hour of customers on a wire where everything goes wrong now and then."""

    async def scenario() -> None:
        rng = random.Random(seed)
        rig = make_rig(seed=seed)
        await rig.ready()
        faults = "reply_lost reply_garbled request_lost echo_missing echo_half reply_truncated "
        for fault in (faults + "nak busy noise reply_paused").split():
            rig.wire.faults.rate(fault, 0.01)
        asked = paid = 0
        for number in range(40):
            rig.acceptor.insert(rng.choice([200, 100, 50, 20, 10, 3]))
            await asyncio.sleep(rng.uniform(0.5, 4))
            if not rig.validator.escrow:
                rig.validator.insert(500)
                await asyncio.sleep(3)
            for held in rig.inbox.of(br.BillInEscrow)[-1:]:
                await decide(rig, held.bill, stack=rng.random() < 0.7)
            if number % 3 == 0:
                asked, paid = await pay_some(rig, f"p{number}", rng.randint(1, 4), asked, paid)
            await asyncio.sleep(rng.uniform(1, 40))
        rig.wire.faults.clear()
        await asyncio.sleep(120)
        assert credit(rig) == rig.acceptor.accepted
        assert sum(b.value for b in rig.inbox.of(br.BillStacked)) == rig.validator.stacked()
        assert rig.validator.conserved()
        assert paid == paid_out(rig)
        assert len(rig.inbox.of(PayoutEnded)) == asked

    run(scenario())


async def decide(rig: Rig, bill: int, *, stack: bool) -> None:
    try:
        (rig.bills.stack if stack else rig.bills.give_back)(bill)
    except Refused:
        return
    await asyncio.sleep(6)


async def pay_some(rig: Rig, id_: str, count: int, asked: int, paid: int) -> tuple[int, int]:
    """One payout to its end; (payouts taken up, coins reported)."""
    try:
        await rig.coins.pay_out(id_, ((EURO_TYPE, count),))
    except Refused:
        return asked, paid
    for _ in range(600):
        ended = [e for e in rig.inbox.of(PayoutEnded) if e.payout_id == id_]
        if ended:
            assert ended[0].certain
            return asked + 1, paid + sum(n for _, n in ended[0].paid)
        await asyncio.sleep(0.1)
    raise AssertionError(f"payout {id_} never ended")


def test_a_coin_that_the_sorter_sends_past_its_hopper_is_in_the_box() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.acceptor.paths[2] = 5
        rig.acceptor.insert(100)
        await asyncio.sleep(1)
        assert rig.inbox.of(CoinAccepted) == [CoinAccepted(EURO_TYPE, 100, CoinPath.BOX, 0)]
        assert rig.coins.hoppers[EURO_TYPE].count == 50

    run(scenario())


def test_unwanted_coins_come_back() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.coins.accept(ALL_COINS - {EURO_TYPE})
        await asyncio.sleep(0.5)
        rig.acceptor.insert(100)
        await asyncio.sleep(1)
        assert (credit(rig), rig.acceptor.returned) == (0, 100)

    run(scenario())


def test_two_devices_at_one_address() -> None:
    async def scenario() -> None:
        rig = make_rig()
        with pytest.raises(ValueError, match="two devices"):
            rig.bus.attach(rig.coins)
        assert isinstance(rig.bus, CcTalkBus)

    run(scenario())


def test_counts_say_nothing_while_a_payout_has_not_ended() -> None:
    """The caller gives up, the bus is gone: what the driver counts is not what lies there."""

    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        paying = asyncio.ensure_future(rig.coins.pay_out("p", ((EURO_TYPE, 1), (FIFTY_TYPE, 1))))
        for _ in range(200):
            if rig.hoppers[EURO_TYPE].remaining:
                break
            await asyncio.sleep(0.01)
        rig.line.unplug()
        await asyncio.wait({paying}, timeout=3.0)
        paying.cancel()
        await asyncio.wait({paying})
        rig.inbox.clear()
        with pytest.raises(Refused):
            await rig.coins.read_tubes()
        rig.line.replug()
        ended = await rig.inbox.until(PayoutEnded)
        assert (ended.certain, dict(ended.paid)[EURO_TYPE]) == (True, 1)
        await rig.inbox.until(ChangerReady)
        at = {type(report): n for n, report in enumerate(rig.inbox.reports)}
        assert at[PayoutEnded] < at[ChangerReady]

    run(scenario())
