"""What the changer machine has to tell: one class per kind of news, values in minor units."""

from dataclasses import dataclass

from vendd.wire.mdb.changer_data import Identity
from vendd.wire.mdb.payout import Coins


@dataclass(frozen=True, slots=True)
class CoinKind:
    """A coin type (0..15) that has a value."""

    type: int
    value: int
    to_tube: bool


@dataclass(frozen=True, slots=True)
class TubeLevel:
    type: int
    value: int
    count: int
    full: bool
    defective: bool


@dataclass(frozen=True, slots=True)
class Description:
    """What the changer says of itself in SETUP and IDENT. `currency`: four hex digits as sent."""

    identity: Identity
    level: int
    currency: str
    scale: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Initialised: coins are taken as wished from now on."""

    description: Description
    coins: tuple[CoinKind, ...]
    tubes: tuple[TubeLevel, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """Silent for longer than its non-response time, or not usable. Once per transition."""

    why: str


@dataclass(frozen=True, slots=True)
class TubesSeen:
    """Counts that changed or were asked for; no payout is under way."""

    tubes: tuple[TubeLevel, ...]


@dataclass(frozen=True, slots=True)
class CoinIn:
    type: int
    value: int
    in_tube: bool
    tube_count: int


@dataclass(frozen=True, slots=True)
class CoinOut:
    """No credit. `why`: rejected, slug, lost, double_arrival."""

    why: str
    type: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Lever:
    pass


@dataclass(frozen=True, slots=True)
class ByHand:
    """Coins that left by the changer's own buttons."""

    type: int
    count: int
    tube_count: int


@dataclass(frozen=True, slots=True)
class FaultBegan:
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FaultGone:
    code: str


@dataclass(frozen=True, slots=True)
class PayoutTaken:
    """The changer took the command up: a `PayoutDone` follows, exactly one."""

    id: str


@dataclass(frozen=True, slots=True)
class PayoutRefused:
    """Certainly nothing moved, and nothing will."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class PayoutDone:
    id: str
    paid: Coins
    certain: bool
    why: str


News = (
    Ready
    | Lost
    | TubesSeen
    | CoinIn
    | CoinOut
    | Lever
    | ByHand
    | FaultBegan
    | FaultGone
    | PayoutTaken
    | PayoutRefused
    | PayoutDone
)
