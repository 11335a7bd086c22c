"""Money outside a sale: claims, credit, change and what moves (events.md sections 2 and 4)."""

from dataclasses import dataclass
from enum import StrEnum

from vendd.core.facts.fact import Fact
from vendd.core.facts.sale import Reason


@dataclass(frozen=True, slots=True)
class RefundDue(Fact):
    """An amount that must be refunded outside the machine."""

    sale_id: str
    claim_ref: str
    amount: int
    tender: str
    item_no: int
    reason: Reason
    reader_serial: str | None = None
    media_hash: str | None = None
    approved_at: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimOpened(Fact):
    """The machine owes a customer money that it couldn't pay."""

    claim_ref: str
    amount: int
    reason: str  # payout_incomplete, changer_lost, out_of_service, power_loss, no_change
    sale_id: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimClosed(Fact):
    claim_ref: str
    amount: int
    how: str  # spent, paid_by_hand, refunded_elsewhere, written_off
    by: str


class CreditEnd(StrEnum):
    LEVER = "lever"
    IDLE = "idle"
    OUT_OF_SERVICE = "out_of_service"
    DOOR = "door"
    POWER_LOSS = "power_loss"
    VEND_FAILED = "vend_failed"
    LATE_COIN = "late_coin"  # credited while the rest was already on its way out


@dataclass(frozen=True, slots=True)
class CreditClosed(Fact):
    """Credit ended without a sale."""

    session_id: str
    inserted: int
    returned: int
    owed: int
    forfeited: int
    reason: CreditEnd


@dataclass(frozen=True, slots=True)
class TubeLevel:
    coin: int
    count: int
    full: bool
    defective: bool
    dispensable: int


@dataclass(frozen=True, slots=True)
class ExactChange(Fact):
    """The exact-change sign went on or off."""

    state: bool
    reason: str
    tubes: tuple[TubeLevel, ...]


@dataclass(frozen=True, slots=True)
class CoinCount:
    coin: int
    count: int


@dataclass(frozen=True, slots=True)
class CashMoved(Fact):
    """Money moved, and not as part of a sale.

    `src`/`dst`: tube, coin_box, customer, operator, unexplained.
    """

    src: str
    dst: str
    denominations: tuple[CoinCount, ...]
    value: int
    reason: str  # fill, manual_dispense, tube_to_box, collection, correction, test…
    door_open: bool
