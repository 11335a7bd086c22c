"""Section 6: when it goes wrong, vends."""

from dataclasses import replace

import pytest

from tests.sale.bench import DAY_MS, FREE, Bench, world_with
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
    paid,
    play,
    turned,
    wait,
)
from vendd.core.facts import (
    CreditClosed,
    CreditEnd,
    ItemDispensed,
    Outcome,
    Proof,
    Reason,
    SaleClosed,
    SaleRefused,
    Security,
    SlotStateChanged,
    StockReason,
)
from vendd.core.planogram import SlotState
from vendd.core.rows import LevelChanged, Posted, Released, Reserved
from vendd.core.sale.acts import TurnMotor
from vendd.core.sale.reports import (
    DoorMoved,
    DropSensorChanged,
    LeftHome,
    ServiceChanged,
    TurnEnded,
    TurnResult,
)
from vendd.core.sale.states import (
    ChooseAgain,
    Credit,
    Idle,
    Paying,
    Vending,
)

PRICES = {f"A{n}": 100 for n in range(1, 10)}


@pytest.mark.parametrize(
    ("result", "turns", "reason"),
    [
        (TurnResult.HOME, 3, Reason.NO_DROP),
        (TurnResult.NEVER_LEFT, 3, Reason.NEVER_LEFT_HOME),
        (TurnResult.NO_HOME, 1, Reason.NO_HOME),
        (TurnResult.STOPPED, 1, Reason.OTHER),
    ],
)
def test_s6_extra_turns_then_failed(result, turns, reason):
    bench = play(Bench(world_with(extra_turns=2)), (coin(100),), (keyed("A1"), TURN))
    for n in range(1, turns):
        play(bench, (turned(result), Vending, "VENDING A1 | PLEASE WAIT", no(TURN)))
        play(bench, (wait(3_000), like(TurnMotor, turn=n + 1, attempt_id=f"s1.{n + 1}")))
    play(bench, (turned(result), Vending), (wait(3_000), ChooseAgain, 100, no(TURN)))
    (sale,) = bench.all(SaleClosed)
    assert (sale.outcome, sale.reason, sale.attempts) == (Outcome.REFUNDED, reason, turns)
    assert len(bench.all(Reserved)) == len(bench.all(Released)) == 1


def test_s6_extra_turns_where_the_home_switch_decides():
    bench = play(Bench(world_with(drop_sensor=False)), (coin(100),), (keyed("A1"), TURN))
    play(
        bench,
        (turned(TurnResult.NEVER_LEFT), like(TurnMotor, turn=2)),
        (left_home,),
        (turned(), Idle, like(ItemDispensed, proof=Proof.HOME)),
    )


def test_a_motor_that_was_not_started_fails_at_once():
    play(Bench(), (coin(100),), (keyed("A1"),), (turned(TurnResult.NOT_STARTED), ChooseAgain, 100))


def test_a_late_answer_is_never_taken_for_a_newer_turn():
    bench = play(Bench(), (coin(200),), (keyed("A1"),), (failed, ChooseAgain))
    play(
        bench,
        (keyed("A2"), like(TurnMotor, attempt_id="s2.1")),
        (TurnEnded("s1.2", TurnResult.HOME, at_home=True), Vending),
        (LeftHome("s1.1"), Vending),
    )
    assert bench.state.sale.ended is None
    assert bench.state.sale.left_home is False


def test_s6_failed_with_cash():
    """Slot off, the credit back at once; the second failure is returned at once."""
    bench = play(
        Bench(),
        (coin(200),),
        (keyed("A3"),),
        (failed, ChooseAgain, 200, "NOT DELIVERED | CHOOSE OR RETURN", no(PAYOUT)),
    )
    assert bench.slot_state("A3") is SlotState.JAMMED
    assert [(r.slot, r.state) for r in bench.all(SlotStateChanged)] == [("A3", "off")]
    assert bench.level("A3") == 5
    play(
        bench,
        (keyed("A3"), "A3 NOT AVAILABLE | CHOOSE ANOTHER", SaleRefused),
        (wait(3_000), "NOT DELIVERED | CHOOSE OR RETURN"),
        (keyed("A2"), TURN),
        (failed, Paying, "RETURNING MONEY | ", PAYOUT),
        (paid(), Idle, like(CreditClosed, returned=200, reason=CreditEnd.VEND_FAILED)),
    )


