"""A sale: how it closed, what was dispensed, refused or left in doubt (events.md section 2)."""

from dataclasses import dataclass
from enum import StrEnum

from vendd.core.facts.fact import Fact


class Channel(StrEnum):
    KEYPAD = "keypad"
    APP = "app"
    REMOTE = "remote"
    FREE = "free"
    TEST = "test"
    SERVICE = "service"


class Outcome(StrEnum):
    SOLD = "sold"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"
    DOUBTFUL = "doubtful"
    CANCELLED = "cancelled"
    DECLINED = "declined"


class Reason(StrEnum):
    """Why a sale ended as it did."""

    NO_DROP = "no_drop"
    NO_HOME = "no_home"
    NEVER_LEFT_HOME = "never_left_home"
    MOTOR_MISSING = "motor_missing"
    OVER_CURRENT = "over_current"
    SENSOR_BLOCKED = "sensor_blocked"
    BILL_NOT_STACKED = "bill_not_stacked"
    DECLINED = "declined"
    CANCELLED_BY_CUSTOMER = "cancelled_by_customer"
    CANCELLED_BY_READER = "cancelled_by_reader"
    CUSTOMER_TIMEOUT = "customer_timeout"
    READER_TIMEOUT = "reader_timeout"
    READER_LOST = "reader_lost"
    NO_CHANGE = "no_change"
    DOOR_OPENED = "door_opened"
    POWER_LOSS = "power_loss"
    HEALTH_LOCK = "health_lock"
    PRICE_CHANGED = "price_changed"
    LATE_APPROVAL = "late_approval"
    OTHER = "other"


class Proof(StrEnum):
    DROP = "drop"
    HOME = "home"
    NONE = "none"


class TenderKind(StrEnum):
    COIN = "coin"
    BILL = "bill"
    CARD = "card"
    APP = "app"
    TOKEN = "token"
    FREE = "free"


class RefundState(StrEnum):
    NONE = "none"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Tender:
    """One means of payment in one sale. `device`: cash, cashless1, cashless2, app."""

    kind: TenderKind
    device: str
    audit_device: str
    inserted: int = 0
    applied: int = 0
    returned: int = 0
    approved: int | None = None
    reader_serial: str | None = None
    media_hash: str | None = None
    approved_at: str | None = None
    refund_state: RefundState = RefundState.NONE


@dataclass(frozen=True, slots=True)
class SaleClosed(Fact):
    """Exactly once per sale that reserved stock, whatever its outcome."""

    sale_id: str
    sale_no: int
    session_id: str
    channel: Channel
    outcome: Outcome
    slot: str
    selection: str
    item_no: int
    product_id: str
    product_name: str
    vat_code: str
    quantity: int
    list_price: int
    price_list: str
    discount: int
    surcharge: int
    price_charged: int
    tenders: tuple[Tender, ...]
    change_due: int
    change_paid: int
    change_owed: int
    overpay_kept: int
    proof: Proof
    drops: int
    attempts: int
    delivery_ms: int | None
    total_ms: int
    stock_after: int
    exact_change_mode: bool
    started_at: str
    closed_at: str
    sales_count: int
    sales_value: int
    reason: Reason | None = None
    authorise_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ItemDispensed(Fact):
    """Delivery is proven; in the same commit as the stock decrement."""

    sale_id: str
    attempt_id: str
    slot: str
    product_id: str
    quantity: int
    proof: Proof
    drops: int
    stock_before: int
    stock_after: int
    channel: Channel


class RefusalReason(StrEnum):
    SOLD_OUT = "sold_out"
    OUT_OF_SERVICE = "out_of_service"
    NO_CHANGE = "no_change"
    INSUFFICIENT_CREDIT_LEFT = "insufficient_credit_left"
    CARD_DECLINED = "card_declined"
    CARD_TIMEOUT = "card_timeout"
    HEALTH = "health"
    BLOCKED_TIME = "blocked_time"
    AGE = "age"
    BUSY = "busy"
    PRICE_CHANGED = "price_changed"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True, slots=True)
class SaleRefused(Fact):
    """A customer wanted to buy and couldn't; one per slot and customer (a lost sale)."""

    slot: str
    product_id: str
    price: int
    credit: int
    reason: RefusalReason
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the devices themselves showed about an outcome nobody saw."""

    intent_at: str | None = None
    left_home: bool | None = None
    home_now: bool | None = None
    drop: bool | None = None
    tubes_before: tuple[tuple[int, int], ...] | None = None  # (coin value, count)
    tubes_now: tuple[tuple[int, int], ...] | None = None
    payout_status: str | None = None
    reader_state: str | None = None
    door_opened_between: bool | None = None


@dataclass(frozen=True, slots=True)
class SaleDoubtful(Fact):
    """The outcome isn't known even after recovery; `booked_as` is what the policy made of it."""

    sale_id: str
    amount: int
    tender: str
    policy: str
    booked_as: str  # sold, refunded, paid, claim, credit, refund_due
    evidence: Evidence
    power_loss: bool


class Decision(StrEnum):
    SOLD = "sold"
    REFUNDED = "refunded"
    WRITTEN_OFF = "written_off"


@dataclass(frozen=True, slots=True)
class SaleResolved(Fact):
    """Somebody decided a doubtful sale or a refund due: `by` whom, `why` in words."""

    sale_id: str
    decision: Decision
    amount: int
    by: str
    why: str
    evidence_ref: str | None = None
