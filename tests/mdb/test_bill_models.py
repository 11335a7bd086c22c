"""Driver and bus against the simulator's validator: credit is what lies in the machine."""

import asyncio
import random
from dataclasses import replace

import pytest
from bill_rig import EUR, BillRig, sim

from hw_sim.devices.bill_parts import BillFault
from hw_sim.devices.bill_validator import BillModel
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillPath,
    BillPayoutEnded,
    BillReading,
    BillRejected,
    BillReturned,
    BillsRemoved,
    BillStacked,
    BillUnclear,
    BillValidatorLost,
    BillValidatorReady,
    RecyclerRead,
    StackerRead,
)
from vendd.core.sale.reports import FaultEnded, FaultStarted, LeverPressed
from vendd.ports import Refused

RECYCLER = BillModel(level=2)
FILL = {500: 10, 1000: 10, 2000: 5}


def test_a_bill_is_read_held_stacked_and_only_then_money() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.insert_bill(1000)
        await rig.inbox.until(BillReading)
        held = await rig.inbox.until(BillInEscrow)
        assert (held.type, held.value, rig.inbox.credit) == (1, 1000, 0)
        stacked = await rig.inbox.until(BillStacked)
        assert stacked == BillStacked(held.bill, 1, 1000, BillPath.STACKER)
        assert rig.bills.truth.stacker == {1000: 1}
        assert (await rig.inbox.until(StackerRead)).stacker.count == 1

    sim(story)


@pytest.mark.parametrize("model", [BillModel(), RECYCLER, BillModel(busy_style="silent"),
                                   BillModel(says_disabled=False)])  # fmt: skip
def test_many_bills(model: BillModel) -> None:
    async def story(rig: BillRig) -> None:
        rig.inbox.verdicts = [True, False, True, True, False, True]
        for value in (500, 1000, 2000, 5000, 10000, 500, 1000):
            rig.bills.insert_bill(value)
            await asyncio.sleep(5)
        assert rig.inbox.credit == rig.in_store() == 500 + 2000 + 5000 + 500 + 1000
        assert sum(r.value for r in rig.inbox.of(BillReturned)) == rig.bills.truth.returned
        assert not rig.inbox.of(BillUnclear)

    sim(story, model)


def test_without_escrow() -> None:
    async def story(rig: BillRig) -> None:
        for value in (500, 500, 1000):
            rig.bills.insert_bill(value)
            await asyncio.sleep(4)
        assert rig.inbox.credit == rig.in_store() == 2000
        assert not rig.inbox.of(BillInEscrow)

    sim(story, BillModel(escrow=False))


def test_refusals() -> None:
    async def story(rig: BillRig) -> None:
        rig.driver.accept(frozenset({0}))
        await asyncio.sleep(0.5)
        rig.bills.insert_bill(777)
        await asyncio.sleep(4)
        rig.bills.insert_bill(1000)
        await asyncio.sleep(4)
        rig.driver.accept(frozenset())
        await asyncio.sleep(0.5)
        rig.bills.insert_bill(500)
        await asyncio.sleep(1)
        whys = [r.why for r in rig.inbox.of(BillRejected)]
        assert whys == ["rejected", "type_disabled", "disabled"]
        assert rig.inbox.credit == 0

    sim(story)


def test_the_customer_pulls_the_bill_out_of_the_escrow() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.insert_bill(1000)
        held = await rig.inbox.until(BillInEscrow)
        rig.bills.pull_back()
        await asyncio.sleep(1)
        assert rig.inbox.of(BillReturned) == [BillReturned(held.bill, 1, 1000, "removed")]
        with pytest.raises(Refused):
            rig.driver.stack(held.bill)

    sim(story, usual=None)


RESETS = ["reset_in_escrow", "reset_in_stacking", "power_cut_in_stacking"]


@pytest.mark.parametrize("after", ["return", "stack"])
@pytest.mark.parametrize("fault", RESETS)
def test_a_reset_with_a_bill_inside_is_decided_by_the_report(fault: str, after: str) -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.inject(fault)
        rig.bills.insert_bill(2000)
        await asyncio.sleep(60)
        assert rig.inbox.credit == rig.in_store()
        assert rig.inbox.credit + rig.bills.truth.returned == 2000
        assert rig.inbox.of(BillInterrupted)
        assert not rig.inbox.of(BillUnclear)

    sim(story, BillModel(after_reset=after))  # type: ignore[arg-type]


