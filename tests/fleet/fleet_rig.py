"""An inventory consumer on a database, without Kafka: records are handed to its pump."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from vendd.events import TOPICS
from vendd.fleet.completeness import Completeness, completeness, machines
from vendd.fleet.contract import checks
from vendd.fleet.database import Database, migrate
from vendd.fleet.envelope import DLQ_SUFFIX, Record
from vendd.fleet.inventory import Inventory
from vendd.fleet.pump import Handled, Offsets, Pump
from vendd.fleet.reconcile import differences

CHECKS = checks()
PARTS = [(topic + suffix, 0) for topic in TOPICS for suffix in ("", DLQ_SUFFIX)]


@dataclass
class SetClock:
    """A clock that stands where the test put it."""

    ms: int = 1_800_000_000_000

    def now_ms(self) -> int:
        return self.ms


@dataclass
class Rig:
    """A consumer, what it buried, and how long it waited."""

    database: Database
    clock: SetClock = field(default_factory=SetClock)
    buried: list[tuple[Record, str]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    group: str = "inventory"
    no_grave: bool = False

    def __post_init__(self) -> None:
        migrate(self.database)
        self.restart()

    def restart(self) -> None:
        """A new process: nothing in memory, everything from the database."""
        self.pump = Pump(
            self.database,
            Offsets(self.group, "test"),
            Inventory(self.database, "test", self.clock),
            CHECKS,
            self._bury,
            self.clock,
            self.waited.append,
        )
        self.begun = self.pump.assigned(PARTS)

    def _bury(self, record: Record, reason: str) -> bool:
        self.buried.append((record, reason))
        return not self.no_grave

    def take(self, records: Sequence[Record], size: int = 50) -> Handled:
        """All records, `size` at a time."""
        done = Handled()
        for begin in range(0, len(records), size):
            done.add(self.pump.take(records[begin : begin + size]))
        return done

    def completeness(self, machine: str = "m-1") -> Completeness:
        with self.database.transaction() as session:
            return completeness(session, machine)

    def lines(self, machine: str = "m-1") -> list[str]:
        return self.completeness(machine).lines()

    def differences(self, machine: str = "m-1") -> list[str]:
        with self.database.transaction() as session:
            return [str(each) for each in differences(session, machine)]

    def projection(self) -> dict[str, list[tuple[object, ...]]]:
        """Every table, lives by their name instead of by the number that their arrival gave."""
        with self.database.transaction() as session:
            names = {
                (machine, life): (bootid, bootcount, epoch)
                for machine, life, bootid, bootcount, epoch in session.rows(
                    "SELECT machine, life, bootid, bootcount, epoch FROM lives"
                )
            }
            found: dict[str, list[tuple[object, ...]]] = {}
            for table in BY_LIFE:
                rows = session.rows(f"SELECT * FROM {table}")
                found[table] = sorted(
                    ((row[0], names[row[0], row[1]], *row[2:]) for row in rows), key=repr
                )
            for table in BY_MACHINE:
                found[table] = sorted(session.rows(f"SELECT * FROM {table}"), key=repr)
            assert machines(session) == sorted({machine for machine, _ in names})
        return found


BY_LIFE = (
    "lives",
    "spans",
    "accounted",
    "inbox",
    "totals",
    "sales",
    "slot_levels",
    "slot_terms",
    "cash_flows",
    "latest",
    "matters",
    "closings",
)
BY_MACHINE = ("last_sales", "slot_outcomes", "unknowns")


def numbered(records: Iterable[Record]) -> list[Record]:
    """The records as one broker would hold them: offsets count per topic, in this order."""
    offsets: dict[str, int] = {}
    placed: list[Record] = []
    for record in records:
        offset = offsets[record.topic] = offsets.get(record.topic, -1) + 1
        placed.append(replace(record, offset=offset))
    return placed


def shuffled(records: Sequence[Record], chance: random.Random) -> list[Record]:
    """The topics read at their own pace: each in order, in any mixture."""
    queues: dict[str, list[Record]] = {}
    for record in records:
        queues.setdefault(record.topic, []).append(record)
    mixed: list[Record] = []
    while queues:
        topic = chance.choice(list(queues))
        for _ in range(chance.randrange(1, 20)):
            mixed.append(queues[topic].pop(0))
            if not queues[topic]:
                del queues[topic]
                break
    return mixed
