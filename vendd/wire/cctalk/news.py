"""What the machines of ccTalk devices have to tell. Values in minor units."""

from dataclasses import dataclass, field

from vendd.wire.cctalk.codes import Identity


@dataclass(frozen=True, slots=True)
class Lost:
    """Silent for too long, or not usable. Once per transition."""

    why: str


@dataclass(frozen=True, slots=True)
class FaultBegan:
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FaultGone:
    code: str


# --- coin acceptor ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CoinKind:
    """`position` 1..16 as the acceptor numbers it."""

    position: int
    value: int
    name: str


@dataclass(frozen=True, slots=True)
class CoinsReady:
    """Initialised: coins are taken as wished from now on. `counter`: events told so far."""

    identity: Identity
    coins: tuple[CoinKind, ...]
    counter: int


@dataclass(frozen=True, slots=True)
class CoinIn:
    """Credit. `path`: the sorter's exit, 0 without a sorter. `counter`: the event counter with
    this coin; kept with the credit, no other life credits it again."""

    position: int
    value: int
    path: int
    counter: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class CoinOut:
    """No credit. `why`: rejected, slug, lost."""

    why: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Lever:
    """The coin return mechanism (event 254)."""


@dataclass(frozen=True, slots=True)
class EventsLost:
    """`count` events fell out of the device's buffer unread; credit may have been among them.
    None: the device lost power, and nobody knows how many."""

    count: int | None


# --- bill validator ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BillKind:
    """`position` 1..16 as the validator numbers it."""

    position: int
    value: int
    name: str


@dataclass(frozen=True, slots=True)
class BillsReady:
    """Initialised. `counter`: events told so far."""

    identity: Identity
    bills: tuple[BillKind, ...]
    counter: int


@dataclass(frozen=True, slots=True)
class BillHeld:
    """In escrow: no credit yet. `bill` counts the bills seen there, from 1; the same one a second
    time: the order given before had no effect."""

    bill: int
    position: int
    value: int


@dataclass(frozen=True, slots=True)
class BillStacked:
    """Credit: the bill is in the cash box. `bill` None: it was not seen in escrow.
    `counter`: as that of `CoinIn`."""

    bill: int | None
    position: int
    value: int
    counter: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class BillReturned:
    """Out of escrow, back to the customer. `why`: ordered, returned (by itself)."""

    bill: int | None
    position: int
    value: int
    why: str


@dataclass(frozen=True, slots=True)
class BillRefused:
    """Never got as far as escrow. `why`: rejected, type_disabled."""

    why: str


@dataclass(frozen=True, slots=True)
class BillInterrupted:
    """The validator was lost or lost its power with this bill inside. `phase`: escrow, stacking,
    returning."""

    bill: int
    position: int
    value: int
    phase: str
    why: str


@dataclass(frozen=True, slots=True)
class BillUnclear:
    """Nobody knows where this bill is. No credit; its event may still come, late."""

    bill: int
    position: int
    value: int
    why: str


# --- hopper -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a hopper says of its payouts: read before one, it decides afterwards what happened.

    `counter` 0: powered up since the last one. `paid`, `unpaid`: of the last payout.
    `dispensed`: coins in its whole life modulo 2**24; None where it does not tell.
    """

    counter: int
    remaining: int
    paid: int
    unpaid: int
    dispensed: int | None = None


@dataclass(frozen=True, slots=True)
class HopperReady:
    """Initialised; `evidence` is what the next payout is compared with."""

    identity: Identity
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class PayoutTaken:
    """The hopper took the command up: a `PayoutDone` follows, exactly one."""

    id: str


@dataclass(frozen=True, slots=True)
class PayoutRefused:
    """Certainly nothing moved, and nothing will."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class PayoutDone:
    """`certain` False: `paid` coins are known at least."""

    id: str
    paid: int
    certain: bool
    why: str


News = (
    Lost
    | FaultBegan
    | FaultGone
    | CoinsReady
    | CoinIn
    | CoinOut
    | Lever
    | EventsLost
    | BillsReady
    | BillHeld
    | BillStacked
    | BillReturned
    | BillRefused
    | BillInterrupted
    | BillUnclear
    | HopperReady
    | PayoutTaken
    | PayoutRefused
    | PayoutDone
)
