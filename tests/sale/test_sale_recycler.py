"""The recycler: change in bills, payouts that fall short or end in doubt, and its counts."""

import pytest

from tests.sale.bench import Bench, tubes_with, world_with
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    coin,
    delivered,
    given,
    keyed,
    left_home,
    like,
    no,
    nothing_paid,
    now,
    paid,
    play,
    turned,
    wait,
)
from tests.sale.script_bills import (
    GONE,
    LOST,
    READING,
    RECYCLER,
    bill,
    by_hand,
    counted,
    interrupted,
    no_bills_paid,
    paid_bills,
    returned,
    stacked,
    stacked_unseen,
    swallowed,
)
from tests.sale.worlds import DEAR, stores_with
from vendd.core import ledger
from vendd.core.facts import (
    CashMoved,
    ClaimOpened,
    CreditClosed,
    Outcome,
    SaleClosed,
    SaleDoubtful,
    Security,
)
from vendd.core.rows import BoxChanged, Posted, RecyclerSet
from vendd.core.sale.acts import PayBills, PayOut, ReadStores, ReadTubes, StackBill
from vendd.core.sale.bill_reports import BillPayoutEnded, BillsRemoved, RecyclerChange, RecyclerRead
from vendd.core.sale.reports import ChangerLost, DoorMoved, PayoutEnded
from vendd.core.sale.states import ClaimShown, Credit, Idle, Owed, Paying, Returning, Vending

TUBES = {10: 20, 20: 20, 50: 20, 100: 20}


def machine(recycler=None, tubes=None, **more):
    """5.00 and 10.00 are recycled; C1 costs 12.00."""
    stores = {500: 3, 1_000: 2} if recycler is None else recycler
    world = world_with(
        tubes_with(TUBES if tubes is None else tubes), prices=DEAR, recycler=stores, **more
    )
    return Bench(world)


def owing(value=1_000, **more):
    """A bill and two coins are in, and the lever is pressed."""
    bench = play(machine(**more), (coin(100),), (coin(50),), (swallowed(value, RECYCLER),))
    return play(bench, (LEVER, Paying))


# --- bills in and out -------------------------------------------------------------------------


def test_a_bill_that_goes_to_the_recycler_can_be_paid_again():
    bench = play(
        machine({}, {}),
        (swallowed(500, RECYCLER), 500, like(RecyclerSet, value=500, count=1)),
        (LEVER, like(PayBills, bills=((0, 1),), amount=500), no(PAYOUT), "RETURNING MONEY | "),
        (paid_bills(), Idle, 0, like(CreditClosed, returned=500)),
    )
    assert bench.accounts[ledger.recycler(500)] == 0


def test_a_recycled_bill_counts_as_returnable_by_itself():
    """R2: the piece itself, if it lands where it can be paid from."""
    assert machine({}, {}).bills == {500, 1_000}
    assert Bench(world_with(tubes_with({}), prices=DEAR)).bills == set()


def test_a_refund_is_paid_in_bills_first_then_in_coins():
    bench = owing()
    play(bench, (now, like(PayBills, bills=((1, 1),), amount=1_000), no(PAYOUT), 0))
    play(bench, (paid_bills(), Paying, like(PayOut, amount=150), "RETURNING MONEY | "))
    play(bench, (paid(), Idle, like(CreditClosed, returned=1_150)))


def test_change_is_paid_in_bills_too():
    """And thanks are said when all of it is out."""
    bench = play(
        machine(), (bill(2_000),), (keyed("C1"),), (stacked(2_000),), (left_home,), (DROP,)
    )
    play(
        bench,
        (turned(), like(PayBills, bills=((0, 1),), amount=500), "PAYING CHANGE | PLEASE WAIT"),
    )
    play(bench, (paid_bills(), like(PayOut, amount=300), "PAYING CHANGE | PLEASE WAIT"))
    play(bench, (paid(), Idle, "THANK YOU | CHANGE 8.00", like(SaleClosed, change_paid=800)))


def test_a_held_bill_goes_back_before_anything_is_paid():
    bench = play(machine(), (swallowed(500, RECYCLER),), (bill(1_000), 500), (LEVER, Returning))
    play(
        bench,
        (now, no(PayBills)),
        (returned(1_000), like(PayBills, amount=500)),
        (paid_bills(), Idle),
    )


