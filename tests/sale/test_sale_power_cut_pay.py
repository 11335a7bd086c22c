"""Section 9, the rows of bills and cards: what validator and readers say decides."""

import pytest

from tests.sale.machines import asking, carded, dear, machine
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    failed,
    given,
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
    bill,
    escrowed,
    interrupted,
    returned_unseen,
    stacked,
    stacked_unseen,
    unclear,
)
from tests.sale.script_cards import (
    FAILED,
    SILENT,
    approved,
    card_gone,
    denied,
    heard,
    settled,
    tap,
)
from tests.sale.worlds import reader
from vendd.core import ledger
from vendd.core.facts import (
    ClaimOpened,
    MachineStarted,
    Outcome,
    Reason,
    RefundDue,
    SaleClosed,
    SaleDoubtful,
)
from vendd.core.rows import Posted
from vendd.core.sale.acts import (
    CancelVend,
    CompleteSession,
    ConfirmVend,
    FailVend,
    PayOut,
    ReleaseReader,
    RequestVend,
    ReturnBill,
    StackBill,
)
from vendd.core.sale.card_reports import RefundState
from vendd.core.sale.pieces import Bill, BillDoing
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ClaimShown,
    Credit,
    Idle,
    OverpayAsked,
    Paying,
    Refunding,
    Returning,
    SessionOpen,
    WaitingForTap,
)

ORDERS = (CancelVend, ConfirmVend, FailVend, ReleaseReader, CompleteSession, RequestVend)


def orders(bench):
    """What the readers were told with the start."""
    return [a for a in bench.acts if isinstance(a, ORDERS)]


def up(bench):
    """Changer and validator are initialised."""
    return bench.changer_up().validator_up(())


# --- bills ----------------------------------------------------------------------------------------


def held():
    return play(machine(), (bill(500), Credit))


def stacking():
    return play(held(), (keyed("A3"), StackBill))


def at_once():
    return play(dear(), (bill(500), StackBill))


def returning():
    return play(held(), (LEVER, ReturnBill))


BILLS = [held, stacking, at_once, returning]


@pytest.mark.parametrize("moment", BILLS)
def test_s9_bill_in_escrow_or_moving(moment):
    """Stacked: credit. Returned: none. No report 30 s after its init: a claim, in doubt."""
    bench = up(moment().power_cut())
    play(bench, (now, 0, no(TURN), takes(bills=set())), (stacked_unseen(500), Credit, 500))
    play(bench, (LEVER, like(PayOut, amount=500)))
    play(up(moment().power_cut()), (returned_unseen(500), Idle, 0, no(Posted)))
    bench = up(moment().power_cut())
    play(bench, (wait(34_999), no(ClaimOpened)), (wait(1), ClaimShown, ClaimOpened, 0))
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.booked_as, doubt.amount, doubt.power_loss) == ("claim", 500, True)
    assert "s1" not in {s.sale_id for s in bench.all(SaleClosed) if s.outcome is Outcome.SOLD}


@pytest.mark.parametrize("moment", BILLS)
def test_s9_bill_that_the_validator_can_t_find(moment):
    play(up(moment().power_cut()), (unclear(500), ClaimShown, like(ClaimOpened, amount=500)))


@pytest.mark.parametrize("moment", BILLS)
def test_s9_bill_that_still_is_in_escrow(moment):
    """A new number for the same bill: decided again."""
    bench = play(up(moment().power_cut()), (escrowed(500), no(ClaimOpened)))
    if moment is at_once:
        play(bench, (stacked(500), Credit, 500))
    else:
        play(bench, (now, Credit, "CREDIT      5.00 | MAKE SELECTION"), (keyed("A3"), StackBill))
        play(bench, (stacked(500), TURN))


def test_s9_bill_that_was_stacked_for_a_selection_ends_the_sale():
    bench = stacking().power_cut()
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.CANCELLED, Reason.POWER_LOSS)
    assert bench.world.slots["A3"].reserved == 0
    (started,) = bench.all(MachineStarted)
    assert (started.sale_in_flight, started.sale_outcome) == ("s1", "cancelled")


