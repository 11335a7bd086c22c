"""What the bill validator machine has to tell: one class per kind of news, values in minor units.

`bill` numbers the bills that were seen in escrow, from 1 in each life of the machine;
None stands for one that was not (or not in this life).
"""

from dataclasses import dataclass
from enum import Enum

from vendd.wire.mdb.changer_news import (
    Description,
    FaultBegan,
    FaultGone,
    Lever,
    Lost,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
)


@dataclass(frozen=True, slots=True)
class BillKind:
    """A bill type (0..15) that has a value. `recycled`: the recycler can take and pay it."""

    type: int
    value: int
    recycled: bool


@dataclass(frozen=True, slots=True)
class RecyclerLevel:
    type: int
    value: int
    count: int
    full: bool
    defective: bool


@dataclass(frozen=True, slots=True)
class StackerSeen:
    """A STACKER answer that differs from the one before, or was asked for."""

    count: int
    full: bool
    capacity: int


@dataclass(frozen=True, slots=True)
class StackerEmptied:
    """The stacker's count fell: `count` bills were taken out (or the counter was cleared)."""

    count: int


@dataclass(frozen=True, slots=True)
class RecyclerSeen:
    """Counts that changed or were asked for; no payout is under way."""

    levels: tuple[RecyclerLevel, ...]


@dataclass(frozen=True, slots=True)
class BillsReady:
    """Initialised: bills are taken as wished from now on. `escrow`: it can hold a bill."""

    description: Description
    kinds: tuple[BillKind, ...]
    escrow: bool
    stacker: StackerSeen
    recycler: tuple[RecyclerLevel, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A bill is on its way in; `active` False when none of the news below became of it."""

    active: bool


@dataclass(frozen=True, slots=True)
class InEscrow:
    """A bill waits for `stack` or `give_back`. Not money.

    A second one for the same `bill`: the order given before had no effect.
    """

    bill: int
    type: int
    value: int


@dataclass(frozen=True, slots=True)
class Stacked:
    """The one and only credit: the bill is in the stacker, or in the recycler."""

    bill: int | None
    type: int
    value: int
    recycled: bool


@dataclass(frozen=True, slots=True)
class Returned:
    """The customer has the bill again. `why`: ordered, returned (of its own), removed."""

    bill: int | None
    type: int
    value: int
    why: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """No credit. `why`: rejected, type_disabled, disabled."""

    why: str
    type: int | None = None
    count: int = 1


class Phase(Enum):
    """Where a bill was when contact with it was lost."""

    READING = "reading"  # between slot and escrow; its type is not known
    ESCROW = "escrow"
    STACKING = "stacking"
    RETURNING = "returning"


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The validator was reset or lost with a bill inside. `Stacked`, `Returned` or `Unclear`
    follows, the last one 30 s after it is ready again (never for `Phase.READING`)."""

    bill: int | None
    type: int | None
    value: int
    phase: Phase
    why: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It is not known where a bill is, and nothing will tell. Not credited.

    `stacker_rose`: the validator's own count went up since the bill came; None: no evidence.
    """

    bill: int | None
    type: int
    value: int
    why: str
    stacker_rose: bool | None


@dataclass(frozen=True, slots=True)
class RecyclerByHand:
    """A bill moved in the recycler without the machine: filled, dispensed, to_box."""

    type: int
    value: int
    what: str


@dataclass(frozen=True, slots=True)
class BillOffered:
    """A paid bill sticks out and has to be taken; `waiting` False when it is gone."""

    waiting: bool


@dataclass(frozen=True, slots=True)
class FillKey:
    """Someone pressed the recycler's fill key."""


News = (
    BillsReady
    | Lost
    | StackerSeen
    | StackerEmptied
    | RecyclerSeen
    | Reading
    | InEscrow
    | Stacked
    | Returned
    | Refusal
    | Interrupted
    | Unclear
    | RecyclerByHand
    | BillOffered
    | FillKey
    | Lever
    | FaultBegan
    | FaultGone
    | PayoutTaken
    | PayoutRefused
    | PayoutDone
)