@pytest.mark.parametrize("unplugged_s", [0.5, 20.0])
@pytest.mark.parametrize("after_s", [0.5, 1.7, 2.2, 3.0])
def test_the_validator_is_pulled_and_plugged_at_any_moment(
    after_s: float, unplugged_s: float
) -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.insert_bill(2000)
        await asyncio.sleep(after_s)
        rig.bills.unplug()
        await asyncio.sleep(unplugged_s)
        rig.bills.plug()
        await asyncio.sleep(60)
        assert rig.inbox.credit == rig.in_store()
        assert rig.inbox.credit + rig.bills.truth.returned == 2000
        assert not rig.inbox.unclear
        assert bool(rig.inbox.of(BillValidatorLost)) == (unplugged_s > 5)

    sim(story)


def test_the_adapter_is_unplugged_while_a_bill_is_stacked() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.insert_bill(2000)
        await rig.inbox.until(BillInEscrow)
        await asyncio.sleep(0.3)
        rig.line.unplug()
        await asyncio.sleep(2)
        rig.line.replug()
        await asyncio.sleep(60)
        assert rig.inbox.credit == rig.in_store() == 2000

    sim(story)


def test_stacked_and_never_told_is_unclear_with_the_stackers_word() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.insert_bill(500)  # so that the counter is known to count
        await asyncio.sleep(8)
        rig.bills.inject("stacked_untold")
        rig.bills.insert_bill(2000)
        await asyncio.sleep(60)
        (unclear,) = rig.inbox.of(BillUnclear)
        assert (unclear.value, unclear.stacker_rose) == (2000, True)
        assert rig.inbox.credit == 500

    sim(story)


def test_escrow_escrow_stacked_and_a_stuck_bill() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.inject("escrow_bounce")
        rig.bills.insert_bill(1000)
        await asyncio.sleep(10)
        assert len(rig.inbox.of(BillInEscrow)) == 2
        assert rig.inbox.credit == rig.in_store() == 1000
        rig.bills.inject("stack_stuck")
        rig.bills.insert_bill(2000)
        await asyncio.sleep(80)
        (unclear,) = rig.inbox.of(BillUnclear)
        assert unclear.stacker_rose is False
        returned = rig.inbox.of(BillReturned)
        assert [r.bill for r in returned] == [unclear.bill]  # by the reset that followed
        assert rig.inbox.credit == rig.in_store() == 1000

    sim(story)


def test_the_box_is_emptied() -> None:
    async def story(rig: BillRig) -> None:
        for _ in range(3):
            rig.bills.insert_bill(500)
            await asyncio.sleep(5)
        rig.bills.open_box()
        await asyncio.sleep(2)
        rig.bills.empty_stacker()
        rig.bills.close_box()
        await asyncio.sleep(70)
        assert [f.code for f in rig.inbox.of(FaultStarted)] == ["cash_box_out"]
        assert [f.code for f in rig.inbox.of(FaultEnded)] == ["cash_box_out"]
        assert rig.inbox.of(BillsRemoved) == [BillsRemoved(3)]

    sim(story)


def test_a_full_stacker_a_jam_and_a_string() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.inject("credited_removal")
        for _ in range(2):
            rig.bills.insert_bill(500)
            await asyncio.sleep(5)
        codes = {f.code for f in rig.inbox.of(FaultStarted)}
        assert codes == {"bill_removal", "stacker_full"}
        rig.bills.empty_stacker()
        await asyncio.sleep(70)
        rig.bills.inject("bill_jam")
        rig.bills.insert_bill(500)
        await asyncio.sleep(3)
        assert rig.inbox.of(FaultStarted)[-1].code == "bill_jam"
        rig.bills.repair()
        rig.bills.insert_bill(500)
        await asyncio.sleep(5)
        assert rig.inbox.of(FaultEnded)[-1].code == "bill_jam"
        assert rig.inbox.credit == 1500

    sim(story, BillModel(capacity=2))


# --- the recycler ----------------------------------------------------------------------------