def test_s9_bill_in_escrow_beside_coins():
    bench = play(machine(), (coin(100),), (bill(500), 100)).power_cut()
    play(bench, (now, Credit, 100))
    play(up(bench), (stacked_unseen(500), 600), (LEVER, like(PayOut, amount=600)))
    bench = play(machine(), (coin(100),), (bill(500),), (LEVER, Returning)).power_cut()
    play(bench, (now, Paying, no(PAYOUT)))
    play(up(bench), (now, Paying), (paid(), Idle), (stacked_unseen(500), Credit, 500))


def test_s9_bill_of_change_that_went_back_when_the_power_was_cut():
    """The change of that sale is paid all the same."""
    bench = play(machine(), (coin(200),), (bill(500),), (keyed("A3"), TURN), (left_home,), (DROP,))
    bench = play(bench, (turned(), Returning)).power_cut()
    play(bench, (now, Paying, 0))
    play(bench.changer_up(), (now, like(PayOut, amount=50)))
    play(bench, (paid(), like(SaleClosed, change_paid=50)))
    bench = play(machine(), (coin(200),), (bill(500),), (keyed("A1"), TURN), (left_home,), (DROP,))
    bench = play(bench, (turned(), Returning))
    play(bench.power_cut(), (now, Paying))


def test_s9_bill_and_overpay_asked():
    bench = given(machine(), OverpayAsked("A3", 50), bill=Bill(1, 0, 500)).power_cut()
    play(bench, (now, Idle))
    play(up(bench), (returned_unseen(500), Idle))


def test_s9_bill_awaited_when_the_power_is_cut_again():
    bench = play(held(), (interrupted(500, "escrow"),)).power_cut().power_cut()
    assert bench.state.bill == Bill(None, 0, 500, BillDoing.AWAITED)
    play(up(bench), (stacked_unseen(500), Credit, 500))


def test_s9_bill_and_a_validator_that_never_comes_back():
    play(held().power_cut().changer_up(), (wait(299_999), no(ClaimOpened)), (wait(1), ClaimShown))


def test_s9_another_bill_than_the_one_on_record():
    """The old one is a claim of its own; this one is decided as any other."""
    bench = up(held().power_cut())
    play(bench, (escrowed(1_000), like(ClaimOpened, amount=500)), (LEVER, ReturnBill))


@pytest.mark.parametrize("claimed", ["before the cut", "after it"])
def test_s9_bill_that_turns_up_when_it_is_a_claim_already(claimed):
    """Its value is owed once: never credit as well. The next one of its kind is."""
    if claimed == "after it":
        bench = play(up(held().power_cut()), (wait(95_000), Idle, ClaimOpened))
    else:
        bench = play(held(), (interrupted(500, "escrow"),), (wait(360_000), Idle, ClaimOpened))
        bench = up(bench.power_cut())
    play(bench, (stacked_unseen(500), Idle, 0, like(Posted, credit=ledger.UNEXPLAINED)))
    play(bench, (stacked_unseen(500), Credit, 500))


# --- cards: asked ---------------------------------------------------------------------------------


def waiting():
    return play(asking(), (keyed("A3"), WaitingForTap))


def authorising():
    return play(carded(), (tap(),), (keyed("A3"), Authorising))


@pytest.mark.parametrize("moment", [waiting, authorising])
def test_s9_card_asked_and_no_answer_seen(moment):
    """VEND CANCEL; no vend. In doubt only if the reader can't tell."""
    bench = moment().power_cut()
    assert orders(bench) == [CancelVend(1, "s1")]
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.CANCELLED, Reason.POWER_LOSS)
    play(bench, (now, Idle, no(TURN)), (denied("cancelled"), Idle, no(RefundDue)))
    assert not bench.state.open_vends or bench.state.open_vends[0].order.value == "denied"