def test_a_slot_that_may_fail_twice_stays_on_sale_once():
    bench = play(Bench(world_with(failures_to_slot_off=2)), (coin(100),), (keyed("A1"),), (failed,))
    assert bench.slot_state("A1") is SlotState.ON_SALE
    play(bench, (keyed("A1"), TURN), (failed, Paying))
    assert bench.slot_state("A1") is SlotState.JAMMED


def test_a_delivery_ends_the_streak_of_failures():
    bench = play(Bench(world_with(failures_to_slot_off=2)), (coin(100),), (keyed("A1"),), (failed,))
    play(bench, *delivered("A1"))
    assert bench.world.slots["A1"].no_drop_streak == 0


@pytest.mark.parametrize("turn", [1, 2])
def test_s6_late_drop_counts(turn):
    """Before the refund is committed: delivered."""
    bench = play(Bench(), (coin(100),), (keyed("A1"),))
    for _ in range(turn - 1):
        play(bench, (left_home,), (turned(),), (wait(3_000),))
    play(
        bench,
        (left_home,),
        (turned(), Vending),
        (wait(2_999),),
        (DROP, like(SaleClosed, outcome=Outcome.SOLD), "THANK YOU | TAKE PRODUCT", Idle),
    )
    assert bench.level("A1") == 4


def test_s6_drop_after_the_refund():
    bench = play(Bench(), (coin(100),), (keyed("A1"),), (failed, ChooseAgain, 100))
    play(
        bench,
        (
            DROP,
            100,  # the refund stands
            "NOT DELIVERED | CHOOSE OR RETURN",
            like(LevelChanged, selection="A1", reason=StockReason.DROPPED_AFTER_REFUND, ref="s1"),
            like(Security, kind="dropped_after_refund"),
            no(SaleClosed),
            no(Posted),
        ),
    )
    assert bench.level("A1") == 4
    assert len(bench.state.no_drop_refunds) == 1  # one refund, counted once


def test_s6_drop_after_the_refund_of_another_failure_counts_for_anti_jackpot():
    bench = play(Bench(), (coin(100),), (keyed("A1"),), (turned(TurnResult.NO_HOME),))
    play(bench, (wait(3_000), ChooseAgain))
    assert bench.state.no_drop_refunds == ()
    play(bench, (DROP,))
    assert len(bench.state.no_drop_refunds) == 1


@pytest.mark.parametrize("when", ["while the motor turns", "after the sale", "with the thanks"])
def test_s6_two_drops_for_one_vend(when):
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (left_home,), (DROP,))
    second = (
        DROP,
        like(LevelChanged, selection="A3", reason=StockReason.DOUBLE_DROP, delta=-1),
        like(Security, kind="double_drop", slot="A3"),
        no(SaleClosed),
        no(ItemDispensed),
    )
    match when:
        case "while the motor turns":
            play(bench, second, (turned(), Paying), (paid(), Idle))
        case "after the sale":
            play(bench, (turned(), Paying), second, (paid(), Idle))
        case _:
            play(bench, (turned(),), (paid(), Idle), second)
    assert bench.level("A3") == 3
    assert len(bench.all(SaleClosed)) == len(bench.all(ItemDispensed)) == 1
    assert bench.accounts["sales"] == -150


