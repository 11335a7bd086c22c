"""Cash and card in one sale, and one tender per sale where that is not wanted (section 4)."""

import pytest

from tests.sale.machines import asking, carded, dear
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
from tests.sale.script_bills import bill, escrowed, returned, stacked, swallowed
from tests.sale.script_cards import FAILED, approved, card_gone, denied, settled, tap
from tests.sale.worlds import DEAR, reader
from vendd.core import ledger
from vendd.core.facts import Outcome, SaleClosed, TenderKind
from vendd.core.policy import ForceVend
from vendd.core.sale.acts import (
    CancelVend,
    CompleteSession,
    PayOut,
    RequestVend,
    ReturnBill,
    StackBill,
)
from vendd.core.sale.card_reports import Pricing
from vendd.core.sale.reports import ServiceChanged
from vendd.core.sale.states import (
    Authorising,
    ChooseAgain,
    Credit,
    Hold,
    Idle,
    Paying,
    Refunding,
    SessionOpen,
    Vending,
    WaitingForTap,
)

COIN, BILL, CARD = TenderKind.COIN, TenderKind.BILL, TenderKind.CARD
ALL_COINS = {10, 20, 50, 100, 200}
DROPPED = ((left_home,), (DROP,), (turned(),))


def mixed(*readers, **more):
    return carded(*readers, mixed_tender=True, **more)


def parts(sale):
    """(kind, inserted, applied, returned) of each tender."""
    return [(t.kind, t.inserted, t.applied, t.returned) for t in sale.tenders]


def test_s4_cash_and_card_one_tender_per_sale():
    play(
        carded(),
        (coin(50), takes(cards=set())),
        (keyed("A3"), "A3          1.50 | PLEASE ADD 1.00"),
    )
    play(carded(), (tap(), set(), takes(bills=set())))


def test_s4_cash_and_card_mixed():
    """Cash first, the remainder from the card, booked per tender."""
    bench = play(
        mixed(),
        (coin(100), takes(cards={1})),
        (tap(), SessionOpen, "CREDIT      1.00 | MAKE SELECTION", ALL_COINS),
        (keyed("A3"), Authorising, like(RequestVend, price=50)),
        (approved(), TURN),
        (left_home,),
        (DROP, 0),
        (turned(), Idle, "THANK YOU | TAKE PRODUCT"),
    )
    (sale,) = bench.all(SaleClosed)
    assert parts(sale) == [(COIN, 100, 100, 0), (CARD, 50, 50, 0)]
    assert sale.price_charged == 150
    assert (bench.accounts["cashless1"], bench.accounts[ledger.SALES]) == (50, -150)


def test_s4_cash_and_card_mixed_at_the_card_price():
    bench = play(mixed(cards={"A3": 170}), (coin(100),), (tap(),))
    play(bench, (keyed("A3"), like(RequestVend, price=70)), (approved(), TURN), *DROPPED)
    (sale,) = bench.all(SaleClosed)
    assert (sale.price_list, sale.price_charged) == ("card", 170)


def test_s4_cash_and_card_mixed_fails_and_each_part_goes_back():
    """The card's by the reader, the coins as credit; never one as the other (R3)."""
    bench = play(mixed(), (coin(100),), (tap(),), (keyed("A3"),), (approved(),))
    play(
        bench,
        (failed, Refunding, 100, "PLEASE WAIT | "),
        (settled(), ChooseAgain, 100, "NOT DELIVERED | CHOOSE OR RETURN"),
        (LEVER, like(PayOut, amount=100)),
        (paid(), Idle),
    )
    (sale,) = bench.all(SaleClosed)
    assert parts(sale) == [(COIN, 100, 0, 0), (CARD, 50, 0, 50)]
    assert sale.outcome is Outcome.REFUNDED
    assert bench.accounts["cashless1"] == 0


