"""Money outside a sale: claims, credit, change and what moves (events.md sections 2 and 4)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

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
    how: Literal["spent", "paid_by_hand", "refunded_elsewhere", "written_off"]
    by: str


class CreditEnd(StrEnum):
    LEVER = "lever"
    IDLE = "idle"
    OUT_OF_SERVICE = "out_of_service"
    DOOR = "door"
    POWER_LOSS = "power_loss"
    VEND_FAILED = "vend_failed"
    LATE_COIN = "late_coin"  # credited while the rest was already on its way out
    REVALUED = "revalued"  # put on the holder's card, who asked for it


@dataclass(frozen=True, slots=True)
class CreditClosed(Fact):
    """Credit ended without a sale."""

    session_id: str
    inserted: int
    returned: int
    owed: int
    forfeited: int
    reason: CreditEnd
    revalued: int | None = None  # put on a card


@dataclass(frozen=True, slots=True)
class TubeLevel:
    coin: int
    count: int
    full: bool
    defective: bool
    dispensable: int


@dataclass(frozen=True, slots=True)
class ExactChange(Fact):
    """The exact-change sign went on or off; it is so `since`."""

    state: bool
    reason: str
    tubes: tuple[TubeLevel, ...]
    since: str | None = None


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


@dataclass(frozen=True, slots=True)
class RecyclerLevel:
    """A bill type that the recycler keeps; `dispensable`: what may be paid from it now."""

    bill: int
    count: int
    full: bool
    defective: bool
    dispensable: int


@dataclass(frozen=True, slots=True)
class HopperLevel:
    """A hopper. `count` is an estimate where the hopper can't count what is in it."""

    hopper: str
    coin: int
    count: int
    empty: bool


@dataclass(frozen=True, slots=True)
class PieceCount:
    """`count` coins or bills of one value."""

    value: int
    count: int


@dataclass(frozen=True, slots=True)
class Box:
    """A box that nobody can pay from: coin box or stacker. `value` in total."""

    value: int
    pieces: tuple[PieceCount, ...]


@dataclass(frozen=True, slots=True)
class CashLevel(Fact):
    """The money in the machine. A part that it has not, or doesn't count, is left out.

    `change_value`: what could be paid out now. `claims_open`: the amount owed on open claims.
    """

    tubes: tuple[TubeLevel, ...]
    exact_change_only: bool
    change_value: int
    claims_open: int
    reason: Literal["hourly", "exact_change", "visit", "request"]
    recycler: tuple[RecyclerLevel, ...] | None = None
    hoppers: tuple[HopperLevel, ...] | None = None
    coin_box: Box | None = None
    stacker: Box | None = None
    stacker_full: bool | None = None
    disabled_coins: tuple[int, ...] | None = None
    disabled_bills: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class CollectionPeriod:
    """What a collection covers: everything from one seq and time to another."""

    from_seq: int
    to_seq: int
    begun: str
    ended: str


@dataclass(frozen=True, slots=True)
class CashCollected(Fact):
    """Coin box, stacker or tubes were taken; at the machine, not counted there."""

    collection_no: int
    what: Literal["coin_box", "stacker", "tubes", "all"]
    bag_no: tuple[str, ...]
    expected: tuple[PieceCount, ...]
    expected_value: int
    period: CollectionPeriod
    tubes_left: tuple[TubeLevel, ...]
    by: str
    audit_report_id: str | None = None


@dataclass(frozen=True, slots=True)
class CashCounted(Fact):
    """A collection's count arrived. `difference`: counted minus expected."""

    collection_no: int
    counted: tuple[PieceCount, ...]
    difference: int
    by: str


@dataclass(frozen=True, slots=True)
class AuditTotals:
    """Totals of EVA-DTS, named as its data elements: sales, cash in by way, cashless."""

    va1: int
    ca2: int
    ca3: int
    ca4: int
    ca8: int
    ca10: int
    ca15: int
    da2: int
    db2: int


@dataclass(frozen=True, slots=True)
class AuditSnapshot(Fact):
    """An EVA-DTS report. `text`: base64 of its zlib-compressed text, cut into `parts`."""

    report_id: str
    kind: Literal["nightly", "collection", "request", "replacement"]
    reset: bool
    reads: int
    resets: int
    text: str
    part: int
    parts: int
    totals: AuditTotals
