"""Section 1: the rules above all rows."""

import pytest

from tests.sale.bench import COINS, Bench, tubes_with, world_with
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
    paid,
    play,
    turned,
    wait,
)
from vendd.core.facts import ItemDispensed, SaleClosed, SaleRefused
from vendd.core.planogram import SlotState
from vendd.core.policy import ForceVend
from vendd.core.rows import Reserved
from vendd.core.sale.acts import (
    Acknowledge,
    CancelVend,
    CompleteSession,
    ConfirmVend,
    FailVend,
    RequestVend,
    ReturnBill,
    StackBill,
    TurnMotor,
)
from vendd.core.sale.reports import CoinRejected, Tube
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

IDLE_SCREEN = "MAKE A SELECTION | COINS"


def test_s1_r1_money_never_causes_a_vend():
    play(
        Bench(),
        (keyed("A3"), no(TURN)),  # without credit a selection is not remembered
        (coin(100), Credit, no(TURN)),
        (coin(200), Credit, 300, no(TURN)),
        (wait(300_000), Paying, no(TURN)),
        (paid(), Idle, no(TURN)),
    )


@pytest.mark.parametrize(
    ("tubes", "credit", "taken"),
    [
        pytest.param({}, 0, {10, 20, 50, 100}, id="empty tubes: only what falls into a tube"),
        pytest.param({100: 2}, 0, {10, 20, 50, 100, 200}, id="the tubes can return a 2.00"),
        pytest.param({100: 1}, 100, {10, 20, 50, 100}, id="1.00 in, one 1.00 to give back"),
        pytest.param({50: 1}, 100, set(), id="0.50 of this credit can't be returned already"),
        pytest.param({10: 9}, 0, {10, 20, 50, 100}, id="a 2.00 could not be returned in 0.10"),
    ],
)
def test_s1_r2_only_returnable_coins_are_taken(tubes, credit, taken):
    phase = Credit() if credit else Idle()
    assert given(Bench(world_with(tubes_with(tubes))), phase, credit).coins == taken


def test_s1_r2_only_returnable_coins_are_taken_full_tube():
    """A coin whose tube is full goes to the box and can't be given back itself."""
    full = tuple(Tube(t.type, t.value, 0, full=t.value == 100) for t in tubes_with({}))
    assert Bench(world_with(full)).coins == {10, 20, 50}
    tolerant = world_with(full, accept_unreturnable_up_to=100)
    assert Bench(tolerant).coins == {10, 20, 50, 100}


def test_s1_r3_cash_stays_cash():
    bench = play(Bench(), (coin(200),), *delivered("A3"), (paid(), Idle))
    play(bench, (coin(100),), (LEVER, PAYOUT), (paid(), Idle))
    other = (RequestVend, CancelVend, ConfirmVend, FailVend, CompleteSession, StackBill, ReturnBill)
    assert not [a for a in bench.done if isinstance(a, other)]
    assert all(t.kind.value == "coin" for sale in bench.all(SaleClosed) for t in sale.tenders)


def test_s1_r4_the_price_is_fixed_at_selection():
    def dearer(bench):
        slots = world_with(prices={"A1": 190, "A2": 190, "A3": 190, "B1": 250}).slots
        kept = {s: (v.level, v.reserved) for s, v in bench.world.slots.items()}
        bench.change(slots=slots)
        for selection, (level, reserved) in kept.items():
            bench.slot(selection, level=level, reserved=reserved)

    play(
        Bench(),
        (coin(200),),
        (keyed("A3"), TURN),
        (dearer, Vending),
        (left_home,),
        (DROP, like(ItemDispensed, sale_id="s1"), 50),
        (turned(), Paying),
        (paid(), like(SaleClosed, list_price=150, price_charged=150, change_paid=50), Idle),
    )


@pytest.mark.parametrize("why", ["sold out", "jammed", "sensor blocked", "too little", "no change"])
def test_s1_r5_a_refusal_reserves_and_moves_nothing(why):
    poor = why == "no change"
    bench = Bench(world_with(tubes_with({}) if poor else tubes_with({50: 20, 100: 20})))
    play(bench, (coin(50 if why == "too little" else 200),))
    credit = bench.state.credit
    match why:
        case "sold out":
            bench.slot("A3", level=0)
        case "jammed":
            bench.slot("A3", state=SlotState.JAMMED)
        case "sensor blocked":
            bench.change(drop_sensor_blocked=True)
        case _:
            pass
    play(bench, (keyed("A3"), credit, Credit, no(Reserved), no(TURN), no(PAYOUT)))


def test_s1_r6_nothing_is_said_before_it_is_true():
    play(
        Bench(),
        (coin(200),),
        (keyed("A3"), "VENDING A3 | PLEASE WAIT"),
        (left_home, "VENDING A3 | PLEASE WAIT"),
        (DROP, "VENDING A3 | PLEASE WAIT"),  # proven, and the change is not yet decided
        (turned(), "PAYING CHANGE | PLEASE WAIT"),
        (wait(5_000), "PAYING CHANGE | PLEASE WAIT"),
        (paid(), "THANK YOU | CHANGE 0.50"),
    )


