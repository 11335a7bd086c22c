"""What the cashless machine has to tell: one class per kind of news, amounts in minor units."""

from dataclasses import dataclass
from enum import Enum

from vendd.wire.mdb.changer_data import Identity
from vendd.wire.mdb.changer_news import FaultBegan, FaultGone, Lost

__all__ = ["FaultBegan", "FaultGone", "Lost"]  # the same for every device


@dataclass(frozen=True, slots=True)
class ReaderDescription:
    """What the device says of itself, and what was agreed. `currency`: four hex digits as sent."""

    identity: Identity
    level: int
    currency: str
    scale: int
    decimals: int
    max_response_s: int
    refunds: bool
    multivend: bool
    wants_cash_sales: bool
    selection_first: bool  # always idle: VEND REQUEST without a session
    wide: bool


@dataclass(frozen=True, slots=True)
class ReaderReady:
    """Initialised: it is enabled as wished from now on."""

    description: ReaderDescription


@dataclass(frozen=True, slots=True)
class Session:
    """The device opened a session. `funds` None: not told, or not determined.

    `pricing`: 0 the machine's prices, 1 group and price list, 2 group and discount group,
    3 discount percentage, 4 surcharge percentage; `pricing_data` belongs to it.
    """

    funds: int | None
    media_id: str = ""
    pricing: int = 0
    pricing_data: int = 0
    free_card: bool = False
    test_card: bool = False
    hide_funds: bool = False
    refundable: bool | None = None  # None: not told
    revaluable: bool | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class SessionOver:
    """The device is free again: once per session, and once per vend without a session."""

    why: str


@dataclass(frozen=True, slots=True)
class VendTaken:
    """The holder pays `amount`, which may differ from the price. `token`: worth one vend."""

    id: str
    amount: int
    token: bool = False


@dataclass(frozen=True, slots=True)
class VendNot:
    """No vend. `doubtful`: the holder may have been charged all the same."""

    id: str
    why: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class SuccessTold:
    """The sale stands. `acknowledged` False: the device did not hear of it."""

    id: str
    acknowledged: bool


class Refund(Enum):
    """How a VEND FAILURE ended."""

    CONFIRMED = "confirmed"
    FAILED = "failed"  # 0A Cx: the device could not give the money back
    UNCONFIRMED = "unconfirmed"  # silence, a reset, an answer that was lost
    UNSUPPORTED = "unsupported"  # taken, by a device or card that can't refund


@dataclass(frozen=True, slots=True)
class FailureSettled:
    id: str
    refund: Refund


@dataclass(frozen=True, slots=True)
class Revalued:
    """`doubtful`: no answer; the amount may be on the card or not."""

    id: str
    approved: bool
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class RevalueUpTo:
    """The most that the card takes, None when it takes nothing."""

    limit: int | None


@dataclass(frozen=True, slots=True)
class AgeChecked:
    """`bits` as the device sent them, empty when no answer came."""

    id: str
    verified: bool
    bits: str = ""


@dataclass(frozen=True, slots=True)
class ReaderText:
    """Text for the machine's display."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TimeAsked:
    """The device asks for time and date: `write_time` answers."""


@dataclass(frozen=True, slots=True)
class Hiccup:
    """A transient malfunction (bad card, tampering); it is over when it is told."""

    code: str
    detail: str


CashlessNews = (
    ReaderReady
    | Lost
    | Session
    | SessionOver
    | VendTaken
    | VendNot
    | SuccessTold
    | FailureSettled
    | Revalued
    | RevalueUpTo
    | AgeChecked
    | ReaderText
    | TimeAsked
    | Hiccup
    | FaultBegan
    | FaultGone
)
