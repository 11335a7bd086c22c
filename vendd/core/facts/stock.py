"""Slots: every change of a level, and the alerts that a level raises (events.md section 3)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from vendd.core.facts.fact import Fact


class StockReason(StrEnum):
    SOLD = "sold"
    TEST = "test"
    FREE = "free"
    SERVICE = "service"
    REFILL = "refill"
    REMOVED_EXPIRED = "removed_expired"
    REMOVED_DAMAGED = "removed_damaged"
    REMOVED_OTHER = "removed_other"
    COUNT_CORRECTION = "count_correction"
    DOUBLE_DROP = "double_drop"
    DROPPED_AFTER_REFUND = "dropped_after_refund"
    PRODUCT_SWAP = "product_swap"


@dataclass(frozen=True, slots=True)
class StockChanged(Fact):
    """Every change of a slot's level. `ref`: the sale or visit that caused it."""

    slot: str
    product_id: str
    before: int
    delta: int
    after: int
    capacity: int
    par: int
    threshold: int
    reason: StockReason
    ref: str | None = None
    earliest_expiry: str | None = None
    lot: str | None = None


class AlertState(StrEnum):
    RAISED = "raised"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class LowStockAlert(Fact):
    """One per crossing of the threshold, in the transaction of the change (S3)."""

    state: AlertState
    slot: str
    product_id: str
    level: int
    threshold: int
    par: int
    needed: int
    product_level_machine: int


@dataclass(frozen=True, slots=True)
class SoldOut(Fact):
    state: AlertState
    slot: str
    product_id: str
    kind: Literal["counted", "suspected"]
    slots_left_for_product: int
    machine_sold_out_share: float


class SlotCondition(StrEnum):
    """Why a slot sells or doesn't."""

    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"
    JAMMED = "jammed"
    DISABLED = "disabled"
    HEALTH = "health"
    EXPIRED = "expired"
    SUSPECTED_EMPTY = "suspected_empty"


@dataclass(frozen=True, slots=True)
class ListPrice:
    """A slot's price on one price list (cash, card ...)."""

    price_list: str
    price: int


@dataclass(frozen=True, slots=True)
class SlotSnapshot:
    """One slot as the books have it."""

    slot: str
    product_id: str
    level: int
    capacity: int
    par: int
    prices: tuple[ListPrice, ...]
    state: SlotCondition
    no_drop_streak: int
    last_sale_at: str | None = None
    earliest_expiry: str | None = None


@dataclass(frozen=True, slots=True)
class StockSnapshot(Fact):
    """All slots at once: what a projection is compared with."""

    reason: Literal["nightly", "visit", "request"]
    slots: tuple[SlotSnapshot, ...]


@dataclass(frozen=True, slots=True)
class PlanogramChanged(Fact):
    """One field of one slot changed. `readback`: what the machine now charges or holds.

    Values are text as people write them, so that one event type serves every field.
    """

    slot: str
    field: Literal["product", "slot", "price", "par", "threshold", "capacity"]
    old: str
    new: str
    effective_at: str
    applied_at: str
    source: Literal["menu", "cli", "remote", "import"]
    reason: str
    readback: str


@dataclass(frozen=True, slots=True)
class ExpiryAlert(Fact):
    """A slot is about to expire, or expired and is `locked`."""

    slot: str
    product_id: str
    earliest_expiry: str
    level: int
    locked: bool
