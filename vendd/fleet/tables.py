"""The projection's tables, and how two rows of the same key become one.

Every rule is commutative and associative, so the projection depends on which
events there were and not on their order: dead letters are replayed late, and
topics are read independently. FIRST and LAST go by the machine's own `seq`
within one life; lives are put in order when the projection is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Any, Final

from vendd.fleet.database import Session, Upsert

Row = tuple[Any, ...]


class Rule(Enum):
    """What becomes of a column when a key is seen again."""

    SUM = auto()
    MIN = auto()
    MAX = auto()
    FIRST = auto()  # of the row whose `first_by` is smaller
    LAST = auto()  # of the row whose `last_by` is larger
    NEW = auto()  # the writer has read the old one and knows better


@dataclass(frozen=True, eq=False)
class Table:
    """One table: key columns, then columns with their rules, in the order of its rows. A `log`
    has one row per event: a number is projected once, so its rows never meet."""

    name: str
    key: tuple[str, ...]
    rules: Mapping[str, Rule]
    first_by: str | None = None
    last_by: str | None = None
    log: bool = False

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, *self.rules)

    @cached_property
    def _order(self) -> tuple[int, int]:
        """Where `first_by` and `last_by` stand among the values; -1: not at all."""
        names = list(self.rules)
        return (
            names.index(self.first_by) if self.first_by is not None else -1,
            names.index(self.last_by) if self.last_by is not None else -1,
        )

    @cached_property
    def _kinds(self) -> tuple[Rule, ...]:
        return tuple(self.rules.values())

    def merged(self, old: Row, new: Row) -> Row:
        """One row out of two values of the same key (without the key columns)."""
        first, last = self._order
        earlier = first >= 0 and new[first] < old[first]
        later = last >= 0 and new[last] > old[last]
        values: list[Any] = []
        for place, rule in enumerate(self._kinds):
            one, other = old[place], new[place]
            if rule is Rule.SUM:
                values.append(one + other)
            elif rule is Rule.FIRST:
                values.append(other if earlier else one)
            elif rule is Rule.LAST:
                values.append(other if later else one)
            elif rule is Rule.MIN:
                values.append(min(one, other))
            elif rule is Rule.MAX:
                values.append(max(one, other))
            else:
                values.append(other)
        return tuple(values)

    def write(self, session: Session, rows: Sequence[Row]) -> None:
        """Put rows with different keys into the database, merged with what is there."""
        if self.log:
            session.load(self.name, self.columns, rows)
        else:
            session.merge(self._upsert, rows)

    @cached_property
    def _upsert(self) -> Upsert:
        changes = ", ".join(
            f"{name} = {self._sql(rule, name)}" for name, rule in self.rules.items()
        )
        return Upsert(self.name, self.columns, f"({', '.join(self.key)}) DO UPDATE SET {changes}")

    def _sql(self, rule: Rule, name: str) -> str:
        old, new = f"{self.name}.{name}", f"excluded.{name}"
        match rule:
            case Rule.SUM:
                return f"{old} + {new}"
            case Rule.NEW:
                return new
            case Rule.MIN:
                better = f"{new} < {old}"
            case Rule.MAX:
                better = f"{new} > {old}"
            case _:
                by, sign = (self.first_by, "<") if rule is Rule.FIRST else (self.last_by, ">")
                better = f"excluded.{by} {sign} {self.name}.{by}"
        return f"CASE WHEN {better} THEN {new} ELSE {old} END"


def _log(name: str, *columns: str) -> Table:
    return Table(name, ("machine", "life", "seq"), dict.fromkeys(columns, Rule.NEW), log=True)


class Rows:
    """What a batch of events adds to the tables, one row per key."""

    def __init__(self) -> None:
        self._rows: dict[Table, dict[Row, Row]] = {}

    def put(self, table: Table, key: Row, *values: Any) -> None:
        rows = self._rows.setdefault(table, {})
        old = rows.get(key)
        rows[key] = values if old is None else table.merged(old, values)

    def __iter__(self) -> Iterator[tuple[Table, list[Row]]]:
        """Tables and their rows in a fixed order, so that two writers never wait in a circle."""
        for table in sorted(self._rows, key=lambda each: each.name):
            rows = self._rows[table]
            yield table, [(*key, *rows[key]) for key in sorted(rows)]


LIVES: Final = Table(
    "lives",
    ("machine", "life"),
    dict.fromkeys(("bootid", "bootcount", "epoch", "first_ms", "last_ms", "low", "high"), Rule.NEW),
)

ACCOUNTED: Final = Table(
    "accounted",
    ("machine", "life", "first_seq", "last_seq", "how"),
    {"why": Rule.MAX},
)
"""Numbers that need no event. `how`: thinned, dead_letter."""

TOTALS: Final = Table(
    "totals",
    ("machine", "life"),
    {
        "sold": Rule.SUM,
        "value": Rule.SUM,
        "first_seq": Rule.MIN,
        "opening_count": Rule.FIRST,
        "opening_value": Rule.FIRST,
        "last_seq": Rule.MAX,
        "reported_count": Rule.LAST,
        "reported_value": Rule.LAST,
    },
    first_by="first_seq",
    last_by="last_seq",
)
"""Sales counted here beside what the machine says it has counted since its initialisation."""

SALES: Final = _log(
    "sales",
    "sale_id",
    "sale_no",
    "closed_ms",
    "channel",
    "outcome",
    "reason",
    "slot",
    "product_id",
    "quantity",
    "price_charged",
    "currency",
    "tenders",
)
"""One row per closed sale. `tenders`: JSON; card tenders match the processor's statement."""

