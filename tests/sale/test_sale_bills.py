"""Bills: the rows of sections 2, 4 and 7 that speak of them."""

import pytest

from tests.sale.bench import Bench, tubes_with, world_with
from tests.sale.machines import dear, machine
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    delivered,
    failed,
    keyed,
    left_home,
    like,
    no,
    now,
    paid,
    play,
    takes,
    turned,
    wait,
)
from tests.sale.script_bills import (
    GONE,
    READING,
    again,
    bill,
    escrowed,
    rejected,
    returned,
    stacked,
    stacked_unseen,
    swallowed,
)
from tests.sale.worlds import validator
from vendd.core import ledger
from vendd.core.facts import (
    ClaimOpened,
    Outcome,
    Reason,
    SaleClosed,
    SaleRefused,
    Security,
    TenderKind,
)
from vendd.core.policy import ForceVend
from vendd.core.rows import BoxChanged, Posted, Reserved
from vendd.core.sale.acts import Acknowledge, PayOut, ReturnBill, StackBill
from vendd.core.sale.states import (
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Paying,
    Returning,
    Stacking,
    Vending,
)

HELD = "CREDIT      5.00 | MAKE SELECTION"
IDLE = "MAKE A SELECTION | COINS BILLS"


# --- section 4 --------------------------------------------------------------------------------


def test_s4_bill_read():
    """In escrow while R2 and the maximum are looked at; a refused one comes straight back."""
    play(
        machine(),
        (READING, "CHECKING BILL | ", no(Posted), takes(bills={500, 1_000, 2_000})),
        (escrowed(500), HELD, no(Posted), 0, takes(bills=set())),
    )
    bench = play(machine(), (READING,))
    bench.change(tubes=tubes_with({}))  # it can't give change any more
    bench.accounts.clear()
    play(
        bench,
        (escrowed(500), ReturnBill, "PLEASE WAIT | ", no(Posted)),
        (returned(500), Idle, 0),
    )


@pytest.mark.parametrize("report", [GONE, rejected()], ids=["gone", "rejected"])
def test_s4_bill_that_came_to_nothing(report):
    play(machine(), (READING, "CHECKING BILL | "), (report, IDLE, 0, no(Posted)))
    bench = play(machine(), (coin(100),), (READING,), (report, 100))
    play(
        bench,
        (now, "CREDIT      1.00 | MAKE SELECTION"),
        (wait(299_999), Credit),
        (wait(1), PAYOUT),
    )


def test_s4_bill_rejected_is_counted():
    play(machine(), (rejected(), like(Security, kind="bill_rejected"), Acknowledge, no(Posted)))
    play(machine(), (rejected("disabled"), no(Security)))


def test_s4_bill_below_the_highest_price():
    """Stacked at once; credit only when it is in."""
    bench = play(
        dear(),
        (READING, "CHECKING BILL | "),
        (escrowed(500), StackBill, "CHECKING BILL | ", 0, no(Posted)),
        (stacked(500), HELD, 500, Credit, Posted, like(BoxChanged, box="stacker", value=500)),
    )
    assert bench.accounts[ledger.STACKER] == 500
    play(bench, (LEVER, like(PayOut, amount=500)), (paid(), IDLE, Idle))


def test_s4_bill_below_the_highest_price_that_is_not_stacked():
    play(dear(), (bill(500), StackBill), (returned(500, "returned"), IDLE, 0, no(Posted)))


def test_s4_bill_without_an_escrow_is_stacked_by_itself():
    bench = Bench(world_with(bills=validator(escrow=False)))
    play(bench, (READING, "CHECKING BILL | "), (stacked_unseen(500), HELD, 500, Credit))


def test_s4_bill_that_reaches_the_highest_price():
    """Held: shown in the credit, in no book, and back as the same bill."""
    bench = play(
        machine(),
        (bill(500), HELD, Credit, 0, no(StackBill), takes(bills=set()), set()),
        (wait(60_000), HELD),
        (LEVER, ReturnBill, "RETURNING MONEY | ", no(PAYOUT), Returning),
        (returned(500), IDLE, Idle),
    )
    assert sum(bench.boxes.values()) == 0
    # the coins before it count: 1.50 and 10.00 reach the 11.50 that C1 costs
    play(
        dear(), (coin(100),), (coin(100),), (bill(1_000), "CREDIT     12.00 | MAKE SELECTION", 200)
    )
    play(machine(hold_last_bill=False), (bill(500), StackBill, no(ReturnBill)))


