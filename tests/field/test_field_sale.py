"""What happened to whole sales in the field, by the row of the field notes."""

import asyncio
from dataclasses import replace

import pytest

from hw_sim.devices.card_reader import Card
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import credit_of, of_type, seen, select
from tests.field.whole_machine import (
    IDLE,
    PRICE,
    Tap,
    bills,
    cut_power,
    delivered,
    in_hand,
    play,
    reader,
)

FAILURE, RESET = b"R,13,03\n", b"R,10\n"


async def owed(machine: VirtualMachine) -> int:
    """Claims that are open."""
    return sum(claim["amount"] for claim in await of_type(machine, "claim-opened"))


async def tapped(machine: VirtualMachine) -> Card:
    card = Card()
    assert reader(machine).tap(card)
    await seen(machine, "CARD READY")
    return card


# --- bills ------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [0.02, 0.3, 1.0, 2.5, 4.0, 6.0])
def test_row_01_a_vend_on_a_bill_in_escrow_survives_a_crash_with_one_credit(after_s: float) -> None:
    """Cut while it is in escrow, being stacked, while vending, while the change is paid."""

    async def day(machine: VirtualMachine) -> None:
        bills(machine).insert_bill(500)
        await seen(machine, "CREDIT      5.00")
        assert credit_of(machine) == 0, "shown, and in no book"
        await select(machine, "A3")
        await asyncio.sleep(after_s)
        await cut_power(machine)
        await asyncio.sleep(90)
        machine.changer.press_lever()
        await asyncio.sleep(30)
        got = in_hand(machine) + PRICE * delivered(machine)
        assert got + await owed(machine) + credit_of(machine) == 500

    play(day)


@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("after_s", [0.1, 0.5, 1.2])
def test_row_02_the_stacked_event_of_the_previous_life_is_this_customers_credit(
    after_s: float, power: bool
) -> None:
    """Ordered to be stacked and not yet reported: the record of it waits for the report."""

    async def day(machine: VirtualMachine) -> None:
        bills(machine).insert_bill(500)
        await seen(machine, "CREDIT      5.00")
        await select(machine, "A3")
        await asyncio.sleep(after_s)
        machine.cut(power=power)
        await asyncio.sleep(3)  # and meanwhile the bill goes where it was sent
        await machine.start()
        await asyncio.sleep(20)
        truth = bills(machine).truth
        inside = truth.into_stacker + truth.into_recycler
        assert credit_of(machine) == inside
        assert inside + truth.returned == 500
        assert delivered(machine) == 0
        assert await owed(machine) == 0, "nothing is unclear: it was told"

    play(day)


# --- payouts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["payout_jam", "payout_reset", "payout_power_cut"])
def test_row_03_what_was_not_paid_is_still_owed_after_a_power_cut(fault: str) -> None:
    async def day(machine: VirtualMachine) -> None:
        for value in (20, 20, 50):
            machine.changer.insert_coin(value)
            await asyncio.sleep(1)
        await seen(machine, "CREDIT      0.90")
        machine.changer.inject(fault, after=1)
        machine.changer.press_lever()
        await seen(machine, "WE OWE YOU", 120)
        left = credit_of(machine)
        assert in_hand(machine) + left == 90
        assert 0 < left < 90
        await cut_power(machine)
        await asyncio.sleep(20)
        assert credit_of(machine) == left, "the debt is on record"
        machine.changer.repair()
        machine.changer.press_lever()
        await asyncio.sleep(60)
        assert in_hand(machine) + credit_of(machine) + await owed(machine) == 90

    play(day)


@pytest.mark.parametrize("presses", [1, 5])
def test_row_05_cancel_while_change_is_paid_locks_nothing(presses: int) -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT      2.00")
        await select(machine, "A3")
        await seen(machine, "PAYING CHANGE")
        for _ in range(presses):
            machine.changer.press_lever()
            machine.cabinet.press("*")
            await asyncio.sleep(0.2)
        await seen(machine, IDLE)
        assert in_hand(machine) == 80
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT      2.00")
        await select(machine, "A3")
        await seen(machine, "THANK YOU")
        assert delivered(machine) == 2

    play(day)


# --- the bus ----------------------------------------------------------------------------------


def test_row_06_everything_offline_is_said_on_the_display_and_once_to_the_fleet() -> None:
    async def day(machine: VirtualMachine) -> None:
        for name, plug in machine.till.plugs.items():
            if "adapter" not in name:
                plug.pull()
        await seen(machine, "OUT OF SERVICE")
        await asyncio.sleep(600)
        started = [f for f in await of_type(machine, "fault") if f["state"] == "started"]
        assert len({(f["code"], f["device"]) for f in started}) == len(started) <= 8
        for name, plug in machine.till.plugs.items():
            if "adapter" not in name:
                plug.plug()
        await seen(machine, IDLE)
        await asyncio.sleep(5)
        faults = await of_type(machine, "fault")
        ended = {(f["code"], f["device"]) for f in faults if f["state"] == "ended"}
        assert ended == {(f["code"], f["device"]) for f in started}

    play(day)


# --- cards ------------------------------------------------------------------------------------


def test_row_12_the_audit_has_the_amount_that_was_approved() -> None:
    async def day(machine: VirtualMachine) -> None:
        reader(machine).inject("other_amount")
        card = await tapped(machine)
        await select(machine, "A3")
        await seen(machine, "THANK YOU")
        await asyncio.sleep(5)
        paid = 5000 - card.balance
        assert paid == PRICE * 4 // 5
        (sale,) = await of_type(machine, "sale-closed")
        (tender,) = [t for t in sale["tenders"] if t["kind"] == "card"]
        assert tender["applied"] == paid
        assert sale["list_price"] == PRICE

    play(day)