SLOT_LEVELS: Final = Table(
    "slot_levels",
    ("machine", "life", "slot"),
    {
        "first_seq": Rule.MIN,
        "opening": Rule.FIRST,
        "moved": Rule.SUM,
        "moves": Rule.SUM,
        "last_seq": Rule.MAX,
        "level": Rule.LAST,
        "level_ms": Rule.LAST,
    },
    first_by="first_seq",
    last_by="last_seq",
)
"""`opening` + `moved` is the projected level, `level` the one that the machine reported last."""

SLOT_TERMS: Final = Table(
    "slot_terms",
    ("machine", "life", "slot"),
    {
        "last_seq": Rule.MAX,
        "product_id": Rule.LAST,
        "capacity": Rule.LAST,
        "par": Rule.LAST,
        "threshold": Rule.LAST,
    },
    last_by="last_seq",
)

CASH_FLOWS: Final = Table(
    "cash_flows",
    ("machine", "life", "flow", "currency"),
    {"amount": Rule.SUM, "times": Rule.SUM},
)
"""Money by where it went, in minor units: ``sale_applied:coin``, ``moved:tube>operator``…"""

LATEST: Final = Table(
    "latest",
    ("machine", "life", "subject", "item"),
    {"last_seq": Rule.MAX, "at_ms": Rule.LAST, "data": Rule.LAST},
    last_by="last_seq",
)
"""The last word of a life about a subject: door, heartbeat, fault/<id>, slot-state/<slot>…"""

BEATS: Final = Table(
    "beats",
    ("machine", "life"),
    {"last_seq": Rule.MAX, "at_ms": Rule.LAST, "next_s": Rule.LAST},
    last_by="last_seq",
)
"""When a machine last said when it would be heard of next."""

MATTERS: Final = _log(
    "matters", "kind", "ref", "sale_id", "opened_ms", "amount", "currency", "detail"
)
"""What somebody has to close: claims, refunds due, doubtful sales."""

CLOSINGS: Final = _log("closings", "ref", "closed_ms", "amount", "how")
"""What closed one: the last matter before it with this reference."""

LAST_SALES: Final = Table("last_sales", ("machine", "tender"), {"at_ms": Rule.MAX})

SLOT_OUTCOMES: Final = Table(
    "slot_outcomes", ("machine", "slot", "outcome", "reason"), {"times": Rule.SUM}
)

UNKNOWNS: Final = Table("unknowns", ("machine", "field", "member"), {"times": Rule.SUM})
"""What a newer machine says that this version doesn't know: event types, enumeration members."""
