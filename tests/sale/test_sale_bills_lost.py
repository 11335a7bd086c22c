"""Bills that disappear, come late or are another one; and a held bill when nothing is sold."""

import pytest

from tests.sale.machines import dear, machine
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    given,
    key,
    keyed,
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
    LOST,
    READING,
    bill,
    interrupted,
    returned,
    stacked,
    stacked_unseen,
    unclear,
)
from tests.sale.worlds import validator
from vendd.core import ledger
from vendd.core.facts import (
    ClaimOpened,
    CreditClosed,
    Outcome,
    Reason,
    SaleClosed,
    SaleDoubtful,
    Security,
)
from vendd.core.rows import Posted
from vendd.core.sale.acts import Acknowledge, ReturnBill, StackBill
from vendd.core.sale.pieces import Bill, BillDoing, UnclearBill
from vendd.core.sale.reports import DoorMoved, ServiceChanged
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Returning,
    Stacking,
)

HELD = "CREDIT      5.00 | MAKE SELECTION"
IDLE = "MAKE A SELECTION | COINS BILLS"


# --- a bill that disappears --------------------------------------------------------------------


def test_a_held_bill_that_is_pulled_out_of_the_escrow():
    play(
        machine(),
        (bill(500), HELD),
        (returned(500, "removed"), Idle, IDLE, like(Security, kind="bill_pulled_back")),
    )


@pytest.mark.parametrize("phase", [Credit, ChooseAgain, Hold, OverpayAsked, Owed])
@pytest.mark.parametrize("credit", [0, 100])
def test_a_held_bill_that_is_pulled_out_wherever_the_customer_stands(phase, credit):
    """What is left decides: the coins are still there, or nobody is."""
    credit = credit or (50 if phase is Owed else 0)  # owed is what coins could not pay
    held = Bill(1, 0, 500)
    shown = {OverpayAsked: OverpayAsked("A3", 50), Owed: Owed("4821")}.get(phase) or phase()
    bench = given(machine(), shown, credit, bill=held)
    play(bench, (returned(500, "removed"), credit))
    assert isinstance(bench.state.phase, (phase, Credit) if credit else Idle)
    assert not isinstance(bench.state.phase, OverpayAsked)
    assert bench.state.customer is None or credit


def test_a_validator_that_dies_with_a_held_bill():
    """Its own report decides; until then nobody spends it."""
    bench = play(machine(), (coin(100),), (bill(500),), (interrupted(500, "escrow"), Credit, 100))
    play(
        bench,
        (LOST, "CREDIT      1.00 | MAKE SELECTION"),
        (keyed("A1"), TURN),
        (DROP,),
        (turned(),),
    )
    play(bench, (now, Idle), (wait(4_000), "MAKE A SELECTION | COINS"))
    play(bench.validator_up(()), (returned(500), Idle, 0))


def test_a_validator_that_dies_with_all_the_money_that_there_is():
    bench = play(machine(), (bill(500), HELD), (interrupted(500, "escrow"), 0), (LOST,))
    play(bench.validator_up(()), (stacked(500), Credit, 500, HELD))


def test_a_validator_that_dies_while_it_stacks_for_a_selection():
    """Still in time: the vend goes on when it says so. Too late: credit."""
    bench = play(
        machine(), (bill(500),), (keyed("A3"), Stacking), (interrupted(500), Stacking), (LOST,)
    )
    play(bench.validator_up(()), (stacked(500), TURN))
    bench = play(
        machine(), (bill(500),), (keyed("A3"), Stacking), (interrupted(500), Stacking), (LOST,)
    )
    play(bench, (wait(30_000), Idle, no(TURN)), (stacked(500), Credit, 500, no(TURN)))


def test_a_bill_that_nobody_finds():
    """A claim with a reference of its own, published as doubtful; never credit."""
    bench = play(
        machine(),
        (bill(500),),
        (keyed("A3"), Stacking),
        (unclear(500, rose=True), ClaimShown, "WE OWE YOU 5.00 | REF 4821", no(TURN)),
        (wait(60_000), IDLE),
    )
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.booked_as, doubt.amount, doubt.tender) == ("claim", 500, "bill")
    (claim,) = bench.all(ClaimOpened)
    assert (claim.claim_ref, claim.amount, claim.sale_id) == ("4821", 500, "s1")
    play(bench, (stacked(500), Idle, 0, like(Posted, credit=ledger.UNEXPLAINED)))
    assert bench.accounts[ledger.UNEXPLAINED] == 0  # the claim stands for this bill


def test_a_reference_is_not_keyed_away_before_it_can_be_read():
    """The customer is keying when the bill is given up: the reference is all they have."""
    told = "WE OWE YOU 5.00 | REF 4821"
    bench = play(machine(), (bill(500),), (keyed("A3"), Stacking), (key("B"),))
    play(bench, (unclear(500), ClaimShown, told), (keyed("A3"), ClaimShown, told))
    play(bench, (key("clear"), ClaimShown, told), (wait(4_000),), (key("A"), ClaimShown, told))
    play(bench, (wait(1_000), ClaimShown, told), (key("A"), Idle, "SELECTION A_ | "))