def test_s4_cash_and_card_mixed_fails_and_the_card_is_not_refunded():
    bench = play(mixed(), (coin(100),), (tap(),), (keyed("A3"),), (approved(),), (failed,))
    play(bench, (settled(FAILED), ChooseAgain, 100, "NOT DELIVERED | REF 4821"))
    assert bench.all(SaleClosed)[0].outcome is Outcome.PARTLY_REFUNDED
    assert -bench.accounts[ledger.REFUNDS_DUE] == 50
    play(bench, (wait(30_000), like(PayOut, amount=100)))


def test_s4_cash_and_card_mixed_fails_twice_or_with_the_lever():
    bench = play(mixed(), (coin(100),), (tap(),), (keyed("A3"),), (approved(),), (LEVER,))
    play(bench, (failed, Refunding), (settled(), Paying, like(PayOut, amount=100)))
    bench = play(
        mixed(), (coin(100),), (tap(),), (keyed("A3"),), (approved(),), (failed, Refunding)
    )
    play(bench, (LEVER, Refunding), (settled(), Paying, like(PayOut, amount=100)))


def test_mixed_denied_keeps_the_credit():
    bench = play(mixed(), (coin(100),), (tap(),), (keyed("A3"),), (denied(), Credit, 100))
    play(bench, (now, "CARD DECLINED | OTHER PAYMENT?"), (coin(50), 150), (keyed("A3"), TURN))


def test_mixed_and_the_reader_is_asked_first():
    bench = play(
        asking(mixed_tender=True),
        (coin(100),),
        (
            keyed("A3"),
            WaitingForTap,
            like(RequestVend, price=50),
            "A3          0.50 | TAP CARD OR COIN",
        ),
        (coin(50), Credit, 150, CancelVend),
    )
    play(bench, (denied("cancelled"),), (keyed("A3"), TURN, no(RequestVend)))
    bench = play(asking(mixed_tender=True), (coin(100),), (keyed("A3"),), (tap(),), (approved(),))
    play(bench, *DROPPED, (now, Idle))
    assert parts(bench.all(SaleClosed)[0]) == [(COIN, 100, 100, 0), (CARD, 50, 50, 0)]


def test_mixed_and_the_cash_is_enough():
    """No card is asked for what cash has paid; change is paid from cash."""
    bench = play(mixed(), (coin(200),), (tap(), SessionOpen), (keyed("A3"), CompleteSession, TURN))
    play(bench, (card_gone(),), *DROPPED, (now, like(PayOut, amount=50)), (paid(), Idle))
    assert parts(bench.all(SaleClosed)[0]) == [(COIN, 200, 150, 50)]


def test_mixed_and_the_cash_is_enough_for_the_card_price():
    """The holder gets the holder's price (EVA-DTS 6.1: mixed with a lower card price)."""
    bench = play(mixed(cards={"A3": 70}), (coin(100),), (tap(),))
    play(bench, (keyed("A3"), CompleteSession, TURN, no(RequestVend)), *DROPPED)
    play(bench, (now, like(PayOut, amount=30)), (paid(), Idle))
    (sale,) = bench.all(SaleClosed)
    assert (sale.price_list, sale.price_charged) == ("card", 70)
    assert parts(sale) == [(COIN, 100, 70, 30)]


def test_mixed_and_the_card_has_a_discount_of_everything():
    """It is asked for nothing, and nothing is taken from the coins."""
    bench = play(mixed(), (coin(100),), (tap(pricing=Pricing.DISCOUNT, pricing_data=100),))
    play(bench, (keyed("A3"), like(RequestVend, price=0)), (approved(), TURN), (left_home,))
    play(bench, (DROP, 100), (turned(), like(PayOut, amount=100)))


def test_mixed_and_a_held_bill_is_enough():
    bench = play(mixed(), (tap(),), (bill(500), SessionOpen, 0))
    play(bench, (keyed("A3"), CompleteSession, StackBill, no(RequestVend)), (stacked(500), TURN))


def test_mixed_and_a_bill_that_is_not_enough():
    """Stacked at once, then coins: coins are spent first, the bill next, the card last."""
    bench = dear(readers=(reader(),), mixed_tender=True)
    play(
        bench,
        (swallowed(500),),
        (coin(100), 600),
        (tap(),),
        (keyed("C1"), like(RequestVend, price=600)),
    )
    play(bench, (approved(), TURN), *DROPPED)
    assert parts(bench.all(SaleClosed)[0]) == [
        (COIN, 100, 100, 0),
        (BILL, 500, 500, 0),
        (CARD, 600, 600, 0),
    ]