def test_change_that_only_bills_can_pay_is_change():
    bench = play(machine(tubes={100: 3}), (bill(2_000),), (keyed("C1"),), (stacked(2_000), Vending))
    assert bench.state.credit == 2_000
    assert 2_000 not in machine({}, {100: 3}).bills


# --- payouts that fall short --------------------------------------------------------------------


def test_bills_that_did_not_come_out_are_made_up_with_coins():
    play(owing(), (no_bills_paid, like(PayOut, amount=1_150)), (paid(), Idle))


def test_bills_and_coins_that_fall_short_are_owed():
    bench = owing(tubes={100: 3})
    play(bench, (no_bills_paid, like(PayOut, amount=450)), (paid(), Owed, 700))
    play(bench, (now, "WE OWE YOU 7.00 | SPEND OR REF4821"))
    play(bench, (LEVER, PayBills), (paid_bills(), Owed, 200))


def test_some_of_the_bills_came_out():
    bench = play(machine({500: 3}), (swallowed(500, RECYCLER),), (swallowed(500, RECYCLER),))
    play(bench, (LEVER, like(PayBills, bills=((0, 2),))))
    play(bench, (paid_bills(b500=1), like(PayOut, amount=500)), (paid(), Idle))
    assert bench.accounts[ledger.recycler(500)] == 4 * 500


def test_the_changer_is_lost_while_bills_go_out():
    bench = play(owing(), (ChangerLost("silent"),), (paid_bills(), Owed, 150))
    play(bench.changer_up(), (LEVER, like(PayOut, amount=150)), (paid(), Idle))


def test_more_bills_came_out_than_were_asked_for():
    """Never hidden, and the customer owes nothing."""
    bench = play(machine({500: 3}), (swallowed(500, RECYCLER),), (LEVER, PayBills))
    play(bench, (paid_bills(b500=2), Idle, 0))
    assert bench.accounts[ledger.UNEXPLAINED] == 500


# --- payouts in doubt ---------------------------------------------------------------------------


@pytest.mark.parametrize("out", [True, False], ids=["out", "not out"])
def test_a_payout_of_bills_that_is_unclear_is_read_from_the_counts(out):
    bench = play(owing(), (paid_bills(certain=False), Paying, ReadStores, no(PAYOUT)))
    bench.report(RecyclerRead(stores_with({500: 3, 1_000: 2 if out else 3})))
    play(bench, (now, like(PayOut, amount=150 if out else 1_150)), (paid(), Idle))
    assert bench.accounts[ledger.UNEXPLAINED] == 0


def test_a_validator_that_was_reset_while_it_paid():
    bench = play(owing(), (LOST,), (paid_bills(certain=False), ReadStores))
    bench.validator_up(stores_with({500: 3, 1_000: 2}))
    play(bench, (now, like(PayOut, amount=150)), (paid(), Idle))


def test_a_validator_that_is_up_again_before_its_payout_is_told():
    bench = play(owing(), (LOST,)).validator_up(stores_with({500: 3, 1_000: 2}))
    play(bench, (now, Paying, no(PAYOUT)), (paid_bills(), like(PayOut, amount=150)), (paid(), Idle))
    assert bench.accounts[ledger.UNEXPLAINED] == 0


def test_a_validator_that_never_says_what_it_paid():
    """All that it was to pay is a claim: never paid twice."""
    bench = play(owing(), (wait(90_000), Paying, ReadStores), (wait(10_000), ClaimShown))
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.tender, doubt.booked_as, doubt.amount) == ("bill", "claim", 1_150)
    assert [c.amount for c in bench.all(ClaimOpened)] == [1_150]


def test_counts_that_make_no_sense():
    bench = play(owing(), (paid_bills(certain=False), ReadStores))
    play(bench, (RecyclerRead(stores_with({500: 0, 1_000: 0})), ClaimShown, no(PAYOUT)))
    (doubt,) = bench.all(SaleDoubtful)
    assert doubt.tender == "bill"