def test_s4_selection_with_a_held_bill():
    """Reserve, stack, wait for STACKED; only then the motor. Change comes from the tubes."""
    bench = play(
        machine(),
        (bill(500),),
        (keyed("A3"), Stacking, StackBill, Reserved, no(TURN), "PLEASE WAIT | ", set()),
        (stacked(500), Vending, TURN, 500, "VENDING A3 | PLEASE WAIT"),
        (left_home,),
        (DROP, 350),
        (turned(), Paying, like(PayOut, amount=350)),
        (paid(), Idle, "THANK YOU | CHANGE 3.50"),
    )
    (sale,) = bench.all(SaleClosed)
    (tender,) = sale.tenders
    assert (tender.kind, tender.inserted, tender.applied) == (TenderKind.BILL, 500, 150)
    assert (tender.returned, sale.change_paid) == (350, 350)


def test_s4_selection_with_a_held_bill_that_comes_back():
    """Returned or failed: the sale is cancelled, the reservation released."""
    bench = play(
        machine(),
        (bill(500),),
        (keyed("A3"), Stacking),
        (returned(500, "returned"), Idle, "BILL RETURNED | CHOOSE AGAIN", no(TURN)),
        (wait(3_000), IDLE),
    )
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.CANCELLED, Reason.BILL_NOT_STACKED)
    assert bench.world.slots["A3"].reserved == 0


def test_s4_selection_with_coins_and_a_held_bill_that_comes_back():
    play(
        machine(),
        (coin(100),),
        (bill(500), "CREDIT      6.00 | MAKE SELECTION", 100),
        (keyed("A3"), StackBill),
        (returned(500, "returned"), Credit, 100, "BILL RETURNED | CHOOSE AGAIN"),
        (wait(3_000), "CREDIT      1.00 | MAKE SELECTION"),
    )


def test_s4_selection_with_a_held_bill_that_stays_in_escrow():
    """The order had no effect: the bill goes back, and that is said when it is true."""
    bench = play(
        machine(),
        (bill(500),),
        (keyed("A3"), StackBill),
        (again(500), ReturnBill, Stacking, "PLEASE WAIT | ", no(TURN)),
        (returned(500), Idle, "BILL RETURNED | CHOOSE AGAIN", SaleClosed),
    )
    play(bench, (bill(500), HELD), (keyed("A3"), StackBill), (stacked(500), TURN))


def test_s4_selection_that_the_coins_alone_can_pay_leaves_the_bill_in_escrow():
    bench = play(machine(), (coin(200),), (bill(500), 200), (keyed("A3"), Vending, no(StackBill)))
    play(bench, (left_home,), (DROP, 50), (turned(), Returning, ReturnBill, no(PAYOUT)))
    play(bench, (returned(500), Paying, like(PayOut, amount=50)))
    play(bench, (paid(), "THANK YOU | CHANGE 0.50", Idle, like(SaleClosed, change_paid=50)))


def test_s4_held_bill_without_change_for_what_was_chosen():
    bench = play(machine({100: 4}), (bill(500), HELD), (keyed("A1"), StackBill))
    play(bench, (stacked(500), TURN))
    play(
        machine({100: 4}),
        (bill(500),),
        (keyed("A3"), "NO CHANGE FOR A3 | EXACT OR RETURN", SaleRefused, no(StackBill)),
        (LEVER, ReturnBill),
    )


def test_s4_held_bill_that_no_change_can_be_given_for_is_no_use():
    assert machine({10: 1}).bills == set()
    assert machine({100: 4}).bills == {500}
    assert machine({100: 4}, overpay_up_to=1_000).bills == {500, 1_000}


def test_s4_overpay_with_a_held_bill():
    bench = play(
        machine({100: 4}, overpay_up_to=50),
        (bill(500),),
        (keyed("A3"), OverpayAsked, "KEEPS 0.50 | PRESS A3 AGAIN", no(StackBill)),
        (keyed("A3"), Stacking, StackBill),
        (stacked(500), TURN),
        (left_home,),
        (DROP, 300),
        (turned(), like(PayOut, amount=300)),
        (paid(), like(SaleClosed, overpay_kept=50, change_paid=300)),
    )
    assert -bench.accounts[ledger.OVERPAY] == 50


def test_s4_force_vend_for_bills():
    """A bill that is still held goes back as itself; one that is in has to be used."""
    play(machine(force_vend=ForceVend.BILLS), (bill(500),), (LEVER, ReturnBill))
    play(
        dear(force_vend=ForceVend.BILLS),
        (swallowed(500), 500),
        (LEVER, "PLEASE BUY FIRST | CHANGE AFTER", no(PAYOUT)),
        *delivered("A3"),
        (now, like(PayOut, amount=350)),
    )


def test_s4_a_bill_that_arrives_while_vending_goes_back():
    bench = play(machine(), (coin(200),), (READING,), (GONE,), (keyed("A3"), TURN))
    play(bench, (bill(500), ReturnBill, 200), (returned(500), Vending, 200))


# --- section 2 --------------------------------------------------------------------------------


