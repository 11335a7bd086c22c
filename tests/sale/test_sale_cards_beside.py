"""Cards beside everything else: cash that comes at the wrong time, a door, a second wish."""

import pytest

from tests.sale.bench import FREE
from tests.sale.machines import asking, carded
from tests.sale.script import (
    CLEAR,
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    failed,
    key,
    keyed,
    left_home,
    like,
    no,
    now,
    play,
    takes,
    turned,
    wait,
)
from tests.sale.script_bills import bill
from tests.sale.script_cards import (
    approved,
    card_gone,
    denied,
    lost,
    settled,
    tap,
)
from tests.sale.worlds import reader
from vendd.core.facts import (
    Reason,
    RefundDue,
    SaleClosed,
)
from vendd.core.sale.acts import (
    CancelVend,
    CompleteSession,
    ConfirmVend,
    FailVend,
    ReportCashSale,
    RequestVend,
)
from vendd.core.sale.reports import DoorMoved, ServiceChanged
from vendd.core.sale.states import (
    Authorising,
    Credit,
    Idle,
    Refunding,
    SessionOpen,
    Vending,
    WaitingForTap,
)

IDLE = "MAKE A SELECTION | COINS BILLS CARD"
TAP = "A3          1.50 | TAP CARD OR COIN"
READY = "CARD READY | MAKE SELECTION"
ASKED = "AUTHORISING | PLEASE WAIT"
THANKS = "THANK YOU | TAKE PRODUCT"
OPEN, OFF = DoorMoved(open=True), ServiceChanged("operator", active=True)
ALL_COINS = {10, 20, 50, 100, 200}
EVERY_BILL = {500, 1_000, 2_000}
DROPPED = ((left_home,), (DROP, ConfirmVend), (turned(),))


def test_s1_r7_one_customer_at_a_time_with_cards():
    """First credit closes the readers; an open session closes coins and bills."""
    play(
        carded(),
        (coin(50), takes(cards=set())),
        (tap(), Credit, 50, CompleteSession),  # it was on its way
        (card_gone(), Credit),
    )
    play(carded(), (bill(500), takes(cards=set())))


def test_s1_r8_keys_while_the_reader_decides():
    play(carded(), (tap(),), (keyed("A3"),), (keyed("A1"), Authorising, ASKED))
    play(carded(), (tap(),), (keyed("A3"),), (approved(),), (failed,), (keyed("A1"), Refunding))


def test_s1_r11_readers_are_off_when_nothing_is_sold():
    assert carded().all_slots(level=0).cards == set()
    play(carded(), (OPEN, takes(cards=set(), bills=set())))
    play(carded(), (OFF, takes(cards=set(), bills=set())))
    only_free = carded()
    for selection in set(only_free.world.slots) - {FREE}:
        only_free.slot(selection, level=0)
    assert only_free.cards == set()


@pytest.mark.parametrize("report", [OPEN, OFF])
def test_a_holder_is_sent_away_when_the_machine_closes(report):
    play(carded(), (tap(),), (report, CompleteSession, Idle))
    bench = play(asking(), (keyed("A3"),), (report, CancelVend, Idle))
    play(bench, (approved(), FailVend), (settled(),))
    bench = play(carded(), (tap(),), (keyed("A3"),), (report, CancelVend, Idle))
    play(bench, (denied("cancelled"), no(SaleClosed)))


def test_a_new_wish_while_the_reader_waits_for_the_tap():
    """The reader is asked for it as soon as it is free again, not before."""
    bench = play(asking(), (keyed("A3"), TAP), (key("A"), CancelVend, Idle, "SELECTION A_ | "))
    play(bench, (key("1"), WaitingForTap, "A1          1.00 | TAP CARD OR COIN", no(RequestVend)))
    play(bench, (denied("cancelled"), no(RequestVend)))
    play(bench, (card_gone(why="completed"), like(RequestVend, vend_id="s2", price=100)))
    play(bench, (tap(), Authorising), (approved(), TURN), *DROPPED, (now, THANKS))


@pytest.mark.parametrize("end", [LEVER, coin(50), wait(30_000)])
def test_a_new_wish_that_is_given_up_before_the_reader_is_free(end):
    """It was never asked for it: there is nothing to take back."""
    bench = play(asking(), (keyed("A3"),), (keyed("A1"), WaitingForTap))
    play(bench, (end, SaleClosed, no(CancelVend)), (denied("cancelled"), no(SaleClosed)))
    play(bench, (card_gone(), no(RequestVend)))


