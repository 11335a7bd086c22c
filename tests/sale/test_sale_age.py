"""Age checks (section 3): the reader leads, nothing is reserved before it has answered."""

import pytest

from tests.sale.machines import asking, carded
from tests.sale.script import (
    LEVER,
    PAYOUT,
    TURN,
    coin,
    given,
    keyed,
    like,
    no,
    play,
    takes,
    wait,
)
from tests.sale.script_bills import bill, returned, stacked
from tests.sale.script_cards import age, approved, card_gone, lost, tap
from tests.sale.worlds import reader
from vendd.core.facts import RefusalReason, SaleRefused
from vendd.core.rows import Reserved
from vendd.core.sale.acts import (
    CheckAge,
    CompleteSession,
    RequestVend,
    StackBill,
    StopAgeCheck,
)
from vendd.core.sale.card_reports import AgeVerified
from vendd.core.sale.reports import DoorMoved
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    SessionOpen,
    Stacking,
    WaitingForTap,
)

CHECK = "AGE CHECK | USE CARD READER"
NO = "A3 NOT AVAILABLE | CHOOSE ANOTHER"
OLD = {"ages": {"A3": 18}}


def test_s3_age_check():
    """In a session: verified, then asked to pay without another key."""
    play(
        carded(**OLD),
        (tap(),),
        (keyed("A3"), AgeCheck, CHECK, like(CheckAge, reader=1, years=18), no(Reserved)),
        (age(), Authorising, like(RequestVend, price=150), Reserved),
        (approved(), TURN),
    )
    play(carded(**OLD), (tap(),), (keyed("A1"), Authorising))


def test_s3_age_check_with_cash():
    """Coins and bills stay where they are meanwhile."""
    play(carded(**OLD), (coin(200),), (keyed("A3"), AgeCheck, set()), (age(), TURN, 200))
    bench = play(carded(**OLD), (bill(500),), (keyed("A3"), AgeCheck, takes(bills=set())))
    play(bench, (age(), Stacking, StackBill), (stacked(500), TURN))


def test_s3_age_check_before_paying():
    bench = play(carded(**OLD), (keyed("A3"), AgeCheck), (age(), "A3          1.50 | INSERT MONEY"))
    play(bench, (coin(200),), (keyed("A3"), TURN, no(CheckAge)))  # known of this customer
    bench = play(asking(**OLD), (keyed("A3"), AgeCheck), (age(), WaitingForTap, RequestVend))
    play(bench, (approved(), TURN))


def test_s3_age_check_then_the_change_can_t_be_paid():
    bench = carded(tubes={100: 4}, overpay_up_to=50, **OLD)
    play(bench, (bill(500),), (keyed("A3"), AgeCheck), (age(), OverpayAsked))
    play(bench, (keyed("A3"), StackBill, no(CheckAge)))


@pytest.mark.parametrize("credit", [0, 200])
def test_s3_age_not_verified(credit):
    """Refused, and a lost sale; the credit stays."""
    bench = carded(**OLD)
    if credit:
        play(bench, (coin(credit),))
    play(
        bench,
        (keyed("A3"), AgeCheck),
        (age(verified=False), NO, like(SaleRefused, reason=RefusalReason.AGE), credit, no(TURN)),
        (wait(3_000), Credit if credit else Idle),
        (keyed("A3"), AgeCheck),  # somebody else may try
    )


def test_s3_age_check_takes_60_s_at_most():
    bench = play(carded(**OLD), (coin(200),), (keyed("A3"),), (wait(59_999), AgeCheck))
    play(bench, (wait(1), Credit, StopAgeCheck, 200), (age(), Credit, no(TURN)))
    bench = play(carded(**OLD), (tap(),), (keyed("A3"),), (wait(60_000), SessionOpen, StopAgeCheck))
    play(bench, (age(), SessionOpen, no(RequestVend)))


def test_lever_during_an_age_check():
    """Without money nothing; with credit it is returned; in a session the session goes on."""
    play(carded(**OLD), (keyed("A3"),), (LEVER, StopAgeCheck, Idle))
    play(carded(**OLD), (coin(200),), (keyed("A3"),), (LEVER, StopAgeCheck, PAYOUT))
    play(carded(**OLD), (tap(),), (keyed("A3"),), (LEVER, StopAgeCheck, SessionOpen))


def test_the_door_opens_during_an_age_check():
    play(carded(**OLD), (keyed("A3"),), (DoorMoved(open=True), StopAgeCheck, Idle))
    play(carded(**OLD), (tap(),), (keyed("A3"),), (DoorMoved(open=True), StopAgeCheck, Idle))


def test_no_reader_no_age():
    """Refused: nobody could look."""
    bench = play(carded(**OLD), (lost(),), (keyed("A3"), NO, SaleRefused, no(CheckAge)))
    play(bench, (keyed("A3"), NO, no(SaleRefused)))
    play(given(carded(**OLD), Owed("4821"), 200), (keyed("A3"), NO, Owed))


def test_the_card_that_shows_its_holder_s_age_opens_a_session():
    """It is the same person: the sale goes on with that card."""
    bench = play(carded(**OLD), (keyed("A3"), AgeCheck), (tap(), AgeCheck, no(CompleteSession)))
    play(bench, (age(), Authorising, RequestVend))
    bench = play(carded(**OLD), (keyed("A3"), AgeCheck), (tap(),), (card_gone(), AgeCheck))
    play(bench, (age(), Idle, no(RequestVend)))
    bench = play(carded(**OLD), (coin(200),), (keyed("A3"), AgeCheck), (tap(), CompleteSession))
    play(bench, (age(), TURN, no(RequestVend)))  # one tender per sale


def test_the_other_reader_during_an_age_check():
    bench = carded(reader(1), reader(2), **OLD)
    play(
        bench, (keyed("A3"), takes(cards={1})), (tap(2), AgeCheck, like(CompleteSession, reader=2))
    )


def test_a_session_that_ends_during_its_age_check():
    bench = play(carded(**OLD), (tap(),), (keyed("A3"), AgeCheck), (card_gone(), AgeCheck))
    play(bench, (age(), Idle, "A3          1.50 | INSERT MONEY"))


def test_an_answer_to_another_question_means_nothing():
    play(carded(**OLD), (keyed("A3"),), (AgeVerified(1, "a9", verified=True), AgeCheck))
    play(carded(**OLD), (AgeVerified(1, "a1", verified=True), Idle))


def test_what_was_verified_is_forgotten_with_the_customer():
    bench = play(carded(**OLD), (coin(200),), (keyed("A3"),), (age(), TURN))
    bench.wait(3_000)
    play(carded(**OLD), (keyed("A3"),), (age(),), (wait(4_000), Idle), (keyed("A3"), AgeCheck))


def test_a_held_bill_that_is_pulled_out_during_an_age_check():
    bench = play(carded(**OLD), (bill(500),), (keyed("A3"), AgeCheck), (returned(500, "removed"),))
    play(bench, (age(), Idle, no(TURN)))


def test_a_coin_that_falls_during_an_age_check():
    play(carded(**OLD), (keyed("A3"), AgeCheck), (coin(200), AgeCheck, 200), (age(), TURN))


def test_age_in_a_hold():
    bench = given(carded(multi_vend=True, **OLD), Hold(), 200)
    play(bench, (keyed("A3"), AgeCheck), (age(verified=False), Credit, NO))
