"""One decision, whole and pure: a report, and what memory and world are after it.

The engine decides with this, and so does whoever replays a recording of its reports: nothing
here waits, reads a clock, draws lots or touches a device.
"""

from dataclasses import dataclass, replace
from typing import Final

from vendd.core.operator import motor_test, owed, prices
from vendd.core.operator.decide import decide as judge
from vendd.core.operator.orders import Ordered
from vendd.core.operator.verdicts import Decided, Refused
from vendd.core.rows import Record
from vendd.core.sale.acts import Act
from vendd.core.sale.machine import step
from vendd.core.sale.reports import Report
from vendd.core.service import observe
from vendd.core.snapshot import Moment, Snapshot
from vendd.services import inventory, ordering
from vendd.services.memory import Memory

_NO_ORDER: Final = Decided()


@dataclass(frozen=True, slots=True)
class Decision:
    """`world`: with what the report says and its moment; `after`: with `records`, too."""

    report: Report
    world: Snapshot
    memory: Memory
    after: Snapshot
    records: tuple[Record, ...]
    acts: tuple[Act, ...]
    answer: tuple[int, Decided | Refused] | None = None  # to the order of that number


def decide(memory: Memory, snapshot: Snapshot, report: Report, moment: Moment) -> Decision:
    """What the report leads to. `records`: the machine's, and what they mean for the stock."""
    if not isinstance(report, Ordered):
        return _on_report(memory, snapshot, report, moment)
    world = replace(observe(snapshot, memory.service, report), now=moment)
    answer = judge(report, memory.sale, world, memory.kept)
    order = ordering.to_commit(report, answer)
    if order is None:
        return Decision(report, world, memory, world, (), (), (report.number, answer))
    begun = isinstance(answer, Decided) and answer.pending
    told = None if begun else (report.number, answer)
    heard = order.report or report
    return replace(_with(order, memory, snapshot, heard, moment), report=report, answer=told)


def _on_report(memory: Memory, snapshot: Snapshot, report: Report, moment: Moment) -> Decision:
    """A report of a device, perhaps about a motor that a person tests."""
    if memory.kept.trial is not None:
        world = replace(observe(snapshot, memory.service, report), now=moment)
        step_ = motor_test.heard(report, memory.kept, world)
        if step_ is not None:
            number, order, answer = step_
            it = _with(order, memory, snapshot, order.report or report, moment)
            told = None if answer is None else (number, answer)
            return replace(it, report=report, answer=told)
    return _with(_NO_ORDER, memory, snapshot, report, moment)


def _with(
    order: Decided, memory: Memory, snapshot: Snapshot, report: Report, moment: Moment
) -> Decision:
    """What was decided of an order, and what the machine makes of that."""
    service = memory.service.step(report)
    world = replace(observe(snapshot, service, report), now=moment)
    changed = world.after(order.records) if order.records else world
    sale, decided, acts = step(memory.sale, report, changed)
    decided = (*order.records, *decided)
    if world.prices_pending and prices.quiet(memory.sale):  # not with a sale's own last commit
        decided = (*decided, *prices.due(sale, world.after(decided)))
    doubts, kept = owed.doubts_of(decided, order.kept or memory.kept)
    decided = (*decided, *doubts)
    records = (*decided, *inventory.facts_of(decided, world))
    after = world.after(decided) if decided else world
    following = Memory(sale, service, kept)
    return Decision(report, world, following, after, records, (*order.acts, *acts))
