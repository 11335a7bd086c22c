"""Every declared transition is taken by a script, and no other exists."""

import pytest

from tests.sale.bench import world_with
from tests.sale.edges_cash import CASH_EDGES
from tests.sale.edges_pay import BILL_EDGES, CARD_EDGES
from tests.sale.script import play
from vendd.core.sale.draft import Draft
from vendd.core.sale.states import Hold, Idle, State
from vendd.core.sale.transitions import PHASE_TIMER, TRANSITIONS

DECLARED = {(origin, target) for origin, targets in TRANSITIONS.items() for target in targets}

EDGES = {**CASH_EDGES, **BILL_EDGES, **CARD_EDGES}


def test_every_edge_has_its_script():
    assert sorted(_name(e) for e in DECLARED - set(EDGES)) == []
    assert sorted(_name(e) for e in set(EDGES) - DECLARED) == []


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