def test_s2_stacking_takes_30_s_at_most():
    """Treated as not stacked, and not called returned: what the validator says later counts."""
    bench = play(
        machine(),
        (bill(500),),
        (keyed("A3"), Stacking),
        (wait(29_999), Stacking, "PLEASE WAIT | "),
        (wait(1), SaleClosed, "A3 NOT AVAILABLE | CHOOSE ANOTHER", no(TURN)),
        (stacked(500), Credit, 500, HELD, no(TURN)),
    )
    assert bench.all(SaleClosed)[0].reason is Reason.BILL_NOT_STACKED
    play(bench, (LEVER, like(PayOut, amount=500)))


def test_s2_stacking_at_once_takes_30_s_at_most():
    """Keys mean something again, and after five minutes without a word it is a claim."""
    bench = play(
        dear(), (bill(500), StackBill), (wait(29_999), "CHECKING BILL | "), (wait(1), IDLE)
    )
    play(bench, (keyed("A3"), "A3          1.50 | INSERT MONEY"))
    play(bench, (wait(300_000), ClaimShown, like(ClaimOpened, amount=500, reason="bill_unclear")))


def test_s2_returning_takes_30_s_at_most():
    bench = play(machine(), (coin(100),), (bill(500),), (LEVER, Returning, ReturnBill))
    play(bench, (wait(30_000), Paying, like(PayOut, amount=100)), (paid(), Idle))
    play(bench, (returned(500), Idle, 0, no(Posted)))


def test_reading_takes_30_s_at_most():
    """A validator that says busy for ever must not stop the sale of what coins can buy (L1)."""
    bench = play(machine(), (coin(200),), (READING, "CHECKING BILL | "), (keyed("A3"), no(TURN)))
    play(bench, (wait(30_000), "CREDIT      2.00 | MAKE SELECTION"), (keyed("A3"), TURN))


# --- section 7 --------------------------------------------------------------------------------


def test_s7_lever_while_a_bill_is_read():
    """Remembered; the bill goes back when it reaches escrow, and so do the coins."""
    play(
        machine(),
        (READING,),
        (LEVER, "CHECKING BILL | ", Acknowledge, takes(bills=set())),
        (escrowed(500), ReturnBill, "PLEASE WAIT | "),
        (returned(500), Idle, IDLE, takes(bills={500, 1_000, 2_000})),
    )
    play(
        machine(),
        (coin(100),),
        (READING,),
        (LEVER, no(PAYOUT)),
        (escrowed(500), ReturnBill, no(PAYOUT)),
        (returned(500), Paying, like(PayOut, amount=100)),
    )
    play(machine(), (coin(100),), (READING,), (LEVER, no(PAYOUT)), (rejected(), PAYOUT))
    play(machine(), (coin(100),), (READING,), (LEVER, no(PAYOUT)), (GONE, PAYOUT))


def test_s7_lever_while_a_bill_is_stacked_at_once():
    play(
        dear(),
        (bill(500), StackBill),
        (LEVER, no(PAYOUT)),
        (stacked(500), like(PayOut, amount=500)),
    )


def test_s7_lever_while_a_bill_goes_back():
    """Nothing is left to remember: the next customer's bills are taken."""
    bench = play(machine(), (bill(500),), (keyed("A3"), StackBill), (again(500), ReturnBill))
    play(bench, (LEVER,), (returned(500), Idle, takes(bills={500, 1_000, 2_000})))


def test_s7_lever_while_a_held_bill_is_stacked():
    """Too late: the vend goes on; remembered."""
    world = {"multi_vend": True}
    bench = play(machine(**world), (bill(500),), (keyed("A3"), Stacking))
    play(bench, (LEVER, Stacking, Acknowledge), (stacked(500), TURN), (left_home,), (DROP,))
    play(bench, (turned(), Paying, like(PayOut, amount=350)))  # no multi-vend wait
    bench = play(machine(), (coin(100),), (bill(500),), (keyed("A3"), Stacking), (LEVER,))
    play(bench, (returned(500, "returned"), like(PayOut, amount=100)), (paid(), Idle))
    bench = play(machine(), (bill(500),), (keyed("A3"), Stacking), (LEVER,), (stacked(500),))
    play(bench, (failed, Paying, like(PayOut, amount=500)))  # no choose-again


def test_s7_lever_under_force_vend_while_a_bill_comes_back():
    """It was used up by the message: the next vend's change is held again."""
    bench = dear(force_vend=ForceVend.ALL, multi_vend=True)
    play(bench, (coin(200),), (bill(2_000), 200), (keyed("C1"), StackBill), (LEVER,))
    play(bench, (returned(2_000, "returned"), Credit, "PLEASE BUY FIRST | CHANGE AFTER"))
    play(bench, *delivered("A3"), (now, Hold))