@pytest.mark.parametrize("moment", [waiting, authorising])
def test_s9_card_approved_and_intent_not_committed(moment):
    """Approved, and the power went before the commit: the books say asked. VEND FAILURE is the
    reader's driver's; what it does not confirm is a refund due."""
    bench = moment().power_cut()
    play(bench, (denied("no answer", doubtful=True), RefundDue, Idle, no(TURN)))
    (due,) = bench.all(RefundDue)
    assert (due.amount, due.sale_id, due.reader_serial) == (150, "s1", "SN1")
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.booked_as, doubt.power_loss) == ("refund_due", True)


@pytest.mark.parametrize("moment", [waiting, authorising])
def test_s9_card_whose_approval_is_told_after_the_cut(moment):
    bench = play(moment().power_cut(), (approved(), FailVend, no(TURN)))
    play(bench, (settled(FAILED), like(RefundDue, reason=Reason.LATE_APPROVAL)))


def test_s9_card_asked_beside_credit():
    bench = play(carded(mixed_tender=True), (coin(100),), (tap(),), (keyed("A3"),)).power_cut()
    play(bench, (now, Credit, 100, CancelVend))
    play(up(bench), (denied("cancelled"), Credit, 100), (LEVER, like(PayOut, amount=100)))


def test_s9_card_that_was_not_asked_yet():
    """It waited for the reader to be free: the reader is told of the vend before only."""
    bench = play(asking(), (keyed("A3"),), (keyed("A1"), WaitingForTap)).power_cut()
    assert orders(bench) == [CancelVend(1, "s1")]
    assert [s.outcome for s in bench.all(SaleClosed)] == [Outcome.CANCELLED] * 2


@pytest.mark.parametrize("script", [((tap(), SessionOpen),), ((now, Idle),)])
def test_s9_a_reader_without_a_vend_is_released(script):
    bench = play(carded(reader(1), reader(2)), *script).power_cut()
    assert orders(bench) == [ReleaseReader(1), ReleaseReader(2)]
    play(bench, (now, Idle))


def test_s9_an_age_check_is_over():
    bench = play(carded(ages={"A3": 18}), (keyed("A3"), AgeCheck)).power_cut()
    play(bench, (now, Idle))
    assert orders(bench) == [ReleaseReader(1)]


# --- cards: vending -----------------------------------------------------------------------------


def vending():
    return play(authorising(), (approved(), TURN), (left_home,))


@pytest.mark.parametrize("home", [True, False])
def test_s9_card_and_not_delivered(home):
    """Refunded by VEND FAILURE, told once; published as doubtful."""
    bench = vending().power_cut(homes={"A3": home})
    assert orders(bench) == [FailVend(1, "s1")]
    play(bench, (now, Refunding, "PLEASE WAIT | "))
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.booked_as, doubt.tender, doubt.power_loss) == ("refunded", "card", True)
    play(bench, (settled(), Idle, "NOT DELIVERED | CARD REFUNDED", no(RefundDue)))
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.REFUNDED, Reason.POWER_LOSS)


def test_s9_card_and_not_delivered_and_the_reader_was_off_too():
    bench = play(vending().power_cut(homes={"A3": True}), (settled(SILENT), RefundDue))
    assert bench.claims["4821"].amount == 150
    bench = play(vending().power_cut(homes={"A3": True}), (wait(60_000), RefundDue, Idle))


def test_s9_card_and_no_drop_sensor():
    bench = play(carded(drop_sensor=False), (tap(),), (keyed("A3"),), (approved(),), (left_home,))
    bench.power_cut(homes={"A3": True})
    assert orders(bench) == [ConfirmVend(1, "s1")]
    play(bench, (now, Idle), (heard(), no(Posted)))
    assert bench.accounts["cashless1"] == 150


