"""Scripts for the transitions that coins take: (a bench, lines to play)."""

from tests.sale.bench import FREE, Bench, tubes_with, world_with
from tests.sale.script import (
    DROP,
    LEVER,
    coin,
    delivered,
    failed,
    given,
    key,
    keyed,
    left_home,
    nothing_paid,
    paid,
    play,
    turned,
    wait,
)
from vendd.core.sale.reports import ChangerLost, DoorMoved, ServiceChanged, Timer
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

OPEN, LOST = DoorMoved(open=True), ChangerLost("silent")
OFF = ServiceChanged("operator", active=True)
POOR = {"tubes": tubes_with({}), "overpay_up_to": 50}
ASKED = OverpayAsked("A3", 50)


def _at(phase, credit=0, **world):
    return lambda: given(Bench(world_with(**world)), phase, credit)


def _vending(**world):
    return lambda: play(Bench(world_with(**world)), (coin(200),), (keyed("A3"),))


def _paying(**world):
    return lambda: play(Bench(world_with(**world)), (coin(200),), (LEVER,))


def _changer_back(bench):
    bench.changer_up()


def _idle_time_over(bench):
    bench.timers[Timer.IDLE] = bench.now_ms
    bench.wait(1)


CASH_EDGES = {
    (Idle, Credit): (_at(Idle()), (coin(100),)),
    (Idle, Vending): (_at(Idle()), (keyed(FREE),)),
    (Credit, Vending): (_at(Credit(), 200), (keyed("A3"),)),
    (Credit, ClaimShown): (_at(Credit(), 200, **POOR), (OFF,)),
    (Credit, OverpayAsked): (_at(Credit(), 200, **POOR), (keyed("A3"),)),
    (Credit, Paying): (_at(Credit(), 200), (LEVER,)),
    (Credit, Owed): (_at(Credit(), 200), (LOST,)),
    (Credit, Idle): (_at(Credit(), 200, forfeit_idle_credit=True), (_idle_time_over,)),
    (OverpayAsked, Vending): (_at(ASKED, 200, **POOR), (keyed("A3"),)),
    (OverpayAsked, ClaimShown): (_at(ASKED, 200, **POOR), (OFF,)),
    (OverpayAsked, Credit): (_at(ASKED, 200, **POOR), (coin(50),)),
    (OverpayAsked, Paying): (_at(ASKED, 200), (LEVER,)),
    (OverpayAsked, Owed): (_at(ASKED, 200), (LOST,)),
    (ChooseAgain, Vending): (_at(ChooseAgain(), 200), (keyed("A3"),)),
    (ChooseAgain, ClaimShown): (_at(ChooseAgain(), 200, **POOR), (OFF,)),
    (ChooseAgain, OverpayAsked): (_at(ChooseAgain(), 200, **POOR), (keyed("A3"),)),
    (ChooseAgain, Paying): (_at(ChooseAgain(), 200), (LEVER,)),
    (ChooseAgain, Owed): (_at(ChooseAgain(), 200), (LOST,)),
    (ChooseAgain, Credit): (_at(ChooseAgain(), 200), (OPEN,)),
    (Hold, Vending): (_at(Hold(), 200), (keyed("A3"),)),
    (Hold, ClaimShown): (_at(Hold(), 200, **POOR), (OFF,)),
    (Hold, OverpayAsked): (_at(Hold(), 200, **POOR), (keyed("A3"),)),
    (Hold, Paying): (_at(Hold(), 200), (LEVER,)),
    (Hold, Owed): (_at(Hold(), 200), (LOST,)),
    (Hold, Credit): (_at(Hold(), 200), (OPEN,)),
    (Owed, Vending): (_at(Owed("4821"), 200), (keyed("A3"),)),
    (Owed, Paying): (_at(Owed("4821"), 200), (LEVER,)),
    (Owed, ClaimShown): (_at(Owed("4821"), 200), (_idle_time_over,)),
    (Owed, Credit): (_at(Owed("4821", dead=True), 200), (_changer_back,)),
    (ClaimShown, Idle): (_at(ClaimShown("4821", 50)), (key("A"),)),
    (ClaimShown, Credit): (_at(ClaimShown("4821", 50)), (coin(50),)),
    (Vending, Idle): (_at(Idle()), *delivered(FREE)),
    (Vending, Paying): (_vending(), (DROP,), (turned(),)),
    (Vending, Hold): (_vending(multi_vend=True), (DROP,), (turned(),)),
    (Vending, ChooseAgain): (_vending(), (failed,)),
    (Vending, Credit): (_vending(), (OPEN,), (failed,)),
    (Vending, Owed): (_vending(), (LOST,), (DROP,), (turned(),)),
    (Vending, ClaimShown): (_vending(), (OFF,), (LOST,), (left_home,), (DROP,), (turned(),)),
    (Paying, Idle): (_paying(), (paid(),)),
    (Paying, Paying): (_paying(), (coin(100),), (paid(),)),
    (Paying, Hold): (_paying(multi_vend=True), (coin(100),), (paid(),)),
    (Paying, Owed): (_paying(), (nothing_paid,)),
    (Paying, ClaimShown): (_paying(), (wait(100_000),)),
}
