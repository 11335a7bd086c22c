"""Card readers: section 5, and the rows of sections 1, 2, 3 and 7 that speak of cards."""

import pytest

from tests.sale.machines import asking, carded
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    failed,
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
from tests.sale.script_bills import bill, returned
from tests.sale.script_cards import (
    CONFIRMED,
    FAILED,
    SILENT,
    UNABLE,
    approved,
    card_gone,
    denied,
    heard,
    lost,
    settled,
    tap,
)
from tests.sale.worlds import reader
from vendd.core import ledger
from vendd.core.facts import (
    Outcome,
    Reason,
    RefundDue,
    RefundState,
    SaleClosed,
    SaleRefused,
    TenderKind,
)
from vendd.core.rows import ClaimSet, Posted, Reserved
from vendd.core.sale.acts import (
    CancelVend,
    CompleteSession,
    ConfirmVend,
    FailVend,
    RequestVend,
    ReturnBill,
)
from vendd.core.sale.card_reports import Pricing
from vendd.core.sale.reports import DoorMoved, ServiceChanged
from vendd.core.sale.states import (
    Authorising,
    ClaimShown,
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


# --- section 5 --------------------------------------------------------------------------------


def test_s5_tap_first():
    play(
        carded(reader(1), reader(2)),
        (tap(), SessionOpen, READY, takes(bills=set(), cards={1}), set()),
        (card_gone(), Idle, IDLE, takes(bills=EVERY_BILL, cards={1, 2}), ALL_COINS),
    )


def test_s5_balance():
    """Shown only where the owner wants it, the reader gave it and does not hide it."""
    play(carded(), (tap(funds=720), READY))
    play(carded(show_card_balance=True), (tap(funds=720), "CARD        7.20 | MAKE SELECTION"))
    play(carded(show_card_balance=True), (tap(), READY))
    play(carded(show_card_balance=True), (tap(funds=720, hide_funds=True), READY))
    play(carded(), (tap(funds=0),), (keyed("A3"), RequestVend))  # it never decides


def test_s5_selection_in_a_session():
    play(
        carded(),
        (tap(),),
        (keyed("A3"), Authorising, ASKED, Reserved, like(RequestVend, price=150, item_no=3)),
    )
    play(
        carded().slot("A3", level=0),
        (tap(),),
        (keyed("A3"), SessionOpen, "A3 SOLD OUT | CHOOSE ANOTHER", no(Reserved), no(RequestVend)),
        (wait(3_000), READY),
    )


@pytest.mark.parametrize("amount", [150, 120, 170])
def test_s5_approved_same_or_other_amount(amount):
    """The approved amount is what was paid."""
    bench = play(
        carded(),
        (tap(media_id="AB12"),),
        (keyed("A3"),),
        (wait(1_500),),
        (approved(amount), Vending, TURN, "VENDING A3 | PLEASE WAIT"),
        *DROPPED,
        (now, Idle, THANKS),
    )
    assert bench.accounts["cashless1"] == amount == -bench.accounts[ledger.SALES]
    (sale,) = bench.all(SaleClosed)
    (tender,) = sale.tenders
    assert (sale.price_charged, sale.list_price, sale.authorise_ms) == (amount, 150, 1_500)
    assert (tender.kind, tender.device, tender.audit_device) == (TenderKind.CARD, "cashless1", "DA")
    assert (tender.inserted, tender.applied, tender.approved) == (amount, amount, amount)
    assert (tender.reader_serial, tender.media_hash) == ("SN1", "AB12")
    assert tender.approved_at


def test_s5_denied():
    """Released and refused; the session is the reader's to end."""
    bench = play(
        carded(),
        (tap(),),
        (keyed("A3"),),
        (denied(), Idle, "CARD DECLINED | OTHER PAYMENT?", SaleRefused, no(TURN)),
        (card_gone(), "CARD DECLINED | OTHER PAYMENT?"),
        (wait(3_000), IDLE),
    )
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.DECLINED, Reason.DECLINED)
    assert bench.world.slots["A3"].reserved == 0
    play(bench, (coin(200),), (keyed("A3"), TURN))


def test_s5_reader_cancels_before_approval():
    bench = play(carded(), (tap(),), (keyed("A3"),), (denied("cancelled by reader"), Idle, IDLE))
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.CANCELLED, Reason.CANCELLED_BY_READER)


def test_s5_reader_cancels_after_approval():
    bench = play(carded(), (tap(),), (keyed("A3"),), (approved(),), (card_gone(), Vending))
    play(bench, *DROPPED, (now, Idle, THANKS))


@pytest.mark.parametrize("policy", [False, True])
@pytest.mark.parametrize("allowed", [False, True])
def test_s5_delivered(policy, allowed):
    """The session is kept only if the reader allows it and it is enabled."""
    bench = play(carded(reader(multi_vend=allowed), multi_vend=policy), (tap(),), (keyed("A3"),))
    play(
        bench,
        (approved(),),
        (left_home,),
        (DROP, like(ConfirmVend, vend_id="s1", keep_session=policy and allowed)),
        (heard(), no(Posted)),
        (turned(), THANKS, SessionOpen if policy and allowed else Idle),
    )
    if policy and allowed:
        play(bench, (wait(4_000), READY), (keyed("A1"), like(RequestVend, vend_id="s2")))
    else:
        play(bench, (card_gone(why="completed"), Idle))


