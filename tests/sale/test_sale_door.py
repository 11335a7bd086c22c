"""Section 8: door and technician."""

import pytest

from tests.sale.bench import FREE, Bench, tubes_with, world_with
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    delivered,
    failed,
    given,
    key,
    keyed,
    left_home,
    like,
    no,
    nothing_paid,
    paid,
    play,
    turned,
    wait,
)
from vendd.core import ledger
from vendd.core.facts import (
    CashMoved,
    Channel,
    CreditClosed,
    CreditEnd,
    Door,
    Reason,
    SaleClosed,
    StockReason,
)
from vendd.core.planogram import SlotState
from vendd.core.rows import CountersAdded, LevelChanged, Posted
from vendd.core.sale.acts import PayOut
from vendd.core.sale.outputs import prices_may_change
from vendd.core.sale.reports import DoorMoved, ManuallyDispensed, ServiceChanged, TubesRead
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    State,
    Vending,
)

OPEN, CLOSED = DoorMoved(open=True), DoorMoved(open=False)
SHOWN = "DOOR OPEN | CREDIT      1.00"
PHASES = (Credit(), OverpayAsked("A1", 0), ChooseAgain(), Hold(), Owed("4821"))


@pytest.mark.parametrize("phase", PHASES, ids=lambda p: type(p).__name__)
def test_s8_door_with_credit(phase):
    """Kept and shown however long the door is open; returned when it closes."""
    play(
        given(Bench(), phase, 100),
        (OPEN, SHOWN, set(), 100, like(Door, state="opened", credit_at_open=100), no(PAYOUT)),
        (wait(3_600_000), SHOWN, 100, no(PAYOUT)),
        (keyed("A1"), SHOWN, no(TURN)),
        (LEVER, SHOWN, 100),
        (CLOSED, Paying, like(PayOut, amount=100), like(Door, state="closed")),
        (paid(), Idle, like(CreditClosed, reason=CreditEnd.DOOR)),
    )


@pytest.mark.parametrize("phase", PHASES, ids=lambda p: type(p).__name__)
def test_s8_door_with_credit_kept(phase):
    bench = play(given(Bench(world_with(return_credit_on_door=False)), phase, 100), (OPEN,))
    play(bench, (CLOSED, 100, no(PAYOUT)), (wait(299_999), 100), (wait(1), 0))


def test_s8_door_with_credit_out_of_service():
    """With the door open money rests, whatever the reason; it is returned on closing."""
    bench = given(Bench(world_with(return_credit_on_door=False)), Credit(), 100)
    play(
        bench,
        (OPEN,),
        (ServiceChanged("operator", active=True), SHOWN, 100, no(PAYOUT)),
        (CLOSED, Paying, PAYOUT),
        (paid(), "OUT OF SERVICE | "),
    )


def test_s8_door_with_an_entry():
    play(Bench(), (key("A"),), (OPEN, "DOOR OPEN | "), (CLOSED, "MAKE A SELECTION | COINS"))


@pytest.mark.parametrize("multi_vend", [False, True])
def test_s8_door_while_dispensing(multi_vend):
    """The turn finishes and is settled."""
    play(
        Bench(world_with(multi_vend=multi_vend)),
        (coin(200),),
        (keyed("A3"),),
        (OPEN, Vending, like(Door, sale_in_flight=True), "VENDING A3 | PLEASE WAIT"),
        (left_home,),
        (DROP,),
        (turned(), Paying, like(PayOut, amount=50)),
        (paid(), Idle, "DOOR OPEN | ", set()),
    )


def test_s8_door_while_dispensing_in_vain():
    """Nothing starts to turn under someone's hands: no extra turn."""
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (OPEN,), (left_home,), (turned(),))
    play(
        bench,
        (wait(3_000), Credit, 200, no(TURN), like(SaleClosed, reason=Reason.DOOR_OPENED)),
        (CLOSED, Paying, like(PayOut, amount=200)),
    )
    assert bench.slot_state("A3") is SlotState.ON_SALE


def test_s8_door_while_dispensing_the_last_turn_in_vain():
    bench = play(Bench(world_with(extra_turns=0)), (coin(200),), (keyed("A3"),), (OPEN,))
    play(bench, (failed, Credit, 200, "DOOR OPEN | CREDIT      2.00"))
    assert bench.all(SaleClosed)[0].reason is Reason.NO_DROP


