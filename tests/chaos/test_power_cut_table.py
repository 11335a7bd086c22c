"""The power-cut table for cash, executed: one sale cut at every instant, and on both sides of
every commit; each cut is settled and judged by section 9 of the behaviour rules.
"""

from collections import Counter
from collections.abc import Sequence

import pytest

from hw_sim.section9 import Row
from hw_sim.spiral import Fate
from tests.chaos.cutting import (
    BOX_COIN,
    EXACT_TUBES,
    ROLLING,
    How,
    Step,
    Story,
    landings,
    tell,
)

SALE_S = 7.0  # the sale is over and the display idle again
KILLED = How()
AT_ONCE = How(off_s=0.05)
POWER = How(power=True)
ALL_DARK = How(power=True, changer_too=True)


def _every(step_s: float, first: float = 0.05) -> list[float]:
    return [first + step_s * n for n in range(int((SALE_S - first) / step_s))]


def _judge(stories: Sequence[Story]) -> Counter[Row]:
    """No finding in any of them; how often each row of the table was met."""
    wrong = {round(story.at, 4): story.findings for story in stories if story.findings}
    assert not wrong
    return Counter(story.row for story in stories if story.row is not None)


@pytest.mark.parametrize(
    ("how", "step_s"),
    [(KILLED, 0.06), (AT_ONCE, 0.14), (POWER, 0.14), (ALL_DARK, 0.14)],
    ids=["killed", "started again at once", "power cut", "changer dark too"],
)
def test_cut_at_every_instant_of_a_sale_with_change(how: How, step_s: float) -> None:
    rows = _judge([tell(EXACT_TUBES, at, how) for at in _every(step_s)])
    assert rows.keys() >= {
        Row.NOTHING,
        Row.CREDIT,
        Row.NOT_HOME,
        Row.PAYING_CHANGE,
    }


@pytest.mark.parametrize("how", [KILLED, ALL_DARK], ids=["killed", "changer dark too"])
def test_cut_at_every_instant_with_a_coin_that_goes_to_the_box(how: How) -> None:
    stories = [tell(BOX_COIN, at, how) for at in _every(0.1)]
    _judge(stories)
    lost = [story.at for story in stories if story.losses.in_box]
    if how.changer_too:
        assert lost, "no cut fell between the coin's landing and its commit"
        assert max(lost) < 1.0
    else:  # the changer keeps its report until somebody polls again: before any RESET
        assert len(lost) <= 1, "only what was acknowledged and not committed in time"


@pytest.mark.parametrize("fate", [Fate.HANGS, Fate.LATE], ids=["hangs", "late"])
def test_cut_while_the_drop_is_waited_for(fate: Fate) -> None:
    """The product hangs: extra turn, drop window; cut anywhere in between."""
    stories = [tell(EXACT_TUBES, 4.0 + 0.15 * n, KILLED, fate=fate) for n in range(40)]
    assert _judge(stories)[Row.HOME_AGAIN] > 0


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("steps", [EXACT_TUBES, BOX_COIN], ids=["tube coins", "box coin"])
def test_cut_on_both_sides_of_every_commit(steps: Sequence[Step], power: bool) -> None:
    moments = [at for at in landings(steps) if at < SALE_S]
    assert len(moments) >= 6  # coins, intent, left home, drop, change decided, change paid
    stories = []
    for at in moments:
        stories += [
            tell(steps, at - 0.001, How(power=power)),  # under way and lost
            tell(steps, at - 0.001, How(power=power, lands=True)),  # durable, nobody was told
            tell(steps, at, How(power=power)),  # durable, the acts are on their way
        ]
    rows = _judge(stories)
    assert rows.keys() >= {Row.CREDIT, Row.NOT_HOME, Row.DROPPED, Row.PAYING_CHANGE}
    assert not power or Row.AT_HOME in rows


def test_a_coin_that_falls_while_the_changer_comes_up_is_one_credit() -> None:
    """Let in before the reset, landed before the tubes are counted, reported after that."""
    _judge([tell(ROLLING, 1.25 + 0.01 * n, AT_ONCE) for n in range(25)])