@pytest.mark.parametrize("when", ["while the motor turns", "after the sale"])
def test_a_beam_that_flickers_empties_no_slot(when):
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (left_home,), (DROP,))
    if when == "after the sale":
        play(bench, (turned(), Paying), (paid(), Idle))
    for _ in range(50):
        play(bench, (DROP,), (wait(100),))
    assert bench.level("A3") >= 2
    assert len(bench.all(ItemDispensed)) == 1


def test_what_is_seen_to_fall_is_delivered_also_while_the_home_switch_decides():
    bench = Bench()
    bench.state = type(bench.state)(home_decides_until=bench.now_ms + 60_000)
    play(
        bench,
        (coin(100),),
        (keyed("A1"),),
        (left_home,),
        (DROP, like(ItemDispensed, proof=Proof.DROP)),
        (turned(TurnResult.NO_HOME), Idle, like(SaleClosed, outcome=Outcome.SOLD)),
    )


def test_a_second_drop_with_no_stock_left_in_the_books_is_told_all_the_same():
    bench = play(Bench().slot("A1", level=1), (coin(100),), *delivered("A1"))
    play(bench, (DROP, like(Security, kind="double_drop"), no(LevelChanged)))
    assert bench.level("A1") == 0


def test_a_drop_without_a_sale_is_a_security_event():
    play(Bench(), (DROP, like(Security, kind="drop_without_sale"), no(LevelChanged)))
    bench = play(Bench(), (coin(100),), *delivered("A1"), (wait(60_000),))
    play(bench, (DROP, like(Security, kind="drop_without_sale"), no(LevelChanged)))


def test_the_drop_of_a_vend_that_the_home_switch_decided_is_no_second_one():
    world = world_with(home_proves_when_sensor_blocked=True)
    bench = play(Bench(world), (DropSensorChanged(blocked=True),), (coin(100),), (keyed("A1"),))
    play(bench, (left_home,), (turned(), Idle, like(ItemDispensed, proof=Proof.HOME)))
    play(bench, (DropSensorChanged(blocked=False),), (DROP, no(LevelChanged), no(Security)))
    play(bench, (DROP, like(LevelChanged, reason=StockReason.DOUBLE_DROP)))


def test_s6_drop_sensor_blocked():
    """Is not 'no drop': nothing is sold."""
    text = "A3 NOT AVAILABLE | CHOOSE ANOTHER"
    bench = play(
        Bench(),
        (coin(200),),
        (DropSensorChanged(blocked=True), set()),
        (keyed("A3"), text, 200, no(Reserved)),
        (keyed(FREE), "F1 NOT AVAILABLE | CHOOSE ANOTHER"),
        (DropSensorChanged(blocked=False), {10, 20, 50, 100, 200}),
    )
    play(bench, *delivered("A3"))


def test_s6_drop_sensor_blocked_and_the_home_switch_decides():
    bench = Bench(world_with(home_proves_when_sensor_blocked=True))
    play(
        bench,
        (DropSensorChanged(blocked=True),),
        (coin(200),),
        (keyed("A3"), TURN),
        (left_home,),
        (turned(), Paying, like(ItemDispensed, proof=Proof.HOME)),
        (paid(), like(SaleClosed, proof=Proof.HOME, drops=0)),
    )


def test_drop_sensor_blocked_in_the_middle_of_a_vend():
    """By the product itself, perhaps: no second one is turned out, nor is it a no-drop refund."""
    bench = play(Bench(), (coin(100),), (keyed("A1"),), (left_home,))
    play(bench, (DropSensorChanged(blocked=True),), (turned(), Vending))
    play(bench, (wait(3_000), ChooseAgain, 100, like(SaleClosed, reason=Reason.SENSOR_BLOCKED)))
    assert bench.state.no_drop_refunds == ()
    assert bench.slot_state("A1") is SlotState.ON_SALE


def _refunds(bench, *selections):
    for selection in selections:
        play(bench, (coin(100),), (keyed(selection),), (failed, ChooseAgain), (LEVER,), (paid(),))