def test_s1_r7_one_customer_at_a_time():
    """Whoever comes while a vend runs finds keys without effect and coins refused."""
    play(
        Bench(),
        (coin(100),),
        (keyed("A1"), TURN, set()),
        (keyed("A2"), no(TURN), Acknowledge, "VENDING A1 | PLEASE WAIT"),
        (left_home,),
        (DROP,),
        (turned(), Idle, "THANK YOU | TAKE PRODUCT", no(TURN)),
        (wait(4_000), IDLE_SCREEN, no(TURN)),
    )


def test_s1_r8_only_the_lever_is_remembered():
    bench = play(Bench(world_with(multi_vend=True)), (coin(200),), (keyed("A1"), TURN))
    play(
        bench,
        (keyed("A2"), no(TURN)),
        (LEVER, Vending, Acknowledge),
        (left_home,),
        (DROP,),
        (turned(), Paying, PAYOUT),  # the lever, although multi-vend would hold the credit
        (keyed("A2"), no(TURN), Acknowledge),
        (LEVER, Acknowledge, no(PAYOUT)),
        (paid(), Idle),
    )
    assert len([a for a in bench.done if isinstance(a, TurnMotor)]) == 1


TOUCHES = (key("A"), CLEAR, LEVER, coin(100), CoinRejected("slug"))
PHASES = (
    (Idle(), 0),
    (Credit(), 100),
    (ChooseAgain(), 100),
    (Hold(), 100),
    (Owed("4821"), 100),
    (Owed("4821", retried=True), 100),
    (ClaimShown("4821", 50), 0),
)


@pytest.mark.parametrize("door_open", [False, True])
@pytest.mark.parametrize("touch", TOUCHES, ids=lambda t: type(t).__name__ + getattr(t, "key", ""))
@pytest.mark.parametrize(("phase", "credit"), PHASES, ids=lambda p: type(p).__name__)
def test_s1_r9_every_touch_is_noticed(phase, credit, touch, door_open):
    bench = given(Bench(world_with(force_vend=ForceVend.ALL)), phase, credit)
    bench.change(door_open=door_open)
    for _ in range(3):  # also again, when the display says it already: the bench looks
        bench.report(touch)


def test_s1_r9_every_touch_is_noticed_while_vending_and_paying():
    bench = play(Bench(), (coin(200),), (keyed("A3"),))
    for touch in TOUCHES:
        play(bench, (touch, Acknowledge))
    play(bench, (left_home,), (DROP,), (turned(), Paying))
    for touch in TOUCHES:
        play(bench, (touch, Acknowledge))


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        ("D9", "D9 INVALID | "),
        ("B1", "B1          2.50 | PLEASE ADD 1.50"),
        ("A2", "A2 SOLD OUT | CHOOSE ANOTHER"),
        ("A3", "A3 NOT AVAILABLE | CHOOSE ANOTHER"),
    ],
)
def test_s1_r10_a_refusal_says_why_for_3_s(selection, text):
    bench = Bench().slot("A2", level=0).slot("A3", state=SlotState.EXPIRED)
    play(
        bench,
        (coin(100),),
        (keyed(selection), text, 100, no(Reserved)),
        (wait(2_999), text),
        (wait(1), "CREDIT      1.00 | MAKE SELECTION", 100),
    )


def _all_sold_out(bench):
    bench.all_slots(level=0)


def _free_only(bench):
    for selection in ("A1", "A2", "A3", "B1"):
        bench.slot(selection, level=0)


def _vending(bench):
    play(bench, (coin(100),), (keyed("A1"), Vending))


def _paying(bench):
    play(bench, (coin(100),), (LEVER, Paying))


@pytest.mark.parametrize(
    "situation",
    [
        _all_sold_out,
        _free_only,
        _vending,
        _paying,
        lambda b: b.all_slots(state=SlotState.HEALTH),
        lambda b: b.change(door_open=True),
        lambda b: b.change(out_of_service=("operator",)),
        lambda b: b.change(drop_sensor_blocked=True),
    ],
    ids=["sold out", "only free left", "vending", "paying", "too warm", "door", "off", "sensor"],
)
def test_s1_r11_coins_are_off_when_nothing_is_sold(situation):
    bench = Bench()
    assert bench.coins == {c.value for c in COINS}
    situation(bench)
    assert bench.coins == set()


def test_a_lost_sale_is_no_sale():
    bench = play(Bench().slot("A1", level=0), (keyed("A1"), SaleRefused, no(SaleClosed)))
    assert bench.accounts["sales"] == 0


def test_after_a_failed_vend_money_may_go_in_again():
    bench = play(Bench(), (coin(100),), (keyed("A1"),), (failed, ChooseAgain, 100))
    assert bench.coins == {c.value for c in COINS}
