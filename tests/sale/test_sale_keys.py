"""Section 3: idle, prices, keys."""

import pytest

from tests.sale.bench import FREE, Bench, tubes_with, world_with
from tests.sale.script import (
    CLEAR,
    DROP,
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
    now,
    paid,
    play,
    turned,
    wait,
)
from vendd.core.facts import (
    Channel,
    ExactChange,
    ItemDispensed,
    Outcome,
    RefusalReason,
    SaleClosed,
    SaleRefused,
    StockReason,
    TenderKind,
)
from vendd.core.planogram import SlotState
from vendd.core.rows import LevelChanged, Posted, Reserved
from vendd.core.sale.acts import Acknowledge
from vendd.core.sale.reports import ChangerLost, ManuallyDispensed, TubesRead
from vendd.core.sale.states import (
    ChooseAgain,
    Credit,
    Idle,
    Paying,
    Vending,
)

IDLE = "MAKE A SELECTION | COINS"
EXACT = "MAKE A SELECTION | USE EXACT CHANGE"


def test_s3_idle():
    bench = Bench()
    assert bench.screen == IDLE
    assert bench.coins == {10, 20, 50, 100, 200}
    play(bench, (ChangerLost("no answer"), "MAKE A SELECTION | ", set()))  # a free slot is left
    bench.slot(FREE, level=0)
    assert bench.screen == "OUT OF SERVICE | "


def test_s3_idle_all_sold_out():
    assert Bench().all_slots(level=0).screen == "SOLD OUT | "


def test_s3_exact_change_sign():
    """Lit before money goes in, once per switch, and never under a customer's hands."""
    bench = Bench(world_with(tubes_with({10: 5, 100: 2})))
    bench.report(TubesRead(bench.world.tubes))
    assert bench.screen == IDLE
    play(
        bench,
        (ManuallyDispensed(0, 1, 4), EXACT, like(ExactChange, state=True)),
        (TubesRead(tubes_with({10: 4, 100: 2})), EXACT, no(ExactChange)),
        (coin(50), Credit, "CREDIT      0.50 | MAKE SELECTION", no(ExactChange)),
        (wait(300_000), Paying),
        (paid(), EXACT, no(ExactChange)),
    )
    assert bench.coins == {10, 20, 50, 100, 200}  # subject to R2 only
    filled = tubes_with({10: 5, 100: 2})
    play(bench, (TubesRead(filled),), (TubesRead(filled), IDLE, like(ExactChange, state=False)))


def test_s3_exact_change_sign_knows_the_tolerance():
    """A coin that is taken although it can't be returned is one that can overpay."""
    empty = tubes_with({})
    strict = Bench(world_with(empty, prices={"A1": 100}))
    assert strict.report(TubesRead(empty)).state.exact_change is False
    tolerant = Bench(world_with(empty, prices={"A1": 100}, accept_unreturnable_up_to=200))
    assert tolerant.report(TubesRead(empty)).state.exact_change is True


def test_s3_price_without_credit():
    play(
        Bench(),
        (keyed("A3"), "A3          1.50 | INSERT MONEY", Idle, no(Reserved)),
        (key("B"), "SELECTION B_ | "),  # the next key replaces it
        (key("1"), "B1          2.50 | INSERT MONEY"),
        (coin(200), "CREDIT      2.00 | MAKE SELECTION", no(TURN)),
    )


def test_s3_price_without_anything_to_pay_with():
    bench = play(Bench(), (ChangerLost("no answer"),))
    why = RefusalReason.OUT_OF_SERVICE
    play(bench, (keyed("A3"), "A3 NOT AVAILABLE | CHOOSE ANOTHER", like(SaleRefused, reason=why)))


def test_s3_first_key():
    play(Bench(), (key("A"), "SELECTION A_ | ", Idle))


def test_s3_clear_key():
    play(
        Bench(),
        (key("A"),),
        (CLEAR, IDLE),
        (CLEAR, IDLE, Acknowledge),
        (coin(100),),
        (key("A"), "SELECTION A_ | "),
        (CLEAR, "CREDIT      1.00 | MAKE SELECTION", no(PAYOUT)),  # the entry only
        (CLEAR, Paying, PAYOUT),
    )