@pytest.mark.parametrize("when", ["before the motor stops", "after", "with the end of the session"])
def test_s5_delivered_and_the_session_was_not_kept_after_all(when):
    bench = play(carded(reader(multi_vend=True), multi_vend=True), (tap(),), (keyed("A3"),))
    play(bench, (approved(),), (left_home,), (DROP, like(ConfirmVend, keep_session=True)))
    if when == "before the motor stops":
        play(bench, (card_gone(),), (turned(), Idle, THANKS))
    else:
        play(bench, (turned(), SessionOpen, THANKS), (card_gone(), Idle, THANKS))


def test_s5_delivered_and_the_door_opens_before_the_motor_stops():
    """The session was kept, and nothing is sold now: its holder is sent away."""
    bench = play(carded(reader(multi_vend=True), multi_vend=True), (tap(),), (keyed("A3"),))
    play(bench, (approved(),), (left_home,), (DROP, like(ConfirmVend, keep_session=True)))
    play(bench, (OPEN, Vending), (turned(), Idle, CompleteSession))


def test_s5_not_delivered():
    """VEND FAILURE, and nothing is said of the money before the reader has answered."""
    bench = play(
        carded(),
        (tap(),),
        (keyed("A3"),),
        (approved(),),
        (failed, FailVend, Refunding, "PLEASE WAIT | ", no(SaleClosed), no(PAYOUT)),
        (wait(5_000), "PLEASE WAIT | "),
        (settled(CONFIRMED), Idle, "NOT DELIVERED | CARD REFUNDED", no(Posted)),
        (card_gone(), "NOT DELIVERED | CARD REFUNDED"),
    )
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.REFUNDED, Reason.NO_DROP)
    (tender,) = sale.tenders
    assert (tender.returned, tender.applied) == (150, 0)
    assert tender.refund_state is RefundState.CONFIRMED
    assert bench.accounts["cashless1"] == 0


@pytest.mark.parametrize("state", [FAILED, SILENT, UNABLE])
def test_s5_not_delivered_and_not_refunded(state):
    """A refund due: published with what finds it, under a reference."""
    bench = play(carded(), (tap(media_id="AB12"),), (keyed("A3"),), (approved(140),))
    play(
        bench,
        (failed, Refunding),
        (settled(state), Idle, "NOT DELIVERED | REF 4821", RefundDue, ClaimSet),
        (wait(59_999), "NOT DELIVERED | REF 4821"),
        (wait(1), IDLE),
    )
    (due,) = bench.all(RefundDue)
    assert (due.amount, due.tender, due.item_no, due.reason) == (140, "card", 3, Reason.NO_DROP)
    assert (due.reader_serial, due.media_hash, due.claim_ref) == ("SN1", "AB12", "4821")
    assert due.approved_at
    assert (bench.accounts["cashless1"], bench.accounts[ledger.REFUNDS_DUE]) == (140, -140)
    (sale,) = bench.all(SaleClosed)
    assert sale.outcome is Outcome.DOUBTFUL
    assert sale.tenders[0].returned == 0


def test_s5_not_delivered_and_the_reader_is_silent():
    """Its time is over: due. If it answers later that it has refunded, that closes it."""
    bench = play(carded(), (tap(),), (keyed("A3"),), (approved(),), (failed, Refunding))
    play(
        bench,
        (wait(59_999), Refunding),
        (wait(1), Idle, "NOT DELIVERED | REF 4821", RefundDue),
        (settled(CONFIRMED), like(ClaimSet, closed_how="refunded_elsewhere")),
    )
    assert bench.accounts["cashless1"] == bench.accounts[ledger.REFUNDS_DUE] == 0


def test_s5_not_delivered_and_out_of_service():
    bench = play(carded(), (tap(),), (keyed("A3"),), (approved(),), (OFF, Vending))
    play(bench, (failed,), (settled(SILENT), ClaimShown, "OUT OF SERVICE | REF 4821"))


def test_s5_reader_lost_after_approval():
    """VEND FAILURE first if it answers; else a refund due."""
    bench = play(carded(), (tap(),), (keyed("A3"),), (approved(),), (lost(), Vending))
    play(bench, (failed, FailVend), (settled(SILENT), "NOT DELIVERED | REF 4821", RefundDue))


def test_s5_reader_lost_after_delivery():
    bench = play(carded(), (tap(),), (keyed("A3"),), (approved(),), (left_home,), (DROP,))
    play(bench, (lost(),), (turned(), Idle, THANKS), (heard(acknowledged=False), no(Posted)))
    assert bench.accounts["cashless1"] == 150
    play(bench.reader_up(), (now, no(ConfirmVend)))


