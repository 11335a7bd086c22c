"""Section 4: cash."""

import pytest

from tests.sale.bench import Bench, tubes_with, world_with
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    delivered,
    failed,
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
from vendd.core import ledger
from vendd.core.facts import CreditClosed, CreditEnd, SaleClosed, SaleRefused, Security
from vendd.core.policy import ForceVend
from vendd.core.rows import Posted, Reserved
from vendd.core.sale.acts import Acknowledge, PayOut
from vendd.core.sale.pieces import (
    Customer,
)
from vendd.core.sale.reports import (
    CoinRejected,
    DoorMoved,
    ManuallyDispensed,
    ServiceChanged,
    TubesRead,
)
from vendd.core.sale.states import (
    ChooseAgain,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Vending,
)

ALL = {10, 20, 50, 100, 200}


def test_s4_coin_credited():
    """Credit up, and each coin's kind is judged anew against what can be given back."""
    bench = play(
        Bench(world_with(tubes_with({50: 2}))),
        (coin(100), "CREDIT      1.00 | MAKE SELECTION", Posted, {10, 20, 50, 100}),
        (coin(50), "CREDIT      1.50 | MAKE SELECTION", {10, 20, 50, 100}),
    )
    assert bench.accounts[ledger.tube(100)] == 100
    assert bench.accounts[ledger.tube(50)] == 150
    play(Bench(), (coin(200), {10, 20, 50, 100, 200}, 200))


def test_s4_maximum_credit():
    """Coins are off from the highest sellable price on, and on again when the credit falls."""
    text = "CREDIT      2.50 | MAKE SELECTION"
    bench = play(Bench(), (coin(200), ALL), (coin(50), 250, text, set()))
    bench.slot("B1", level=0)  # now 1.50 is the highest price
    assert bench.coins == set()
    play(Bench().slot("B1", level=0), (coin(100), ALL), (coin(50), set()))
    play(Bench(world_with(max_credit=500)), (coin(200),), (coin(200), ALL), (coin(100), 500, set()))


@pytest.mark.parametrize("why", ["rejected", "slug", "lost", "double_arrival", "never heard of"])
def test_s4_no_credit_for_what_came_back(why):
    play(
        Bench(),
        (coin(100),),
        (
            CoinRejected(why, 3),
            100,
            "CREDIT      1.00 | MAKE SELECTION",
            Security,
            Acknowledge,
            no(Posted),
        ),
    )


def test_s4_credit_too_small():
    play(
        Bench(),
        (coin(100),),
        (keyed("A3"), "A3          1.50 | PLEASE ADD 0.50", no(Reserved), no(SaleRefused), 100),
        (coin(50), "CREDIT      1.50 | MAKE SELECTION"),  # the refusal is over at once
        (keyed("A3"), TURN),
    )


def test_s4_change_not_payable():
    """Refused before anything moves; the customer may add coins, choose another or give up."""
    text = "NO CHANGE FOR A3 | EXACT OR RETURN"
    bench = play(
        Bench(world_with(tubes_with({100: 2}))),
        (coin(200), Credit),
        (keyed("A3"), text, like(SaleRefused, reason="no_change"), no(Reserved), no(TURN)),
        (keyed("A3"), text, no(SaleRefused)),
        (wait(3_000), "CREDIT      2.00 | MAKE SELECTION", 200),
    )
    play(bench, (keyed("A1"), TURN))  # 1.00 of change is there
    play(
        Bench(world_with(tubes_with({100: 2}))),
        (coin(200),),
        (keyed("A3"), text),
        (LEVER, Paying, like(PayOut, amount=200)),
        (paid(), Idle),
    )
    play(
        Bench(world_with(tubes_with({100: 2}))),
        (coin(200),),
        (keyed("A3"), text),
        (coin(50), 250, Credit),
        (keyed("A3"), TURN),
    )


def test_s4_change_keeps_the_tube_reserve():
    reserved = world_with(tubes_with({50: 2, 100: 5}), tube_reserve=2)
    play(given(Bench(reserved), Credit(), 200), (keyed("A3"), "NO CHANGE FOR A3 | EXACT OR RETURN"))
    # what was given is given back from the reserve too
    play(given(Bench(reserved), Credit(), 150), (LEVER, like(PayOut, amount=150)))


