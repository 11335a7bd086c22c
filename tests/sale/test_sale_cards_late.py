"""Answers of readers that come late, twice, in doubt or for nothing anybody knows of (M2, M6)."""

import pytest

from tests.sale.machines import asking, carded
from tests.sale.script import (
    DROP,
    LEVER,
    TURN,
    failed,
    keyed,
    left_home,
    like,
    no,
    play,
    turned,
    wait,
)
from tests.sale.script_cards import (
    CONFIRMED,
    FAILED,
    SILENT,
    UNABLE,
    approved,
    card_gone,
    denied,
    heard,
    settled,
    tap,
)
from vendd.core import ledger
from vendd.core.facts import (
    ClaimClosed,
    Outcome,
    Reason,
    RefundDue,
    RefundState,
    SaleClosed,
    SaleDoubtful,
    Security,
    TenderKind,
)
from vendd.core.rows import ClaimSet, LevelChanged, Posted
from vendd.core.sale.acts import FailVend, RequestVend
from vendd.core.sale.card_reports import (
    Pricing,
    ReaderFault,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.states import Authorising, Idle, Refunding, Vending

OWED = "NOT DELIVERED | REF 4821"


def authorising():
    return play(carded(), (tap(),), (keyed("A3"), Authorising))


def vending():
    return play(authorising(), (approved(), Vending))


def cancelled():
    return play(authorising(), (LEVER, Idle))


def nothing_due(bench):
    assert not bench.claims
    assert bench.accounts[ledger.REFUNDS_DUE] == 0


# --- denied in doubt ------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["no answer", "reset", "reader failure", "out of sequence"])
def test_denied_in_doubt_is_a_refund_due(why):
    """An approval may have been given: published, under a reference, and no vend."""
    bench = play(
        authorising(),
        (denied(why, doubtful=True), Idle, OWED, no(TURN)),
        (wait(60_000), "MAKE A SELECTION | COINS BILLS CARD"),
    )
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.booked_as, doubt.amount, doubt.tender) == ("refund_due", 150, "card")
    assert doubt.power_loss is False
    (sale,) = bench.all(SaleClosed)
    assert sale.outcome is Outcome.DOUBTFUL
    assert sale.tenders[0].refund_state is RefundState.UNKNOWN
    (due,) = bench.all(RefundDue)
    assert (due.amount, due.sale_id) == (150, "s1")


def test_a_cancel_that_ends_in_doubt_is_a_refund_due():
    bench = play(cancelled(), (denied("no answer", doubtful=True), RefundDue, SaleDoubtful, Idle))
    assert [s.outcome for s in bench.all(SaleClosed)] == [Outcome.CANCELLED]


@pytest.mark.parametrize("amount", [150, 90])
def test_denied_in_doubt_and_refunded_after_all(amount):
    """The approval came late and was taken back: what was booked as due is closed, not more."""
    bench = play(authorising(), (denied("no answer", doubtful=True),), (approved(amount), FailVend))
    play(bench, (settled(CONFIRMED), like(ClaimClosed, amount=150, by="reader")))
    nothing_due(bench)


def test_denied_in_doubt_and_not_refunded_is_due_once():
    bench = play(authorising(), (denied("no answer", doubtful=True),), (approved(), FailVend))
    play(bench, (settled(FAILED), no(RefundDue), no(Posted)))
    assert len(bench.claims) == 1


# --- approved late ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [FAILED, SILENT, UNABLE])
def test_approved_after_a_denial(state):
    bench = play(authorising(), (denied(),), (approved(), FailVend, no(TURN), Idle))
    play(bench, (settled(state), like(RefundDue, amount=150, reason=Reason.LATE_APPROVAL)))


def test_failed_by_the_reader_s_own_driver_after_a_denial():
    """It hears a late approval itself and tells the end only."""
    play(authorising(), (denied(),), (settled(CONFIRMED), no(RefundDue)))
    bench = play(authorising(), (denied(),), (settled(SILENT), RefundDue))
    assert bench.accounts["cashless1"] == 150


def test_a_denial_is_forgotten_when_the_reader_is_asked_anew():
    bench = play(authorising(), (denied(),), (card_gone(),), (tap(),), (keyed("A1"),))
    play(bench, (VendFailureSettled(1, "s1", SILENT), no(RefundDue)))