def test_coins_and_a_bill_in_one_sale():
    """Coins are spent first and returned first; per tender in = applied + returned."""
    bench = play(dear(), (coin(100),), (swallowed(500), 600), *delivered("A3"))
    play(bench, (now, like(PayOut, amount=450)), (paid(), Idle))
    assert parts(bench.all(SaleClosed)[0]) == [(COIN, 100, 100, 0), (BILL, 500, 50, 450)]


def test_a_bill_in_escrow_and_a_card_session():
    """The bill was read when the card came: whoever is second is sent away."""
    play(carded(), (bill(500),), (tap(), CompleteSession, Credit))
    bench = play(carded(), (tap(), SessionOpen), (escrowed(500), ReturnBill, SessionOpen))
    play(bench, (returned(500), SessionOpen, "CARD READY | MAKE SELECTION"))


def test_lever_in_a_mixed_session_returns_the_cash_too():
    play(mixed(), (coin(100),), (tap(),), (LEVER, CompleteSession, like(PayOut, amount=100)))
    bench = play(asking(mixed_tender=True), (coin(100),), (keyed("A3"),))
    play(bench, (LEVER, CancelVend, like(PayOut, amount=100)), (denied("cancelled"), Paying))
    forced = mixed(force_vend=ForceVend.ALL)
    play(forced, (coin(100),), (tap(),), (LEVER, "PLEASE BUY FIRST | CHANGE AFTER", no(PAYOUT)))


def test_a_mixed_session_that_ends_leaves_the_credit():
    play(mixed(), (coin(100),), (tap(),), (card_gone(), Credit, 100))
    play(mixed(), (coin(100),), (tap(),), (wait(60_000), Credit, 100, CompleteSession))
    play(mixed(), (tap(),), (coin(100), SessionOpen, 100), (card_gone(), Credit, 100))


def test_a_mixed_session_when_the_machine_goes_out_of_service():
    off = ServiceChanged("operator", active=True)
    play(mixed(), (coin(100),), (tap(),), (off, CompleteSession, like(PayOut, amount=100)))


@pytest.mark.parametrize("multi_vend", [False, True])
def test_a_coin_that_falls_while_the_card_pays(multi_vend):
    """It belongs to the holder: back as change, or held under multi-vend; the session ends."""
    bench = mixed(reader(multi_vend=True), multi_vend=multi_vend)
    play(bench, (tap(),), (keyed("A3"), like(RequestVend, price=150)), (coin(20), Authorising, 20))
    play(bench, (approved(), Vending), (coin(50), 70), (left_home,), (DROP, 70))
    play(bench, (turned(), 70 if multi_vend else 0, Hold if multi_vend else Paying))
    assert [a for a in bench.done if isinstance(a, CompleteSession)] or not multi_vend
    play(bench, (LEVER if multi_vend else now,), (paid(), Idle))
    (sale,) = bench.all(SaleClosed)
    assert parts(sale)[0] == (COIN, 70, 0, 0 if multi_vend else 70)


def test_mixed_in_a_choose_again_or_hold():
    bench = play(
        asking(mixed_tender=True), (coin(100),), (keyed("A1"), TURN), (failed, ChooseAgain)
    )
    play(bench, (keyed("A3"), like(RequestVend, price=50)), (tap(),), (approved(), TURN))
    bench = asking(mixed_tender=True, multi_vend=True)
    play(
        bench,
        (coin(200),),
        *delivered("A1"),
        (now, Hold),
        (keyed("A3"), like(RequestVend, price=50)),
    )


def test_a_price_on_a_card_s_own_list_counts_for_that_card_only():
    bench = mixed(prices=DEAR)
    play(
        bench,
        (tap(pricing=Pricing.PRICE_LIST, pricing_data=3),),
        (keyed("A3"), like(RequestVend, price=150)),
    )