def test_s4_overpay_is_announced_and_confirmed():
    world = world_with(tubes_with({100: 2}), overpay_up_to=50)
    announced = "KEEPS 0.50 | PRESS A3 AGAIN"
    bench = play(
        Bench(world),
        (coin(200),),
        (keyed("A3"), OverpayAsked, announced, no(TURN), no(Reserved), 200),
        (keyed("A3"), TURN, Vending, 200),
        (left_home,),
        (DROP, like(Posted, debit=ledger.CUSTOMER, credit=ledger.OVERPAY, amount=50), 0),
        (turned(), Idle, "THANK YOU | TAKE PRODUCT", like(SaleClosed, overpay_kept=50)),
    )
    (sale,) = bench.all(SaleClosed)
    assert (sale.price_charged, sale.change_due, sale.tenders[0].applied) == (150, 0, 200)


def test_s4_overpay_beyond_the_limit_is_refused():
    world = world_with(tubes_with({100: 2}), overpay_up_to=49)
    play(Bench(world), (coin(200),), (keyed("A3"), "NO CHANGE FOR A3 | EXACT OR RETURN", Credit))


def test_s4_overpay_that_was_announced_differently_is_announced_again():
    world = world_with(tubes_with({20: 1, 100: 2}), overpay_up_to=60)
    bench = play(Bench(world), (coin(200),), (keyed("A3"), "KEEPS 0.30 | PRESS A3 AGAIN"))
    play(
        bench,
        (ManuallyDispensed(1, 1, 0),),
        (keyed("A3"), "KEEPS 0.50 | PRESS A3 AGAIN", no(TURN)),
        (keyed("A3"), TURN),
    )


def test_s4_overpay_asked_then_another_selection():
    world = world_with(tubes_with({100: 2}), overpay_up_to=50)
    asked = play(Bench(world), (coin(200),), (keyed("A3"), OverpayAsked))
    play(asked, (keyed("A1"), TURN), (failed, ChooseAgain, 200))  # nothing was kept
    asked = play(Bench(world), (coin(200),), (keyed("A3"), OverpayAsked))
    play(asked, (coin(50), Credit, 250), (keyed("A3"), TURN))


def test_s4_overpay_asked_and_not_payable_any_more():
    world = world_with(tubes_with({20: 1, 100: 2}), overpay_up_to=30)
    bench = play(Bench(world), (coin(200),), (keyed("A3"), OverpayAsked))
    play(
        bench,
        (ManuallyDispensed(1, 1, 0),),
        (keyed("A3"), "NO CHANGE FOR A3 | EXACT OR RETURN", Credit, no(TURN)),
    )


def test_s4_change_at_once():
    """Fewest coins; thanks only when they are out."""
    play(
        Bench(),
        (coin(200),),
        (coin(20),),
        (keyed("A3"), TURN),
        (left_home,),
        (DROP, 70),
        (turned(), "PAYING CHANGE | PLEASE WAIT", like(PayOut, coins=((2, 1), (1, 1)), amount=70)),
        (
            paid(),
            "THANK YOU | CHANGE 0.70",
            like(SaleClosed, change_due=70, change_paid=70, change_owed=0),
            no(CreditClosed),
            Idle,
        ),
        (wait(4_000), "MAKE A SELECTION | COINS"),
    )


def test_s4_multi_vend():
    bench = play(
        Bench(world_with(tubes_with({50: 3, 100: 2}), multi_vend=True)),
        (coin(200),),
        (coin(50),),
        *delivered("A1"),
        (now, Hold, "CREDIT      1.50 | SELECT OR RETURN", no(PAYOUT)),
        (keyed("A1"), TURN),  # 0.50 of change is there
        (left_home,),
        (DROP,),
        (turned(), Hold, "CREDIT      0.50 | SELECT OR RETURN"),
        (wait(15_000), Paying, "PAYING CHANGE | PLEASE WAIT", like(PayOut, amount=50)),
        (paid(), Idle, "THANK YOU | CHANGE 0.50", CreditClosed),
    )
    assert [s.session_id for s in bench.all(SaleClosed)] == ["c1", "c1"]
    (end,) = bench.all(CreditClosed)
    assert (end.inserted, end.returned, end.reason) == (250, 50, CreditEnd.IDLE)


def test_s4_multi_vend_checks_the_change_again():
    bench = given(Bench(world_with(tubes_with({}), multi_vend=True)), Hold(), 200)
    play(bench, (keyed("A3"), "NO CHANGE FOR A3 | EXACT OR RETURN", Hold, no(TURN)))
    play(bench, (wait(3_000), "CREDIT      2.00 | SELECT OR RETURN"))


def test_s4_multi_vend_hold_that_can_t_be_paid_is_owed():
    bench = play(Bench(world_with(multi_vend=True)), (coin(200),), *delivered("A1"))
    play(bench, (wait(15_000), Paying), (nothing_paid, Owed, 100), (keyed("A1"), TURN))