def test_s9_card_and_coins_not_delivered():
    bench = play(carded(mixed_tender=True), (coin(100),), (tap(),), (keyed("A3"),), (approved(),))
    bench.power_cut(homes={"A3": True})
    play(bench, (now, Refunding, 100), (settled(), no(PAYOUT), 100))
    play(up(bench), (wait(30_000), like(PayOut, amount=100)), (paid(), Idle))


@pytest.mark.parametrize("acknowledged", [True, False])
def test_s9_delivered_and_vend_success_not_confirmed(acknowledged):
    """Nothing is refunded; said again only to a reader that kept its state."""
    bench = play(vending(), (DROP, ConfirmVend)).power_cut(homes={"A3": False})
    assert orders(bench) == [ConfirmVend(1, "s1")]
    play(bench, (now, Idle), (heard(acknowledged=acknowledged), no(RefundDue)))
    assert [s.outcome for s in bench.all(SaleClosed)] == [Outcome.SOLD]
    assert not bench.state.open_vends
    assert orders(bench.power_cut()) == [ReleaseReader(1)]


def test_s9_delivered_and_confirmed():
    bench = play(vending(), (DROP,), (heard(),), (turned(), Idle)).power_cut()
    assert orders(bench) == [ReleaseReader(1)]


@pytest.mark.parametrize("state", ["confirmed", "failed"])
def test_s9_refunding(state):
    """Asked again, once; the customer's coins wait for the answer."""
    bench = play(vending(), (failed, Refunding)).power_cut()
    assert orders(bench) == [FailVend(1, "s1")]
    play(
        bench,
        (now, Refunding),
        (settled(RefundState(state)), Idle),
    )
    assert bool(bench.all(RefundDue)) is (state == "failed")


def test_s9_refunding_and_no_answer():
    bench = play(vending(), (failed, Refunding)).power_cut()
    play(bench, (wait(59_999), Refunding), (wait(1), RefundDue, Idle))


# --- cards: vends that are over -----------------------------------------------------------------


def test_s9_a_cancel_that_was_not_answered_yet():
    bench = play(authorising(), (LEVER, CancelVend)).power_cut()
    assert orders(bench) == [CancelVend(1, "s1")]
    play(bench, (denied("cancelled"), no(RefundDue), Idle))


def test_s9_a_late_approval_that_was_not_settled_yet():
    bench = play(authorising(), (LEVER,), (approved(), FailVend)).power_cut()
    assert orders(bench) == [FailVend(1, "s1")]
    play(bench, (settled(SILENT), RefundDue))


def test_s9_a_denial_leaves_nothing_open():
    bench = play(authorising(), (denied(),)).power_cut()
    assert orders(bench) == [ReleaseReader(1)]
    assert not bench.state.open_vends


def test_s9_a_refund_that_is_due_already_is_not_due_twice():
    bench = play(vending(), (failed,), (wait(60_000), RefundDue)).power_cut()
    assert orders(bench) == [FailVend(1, "s1")]
    play(bench, (settled(SILENT), no(RefundDue)))
    assert -bench.accounts[ledger.REFUNDS_DUE] == 150


def test_s9_the_newest_vend_is_settled_first():
    """A held reader takes one order; what was before it can't be settled any more."""
    bench = play(vending(), (DROP,), (turned(), Idle), (card_gone(),))  # s1 is not confirmed
    play(bench, (tap(),), (keyed("A1"),), (approved(),), (failed, Refunding)).power_cut()
    assert orders(bench) == [FailVend(1, "s2"), ConfirmVend(1, "s1")]
    bench = play(vending(), (DROP,), (turned(), Idle), (card_gone(),))
    play(bench, (tap(),), (keyed("A1"),), (approved(),), (left_home,)).power_cut(
        homes={"A1": False}
    )
    assert orders(bench) == [FailVend(1, "s2"), ConfirmVend(1, "s1")]


def test_s9_each_reader_is_told_its_own():
    bench = play(carded(reader(1), reader(2)), (tap(2),), (keyed("A3"),)).power_cut()
    assert orders(bench) == [CancelVend(2, "s1"), ReleaseReader(1)]