@pytest.mark.parametrize("by_value", [False, True])
def test_paid_from_the_recycler(by_value: bool) -> None:
    async def story(rig: BillRig) -> None:
        await rig.driver.pay_out("p", ((1, 2), (0, 1)))
        ended = await rig.inbox.until(BillPayoutEnded)
        assert ended.certain
        assert not ended.why
        assert rig.bills.truth.paid == 2500 == paid_value(ended)
        await asyncio.sleep(1)
        stores = (await rig.inbox.until(RecyclerRead)).stores
        assert {s.value: s.count for s in stores} == rig.bills.truth.recycler

    sim(story, RECYCLER, rules=replace(EUR, by_value=by_value), fill=FILL)


def paid_value(ended: BillPayoutEnded) -> int:
    return sum(RECYCLER.value(t) * n for t, n in ended.paid)


@pytest.mark.parametrize(
    ("fault", "certain"),
    [("payout_jam", True), ("payout_reset", False), ("payout_power_cut", False),
     ("payout_endless", False)],
)  # fmt: skip
def test_an_interrupted_payout_is_known_to_the_bill(fault: str, certain: bool) -> None:
    async def story(rig: BillRig) -> None:
        times = 10**9 if fault == "payout_endless" else 1
        rig.bills.inject(fault, times=times, after=0 if times > 1 else 1)
        await rig.driver.pay_out("p", ((1, 3),))
        ended = await rig.inbox.until(BillPayoutEnded, 200)
        assert ended.certain == certain
        assert paid_value(ended) == rig.bills.truth.paid
        assert paid_value(ended) == (3000 if fault == "payout_endless" else 1000)

    sim(story, RECYCLER, fill=FILL)


def test_a_bill_nobody_takes_goes_to_the_box_and_is_not_paid() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.leave_bills()
        await rig.driver.pay_out("p", ((1, 1),))
        ended = await rig.inbox.until(BillPayoutEnded, 200)
        assert (ended.paid, ended.certain) == ((), True)
        assert rig.bills.truth.stacker == {1000: 1}

    sim(story, RECYCLER, fill=FILL)


def test_no_payout_with_a_bill_in_escrow_and_the_lever() -> None:
    async def story(rig: BillRig) -> None:
        rig.bills.insert_bill(1000)
        await rig.inbox.until(BillInEscrow)
        with pytest.raises(Refused):
            await rig.driver.pay_out("p", ((1, 1),))
        rig.bills.press_lever()
        await rig.inbox.until(LeverPressed)

    sim(story, RECYCLER, fill=FILL, usual=None)


# --- everything at once ----------------------------------------------------------------------

CHANCES = {
    BillFault.SILENT: 0.02,
    BillFault.DEAF: 0.01,
    BillFault.ANSWER_NAK: 0.01,
    BillFault.BAD_CHK: 0.02,
    BillFault.NOISE: 0.01,
    BillFault.ACK_LOST: 0.05,
    BillFault.UNKNOWN_STATUS: 0.02,
    BillFault.BILL_REJECTED: 0.1,
    BillFault.RESET_IN_ESCROW: 0.05,
    BillFault.ESCROW_BOUNCE: 0.1,
    BillFault.STACK_RETURNS: 0.1,
    BillFault.STACK_STUCK: 0.05,
    BillFault.RESET_IN_STACKING: 0.05,
    BillFault.POWER_CUT_IN_STACKING: 0.05,
}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("model", [BillModel(), RECYCLER, BillModel(after_reset="stack")])
def test_bad_days_balance(seed: int, model: BillModel) -> None:
    async def story(rig: BillRig) -> None:
        rng = random.Random(seed)
        for fault, chance in CHANCES.items():
            rig.bills.faults.rate(fault, chance)
        for _ in range(40):
            rig.inbox.usual = rng.random() < 0.8
            rig.bills.insert_bill(rng.choice((500, 1000, 2000, 5000, 777)))
            await asyncio.sleep(rng.uniform(1, 12))
        rig.bills.faults.clear()
        rig.inbox.usual = True
        await asyncio.sleep(200)
        assert rig.inbox.credit == rig.in_store()
        assert not rig.inbox.unclear
        assert rig.bills.truth.in_path() == 0
        assert rig.inbox.of(BillValidatorReady)

    sim(story, model, seed=seed)
