"""The machine itself: faults, slots, doors, devices, starts (events.md section 5)."""

from dataclasses import dataclass
from enum import StrEnum

from vendd.core.facts.fact import Fact


class Severity(StrEnum):
    INFO = "info"
    DEGRADED = "degraded"
    NO_CASH = "no_cash"
    NO_CARD = "no_card"
    SLOT_OFF = "slot_off"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Fault(Fact):
    """One pair (started, ended) per fault; repeats are counted, not sent."""

    fault_id: str
    state: str  # started, ended
    code: str
    device: str
    severity: Severity
    stops: tuple[str, ...]
    count: int
    detail: str = ""
    slot: str | None = None
    eva_code: str | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class SlotStateChanged(Fact):
    slot: str
    product_id: str
    state: str  # on_sale, off, retry
    reason: str
    no_drop_streak: int
    by: str


@dataclass(frozen=True, slots=True)
class Door(Fact):
    state: str  # opened, closed, left_open
    credit_at_open: int
    sale_in_flight: bool
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class Security(Fact):
    """`kind`: drop_without_sale, double_drop, repeated_refunds, credited_piece_removed…"""

    kind: str
    device: str
    count: int
    action_taken: str
    slot: str | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceFound(Fact):
    device: str
    manufacturer: str
    model: str
    serial: str
    firmware: str
    level: int
    options: int
    currency: str
    scale: int
    decimals: int
    replaced_serial: str | None = None


@dataclass(frozen=True, slots=True)
class MachineStarted(Fact):
    """Every start of the daemon, with what became of what was in flight."""

    cause: str  # power_loss, planned, crash, watchdog, update
    off_time_s: int | None
    sale_in_flight: str | None
    sale_outcome: str | None
    credit_restored: int
    db_check: str
    software_old: str | None
    software: str
