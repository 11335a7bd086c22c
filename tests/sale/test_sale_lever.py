"""Section 7: the return lever, and the clear key without an entry."""

import pytest

from tests.sale.bench import Bench, world_with
from tests.sale.script import (
    CLEAR,
    DROP,
    LEVER,
    PAYOUT,
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
    now,
    paid,
    play,
    turned,
    wait,
)
from vendd.core.facts import CreditClosed, CreditEnd, Fault
from vendd.core.policy import ForceVend
from vendd.core.sale.acts import Acknowledge, PayOut
from vendd.core.sale.pieces import (
    Payout,
)
from vendd.core.sale.reports import ChangerLost, DoorMoved, LeverPressed
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Vending,
)

IDLE = "MAKE A SELECTION | COINS"
RETURNING = "RETURNING MONEY | "
CHANGE = "PAYING CHANGE | PLEASE WAIT"
OFF = ("operator",)


@pytest.mark.parametrize("press", [LEVER, CLEAR], ids=["lever", "clear key"])
@pytest.mark.parametrize(
    ("phase", "credit", "then", "screen"),
    [
        pytest.param(Idle(), 0, Idle, IDLE, id="idle, no money"),
        pytest.param(Credit(), 100, Paying, RETURNING, id="cash credit"),
        pytest.param(OverpayAsked("A1", 0), 100, Paying, RETURNING, id="overpay announced"),
        pytest.param(ChooseAgain(), 100, Paying, RETURNING, id="failed vend, choose again"),
        pytest.param(Hold(), 100, Paying, CHANGE, id="multi-vend hold"),
        pytest.param(Owed("4821"), 100, Paying, RETURNING, id="owed"),
    ],
)
def test_s7_lever(phase, credit, then, screen, press):
    bench = given(Bench(), phase, credit)
    play(bench, (press, then, screen))
    if then is Paying:
        play(bench, (paid(), Idle))
        assert [p.amount for p in bench.done if isinstance(p, PayOut)] == [credit]


@pytest.mark.parametrize("press", [LEVER, CLEAR], ids=["lever", "clear key"])
def test_s7_lever_with_the_door_open(press):
    """No effect on money."""
    shown = "DOOR OPEN | CREDIT      1.00"
    bench = play(given(Bench(), Credit(), 100), (DoorMoved(open=True), shown))
    play(bench, (press, Credit, 100, shown, Acknowledge, no(PAYOUT)))


def test_s7_lever_out_of_service_with_credit():
    """However it comes about that credit is there: any report returns it, the lever too."""
    bench = given(Bench(), Credit(), 100)
    bench.service = type(bench.service)(reasons=OFF)
    play(bench, (LEVER, Paying, RETURNING), (paid(), Idle, "OUT OF SERVICE | "))


def test_s7_lever_with_a_half_typed_selection():
    play(Bench(), (key("A"),), (LEVER, IDLE, Idle))
    play(Bench(), (coin(100),), (key("A"),), (LEVER, Paying, PAYOUT))


def test_s7_lever_while_paying_out():
    bench = play(Bench(), (coin(100),), (LEVER, PAYOUT))
    play(bench, (LEVER, Paying, no(PAYOUT), Acknowledge), (paid(), Idle))
    assert bench.state.customer is None


def test_s7_lever_under_force_vend_after_a_failed_vend():
    bench = given(Bench(world_with(force_vend=ForceVend.ALL)), ChooseAgain(), 100)
    play(bench, (LEVER, Paying, PAYOUT))


@pytest.mark.parametrize("multi_vend", [False, True])
def test_s7_lever_while_dispensing_delivered(multi_vend):
    """Remembered: the rest is returned at once, without a multi-vend wait."""
    play(
        Bench(world_with(multi_vend=multi_vend)),
        (coin(200),),
        (keyed("A3"),),
        (LEVER, Vending, Acknowledge, "VENDING A3 | PLEASE WAIT"),
        (left_home,),
        (DROP,),
        (turned(), Paying, CHANGE, like(PayOut, amount=50)),
        (paid(), Idle),
    )


def test_s7_lever_while_dispensing_failed():
    """Remembered: the money is returned at once, without a chance to choose again."""
    play(
        Bench(),
        (coin(200),),
        (keyed("A3"),),
        (LEVER,),
        (failed, Paying, RETURNING, like(PayOut, amount=200)),
        (paid(), Idle, like(CreditClosed, reason=CreditEnd.VEND_FAILED)),
    )


def test_the_lever_is_remembered_for_one_vend_only():
    """A press during the first vend does not end the second."""
    bench = play(Bench(world_with(multi_vend=True)), (coin(200),), (coin(50),), (keyed("A1"),))
    play(bench, (LEVER,), (left_home,), (DROP,), (turned(), Paying), (coin(200),), (paid(), Hold))
    play(bench, *delivered("A1"))
    play(bench, (now, Hold, 100))


def test_s7_lever_on_a_claim():
    """One more attempt while the credit is there; afterwards nothing."""
    bench = play(Bench(), (coin(100),), (LEVER,), (nothing_paid, Owed), (LEVER, PAYOUT))
    play(bench, (nothing_paid, Owed), (LEVER, Owed, no(PAYOUT), Acknowledge))
    play(bench, (wait(300_000), ClaimShown), (LEVER, ClaimShown, no(PAYOUT), Acknowledge))


def test_s7_lever_on_a_claim_with_a_dead_changer():
    bench = play(Bench(), (coin(100),), (LEVER,), (nothing_paid, Owed), (LEVER,))
    play(bench, (nothing_paid, Owed), (ChangerLost("silent"), Owed), (LEVER, ClaimShown))


def test_s7_lever_stuck():
    """One press per state; without a pause for 30 s a fault, which ends when it is quiet."""
    bench = play(Bench(), (coin(100),))
    for _ in range(15):
        play(bench, (LEVER,), (wait(2_000), no(Fault)))
    assert len([a for a in bench.done if isinstance(a, PayOut)]) == 1
    play(
        bench,
        (LEVER, like(Fault, state="started", code="lever_stuck")),
        (paid(), Idle),
        (coin(100), Credit),
        (LEVER, Credit, no(PAYOUT), no(Fault)),  # it means nothing any more
        (wait(2_999), no(Fault)),
        (LEVER, Credit),
        (wait(3_000), like(Fault, state="ended")),
        (LEVER, PAYOUT, no(Fault)),
    )


def test_s7_lever_stuck_and_a_restart():
    bench = Bench()
    for _ in range(16):
        play(bench, (LEVER,), (wait(2_000),))
    assert bench.all(Fault)[-1].state == "started"
    bench.power_cut()
    play(bench, (now, Idle))
    assert [f.state for f in bench.all(Fault)] == ["started", "ended"]


def test_a_lever_used_now_and_then_is_not_stuck():
    bench = Bench()
    for _ in range(60):
        play(bench, (LEVER, no(Fault)), (wait(3_001), no(Fault)))


def test_a_lever_that_comes_back_after_a_pause_is_free():
    """Also when the timer that would have said so is late."""
    bench = Bench()
    for _ in range(16):
        play(bench, (LEVER,), (wait(2_000),))
    bench.timers.clear()
    bench.now_ms += 60_000
    play(bench, (LeverPressed(), like(Fault, state="ended")))


def test_paying_is_left_by_its_own_end_only():
    bench = given(Bench(), Paying(Payout("p9", "refund", 0, 0)), 0)
    play(bench, (LEVER, Paying), (CLEAR, Paying), (key("A"), Paying))
