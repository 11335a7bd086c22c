"""Every declared transition that cash can take is taken, and no other exists."""

import pytest

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
from vendd.core.sale.draft import Draft
from vendd.core.sale.reports import ChangerLost, DoorMoved, ServiceChanged, Timer
from vendd.core.sale.states import (
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    SessionOpen,
    Stacking,
    State,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.transitions import PHASE_TIMER, TRANSITIONS

# Phases that only cards and bills reach: issue 3.
OTHER_TENDERS = {WaitingForTap, Authorising, Stacking, SessionOpen}
CASH = {
    (origin, target)
    for origin, targets in TRANSITIONS.items()
    for target in targets
    if not {origin, target} & OTHER_TENDERS
}

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


EDGES = {
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


def test_every_edge_of_cash_has_its_script():
    assert sorted(_name(e) for e in CASH - set(EDGES)) == []
    assert sorted(_name(e) for e in set(EDGES) - CASH) == []


def _name(edge):
    return f"{edge[0].__name__} -> {edge[1].__name__}"


@pytest.fixture
def went(monkeypatch):
    """Every transition that the machine makes, also several in one step."""
    edges, go = [], Draft.go

    def watched(draft, phase, timer_ms=None):
        edges.append((type(draft.state.phase), type(phase)))
        go(draft, phase, timer_ms)

    monkeypatch.setattr(Draft, "go", watched)
    return edges


@pytest.mark.parametrize("edge", EDGES, ids=_name)
def test_edge(edge, went):
    bench, *script = EDGES[edge]
    play(bench(), *script)
    assert edge in went


def test_a_transition_that_is_not_declared_is_a_mistake_of_ours():
    draft = Draft(State(), world_with())
    with pytest.raises(AssertionError, match="Idle -> Hold"):
        draft.go(Hold())


def test_every_phase_is_in_the_tables():
    assert set(PHASE_TIMER) | {Idle} == set(TRANSITIONS)
    assert {t for targets in TRANSITIONS.values() for t in targets} == set(TRANSITIONS)