def test_s6_anti_jackpot():
    bench = Bench(world_with(prices=PRICES))
    _refunds(bench, "A1", "A2")
    assert bench.state.home_decides_until is None
    _refunds(bench, "A3")
    assert bench.all(Security)[-1].action_taken == "home_switch_decides"
    play(
        bench,
        (coin(100),),
        (keyed("A4"),),
        (left_home,),
        (turned(), Idle, like(ItemDispensed, proof=Proof.HOME)),
        (DROP, no(LevelChanged)),  # its own product
        (wait(1_800_000), Idle),
    )
    _refunds(bench, "A5", "A6")
    play(
        bench,
        (coin(100),),
        (keyed("A7"),),
        (failed, Paying, like(Security, action_taken="out_of_service"), "RETURNING MONEY | "),
        (paid(), "OUT OF SERVICE | ", set()),
        (keyed("A8"), no(TURN), "OUT OF SERVICE | "),
    )
    # until someone has come
    play(bench, (DoorMoved(open=True),), (DoorMoved(open=False), "MAKE A SELECTION | COINS"))


def test_anti_jackpot_is_lifted_by_the_operator():
    bench = Bench()
    bench.state = type(bench.state)(locked=("anti_jackpot",))
    play(bench, (ServiceChanged("anti_jackpot", active=False), "MAKE A SELECTION | COINS"))


def test_anti_jackpot_without_a_door_switch_ends_after_24_h():
    """Nobody can be seen to come; a restart begins the time anew."""
    bench = Bench(world_with(prices=PRICES, door_switch=False))
    _refunds(bench, "A1", "A2", "A3")
    bench.state = replace(bench.state, home_decides_until=bench.now_ms - 1)
    _refunds(bench, "A4", "A5")
    play(bench, (coin(100),), (keyed("A6"),), (failed,), (paid(), "OUT OF SERVICE | "))
    play(bench, (wait(DAY_MS - 1), "OUT OF SERVICE | "), (wait(1), "MAKE A SELECTION | COINS"))
    locked = type(bench.state)(locked=("anti_jackpot",))
    for door_switch, screen in ((False, "MAKE A SELECTION | COINS"), (True, "OUT OF SERVICE | ")):
        bench = Bench(world_with(door_switch=door_switch), locked).power_cut().changer_up()
        play(bench, (wait(DAY_MS - 1), "OUT OF SERVICE | "), (wait(1), screen))


def test_refunds_that_lie_apart_are_no_jackpot():
    bench = Bench(world_with(prices=PRICES))
    for selection in ("A1", "A2", "A3", "A4"):
        _refunds(bench, selection)
        bench.wait(300_000)
    assert bench.state.home_decides_until is None


def test_the_clock_may_jump():
    """No rule of a sale asks the wall clock."""
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (left_home,))
    bench.wall_ms += 20 * 86_400_000
    play(bench, (DROP,), (turned(), Paying))
    bench.wall_ms -= 15 * 86_400_000
    play(bench, (paid(), Idle, "THANK YOU | CHANGE 0.50"))
    assert bench.all(SaleClosed)[0].total_ms >= 0


def test_credit_is_the_same_after_it_was_refused():
    play(Bench(), (coin(100),), (keyed("B1"), Credit, 100), (keyed("A1"), TURN))


def test_a_product_that_fell_although_the_spiral_stands_off_home_is_sold_and_its_slot_is_off():
    """The next turn would not begin where it should: nobody else may pay for it."""
    bench = play(Bench(), (coin(100),), (keyed("A1"),))
    attempt = bench.turn.attempt_id
    bench.report(LeftHome(attempt), DROP, TurnEnded(attempt, TurnResult.NO_HOME, at_home=False))
    assert bench.slot_state("A1") is SlotState.JAMMED
    assert [sale.outcome for sale in bench.all(SaleClosed)] == [Outcome.SOLD]
