"""Answers about money are remembered only as long as nothing of it changes."""

from dataclasses import replace

from tests.sale.bench import FULL_TUBES, world_with
from vendd.core.sale import tenders
from vendd.core.sale.remembered import Remembered
from vendd.core.sale.reports import Tube
from vendd.core.sale.states import State
from vendd.core.snapshot import Snapshot


def _asked(asked: list[str], answers: Remembered[int], world: Snapshot, detail: object) -> int:
    def find_out() -> int:
        asked.append(str(detail))
        return len(asked)

    return answers.ask(world, detail, find_out)


def test_the_same_question_is_answered_once_until_money_changes():
    answers, asked = Remembered[int](), []
    world = world_with(FULL_TUBES)
    later = replace(world, now=replace(world.now, uptime_ms=5))
    assert _asked(asked, answers, world, 0) == _asked(asked, answers, later, 0) == 1
    assert _asked(asked, answers, world, 50) == 2
    fewer = replace(world, tubes=(Tube(0, 10, 1), *world.tubes[1:]))
    assert _asked(asked, answers, fewer, 0) == 3
    sold_out = replace(world, slots={})
    assert _asked(asked, answers, sold_out, 0) == 4
    assert _asked(asked, answers, replace(world, policy=replace(world.policy)), 0) == 5


def test_what_is_taken_follows_the_tubes():
    full, empty = world_with(FULL_TUBES), world_with(())
    before = tenders.accepted_coins(State(), full)
    assert tenders.accepted_coins(State(), empty) != before
    assert tenders.accepted_coins(State(), full) == before