@pytest.mark.parametrize(
    ("fault", "said", "due"),
    [
        (None, "CARD REFUNDED", 0),
        ("refund_slow", "CARD REFUNDED", 0),
        ("refund_error", "REF ", PRICE),
        ("refund_silent", "REF ", PRICE),
    ],
)
def test_row_13_a_refund_that_is_not_confirmed_is_due(
    fault: str | None, said: str, due: int
) -> None:
    async def day(machine: VirtualMachine) -> None:
        if fault is not None:
            reader(machine).inject(fault)
        machine.cabinet.slot("A3").queue.clear()  # the books say twelve, the spiral is empty
        card = await tapped(machine)
        await select(machine, "A3")
        await seen(machine, f"NOT DELIVERED|{said}", 120)
        await asyncio.sleep(60)
        assert sum(event["amount"] for event in await of_type(machine, "refund-due")) == due
        assert card.balance == 5000 - due
        assert machine.changer.truth.cup_total() == 0, "never in coins"

    play(day)


@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.5])
def test_row_14_a_crash_before_the_product_falls_is_a_failure_before_any_reset(
    after_s: float,
) -> None:
    """A RESET would count as a success: the holder would have paid for nothing."""

    async def day(machine: VirtualMachine) -> None:
        tap = Tap(machine)
        card = await tapped(machine)
        await select(machine, "A3")
        await seen(machine, "VENDING A3")
        await asyncio.sleep(after_s)
        assert delivered(machine) == 0
        since = len(tap.lines)
        await cut_power(machine, 1.0)
        await asyncio.sleep(60)
        sent = [data for _, data in tap.lines[since:] if data in (FAILURE, RESET)]
        assert sent[:1] == [FAILURE]
        due = sum(event["amount"] for event in await of_type(machine, "refund-due"))
        assert 5000 - card.balance == due == 0
        assert delivered(machine) == 0

    play(day)


@pytest.mark.parametrize("after_s", [0.0, 0.3, 1.0])
def test_row_14_a_crash_after_the_product_fell_refunds_nothing(after_s: float) -> None:
    async def day(machine: VirtualMachine) -> None:
        tap = Tap(machine)
        card = await tapped(machine)
        await select(machine, "A3")
        while not delivered(machine):  # noqa: ASYNC110  # no event tells: it lies there
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1 + after_s)
        await cut_power(machine, 1.0)
        await asyncio.sleep(60)
        assert not [data for _, data in tap.lines if data == FAILURE]
        assert 5000 - card.balance == PRICE
        assert not await of_type(machine, "refund-due")
        (sale,) = await of_type(machine, "sale-closed")
        assert sale["outcome"] == "sold"

    play(day)


def test_row_21_an_approval_that_comes_too_late_dispenses_to_nobody() -> None:
    """One owner of the deadline: the machine's 30 s, not the reader's or the bank's."""

    async def day(machine: VirtualMachine) -> None:
        session = reader(machine).session
        session.model = replace(session.model, authorises_s=(5.0, 5.0))
        session.faults.arm("crossing")  # the bank says yes when the machine takes it back
        await select(machine, "A3")
        await seen(machine, "TAP CARD OR COIN")
        await asyncio.sleep(28)
        card = Card()
        assert reader(machine).tap(card), "at the last moment"
        await asyncio.sleep(60)
        assert session.faults.hits
        assert (delivered(machine), card.balance) == (0, 5000)
        assert not await of_type(machine, "refund-due")
        await seen(machine, IDLE)

    play(day)


def test_row_21_the_customer_who_gave_up_gets_nothing_and_pays_nothing() -> None:
    async def day(machine: VirtualMachine) -> None:
        card = await tapped(machine)
        reader(machine).inject("crossing")
        await select(machine, "A3")
        await seen(machine, "AUTHORISING")
        machine.changer.press_lever()  # and at that moment the bank says yes
        await asyncio.sleep(60)
        assert (delivered(machine), card.balance) == (0, 5000)
        await seen(machine, IDLE)

    play(day)


# --- change and credit --------------------------------------------------------------------------


def test_row_34_only_big_coins_left_means_exact_change() -> None:
    """One full tube of the largest coin is no change for most sales: each kind counts."""

    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT      2.00")
        await select(machine, "A3")
        await seen(machine, "NO CHANGE FOR A3|EXACT OR RETURN")
        machine.changer.press_lever()
        await seen(machine, "USE EXACT CHANGE")
        assert in_hand(machine) == 200
        assert delivered(machine) == 0

    play(day, tubes={100: 3}, idle="USE EXACT CHANGE")


@pytest.mark.parametrize("off_s", [1.0, 3600.0])
def test_row_35_credit_is_there_again_after_a_power_cut_and_can_be_had_back(off_s: float) -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(100)
        await seen(machine, "CREDIT      1.00")
        await cut_power(machine, off_s)
        await seen(machine, "CREDIT      1.00")
        machine.changer.press_lever()
        await seen(machine, IDLE)
        assert in_hand(machine) == 100

    play(day)


@pytest.mark.parametrize("value", [50, 200])
def test_row_35_a_coin_that_lands_while_nobody_polls_is_credit_afterwards(value: int) -> None:
    """Into its tube, or into the box where no count tells of it: its report waits."""

    async def day(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(value)
        await asyncio.sleep(0.1)  # it rolls
        machine.cut()
        await asyncio.sleep(1)
        await machine.start()
        await asyncio.sleep(5)
        assert credit_of(machine) == value
        machine.changer.press_lever()
        await asyncio.sleep(10)
        assert in_hand(machine) == value

    play(day)
