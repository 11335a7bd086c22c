"""What bill validators did in the field, by the row of the field notes."""

import asyncio

import pytest

from hw_sim.devices.bill_parts import BillModel
from tests.field.machine_rig import Machine, play
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillPayoutEnded,
    BillReturned,
    BillStacked,
    BillUnclear,
    BillValidatorReady,
)
from vendd.ports import Refused

RECYCLER = BillModel(level=2, recycled=0x0007)


def credit(machine: Machine) -> int:
    return sum(bill.value for bill in machine.inbox.of(BillStacked))


def stack_all(machine: Machine) -> None:
    machine.inbox.decide = machine.now.bills.stack


def test_row_01_a_bill_in_escrow_is_no_money_and_comes_back_as_itself() -> None:
    async def story(machine: Machine) -> None:
        machine.bills.insert_bill(1000)
        held = await machine.inbox.until(BillInEscrow)
        await asyncio.sleep(20)
        assert credit(machine) == 0
        machine.now.bills.give_back(held.bill)
        await machine.inbox.until(BillReturned)
        await asyncio.sleep(40)
        assert credit(machine) == 0
        assert machine.bills.truth.returned == 1000

    play(story, ready=[BillValidatorReady])


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("model", [BillModel(), RECYCLER], ids=["stacker", "recycler"])
def test_row_01_escrow_escrow_stacked_is_one_credit(model: BillModel, times: int) -> None:
    async def story(machine: Machine) -> None:
        stack_all(machine)
        machine.bills.inject("escrow_bounce", times=times)
        machine.bills.insert_bill(1000)
        await asyncio.sleep(90)
        assert len(machine.inbox.of(BillInEscrow)) == 1 + times
        assert len({held.bill for held in machine.inbox.of(BillInEscrow)}) == 1
        assert credit(machine) == 1000
        truth = machine.bills.truth
        assert truth.into_stacker + truth.into_recycler == 1000

    play(story, bills=model, ready=[BillValidatorReady])


def test_row_01_stacked_told_twice_because_the_ack_was_lost_is_one_credit() -> None:
    async def story(machine: Machine) -> None:
        stack_all(machine)
        machine.bills.faults.rate("ack_lost", 1.0)
        machine.bills.insert_bill(500)
        await asyncio.sleep(20)
        machine.bills.faults.clear()
        await asyncio.sleep(20)
        assert credit(machine) == 500

    play(story, ready=[BillValidatorReady])


@pytest.mark.parametrize("dies_after_s", [0.0, 0.3, 1.0, 2.0])
def test_row_02_the_stacked_event_of_the_previous_life_comes_once(dies_after_s: float) -> None:
    """It has no number any more: whoever kept the bill's record knows which one it is."""

    async def story(machine: Machine) -> None:
        machine.bills.insert_bill(2000)
        held = await machine.inbox.until(BillInEscrow)
        machine.now.bills.stack(held.bill)
        await asyncio.sleep(dies_after_s)
        before = credit(machine)
        life = machine.next_life()
        await life.inbox.until(BillValidatorReady)
        await asyncio.sleep(60)
        after = life.inbox.of(BillStacked)
        in_store = machine.bills.truth.into_stacker
        assert before + sum(bill.value for bill in after) == in_store, "told once, or returned"
        assert in_store + machine.bills.truth.returned == 2000
        assert all(bill.bill is None for bill in after)

    play(story, ready=[BillValidatorReady])


def test_row_05_a_bill_that_is_stuck_on_its_way_blocks_nothing_for_ever() -> None:
    async def story(machine: Machine) -> None:
        machine.bills.inject("stack_stuck")
        machine.bills.insert_bill(1000)
        held = await machine.inbox.until(BillInEscrow)
        machine.now.bills.stack(held.bill)
        with pytest.raises(Refused):
            machine.now.bills.give_back(held.bill)
        unclear = await machine.inbox.until(BillUnclear, 120)
        assert (unclear.bill, credit(machine)) == (held.bill, 0)
        machine.bills.reset_itself()
        await asyncio.sleep(60)
        stack_all(machine)
        machine.inbox.told.clear()
        machine.bills.insert_bill(500)
        await asyncio.sleep(30)
        assert 500 in [bill.value for bill in machine.inbox.of(BillStacked)], "the next one works"

    play(story, ready=[BillValidatorReady])


@pytest.mark.parametrize("fault", ["payout_jam", "payout_reset", "payout_power_cut"])
def test_row_03_a_payout_of_bills_stops_midway_and_what_left_is_known(fault: str) -> None:
    async def story(machine: Machine) -> None:
        machine.bills.fill(500, 10)
        machine.bills.reset_itself()
        machine.inbox.told.clear()
        await machine.inbox.until(BillValidatorReady)
        await asyncio.sleep(2)
        machine.bills.inject(fault, after=1)
        await machine.now.bills.pay_out("p", ((0, 3),))
        end = await machine.inbox.until(BillPayoutEnded, 300)
        await asyncio.sleep(60)
        assert machine.inbox.of(BillPayoutEnded) == [end]
        assert end.paid == ((0, 1),)
        assert machine.bills.truth.paid == 500

    play(story, bills=RECYCLER, ready=[BillValidatorReady])


def test_row_04_a_payout_of_bills_that_never_ends_is_ended() -> None:
    async def story(machine: Machine) -> None:
        machine.bills.fill(500, 10)
        machine.bills.reset_itself()
        machine.inbox.told.clear()
        await machine.inbox.until(BillValidatorReady)
        await asyncio.sleep(2)
        machine.bills.faults.rate("payout_endless", 1.0)
        started = asyncio.get_running_loop().time()
        await machine.now.bills.pay_out("p", ((0, 2),))
        end = await machine.inbox.until(BillPayoutEnded, 300)
        assert asyncio.get_running_loop().time() - started < 150
        assert end.paid == ((0, 2),)
        assert machine.bills.truth.paid == 1000

    play(story, bills=RECYCLER, ready=[BillValidatorReady])