def test_s3_no_such_selection():
    play(Bench(), (keyed("D9"), "D9 INVALID | ", no(SaleRefused)))


def test_s3_sold_out():
    """One lost sale per slot and customer."""
    reason = RefusalReason.SOLD_OUT
    bench = Bench().slot("A3", level=0).slot("A2", level=0)
    play(
        bench,
        (keyed("A3"), "A3 SOLD OUT | CHOOSE ANOTHER", like(SaleRefused, slot="A3", reason=reason)),
        (keyed("A3"), "A3 SOLD OUT | CHOOSE ANOTHER", no(SaleRefused)),
        (coin(100),),
        (keyed("A3"), no(SaleRefused)),
        (keyed("A2"), like(SaleRefused, slot="A2", credit=100)),
        *delivered("A1"),
        (wait(4_000), IDLE),
        (keyed("A3"), SaleRefused),  # somebody else
    )


def test_s3_sold_out_counts_what_is_reserved():
    bench = Bench().slot("A3", level=1)
    assert bench.world.slots["A3"].sellable
    play(bench, (coin(200),), *delivered("A3"), (paid(),))
    play(bench, (keyed("A3"), "A3 SOLD OUT | CHOOSE ANOTHER"))


@pytest.mark.parametrize(
    "state",
    [
        SlotState.JAMMED,
        SlotState.DISABLED,
        SlotState.EXPIRED,
        SlotState.HEALTH,
        SlotState.MOTOR_MISSING,
        SlotState.SENSOR_BLOCKED,
    ],
)
def test_s3_not_available(state):
    """The same words for every reason."""
    bench = Bench().slot("A3", state=state)
    play(bench, (keyed("A3"), "A3 NOT AVAILABLE | CHOOSE ANOTHER", SaleRefused))


def test_s3_blocked_by_time():
    bench = Bench().slot("A3", state=SlotState.BLOCKED_TIME)
    reason = RefusalReason.BLOCKED_TIME
    play(bench, (keyed("A3"), "NOT ON SALE NOW | CHOOSE ANOTHER", like(SaleRefused, reason=reason)))


def test_s3_free_product():
    """Vends on selection and is booked as free, with or without credit."""
    bench = play(
        Bench(),
        (keyed(FREE), TURN, Vending, "F1          FREE | "),
        (left_home,),
        (DROP, like(ItemDispensed, channel=Channel.FREE)),
        (turned(), like(SaleClosed, channel=Channel.FREE, price_charged=0, outcome=Outcome.SOLD)),
    )
    assert bench.screen == "THANK YOU | TAKE PRODUCT"
    assert not bench.all(Posted)
    assert [r.reason for r in bench.all(LevelChanged)] == [StockReason.FREE]
    assert [t.kind for t in bench.all(SaleClosed)[0].tenders] == [TenderKind.FREE]


def test_s3_free_product_with_credit():
    bench = play(Bench(), (coin(100),), *delivered(FREE))
    play(bench, (now, Paying, "PAYING CHANGE | PLEASE WAIT"), (paid(), Idle))
    (sale,) = bench.all(SaleClosed)
    assert [(t.kind, t.inserted, t.applied, t.returned) for t in sale.tenders] == [
        (TenderKind.FREE, 0, 0, 0),
        (TenderKind.COIN, 100, 0, 100),
    ]


def test_s3_free_product_that_does_not_fall():
    bench = play(Bench(), (keyed(FREE), TURN), (failed, Idle, "F1 NOT AVAILABLE | CHOOSE ANOTHER"))
    assert bench.all(SaleClosed)[0].outcome is Outcome.CANCELLED


def test_s3_free_product_that_does_not_fall_keeps_the_credit():
    bench = given(Bench(), Credit(), 100)
    play(bench, (keyed(FREE), TURN), (failed, ChooseAgain, 100))


def test_a_price_of_0_alone_is_not_free():
    bench = Bench(world_with(prices={"A1": 0}))
    assert bench.world.slots["A1"].slot.free is False