def test_s4_force_vend():
    world = world_with(force_vend=ForceVend.ALL)
    refusal = "PLEASE BUY FIRST | CHANGE AFTER"
    bought = play(Bench(world), (coin(200),), (LEVER, refusal, 200, no(PAYOUT)), *delivered("A1"))
    play(bought, (now, Paying), (paid(), Idle))
    # lifted when a vend failed,
    play(Bench(world), (coin(200),), (keyed("A1"),), (failed, ChooseAgain), (LEVER, PAYOUT))
    # when nothing on sale is affordable,
    play(Bench(world), (coin(50),), (LEVER, PAYOUT))
    # on idle time-out, out of service, and when an open door closes
    play(Bench(world), (coin(200),), (wait(300_000), PAYOUT))
    play(Bench(world), (coin(200),), (ServiceChanged("operator", active=True), PAYOUT))
    play(Bench(world), (coin(200),), (DoorMoved(open=True),), (DoorMoved(open=False), PAYOUT))


def test_s4_force_vend_is_lifted_without_change():
    world = world_with(tubes_with({100: 2}), prices={"A3": 150}, force_vend=ForceVend.ALL)
    play(given(Bench(world), Credit(), 200), (LEVER, PAYOUT))
    lenient = world_with(
        tubes_with({100: 2}), prices={"A3": 150}, force_vend=ForceVend.ALL, overpay_up_to=50
    )
    play(given(Bench(lenient), Credit(), 200), (LEVER, "PLEASE BUY FIRST | CHANGE AFTER"))


def test_s4_force_vend_is_lifted_by_a_purchase():
    world = world_with(force_vend=ForceVend.ALL)
    customer = Customer("c1", inserted=300, bought=1)
    play(given(Bench(world), Credit(), 200, customer=customer), (LEVER, PAYOUT))


def test_s4_force_vend_for_bills_lets_coins_go():
    play(Bench(world_with(force_vend=ForceVend.BILLS)), (coin(200),), (LEVER, PAYOUT))


@pytest.mark.parametrize("when", ["before the drop", "after the drop"])
def test_s4_rolling_coin(when):
    """A coin that was rolling when the motor started belongs to this customer."""
    bench = play(Bench(), (coin(200),), (keyed("A3"), set()))
    if when == "before the drop":
        play(bench, (coin(20), 220, "VENDING A3 | PLEASE WAIT"), (left_home,), (DROP, 70))
    else:
        play(bench, (left_home,), (DROP, 50), (coin(20), 70))
    play(bench, (turned(), like(PayOut, amount=70)), (paid(), Idle))
    (sale,) = bench.all(SaleClosed)
    tender = sale.tenders[0]
    assert (tender.inserted, tender.applied, tender.returned) == (220, 150, 70)


def test_s4_rolling_coin_while_vending_in_vain():
    play(Bench(), (coin(200),), (keyed("A3"),), (coin(20), Acknowledge), (failed, ChooseAgain, 220))


def test_s4_rolling_coin_while_paying():
    bench = play(Bench(), (coin(200),), *delivered("A3"))
    play(
        bench,
        (coin(100), Paying, 100, "PAYING CHANGE | PLEASE WAIT"),
        (paid(), Paying, like(SaleClosed, change_due=50, change_paid=50), like(PayOut, amount=100)),
        (paid(), Idle, like(CreditClosed, inserted=300, returned=150, reason="late_coin")),
    )


def test_s4_rolling_coin_is_kept_under_multi_vend():
    bench = play(Bench(world_with(multi_vend=True)), (coin(200),), (keyed("A3"),), (coin(20),))
    play(bench, (left_home,), (DROP,), (turned(), Hold, 70))
    play(bench, (LEVER, Paying, 0), (coin(100), Paying), (paid(), Hold, 100, no(PAYOUT)))


def test_a_tube_reading_taken_between_a_coin_s_fall_and_its_report():
    """The tube says one more; the report follows; the books moved once."""
    bench = Bench(world_with(tubes_with({50: 3})))
    early = tubes_with({50: 4})
    play(
        bench,
        (TubesRead(early), no(Posted)),
        (coin(50), 50),
        (TubesRead(early), no(Posted), 50),
        (wait(2_000), no(Posted)),
    )
    assert bench.accounts[ledger.UNEXPLAINED] == 0


def test_a_tube_reading_that_lags_behind_a_coin():
    bench = play(Bench(world_with(tubes_with({50: 3}))), (coin(50), 50))
    late = bench.world.tubes
    play(bench, (TubesRead(tubes_with({50: 3})), no(Posted)), (TubesRead(late), no(Posted)))
    assert bench.accounts[ledger.UNEXPLAINED] == 0