def test_s5_two_readers_tapped():
    """First wins; the second one's session is completed."""
    bench = play(
        carded(reader(1), reader(2)),
        (tap(2), SessionOpen, takes(cards={2})),
        (tap(1), SessionOpen, like(CompleteSession, reader=1), takes(cards={2})),
        (keyed("A3"), like(RequestVend, reader=2)),
        (card_gone(1), Authorising),
        (approved(), Vending, takes(cards=set())),
    )
    assert bench.state.sale.card.reader == 2


# --- section 3 --------------------------------------------------------------------------------


def test_s3_card_only_and_cash_only():
    bench = carded()
    play(bench, (now, IDLE), (lost(), "MAKE A SELECTION | CASH ONLY"))
    assert bench.cards == set()
    play(bench.reader_up(), (now, IDLE))
    bench.change(changer=type(bench.world.changer)(ready=False))
    bench.change(validator=type(bench.world.validator)(fitted=True))
    assert bench.screen == "MAKE A SELECTION | CARD ONLY"
    play(bench, (keyed("A3"), "A3          1.50 | TAP CARD"))


def test_s3_selection_before_the_card():
    """Reserved and asked; coins stay enabled."""
    play(
        asking(),
        (keyed("A3"), WaitingForTap, TAP, Reserved, like(RequestVend, price=150), ALL_COINS),
        (tap(), Authorising, ASKED, set(), takes(bills=set(), cards={1})),
        (approved(), TURN),
        *DROPPED,
        (now, Idle, THANKS),
    )
    play(asking(), (keyed("A3"),), (approved(), TURN))  # a reader that tells of no card


def test_s3_selection_first_asks_the_first_reader_that_can():
    bench = asking(reader(1), reader(2, selection_first=True))
    play(bench, (keyed("A3"), like(RequestVend, reader=2), takes(cards={2})))
    play(bench, (tap(1), WaitingForTap, like(CompleteSession, reader=1)))
    bench = asking(reader(1, ready=False, selection_first=True), reader(2))
    play(bench, (keyed("A3"), "A3          1.50 | INSERT MONEY", no(RequestVend)))


def test_s3_coin_while_waiting_for_the_tap():
    """VEND CANCEL; the customer selects again."""
    bench = play(
        asking(),
        (keyed("A3"),),
        (coin(50), Credit, 50, CancelVend, "CREDIT      0.50 | MAKE SELECTION", takes(cards=set())),
        (denied("cancelled"), Credit, 50, no(SaleClosed)),
    )
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason) == (Outcome.CANCELLED, Reason.CANCELLED_BY_CUSTOMER)


def test_s3_coin_while_waiting_for_the_tap_and_the_approval_crosses():
    bench = play(asking(), (keyed("A3"),), (coin(50), CancelVend))
    play(
        bench, (approved(), FailVend, Credit, 50, no(TURN)), (settled(), Credit, 50, no(RefundDue))
    )
    bench = play(asking(), (keyed("A3"),), (coin(50), CancelVend), (approved(),))
    play(bench, (settled(FAILED), 50, like(RefundDue, amount=150, reason=Reason.LATE_APPROVAL)))


def test_s3_held_bill_while_waiting_for_the_tap():
    bench = play(asking(), (keyed("A3"),), (bill(500), Credit, 0, CancelVend))
    play(bench, (denied("cancelled"),), (LEVER, ReturnBill), (returned(500), Idle))


def test_s3_card_price_differs():
    """Both are shown before paying, each labelled."""
    both = "A3 CASH     1.50 | A3 CARD     1.60"
    cards = {"A3": 160}
    play(carded(cards=cards), (keyed("A3"), both), (keyed("A1"), "A1          1.00 | INSERT MONEY"))
    play(
        asking(cards=cards),
        (keyed("A3"), both, like(RequestVend, price=160)),
        (tap(), ASKED),
        (approved(), TURN),
        *DROPPED,
        (now, like(SaleClosed, price_charged=160, list_price=160, price_list="card")),
    )
    play(carded(card_surcharge=10), (keyed("A3"), both))
    bench = play(carded(card_discount=20), (tap(),), (keyed("A3"), like(RequestVend, price=130)))
    play(bench, (approved(),), *DROPPED)
    (sale,) = bench.all(SaleClosed)
    assert (sale.list_price, sale.discount, sale.price_charged) == (150, 20, 130)


@pytest.mark.parametrize(
    ("pricing", "data", "price"),
    [
        (Pricing.MACHINE, 0, 150),
        (Pricing.DISCOUNT, 10, 135),
        (Pricing.DISCOUNT, 100, 0),
        (Pricing.SURCHARGE, 10, 165),
        (Pricing.PRICE_LIST, 7, 150),
        (Pricing.OTHER, 9, 150),
    ],
)
def test_s3_card_that_has_its_own_price(pricing, data, price):
    bench = play(carded(), (tap(pricing=pricing, pricing_data=data),))
    play(bench, (keyed("A3"), like(RequestVend, price=price)), (approved(), TURN))
    play(bench, *DROPPED, (now, like(SaleClosed, price_charged=price)))