def test_the_coins_of_a_payout_in_doubt_after_its_bills_were_paid():
    bench = play(owing(), (paid_bills(), PAYOUT), (paid(certain=False), ReadTubes))
    play(bench, (wait(100_000), ClaimShown))
    assert [c.amount for c in bench.all(ClaimOpened)] == [150]


def test_answers_to_another_payout_mean_nothing():
    bench = owing()
    play(bench, (BillPayoutEnded("p9", ((1, 1),), certain=True), Paying, no(Posted)))
    play(
        bench, (PayoutEnded(bench.newest(PayBills).payout_id, ((3, 1),), certain=True), no(Posted))
    )
    play(bench, (paid_bills(), PAYOUT), (paid_bills(), Paying, no(Posted)), (paid(), Idle))
    play(bench, (paid_bills(), Idle, no(Posted)))


# --- its counts ----------------------------------------------------------------------------------


def test_counts_that_differ_are_booked():
    bench = machine()
    play(bench, (lambda b: counted(b, b500=2), like(CashMoved, reason="correction", value=500)))
    assert bench.accounts[ledger.UNEXPLAINED] == 500
    play(bench, (DoorMoved(open=True),))
    play(bench, (lambda b: counted(b, b500=4), like(CashMoved, reason="fill", value=1_000)))


def test_a_validator_s_first_counts_are_fill_and_later_ones_a_difference():
    bench = Bench(world_with()).validator_up(stores_with({500: 2}))
    play(bench, (now, like(CashMoved, reason="fill", value=1_000)))
    bench.validator_up(stores_with({500: 1}))
    play(bench, (now, like(CashMoved, reason="restart_difference", value=500)))


@pytest.mark.parametrize(
    ("change", "count", "account"),
    [
        (RecyclerChange.FILLED, 4, ledger.FILLS),
        (RecyclerChange.DISPENSED, 2, ledger.MANUAL_DISPENSE),
        (RecyclerChange.TO_BOX, 2, ledger.STACKER),
    ],
)
def test_a_bill_moved_by_hand(change, count, account):
    bench = machine()
    before = bench.accounts[account]
    play(bench, (by_hand(500, change), like(RecyclerSet, count=count), CashMoved, Idle, 0))
    moved = -500 if change is RecyclerChange.FILLED else 500
    assert bench.accounts[account] - before == moved
    assert bool([r for r in bench.records if isinstance(r, BoxChanged)]) is (account == "stacker")


def test_a_bill_moved_by_hand_that_the_books_did_not_know():
    bench = play(machine({}), (by_hand(500, RecyclerChange.TO_BOX), Idle))
    assert bench.accounts[ledger.recycler(500)] == 0
    assert bench.accounts[ledger.UNEXPLAINED] == -500


def test_a_defective_store_keeps_its_count_and_pays_nothing():
    bench = machine({500: 3})
    broken = tuple(type(s)(s.type, s.value, 0, full=True, defective=True) for s in stores_with({}))
    play(bench, (RecyclerRead(broken), no(Posted)))
    play(bench, (stacked_unseen(500), 500), (LEVER, no(PayBills), like(PayOut, amount=500)))


def test_the_stacker_is_emptied():
    """By whoever opened the door; behind a closed one it is told."""
    play(machine(), (BillsRemoved(4), like(Security, kind="bills_removed", count=4)))
    play(machine(), (DoorMoved(open=True),), (BillsRemoved(4), no(Security)))


# --- machines without a changer, power cuts -----------------------------------------------------


def test_a_recycler_alone_pays_change():
    """No changer is fitted: nothing waits for one."""
    bench = machine({500: 3}, {})
    bench.change(changer=type(bench.world.changer)(fitted=False))
    play(bench, (swallowed(500, RECYCLER),), (LEVER, PayBills), (paid_bills(), Idle))


def test_a_recycler_alone_after_a_power_cut():
    bench = machine({500: 3}, {})
    bench.change(changer=type(bench.world.changer)(fitted=False))
    play(bench, (swallowed(500, RECYCLER),)).power_cut()
    play(bench, (now, Credit, 500), (LEVER, Paying, no(PayBills)))
    play(bench.validator_up(), (now, Paying, PayBills), (paid_bills(), Idle))


