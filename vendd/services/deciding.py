"""One decision, whole and pure: a report, and what memory and world are after it.

The engine decides with this, and so does whoever replays a recording of its reports: nothing
here waits, reads a clock, draws lots or touches a device.
"""

from dataclasses import dataclass, replace

from vendd.core.rows import Record
from vendd.core.sale.acts import Act
from vendd.core.sale.machine import step
from vendd.core.sale.reports import Report
from vendd.core.service import observe
from vendd.core.snapshot import Moment, Snapshot
from vendd.services import inventory
from vendd.services.memory import Memory


@dataclass(frozen=True, slots=True)
class Decision:
    """`world`: with what the report says and its moment; `after`: with `records`, too."""

    report: Report
    world: Snapshot
    memory: Memory
    after: Snapshot
    records: tuple[Record, ...]
    acts: tuple[Act, ...]


def decide(memory: Memory, snapshot: Snapshot, report: Report, moment: Moment) -> Decision:
    """What the report leads to. `records`: the machine's, and what they mean for the stock."""
    service = memory.service.step(report)
    world = replace(observe(snapshot, service, report), now=moment)
    sale, decided, acts = step(memory.sale, report, world)
    records = (*decided, *inventory.facts_of(decided, world))
    after = world.after(decided) if decided else world
    return Decision(report, world, Memory(sale, service), after, records, acts)
