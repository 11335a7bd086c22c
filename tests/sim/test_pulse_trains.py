"""Pulse trains as tables: what is a coin, what is two, and what is nothing (field note 28)."""

import random
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.pulse import (
    MAX_PULSES,
    Coins,
    Freed,
    PulseNews,
    PulseParser,
    PulseRules,
    Rejected,
    Stuck,
    Why,
)

LINEAR = PulseRules({1: 10, 2: 20, 5: 50, 10: 100})  # a pulse is 0.10: merging does no harm
APART = PulseRules({5: 50, 6: 100, 7: 200})  # no sum of two is one of them
CLASHING = PulseRules({1: 10, 2: 50, 3: 100})  # 1 + 1 is 2, and worth something else
START = 1_000.0


def play(rules: PulseRules, *edges_ms: float, settled: bool = True) -> list[PulseNews]:
    """Edges at these milliseconds, active first and in turn; then a second of silence."""
    parser = PulseParser(rules)
    parser.start(False, START - (10 if settled else 0))
    news: list[PulseNews] = []
    for number, ms in enumerate(edges_ms):
        at = START + ms / 1000
        if parser.wake_at <= at:
            news += parser.tick(parser.wake_at)
        news += parser.edge(number % 2 == 0, at)
    while parser.wake_at != inf:
        news += parser.tick(parser.wake_at)
    return news


def train(*spans: tuple[float, float], at: float = 0.0) -> list[float]:
    """Edges of pulses given as (width, gap after it)."""
    edges = []
    for width, gap in spans:
        edges += [at, at + width]
        at += width + gap
    return edges


def coin(pulses: int, at: float = 0.0) -> list[float]:
    return train(*[(50.0, 50.0)] * pulses, at=at)


@pytest.mark.parametrize(
    ("rules", "pulses", "news"),
    [
        (LINEAR, 1, Coins((1,))),
        (LINEAR, 2, Coins((2,))),
        (LINEAR, 3, Coins((2, 1))),
        (LINEAR, 10, Coins((10,))),
        (LINEAR, 7, Coins((5, 2))),
        (APART, 5, Coins((5,))),
        (APART, 7, Coins((7,))),
        (APART, 4, Rejected(Why.UNKNOWN, 4)),
        (APART, 8, Rejected(Why.UNKNOWN, 8)),
        (APART, 10, Coins((5, 5))),
        (APART, 11, Coins((6, 5))),
        (APART, 12, Rejected(Why.AMBIGUOUS, 12)),  # 6 + 6 = 2.00, 7 + 5 = 2.50
        (CLASHING, 1, Coins((1,))),
        (CLASHING, 2, Rejected(Why.AMBIGUOUS, 2)),
        (CLASHING, 3, Rejected(Why.AMBIGUOUS, 3)),
        (LINEAR, 61, Rejected(Why.ENDLESS, 61)),
    ],
)
def test_numbers_of_pulses(rules: PulseRules, pulses: int, news: PulseNews) -> None:
    assert play(rules, *coin(pulses)) == [news]