def test_owed_for_want_of_a_changer_is_credit_again_when_the_recycler_is_back():
    bench = given(machine({500: 3}, {}), Credit(), 500)
    bench.change(changer=type(bench.world.changer)(fitted=False))
    play(bench, (LOST,), (LEVER, Owed, "WE OWE YOU 5.00 | SPEND OR REF4821"))
    play(bench.validator_up(), (now, Credit, 500), (LEVER, PayBills))


@pytest.mark.parametrize("out", [True, False], ids=["out", "not out"])
def test_s9_during_payout_of_bills(out):
    """What is out is counted; the rest was decided and never asked for: a claim."""
    bench = owing().power_cut()
    play(bench, (now, Paying, no(PayBills), no(PAYOUT)))
    bench.changer_up()
    play(bench, (now, Paying, no(PayBills), no(PAYOUT)))
    bench.validator_up(stores_with({500: 3, 1_000: 2 if out else 3}))
    rest = 150 if out else 1_150
    play(bench, (now, ClaimShown, like(ClaimOpened, amount=rest, reason="power_loss"), no(PAYOUT)))
    assert not bench.all(SaleDoubtful)


def test_s9_during_payout_of_coins_after_its_bills():
    bench = play(owing(), (paid_bills(), PAYOUT)).power_cut()
    bench.validator_up()
    play(bench, (now, Paying))
    bench.changer_up(tubes_with({**TUBES, 50: 20, 100: 20}))
    play(bench, (now, Idle, no(PAYOUT)))
    assert not bench.claims


def test_change_in_bills_of_a_sale_that_a_cut_interrupted_is_booked_with_it():
    bench = play(
        machine(), (bill(2_000),), (keyed("C1"),), (stacked(2_000),), (left_home,), (DROP,)
    )
    play(bench, (turned(), PayBills)).power_cut()
    bench.changer_up()
    bench.validator_up(stores_with({500: 2, 1_000: 2}))
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.change_due, sale.change_paid) == (Outcome.SOLD, 800, 500)
    assert [c.amount for c in bench.all(ClaimOpened)] == [300]


def test_a_lost_recycler_leaves_what_the_tubes_can_pay():
    play(machine(), (swallowed(500, RECYCLER),), (LOST,), (LEVER, like(PayOut, amount=500)))
    bench = play(machine(tubes={}), (swallowed(500, RECYCLER),), (LOST,), (LEVER, Owed, 500))
    play(
        bench.validator_up(), (LEVER, PayBills), (no_bills_paid, Owed), (wait(300_000), ClaimShown)
    )


def test_change_of_a_coin_sale_comes_from_the_tubes():
    bench = play(machine(), (coin(200),), *delivered("A3"), (now, like(PayOut, amount=50)))
    play(bench, (nothing_paid, Owed, 50))


def test_a_bill_that_moves_has_the_way():
    """The door closes while a bill comes back: the recycler pays when it is out."""
    opened = DoorMoved(open=True)
    bench = play(machine({500: 1}, {}), (stacked_unseen(500), 500), (bill(500), StackBill))
    play(bench, (opened,), (DoorMoved(open=False), Returning, no(PayBills)))
    play(bench, (stacked(500), like(PayBills, amount=500)), (paid_bills(), Owed, 500))
    bench = play(machine({500: 1}, {}), (stacked_unseen(500),), (bill(500), StackBill), (opened,))
    play(bench, (DoorMoved(open=False), Returning), (returned(500), PayBills), (paid_bills(), Idle))
    bench = play(machine({500: 1}, {}), (stacked_unseen(500),), (READING,), (opened,))
    play(bench, (DoorMoved(open=False), Returning), (GONE, PayBills), (paid_bills(), Idle))


def test_a_bill_that_nobody_has_found_yet_is_in_the_recycler_s_way():
    """Coins only; what they can't pay is owed until it is found."""
    bench = play(machine({500: 1}, {100: 3}), (stacked_unseen(500),), (bill(500), StackBill))
    play(bench, (interrupted(500), Credit), (LEVER, like(PayOut, amount=300)), (paid(), Owed, 200))
    play(bench, (returned(500),), (LEVER, no(PayBills)))
