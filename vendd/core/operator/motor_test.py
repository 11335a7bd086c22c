"""A motor turned by a person: no sale, no payment, its own counters. Pure.

A spiral that turned has moved a product: it is booked as *test*, whatever fell. While a turn is
being tried its drops are its own, and not products that fall without a sale.
"""

from dataclasses import replace
from typing import Final

from vendd.core.facts import Channel, StockReason, VisitTask
from vendd.core.operator.kept import Kept, Trial
from vendd.core.operator.orders import Heard, PutBack, TryMotor
from vendd.core.operator.prices import quiet
from vendd.core.operator.stock import no_slot
from vendd.core.operator.verdicts import Case, Change, Decided, Refused, Why
from vendd.core.rows import Journalled, LevelChanged, Record, Vended
from vendd.core.sale.acts import Arm, TurnMotor
from vendd.core.sale.reports import (
    DropSeen,
    LeftHome,
    Report,
    Started,
    Timer,
    TimerFired,
    TurnEnded,
    TurnResult,
)
from vendd.core.snapshot import Snapshot

_ENDED: Final = {
    TurnResult.NEVER_LEFT: "its motor never left home",
    TurnResult.NO_HOME: "it left home and did not come back in time",
    TurnResult.NOT_STARTED: "it was not started",
    TurnResult.STOPPED: "it was stopped in mid-turn",
}


def begin(order: TryMotor, case: Case) -> Decided | Refused:
    """Only in service, so that nobody's vend is in the way and nobody's hand is surprised."""
    view, kept = case.world.slots.get(order.selection), case.kept
    if view is None:
        return no_slot(order.selection)
    if kept.visit is None:
        return Refused(Why.STATE, "nobody is in service", "vendctl service enter comes first")
    if not quiet(case.state):
        return Refused(Why.STATE, "a customer is being served", "try again when that is done")
    if kept.trial is not None:
        return Refused(Why.STATE, f"{kept.trial.selection} is being tested", "one at a time")
    person = case.person
    who = (person.uid, person.user, str(person.role))
    trial = Trial(kept.trials + 1, case.number, order.selection, *who)
    return Decided(
        changes=(Change(order.selection, "test", None, "started"),),
        acts=(TurnMotor(trial.attempt_id, view.slot.motors, 1),),
        kept=replace(kept, trials=trial.number, trial=trial),
        pending=True,
    )


def put_back(order: PutBack, case: Case) -> Decided | Refused:
    """What a test had moved stands in its slot again."""
    view = case.world.slots.get(order.selection)
    if view is None:
        return no_slot(order.selection)
    if view.level >= view.slot.capacity:
        return Refused(Why.STATE, f"{order.selection} is full in the books: {view.level}")
    change = Change(order.selection, "level", view.level, view.level + 1)
    return Decided((change,), (LevelChanged(order.selection, 1, StockReason.TEST, case.kept.ref),))


Step = tuple[int, Decided, Decided | Refused | None]


def heard(report: Report, kept: Kept, world: Snapshot) -> Step | None:
    """What a report means for the turn that is being tried: the order's number, what to commit,
    and its answer once it is over. None: nothing."""
    trial = kept.trial
    if trial is None:
        return None
    match report:
        case Started():
            return trial.order, _cut_short(trial, kept, world, report), None
        case LeftHome(attempt) if attempt == trial.attempt_id:
            following = replace(trial, left_home=True)
        case DropSeen():
            following = replace(trial, drops=trial.drops + 1)
        case TurnEnded(attempt, result) if attempt == trial.attempt_id:
            following = replace(trial, result=result.value)
            if not world.policy.drop_sensor or result is TurnResult.NOT_STARTED:
                return _over(following, kept, world)
            wait = Arm(Timer.TRIAL, world.policy.drop_window_ms)
            decided = Decided(kept=replace(kept, trial=following), acts=(wait,), report=Heard())
            return trial.order, decided, None
        case TimerFired(Timer.TRIAL) if trial.result is not None:
            return _over(trial, kept, world)
        case _:
            return None
    return trial.order, Decided(kept=replace(kept, trial=following), report=Heard()), None


def _over(trial: Trial, kept: Kept, world: Snapshot) -> Step:
    turned = trial.result == TurnResult.HOME or trial.drops > 0
    booked, changes = _book(trial, world, moved=turned)
    said = f"{trial.selection}: turned once; {_fell(trial, world)}"
    if trial.result != TurnResult.HOME:
        said = f"{trial.selection}: {_ENDED[TurnResult(str(trial.result))]}; {_fell(trial, world)}"
    task = VisitTask("test", f"motor {trial.selection}", 1 if turned else 0)
    after = replace(kept, trial=None).with_task(task)
    line = _line(trial, changes, str(trial.result))
    decided = Decided(changes, (*booked, line), kept=after, said=said, report=Heard())
    if trial.result == TurnResult.HOME:
        return trial.order, decided, decided
    remedy = "look at the spiral, its motor and its home switch"
    return trial.order, decided, Refused(Why.FAULT, said, remedy)


def _cut_short(trial: Trial, kept: Kept, world: Snapshot, report: Report) -> Decided:
    """The power went while it turned: once it had left home it counts as moved; look."""
    booked, changes = _book(trial, world, moved=trial.left_home or trial.drops > 0)
    line = _line(trial, changes, "cut short by a restart")
    return Decided(records=(*booked, line), kept=replace(kept, trial=None), report=report)


def _book(
    trial: Trial, world: Snapshot, *, moved: bool
) -> tuple[tuple[Record, ...], tuple[Change, ...]]:
    view = world.slots.get(trial.selection)
    if view is None or not moved:
        return (), ()
    counted = Vended(trial.attempt_id, trial.selection, Channel.TEST, view.slot.price())
    if view.available < 1:
        return (counted,), ()  # the books say empty; what fell is for a count to say
    row = LevelChanged(trial.selection, -1, StockReason.TEST, trial.attempt_id)
    return (row, counted), (Change(trial.selection, "level", view.level, view.level - 1),)


def _line(trial: Trial, changes: tuple[Change, ...], result: str) -> Journalled:
    level = f'"{trial.selection}.level":'
    before = "".join(f"{level}{change.before}" for change in changes)
    after = "".join(f"{level}{change.after}," for change in changes)
    return Journalled(
        trial.uid,
        trial.user,
        trial.role,
        "test motor",
        trial.selection,
        "",
        f"{{{before}}}",
        f'{{{after}"{trial.selection}.test":"{result}"}}',
    )


def _fell(trial: Trial, world: Snapshot) -> str:
    if not world.policy.drop_sensor:
        return "there is no drop sensor to see what fell"
    return {0: "nothing was seen to fall", 1: "a product fell"}.get(
        trial.drops, f"{trial.drops} things fell"
    )