# name -> edges in ms, news
SHAPES = {
    "two coins with a pause": (
        [*coin(1), *coin(2, at=1_000)],
        [Coins((1,)), Coins((2,))],
    ),
    "fast mode, 20 ms": (train(*[(20, 20)] * 5), [Coins((5,))]),
    "slow mode, 100 ms": (train(*[(100, 100)] * 5), [Coins((5,))]),
    "noise alone": ([0, 1, 5, 6.5, 400, 402], []),
    "noise between pulses": ([0, 50, 70, 72, 100, 150], [Coins((2,))]),
    "a contact that bounces": (
        [0, 1, 2, 3, 4, 52, 53, 54, 100, 150, 151, 152],
        [Coins((2,))],
    ),
    "a pulse that is too short": ([0, 10], [Rejected(Why.SHORT_PULSE, 1)]),
    "a short one in a train": (
        [0, 50, 100, 110, 160, 210],
        [Rejected(Why.SHORT_PULSE, 3)],
    ),
    "two pulses on top of each other": (
        [0, 150, 200, 250],
        [Rejected(Why.LONG_PULSE, 2)],
    ),
    "a gap that is too short": ([0, 50, 60, 110], [Rejected(Why.SHORT_GAP, 2)]),
    "a gap just below the end": ([0, 50, 349, 399], [Coins((2,))]),
    "a gap at the end": ([0, 50, 350, 400], [Coins((1,)), Coins((1,))]),
    "stuck and freed": ([0, 5_000], [Stuck(), Freed()]),
    "a train that ends stuck": (
        [0, 50, 100, 5_000],
        [Rejected(Why.LONG_PULSE, 2), Stuck(), Freed()],
    ),
    "a coin after a stuck line": (
        [0, 5_000, *coin(2, at=6_000)],
        [Stuck(), Freed(), Coins((2,))],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str) -> None:
    edges, news = SHAPES[name]
    assert play(LINEAR, *edges, settled=True)[-len(news) or None :] == news
    rules = PulseRules(LINEAR.coins, settle_ms=0)
    assert play(rules, *edges) == news


def test_the_acceptor_wakes_up() -> None:
    rules = PulseRules({1: 10, 5: 50}, settle_ms=1_500)
    assert play(rules, *coin(1), settled=False) == [Rejected(Why.SPURIOUS, 1)]
    assert play(rules, *coin(5), settled=False) == [Coins((5,))]
    assert play(rules, *coin(1, at=1_600), settled=False) == [Coins((1,))]


def test_even_spacing_as_evidence() -> None:
    rules = PulseRules(CLASHING.coins, even_counts=True, settle_ms=0)
    assert play(rules, *coin(3)) == [Coins((3,))]
    uneven = train((50, 50), (50, 180), (50, 50))
    assert play(rules, *uneven) == [Rejected(Why.AMBIGUOUS, 3)]
    assert play(rules, *coin(2)) == [Rejected(Why.AMBIGUOUS, 2)], "one distance proves nothing"


def test_tables_that_clash_are_known_beforehand() -> None:
    assert CLASHING.conflicts() == (2, 3)
    assert LINEAR.conflicts() == APART.conflicts() == ()
    assert PulseRules({1: 10, 4: 50}).conflicts() == (4,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"coins": {}},
        {"coins": {0: 10}},
        {"coins": {1: 0}},
        {"coins": {61: 10}},
        {"coins": {1: 10}, "max_pulses": MAX_PULSES + 1},
        {"coins": {1: 10}, "min_ms": 200},
        {"coins": {1: 10}, "stuck_ms": 100},
        {"coins": {1: 10}, "end_ms": 10},
        {"coins": {1: 10}, "glitch_ms": 20},
    ],
)
def test_rules_that_can_not_work(wrong) -> None:
    with pytest.raises(ValueError, match=r"coin|train|pulses:|gaps:|noise"):
        PulseRules(**wrong)


def test_a_line_that_is_stuck_at_the_start() -> None:
    parser = PulseParser(LINEAR)
    parser.start(True, START)
    assert parser.tick(parser.wake_at) == [Stuck()]
    assert parser.wake_at == inf
    assert parser.edge(False, START + 60) == [Freed()]


def test_a_jammed_sensor_does_not_count_for_ever() -> None:
    news = play(LINEAR, *coin(5_000))
    assert news == [Rejected(Why.ENDLESS, 5_000)]


@given(st.integers(0, 2**32))
def test_real_coins_are_counted_through_jitter(seed: int) -> None:
    rng = random.Random(seed)
    edges: list[float] = []
    at = 2_000.0
    inserted = []
    for _ in range(rng.randint(1, 6)):
        pulses = rng.choice([5, 6, 7])
        inserted.append(Coins((pulses,)))
        spans = [(rng.uniform(40, 60), rng.uniform(40, 60)) for _ in range(pulses)]
        edges += train(*spans, at=at)
        at = edges[-1] + rng.uniform(310, 3_000)
    assert play(APART, *edges) == inserted


STEPS = st.lists(st.floats(0, 3_000, allow_nan=False), max_size=120)


@given(STEPS, st.sampled_from([LINEAR, APART, CLASHING]), st.booleans())
def test_any_edges(steps: list[float], rules: PulseRules, settled: bool) -> None:
    """No crash, no hang, and never more credit than there were pulses for."""
    at, edges = 0.0, []
    for step in steps:
        at += step
        edges.append(at)
    news = play(rules, *edges, settled=settled)
    credited = sum(sum(one.pulses) for one in news if isinstance(one, Coins))
    assert credited <= (len(edges) + 1) // 2
    stuck = [one for one in news if isinstance(one, Stuck | Freed)]
    assert all(isinstance(one, Stuck) == (n % 2 == 0) for n, one in enumerate(stuck))


@given(st.lists(st.tuples(st.booleans(), st.floats(-5, 5, allow_nan=False)), max_size=60))
def test_edges_in_any_order_and_times_that_go_back(edges: list[tuple[bool, float]]) -> None:
    parser = PulseParser(LINEAR)
    parser.start(False, 0.0)
    for active, at in edges:
        parser.edge(active, at)
    for _ in range(4):
        if parser.wake_at != inf:
            parser.tick(parser.wake_at)
    assert parser.wake_at == inf
