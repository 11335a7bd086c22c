"""Slots: every change of a level, and the alerts that a level raises (events.md section 3)."""

from dataclasses import dataclass
from enum import StrEnum

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
    kind: str  # counted, suspected
    slots_left_for_product: int
    machine_sold_out_share: float