def test_s8_door_while_paying():
    play(
        Bench(),
        (coin(100),),
        (LEVER, Paying),
        (OPEN, Paying, "RETURNING MONEY | ", no(PAYOUT)),
        (paid(), Idle, "DOOR OPEN | "),
    )


def test_s8_door_while_paying_falls_short():
    bench = play(Bench(), (coin(100),), (LEVER,), (OPEN,), (nothing_paid, Owed, SHOWN))
    play(bench, (wait(3_600_000), Owed, 100), (CLOSED, Paying), (paid(), Idle))


def test_s8_door_while_paying_and_the_end_is_unknown():
    """Tube counts mean nothing after somebody had their hands in the cassette."""
    bench = play(Bench(world_with(tubes_with({50: 5}))), (coin(50),), (LEVER,), (OPEN,))
    play(bench, (paid(certain=False), Paying), (TubesRead(tubes_with({50: 5})), ClaimShown))


def test_s8_coins_with_the_door_open_are_fill():
    bench = play(
        Bench(world_with(tubes_with({}))),
        (OPEN,),
        (wait(10_000),),
        (
            coin(50),
            Idle,
            0,
            like(CashMoved, src="operator", dst="tube", value=50, reason="fill"),
            no(CountersAdded),
        ),
        (coin(200), Idle, like(CashMoved, src="operator", dst="coin_box", value=200)),
    )
    assert bench.state.customer is None
    assert bench.accounts[ledger.FILLS] == -250
    assert bench.accounts[ledger.tube(50)] == 50


def test_s8_coins_with_the_door_open_by_hand():
    """Coins put into the tubes by hand show up in the counts, twice running."""
    bench = play(Bench(world_with(tubes_with({}))), (OPEN,))
    filled = tubes_with({50: 8})
    play(bench, (TubesRead(filled), no(Posted)), (wait(2_000),))
    play(bench, (TubesRead(filled), like(CashMoved, reason="fill", value=400, door_open=True)))
    assert bench.accounts[ledger.FILLS] == -400


def test_a_coin_that_was_rolling_when_the_door_opened_is_a_customer_s():
    play(Bench(), (OPEN,), (wait(2_000),), (coin(50), Credit, 50), (CLOSED, Paying))
    bench = play(given(Bench(), Credit(), 100), (OPEN,), (wait(60_000),))
    play(bench, (coin(50), 150), (CLOSED, like(PayOut, amount=150)))


def test_s8_manual_dispense():
    bench = play(
        Bench(),
        (OPEN,),
        (
            ManuallyDispensed(2, 3, 17),
            like(CashMoved, src="tube", dst="operator", value=150, reason="manual_dispense"),
            Idle,
        ),
    )
    assert bench.accounts[ledger.MANUAL_DISPENSE] == 150
    assert bench.world.tubes[2].count == 17
    play(bench, (ManuallyDispensed(9, 3, 0), no(Posted)))  # a tube nobody knows
    play(bench, (ManuallyDispensed(2, 99, 0),))  # more than the books knew of
    assert bench.world.tubes[2].count == 0


def test_s8_free_is_its_own_thing():
    bench = play(Bench(), *delivered(FREE))
    assert [s.channel for s in bench.all(SaleClosed)] == [Channel.FREE]
    assert [r.reason for r in bench.all(LevelChanged)] == [StockReason.FREE]
    assert bench.world.totals.sales_value == 0
    assert bench.accounts[ledger.SALES] == 0


@pytest.mark.parametrize(
    ("state", "may"),
    [
        (State(), True),
        (State(ClaimShown("4821", 50)), True),
        (State(entry="A"), False),
        (State(Credit(), 100), False),
        (State(Hold(), 100), False),
        (State(Owed("4821"), 100), False),
    ],
)
def test_s8_prices_wait_for_the_customer(state, may):
    """Whoever has new prices asks first; a sale in flight keeps its own (R4)."""
    assert prices_may_change(state) is may


def test_s8_prices_wait_for_the_vend_and_the_payout():
    bench = play(Bench(), (coin(200),), (keyed("A3"), Vending))
    assert not prices_may_change(bench.state)
    play(bench, (left_home,), (DROP,), (turned(), Paying))
    assert not prices_may_change(bench.state)
    play(bench, (paid(), Idle))
    assert prices_may_change(bench.state)


def test_a_failed_vend_leaves_the_choice_when_the_door_was_closed_again():
    bench = play(Bench(), (coin(100),), (keyed("A1"),), (OPEN,), (CLOSED, Vending))
    play(bench, (failed, ChooseAgain, 100))
