"""What one commit changes in the books: rows, beside the facts that are published.

A *record* is either a row change (here) or a `Fact`. `vendd.store` applies all
records of one decision in one transaction; `Snapshot.after` applies the same
rows to the copy in memory once that transaction is durable, so that the machine
always decides on what is committed.
"""

from dataclasses import dataclass

from vendd.core.facts import Channel, Fact, StockReason
from vendd.core.planogram import SlotState


class Row:
    """Marker: a change to a table."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reserved(Row):
    """`quantity` of the slot is spoken for by this sale (S1)."""

    sale_id: str
    selection: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Released(Row):
    """The reservation of this sale is gone: sold or given back."""

    sale_id: str
    selection: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class LevelChanged(Row):
    """The slot's level moves by `delta`; the store refuses a level below 0 (S2)."""

    selection: str
    delta: int
    reason: StockReason
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class SlotSet(Row):
    """A slot goes on or off sale."""

    selection: str
    state: SlotState
    reason: str
    no_drop_streak: int = 0


@dataclass(frozen=True, slots=True)
class Posted(Row):
    """`amount` (> 0, minor units) from account `credit` to account `debit` (`core.ledger`)."""

    debit: str
    credit: str
    amount: int
    reason: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class TubeSet(Row):
    """The books' count for one tube; the ledger is moved by `Posted` beside it."""

    type: int
    value: int
    count: int
    full: bool = False
    defective: bool = False


@dataclass(frozen=True, slots=True)
class RecyclerSet(Row):
    """The books' count for one bill type of the recycler; beside a `Posted`, as `TubeSet`."""

    type: int
    value: int
    count: int
    full: bool = False
    defective: bool = False


@dataclass(frozen=True, slots=True)
class BoxChanged(Row):
    """`delta` pieces of `value` more (or fewer) in a box nobody can pay from.

    `box`: ``coin_box`` or ``stacker``; beside a `Posted` of the same money.
    """

    box: str
    value: int
    delta: int


@dataclass(frozen=True, slots=True)
class ClaimSet(Row):
    """A claim as it stands: opened, or closed (`closed_how` not None)."""

    ref: str
    amount: int
    reason: str
    sale_id: str | None = None
    closed_how: str | None = None
    closed_by: str | None = None


@dataclass(frozen=True, slots=True)
class SettingSet(Row):
    """A small named value that must survive: JSON text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CountersAdded(Row):
    """Totals since initialisation."""

    sales_count: int = 0
    sales_value: int = 0
    cash_in: int = 0
    cash_out: int = 0


@dataclass(frozen=True, slots=True)
class VendPart:
    """What one tender paid of a vend. `device`: CA cash, DA and DB cashless 1 and 2, TA token
    (EVA-DTS PA702). `worth`: of a token that stands for money; None: for one product."""

    device: str
    amount: int
    price_list: int = 0
    worth: int | None = None


@dataclass(frozen=True, slots=True)
class Vended(Row):
    """A product is out, for the audit's counters; in the commit of its delivery.

    `price`: what was asked for it, `discount` and `surcharge` in it. Without `parts` it was
    free (or, by its channel, a test).
    """

    sale_id: str
    selection: str
    channel: Channel
    price: int
    parts: tuple[VendPart, ...] = ()
    discount: int = 0
    surcharge: int = 0


@dataclass(frozen=True, slots=True)
class AuditRead(Row):
    """The audit was read by `terminal`. With `reset` the interval counters begin anew: what the
    last read-out showed is taken off."""

    terminal: str
    reset: bool


@dataclass(frozen=True, slots=True)
class Journalled(Row):
    """One line of the audit journal: who did what to money, stock, prices or hardware, and why.

    `uid` and `user` as the operating system knows them. `before` and `after`: JSON objects.
    `outcome`: done, or refused (nothing happened).
    """

    uid: int
    user: str
    role: str
    action: str
    target: str
    why: str
    before: str = "{}"
    after: str = "{}"
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
class PricePending(Row):
    """A price that a person has set and that waits until no customer is there (R4). `asked_at`
    by the wall clock."""

    selection: str
    price_list: str
    price: int
    asked_at: str
    why: str
    user: str


@dataclass(frozen=True, slots=True)
class PriceSet(Row):
    """A slot has this price from now on, until the configuration names another than it did."""

    selection: str
    price_list: str
    price: int


@dataclass(frozen=True, slots=True)
class DoubtSet(Row):
    """A doubtful sale as it stands: open, or decided (`decision` not None). `evidence`: JSON."""

    number: int
    sale_id: str
    amount: int
    tender: str
    policy: str
    booked_as: str
    evidence: str
    decision: str | None = None
    decided_by: str | None = None
    why: str | None = None


Record = Row | Fact
