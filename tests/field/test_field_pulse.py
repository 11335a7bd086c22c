"""What pulse acceptors did in the field, by the row of the field notes."""

from itertools import product

import pytest

from vendd.wire.pulse import Coins, PulseNews, PulseParser, PulseRules, Rejected, Stuck, Why

PULSE_S, AFTER_S = 0.05, 1.0
CLEAR = PulseRules({5: 50, 6: 100, 7: 200})  # no two of them make another one
CLASHING = PulseRules({1: 10, 2: 50, 3: 100})  # two of the first look like the second
IN_PROPORTION = PulseRules({1: 10, 2: 20, 5: 50})  # whatever it was, it is worth the same


def heard(rules: PulseRules, *trains: int, apart_s: float = AFTER_S) -> list[PulseNews]:
    """Trains of so many pulses, `apart_s` from each other."""
    parser, now = PulseParser(rules), 10.0
    parser.start(False, now)
    now += 5.0
    news: list[PulseNews] = []
    for pulses in trains:
        for _ in range(pulses):
            for level in (True, False):
                news += parser.edge(level, now)
                now += PULSE_S
        now += apart_s - PULSE_S
        news += parser.tick(now)
    return news + parser.tick(now + AFTER_S)


@pytest.mark.parametrize(("first", "second"), list(product((1, 2, 5), repeat=2)))
def test_row_28_two_fast_coins_merge_and_are_worth_something_only_one_way(
    first: int, second: int
) -> None:
    """Their trains run into one: credited when every way to read it is worth the same, else not."""
    (merged,) = heard(IN_PROPORTION, first + second)
    assert isinstance(merged, Coins)
    worth = sum(IN_PROPORTION.coins[pulses] for pulses in merged.pulses)
    assert worth == IN_PROPORTION.coins[first] + IN_PROPORTION.coins[second]
    assert heard(CLASHING, 2) == [Rejected(Why.AMBIGUOUS, 2)]
    assert heard(CLEAR, 11) == [Coins((6, 5))]
    assert heard(CLEAR, 12) == [Rejected(Why.AMBIGUOUS, 12)], "6 and 6, or 5 and 7"
    assert heard(CLEAR, 5, 6) == [Coins((5,)), Coins((6,))], "apart they are clear"


def test_row_28_a_slow_coin_is_one_coin_and_a_spurious_pulse_is_none() -> None:
    parser = PulseParser(PulseRules({1: 10, 5: 50}))
    parser.start(False, 0.0)
    assert [*parser.edge(True, 0.5), *parser.edge(False, 0.55), *parser.tick(2.0)] == [
        Rejected(Why.SPURIOUS, 1)
    ]
    now, news = 10.0, []
    for _ in range(5):  # ten pulses a second and slower
        news += [*parser.edge(True, now), *parser.edge(False, now + 0.1)]
        now += 0.25
    assert [*news, *parser.tick(now + 1)] == [Coins((5,))]


def test_row_28_a_sensor_that_counts_for_ever_is_no_money() -> None:
    assert heard(CLEAR, 500) == [Rejected(Why.ENDLESS, 500)]
    parser = PulseParser(CLEAR)
    parser.start(False, 0.0)
    assert parser.edge(True, 5.0) == []
    assert parser.tick(8.0) == [Stuck()]
