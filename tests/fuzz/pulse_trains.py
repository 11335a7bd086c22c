"""Pulse acceptors: edges at any distance, and honest trains among noise. A coin is credited only
for as many pulses as came, and honest trains that are apart are worth what was put in."""

from math import inf

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from vendd.wire.pulse import Coins, Freed, PulseParser, PulseRules, Rejected, Stuck

RULES = [
    PulseRules({1: 10, 2: 20, 5: 50}),  # in proportion: merged trains are worth the same
    PulseRules({5: 50, 6: 100, 7: 200}),  # no sum of two is another one below ten
    PulseRules({1: 10, 4: 100}, even_counts=True),
    PulseRules({3: 100}, max_pulses=9, glitch_ms=0),
]
MS = st.one_of(
    st.sampled_from([20, 50, 50, 100]),
    st.sampled_from([0, 1, 2, 4, 14, 15, 16, 129, 131, 299, 301, 700, 1_999, 2_001, 9_000]),
)
EDGES = st.lists(st.tuples(st.booleans(), MS, st.booleans()), max_size=120)
ANY = st.tuples(st.sampled_from(RULES), st.booleans(), EDGES)
HONEST = st.tuples(
    st.sampled_from(RULES[:2]),
    st.lists(st.tuples(st.integers(0, 2), st.integers(20, 100)), max_size=20),
)


def any_edges(case: tuple[PulseRules, bool, list[tuple[bool, int, bool]]], counts: Counts) -> None:
    """(level, ms since the edge before, whether the caller was awake in time) in any order."""
    rules, active, edges = case
    parser = PulseParser(rules)
    now = 10.0
    parser.start(active, now)
    rises, stuck = int(active), False
    spent = 0
    for level, ms, awake in edges:
        then = now + ms / 1000
        news = []
        while awake and parser.wake_at < then:
            at = parser.wake_at
            news += parser.tick(at)
            assert parser.wake_at > at or parser.wake_at == inf, "it wants to be woken for ever"
        now = then
        rises += level and not active
        active = level
        news += parser.edge(level, now)
        counts.reports += len(news)
        counts.bytes += 1
        for one in news:
            match one:
                case Coins(pulses):
                    counts.credits += len(pulses)
                    assert not stuck, "credit from a stuck line"
                    assert all(n in rules.coins for n in pulses)
                    spent += sum(pulses)
                case Rejected(_, count):
                    spent += min(count, 1)
                case Stuck():
                    assert not stuck
                    stuck = True
                case Freed():
                    assert stuck
                    stuck = False
        assert spent <= rises, "credit for pulses that never came"
        assert len(parser._starts) <= rules.max_pulses + 1, "it keeps what can be no coin"


def honest_trains(case: tuple[PulseRules, list[tuple[int, int]]], counts: Counts) -> None:
    """Coins one after the other, half a second apart, pulses of 20 to 100 ms."""
    rules, coins = case
    parser = PulseParser(rules)
    now = 10.0
    parser.start(False, now)
    now += 5.0
    credited: list[int] = []
    for which, width in coins:
        pulses = sorted(rules.coins)[which]
        for _ in range(pulses):
            for level in (True, False):
                news = parser.edge(level, now)
                assert news == []
                now += width / 1000
                counts.bytes += 1
        now += 0.5
        for one in parser.tick(now):
            assert isinstance(one, Coins), f"an honest coin came to {one}"
            credited.append(sum(rules.coins[n] for n in one.pulses))
            counts.credits += 1
    assert credited == [rules.coins[sorted(rules.coins)[which]] for which, _ in coins]
    counts.reports += len(credited)