def test_a_cash_sale_is_reported_to_readers_that_want_to_know():
    want = reader(wants_cash_sales=True)
    bench = play(carded(want), (coin(100),), (keyed("A1"),), (DROP,))
    play(bench, (turned(), like(ReportCashSale, price=100, item_no=1)))
    play(carded(want), (keyed(FREE),), (DROP,), (turned(), no(ReportCashSale)))
    bench = play(carded(want), (tap(),), (keyed("A3"),), (approved(),), (DROP,))
    play(bench, (turned(), no(ReportCashSale)))


def test_a_free_product_in_a_session_ends_it():
    play(carded(), (tap(),), (keyed(FREE), CompleteSession, TURN, no(RequestVend)))


def test_a_coin_that_was_rolling_when_the_card_came():
    """One tender per sale: the card pays all of it, and the coin comes back."""
    bench = play(carded(), (tap(),), (coin(50), SessionOpen, 50), (keyed("A3"),))
    play(bench, (now, like(RequestVend, price=150)), (approved(), TURN), (left_home,), (DROP, 50))
    play(bench, (turned(), PAYOUT))


# --- section 7 --------------------------------------------------------------------------------


@pytest.mark.parametrize("press", [LEVER, CLEAR])
def test_s7_lever_in_a_session(press):
    play(carded(), (tap(),), (press, CompleteSession, Idle, IDLE), (card_gone(), Idle))
    play(carded(), (tap(),), (key("A"),), (press, SessionOpen, READY, no(CompleteSession)))


def test_s7_lever_while_the_reader_is_asked():
    bench = play(asking(), (keyed("A3"),), (LEVER, CancelVend, Idle, IDLE))
    play(bench, (approved(), FailVend, no(TURN)), (settled(),))
    bench = play(carded(), (tap(),), (keyed("A3"),), (LEVER, CancelVend, Idle))
    play(bench, (denied("cancelled"), Idle))


def test_s7_lever_after_the_approval():
    """Too late: the vend goes on."""
    bench = play(carded(), (tap(),), (keyed("A3"),), (approved(), TURN))
    play(bench, (LEVER, Vending, no(CancelVend)), *DROPPED, (now, Idle, THANKS))
    bench = play(carded(), (tap(),), (keyed("A3"),), (approved(),), (LEVER,))
    play(bench, (failed,), (settled(), "NOT DELIVERED | CARD REFUNDED"))


# --- section 2 --------------------------------------------------------------------------------


def test_s2_waiting_for_a_card_30_s():
    bench = play(asking(), (keyed("A3"),), (wait(29_999), TAP), (wait(1), IDLE, Idle, CancelVend))
    assert bench.all(SaleClosed)[0].reason is Reason.CUSTOMER_TIMEOUT
    play(bench, (denied("cancelled"), IDLE, no(SaleClosed)))


def test_s2_session_without_a_selection_60_s():
    bench = play(carded(), (tap(),), (wait(59_999), READY), (key("A"),))
    play(bench, (wait(59_999), SessionOpen), (wait(1), CompleteSession, Idle), (card_gone(), Idle))


@pytest.mark.parametrize(("max_s", "ms"), [(5, 30_000), (45, 45_000)])
def test_s2_authorising(max_s, ms):
    """The reader's own maximum, at least 30 s; a late approval is a failed vend."""
    bench = play(asking(reader(selection_first=True, max_response_s=max_s)), (keyed("A3"),))
    play(bench, (wait(20_000),), (tap(), Authorising), (wait(ms - 1), Authorising))
    play(bench, (wait(1), CancelVend, Idle, "CARD DECLINED | OTHER PAYMENT?"))
    assert bench.all(SaleClosed)[0].reason is Reason.READER_TIMEOUT
    play(bench, (approved(), FailVend, no(TURN)), (settled(), no(RefundDue), Idle))


def test_a_reader_that_dies_with_a_session():
    """Coins and bills are open again at once, whatever is told of the session later."""
    play(carded(), (tap(),), (lost(), Idle, ALL_COINS), (card_gone(), Idle))
    bench = play(asking(), (keyed("A3"),), (keyed("A1"), WaitingForTap))
    play(bench, (lost(), Idle, "CARD DECLINED | OTHER PAYMENT?", SaleClosed, no(CancelVend)))


def test_a_card_that_comes_when_its_request_was_just_taken_back():
    """It belongs to nothing any more: the reader sends it away and is free then."""
    bench = play(asking(), (keyed("A3"),), (LEVER, CancelVend, Idle))
    play(bench, (tap(), Idle, CompleteSession), (denied("cancelled"), Idle), (card_gone(),))
    play(bench, (tap(), SessionOpen))