def test_a_coin_takes_the_display_from_a_reference():
    bench = play(machine(), (bill(500),), (keyed("A3"), Stacking), (unclear(500), ClaimShown))
    play(bench, (coin(100), Credit), (key("A"), "SELECTION A_ | "))


def test_a_bill_that_nobody_finds_beside_credit():
    bench = play(machine(), (coin(100),), (bill(500),), (interrupted(500, "escrow"),), (LOST,))
    play(bench, (wait(300_000), 0, Paying, like(ClaimOpened, amount=500)), (paid(), Idle))


def test_an_unclear_bill_that_is_not_the_one_in_escrow():
    """Another one is in doubt: the one in escrow is still the customer's."""
    bench = play(machine(), (bill(500), HELD))
    bench.validator.seen = 0
    play(bench, (unclear(1_000), ClaimOpened, Credit))
    bench.validator.seen = 1
    play(bench, (wait(60_000), HELD), (LEVER, ReturnBill))


@pytest.mark.parametrize("value", [1_000, 500])
def test_a_bill_that_turns_out_to_be_another_one(value):
    """In escrow it was a 20.00: what was stacked is credit, and the customer chooses again."""
    bench = play(dear(), (bill(2_000),), (keyed("C1"), StackBill))
    play(bench, (stacked(value), Credit, value, no(TURN), SaleClosed))


# --- out of service, the door ------------------------------------------------------------------


OFF, OPEN = ServiceChanged("operator", active=True), DoorMoved(open=True)


def test_a_held_bill_when_the_machine_goes_out_of_service():
    play(
        machine(),
        (bill(500),),
        (OFF, ReturnBill, Returning),
        (returned(500), Idle, takes(bills=set())),
    )


def test_a_held_bill_when_the_door_opens():
    """Kept while the door is open, returned when it closes."""
    bench = play(machine(), (bill(500),), (OPEN, "DOOR OPEN | CREDIT      5.00", no(ReturnBill)))
    play(bench, (DoorMoved(open=False), ReturnBill), (returned(500), Idle))


def test_the_door_opens_while_a_bill_is_stacked_for_a_selection():
    """No new vend: the bill is credit."""
    bench = play(machine(), (bill(500),), (keyed("A3"), StackBill), (OPEN, Stacking))
    play(bench, (stacked(500), Credit, 500, no(TURN)))
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.CANCELLED, Reason.DOOR_OPENED)


def test_a_bill_with_the_door_open_is_fill():
    bench = machine(bills=validator(escrow=False))
    play(
        bench,
        (OPEN,),
        (wait(5_000),),
        (stacked_unseen(500), Idle, 0, like(Posted, credit=ledger.FILLS)),
    )


def test_an_idle_customer_gets_the_held_bill_back_whatever_is_forfeited():
    """A bill in escrow is not the machine's to keep."""
    play(
        machine(forfeit_idle_credit=True),
        (bill(500),),
        (wait(300_000), ReturnBill),
        (returned(500), Idle),
    )
    bench = play(machine(forfeit_idle_credit=True), (coin(100),), (bill(500),))
    play(bench, (wait(300_000), ReturnBill), (returned(500), Idle, no(PAYOUT)))
    assert [c.forfeited for c in bench.all(CreditClosed)] == [100]


def test_owed_credit_that_becomes_a_claim_gives_the_held_bill_back_first():
    bench = given(machine({}), Owed("4821"), 100, bill=Bill(1, 0, 500))
    play(bench, (coin(50), 150), (wait(300_000), ReturnBill, Returning))
    play(bench, (returned(500),), (now, no(StackBill)))


def test_a_bill_awaited_by_nobody_is_a_claim_after_five_minutes():
    bench = given(machine(), Idle(), bill=Bill(1, 0, 500, BillDoing.AWAITED))
    bench.validator_up(())
    play(bench, (wait(35_000), ClaimShown, like(ClaimOpened, amount=500)))


def test_a_key_while_a_bill_moves_is_noticed_and_ignored():
    play(machine(), (coin(200),), (READING,), (key("A"), Acknowledge, "CHECKING BILL | "))


def test_a_claimed_bill_that_is_returned_after_all_is_told():
    """Whoever settles the claim has to know."""
    bench = play(
        machine(), (bill(500),), (interrupted(500, "escrow"),), (wait(360_000), ClaimOpened)
    )
    play(bench, (returned(500), like(Security, kind="claimed_bill_returned"), Idle))
    assert len(bench.claims) == 1


def test_two_claimed_bills_of_one_value_turn_up_one_by_one():
    bench = given(machine(), Idle(), unclear_bills=(UnclearBill(None, 500),) * 2)
    play(bench, (stacked_unseen(500), 0), (stacked_unseen(500), 0), (stacked_unseen(500), 500))