def test_approved_for_nothing_that_is_known():
    """Of an earlier life: given back at once, and due if that fails."""
    play(carded(), (VendApproved(1, "s77", 150), like(FailVend, vend_id="s77"), no(TURN)))
    bench = play(carded(), (VendApproved(1, "s77", 150),))
    play(bench, (VendFailureSettled(1, "s77", FAILED), like(RefundDue, amount=150, sale_id="s77")))


def test_an_approval_of_another_reader_starts_nothing():
    bench = authorising()
    play(bench, (VendApproved(2, "s9", 150), Authorising, no(TURN), like(FailVend, reader=2)))


# --- said twice ---------------------------------------------------------------------------------


def test_approved_twice():
    bench = play(vending(), (approved(), Vending, no(FailVend), no(TURN)))
    play(bench, (left_home,), (DROP,), (approved(), no(FailVend)), (turned(), Idle))
    play(bench, (approved(), no(FailVend)), (heard(),))
    nothing_due(bench)
    bench = play(vending(), (failed, Refunding), (approved(), Refunding, no(FailVend)))
    play(bench, (settled(), Idle))
    nothing_due(bench)


def test_settled_twice():
    bench = play(
        vending(), (failed,), (settled(SILENT), RefundDue), (settled(SILENT), no(RefundDue))
    )
    assert len(bench.claims) == 1


def test_failure_settled_for_what_was_delivered_means_nothing():
    bench = play(vending(), (left_home,), (DROP,), (turned(), Idle))
    play(bench, (settled(SILENT), no(RefundDue)), (heard(), no(Posted)))
    nothing_due(bench)


def test_answers_to_nothing_mean_nothing():
    play(
        carded(),
        (VendDenied(1, "s9", "denied"), Idle, no(Posted)),
        (VendDenied(1, "s9", "no answer", doubtful=True), Idle, no(RefundDue)),
        (VendSuccessSettled(1, "s9", acknowledged=True), Idle),
        (VendFailureSettled(1, "s9", SILENT), Idle, no(RefundDue)),
        (card_gone(2), Idle),
    )


# --- the product ----------------------------------------------------------------------------------


def test_a_drop_while_the_reader_refunds():
    """VEND FAILURE is out: the refund stands, and the product that fell is gone."""
    bench = play(vending(), (failed, Refunding))
    play(bench, (DROP, Refunding, LevelChanged, like(Security, kind="dropped_after_refund")))
    play(bench, (settled(), "NOT DELIVERED | CARD REFUNDED"))
    assert bench.level("A3") == 4


def test_a_token_is_worth_one_vend():
    bench = play(
        authorising(), (approved(150, token=True), TURN), (left_home,), (DROP,), (turned(),)
    )
    (sale,) = bench.all(SaleClosed)
    assert sale.tenders[0].kind is TenderKind.TOKEN


def test_a_vend_that_the_reader_refuses_to_be_asked_for():
    """The next customer can ask it again at once: no end of a session follows."""
    bench = play(
        asking(), (keyed("A3"),), (denied("refused"), Idle, "CARD DECLINED | OTHER PAYMENT?")
    )
    play(bench, (keyed("A3"), RequestVend), (approved(), TURN))


def test_a_reader_that_has_a_passing_fault():
    play(carded(), (ReaderFault(1, "bad_card"), like(Security, kind="reader_bad_card"), Idle))


def test_claims_of_refunds_name_their_sale():
    bench = play(vending(), (failed,), (settled(FAILED), like(ClaimSet, sale_id="s1", amount=150)))
    assert bench.claims["4821"].reason == "refund_due"


def test_a_refusal_that_crosses_a_cancel_leaves_the_reader_free():
    bench = play(asking(), (keyed("A3"),), (LEVER, Idle), (denied("refused"), Idle))
    play(bench, (keyed("A3"), RequestVend))


def test_what_costs_the_card_nothing_is_no_refund_due():
    nothing = tap(pricing=Pricing.DISCOUNT, pricing_data=100)
    bench = play(carded(), (nothing,), (keyed("A3"), like(RequestVend, price=0)), (approved(),))
    play(bench, (failed,), (settled(SILENT), Idle, "A3 NOT AVAILABLE | CHOOSE ANOTHER"))
    nothing_due(bench)
    bench = play(carded(), (nothing,), (keyed("A3"),), (denied("reset", doubtful=True), Idle))
    nothing_due(bench)
    assert not bench.all(SaleDoubtful)
