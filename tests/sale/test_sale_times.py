"""Section 2: what takes how long, and what happens then."""

import pytest

from tests.sale.bench import Bench, tubes_with, world_with
from tests.sale.script import (
    CLEAR,
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
    now,
    paid,
    play,
    turned,
    wait,
)
from vendd.core.facts import ClaimOpened, CreditClosed, CreditEnd, Outcome, Reason, SaleClosed
from vendd.core.policy import ForceVend
from vendd.core.sale.acts import TurnMotor
from vendd.core.sale.reports import CoinRejected
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    Owed,
    Paying,
    Vending,
)

IDLE = "MAKE A SELECTION | COINS"
CREDIT = "CREDIT      1.00 | MAKE SELECTION"


def _entry(bench):
    play(bench, (key("A"),))


def _price(bench):
    play(bench, (keyed("A3"),))


def _refused(bench):
    play(bench, (keyed("D9"),))


def _credit(bench):
    play(bench, (coin(100),))


def _choose_again(bench):
    play(bench, (coin(100),), (keyed("A1"),), (failed, ChooseAgain))


def _thanks(bench):
    play(bench, (coin(100),), *delivered("A1"))


def _claim(bench):
    play(bench, (coin(100),), (LEVER,), (nothing_paid, Owed), (wait(300_000), ClaimShown))


@pytest.mark.parametrize(
    ("situation", "before", "ms", "after"),
    [
        pytest.param(_entry, "SELECTION A_ | ", 5_000, IDLE, id="second key"),
        pytest.param(_price, "A3          1.50 | INSERT MONEY", 4_000, IDLE, id="price"),
        pytest.param(_refused, "D9 INVALID | ", 3_000, IDLE, id="refusal"),
        pytest.param(_credit, CREDIT, 300_000, "RETURNING MONEY | ", id="idle credit"),
        pytest.param(
            _choose_again,
            "NOT DELIVERED | CHOOSE OR RETURN",
            30_000,
            "RETURNING MONEY | ",
            id="choose again",
        ),
        pytest.param(_thanks, "THANK YOU | TAKE PRODUCT", 4_000, IDLE, id="thank you"),
        pytest.param(_claim, "WE OWE YOU 1.00 | REF 4821", 60_000, IDLE, id="claim"),
    ],
)
def test_s2_times(situation, before, ms, after):
    bench = Bench()
    situation(bench)
    play(bench, (wait(ms - 1), before), (wait(1), after))


def test_s2_choose_again_is_over_and_the_money_is_returned():
    bench = Bench()
    _choose_again(bench)
    play(
        bench,
        (wait(30_000), Paying, PAYOUT),
        (paid(), Idle, like(CreditClosed, reason=CreditEnd.VEND_FAILED, returned=100)),
    )


@pytest.mark.parametrize("touch", [key("A"), CLEAR, coin(10)], ids=["key", "clear", "coin"])
def test_s2_hold_is_restarted(touch):
    bench = play(Bench(world_with(multi_vend=True)), (coin(200),), *delivered("A1"))
    play(bench, (wait(14_999), Hold, "CREDIT      1.00 | SELECT OR RETURN"), (touch,))
    if touch == CLEAR:  # without an entry it is the lever
        play(bench, (now, Paying))
        return
    left = bench.state.credit
    play(
        bench,
        (wait(14_999), Hold),
        (wait(1), Paying, "PAYING CHANGE | PLEASE WAIT"),
        (paid(), Idle, like(CreditClosed, reason=CreditEnd.IDLE, returned=left)),
    )


@pytest.mark.parametrize(
    "touch",
    [key("A"), coin(10), CoinRejected("slug"), LEVER, CLEAR],
    ids=["key", "coin", "rejected coin", "lever", "clear"],
)
def test_s2_idle_time_is_restarted(touch):
    """The lever too, where force-vend lets it do no more than say so."""
    bench = play(Bench(world_with(force_vend=ForceVend.ALL)), (coin(100),))
    play(
        bench, (wait(299_999), Credit), (touch, Credit), (wait(299_999), Credit), (wait(1), Paying)
    )


@pytest.mark.parametrize(
    ("touch", "then"),
    [(key("A"), "SELECTION A_ | "), (coin(100), CREDIT), (LEVER, IDLE), (CLEAR, IDLE)],
    ids=["key", "coin", "lever", "clear"],
)
def test_s2_thanks_are_cut_short(touch, then):
    bench = Bench()
    _thanks(bench)
    play(bench, (touch, then))


def test_s2_drop_window():
    """Motor start until 3 s after its stop, the extra turn included."""
    bench = play(Bench(), (coin(100),), (keyed("A1"), TURN), (left_home,), (turned(), Vending))
    play(
        bench,
        (wait(2_999), Vending, no(TURN)),
        (wait(1), like(TurnMotor, attempt_id="s1.2", turn=2)),
        (left_home,),
        (turned(),),
        (wait(2_999), Vending),
        (DROP, Idle, like(SaleClosed, outcome=Outcome.SOLD, attempts=2)),
    )


def test_s2_drop_window_is_over():
    play(
        Bench(),
        (coin(100),),
        (keyed("A1"),),
        (left_home,),
        (turned(),),
        (wait(3_000), TURN),
        (left_home,),
        (turned(),),
        (wait(3_000), ChooseAgain, like(SaleClosed, reason=Reason.NO_DROP, attempts=2)),
    )


def test_s2_time_of_an_announced_overpay():
    world = world_with(tubes_with({}), overpay_up_to=50)
    bench = given(Bench(world), Credit(), 200)
    play(
        bench,
        (keyed("A3"), "KEEPS 0.50 | PRESS A3 AGAIN"),
        (wait(9_999), "KEEPS 0.50 | PRESS A3 AGAIN"),
        (wait(1), "CREDIT      2.00 | MAKE SELECTION", no(TURN)),
    )


def test_s2_a_claim_opens_when_the_idle_time_is_over():
    bench = play(Bench(), (coin(100),), (LEVER,), (nothing_paid, Owed))
    play(
        bench,
        (wait(299_999), Owed, no(ClaimOpened)),
        (wait(1), like(ClaimOpened, amount=100, claim_ref="4821"), 0),
    )


def test_s2_a_payout_that_never_ends_is_asked_about_and_then_a_claim():
    bench = play(Bench(), (coin(100),), (LEVER, Paying))
    play(bench, (wait(99_999), Paying, no(ClaimOpened)), (wait(1), ClaimOpened, ClaimShown))
    play(bench, (paid(), ClaimShown, no(CreditClosed)))  # an answer that comes too late
