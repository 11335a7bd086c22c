"""Facts that leave the machine: each class is the payload of one event type, defined once.

The field names, enumerations and meanings are those of the event contract;
`vendd.events` adds the envelope and the common context (machine, seq, times,
currency, versions) and derives the JSON Schemas from these classes. Money is
integer minor units. ``None`` means "does not apply" and is left out on the wire.
Closed lists are StrEnums; consumers must read unknown members as ``other``.
"""

from dataclasses import dataclass
from enum import StrEnum


class Fact:
    """Marker: something that happened and that the fleet must learn."""

    __slots__ = ()


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
