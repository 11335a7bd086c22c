"""What the world tells the machine about bills; beside `vendd.core.sale.reports`.

A bill is money once it is in the stacker or the recycler (`BillStacked`), never
before. `bill` numbers the bills seen in escrow from 1 since the daemon started;
None: it was never seen there in this life. Values are minor units, `type` is the
validator's own number (0..15).
"""

from dataclasses import dataclass
from enum import StrEnum

from vendd.core.sale.reports import DeviceIdentity, Report


@dataclass(frozen=True, slots=True)
class BillType:
    """A bill that the validator knows. `recycled`: its recycler can take and pay it."""

    type: int
    value: int
    recycled: bool


@dataclass(frozen=True, slots=True)
class Stacker:
    """The stacker by the validator's own count. `capacity` 0: not told."""

    count: int
    full: bool
    capacity: int


@dataclass(frozen=True, slots=True)
class RecyclerStore:
    """Bills of one type that the recycler can pay. Full with count 0 = defective (MDB 37 05)."""

    type: int
    value: int
    count: int
    full: bool = False
    defective: bool = False


@dataclass(frozen=True, slots=True)
class BillValidatorReady(Report):
    """The validator finished its initialisation. `escrow`: it can hold a bill; without it a
    bill is stacked as soon as it is accepted."""

    identity: DeviceIdentity
    bills: tuple[BillType, ...]
    escrow: bool
    stacker: Stacker
    recycler: tuple[RecyclerStore, ...]


@dataclass(frozen=True, slots=True)
class BillValidatorLost(Report):
    """The validator stopped answering, or can't be used; `why` in words."""

    why: str


@dataclass(frozen=True, slots=True)
class StackerRead(Report):
    """The stacker's count, when it changed or was asked for."""

    stacker: Stacker


@dataclass(frozen=True, slots=True)
class RecyclerRead(Report):
    """The recycler's counts, taken while no bill moves by the machine's own doing."""

    stores: tuple[RecyclerStore, ...]


@dataclass(frozen=True, slots=True)
class BillsRemoved(Report):
    """The stacker's count fell: it was emptied of about `count` bills (or its counter cleared)."""

    count: int


@dataclass(frozen=True, slots=True)
class BillReading(Report):
    """A bill is on its way in; `active` False when it is gone without any further report."""

    active: bool


@dataclass(frozen=True, slots=True)
class BillInEscrow(Report):
    """A bill waits to be stacked or returned. No money yet.

    A second one with the same `bill`: the order given before had no effect; decide again.
    """

    bill: int
    type: int
    value: int


class BillPath(StrEnum):
    """Where an accepted bill went."""

    STACKER = "stacker"
    RECYCLER = "recycler"


@dataclass(frozen=True, slots=True)
class BillStacked(Report):
    """The bill is in: the only report that is credit. `bill` None and a bill on record from an
    earlier life: it is that one."""

    bill: int | None
    type: int
    value: int
    path: BillPath


@dataclass(frozen=True, slots=True)
class BillReturned(Report):
    """The customer has the bill again. `why`: ordered, returned (by the validator itself),
    removed (pulled out of the escrow). `value` 0: a kind that has no value here."""

    bill: int | None
    type: int
    value: int
    why: str


@dataclass(frozen=True, slots=True)
class BillRejected(Report):
    """A bill came back before it was any; `why`: rejected, type_disabled, disabled."""

    why: str
    type: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class BillInterrupted(Report):
    """The validator was reset or lost with a bill inside. `phase`: reading, escrow, stacking,
    returning. `BillStacked`, `BillReturned`, `BillInEscrow` or (30 s after it is ready again)
    `BillUnclear` follows, except for `reading`, where nothing has to."""

    bill: int | None
    type: int | None
    value: int
    phase: str
    why: str


@dataclass(frozen=True, slots=True)
class BillUnclear(Report):
    """Nobody knows where a bill is. Not credit; a `BillStacked` for it may still come, late.

    `stacker_rose`: the stacker's count went up by a bill that was not reported (None: it does
    not count).
    """

    bill: int | None
    type: int
    value: int
    why: str
    stacker_rose: bool | None


class RecyclerChange(StrEnum):
    """How a bill moved in the recycler without the machine."""

    FILLED = "filled"
    DISPENSED = "dispensed"
    TO_BOX = "to_box"


@dataclass(frozen=True, slots=True)
class RecyclerHandled(Report):
    """One bill moved in the recycler by hand, or by itself into the cash box."""

    type: int
    value: int
    change: RecyclerChange


@dataclass(frozen=True, slots=True)
class BillOffered(Report):
    """A paid bill sticks out of the recycler; `waiting` False when it was taken or drawn in."""

    waiting: bool


@dataclass(frozen=True, slots=True)
class RecyclerKeyPressed(Report):
    """The recycler's fill key."""


@dataclass(frozen=True, slots=True)
class BillPayoutEnded(Report):
    """A payout from the recycler is over; as `reports.PayoutEnded`, `paid` counts bill types."""

    payout_id: str
    paid: tuple[tuple[int, int], ...]  # (bill type, count)
    certain: bool
    why: str = ""
