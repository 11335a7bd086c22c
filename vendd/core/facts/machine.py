"""The machine itself: faults, slots, doors, devices, starts (events.md section 5)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from vendd.core.facts.fact import Fact
from vendd.core.facts.sale import TenderKind


class Severity(StrEnum):
    INFO = "info"
    DEGRADED = "degraded"
    NO_CASH = "no_cash"
    NO_CARD = "no_card"
    SLOT_OFF = "slot_off"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Fault(Fact):
    """One pair (started, ended) per fault; repeats are counted, not sent.

    `count`: how often it came while open. `suppressed`: pairs that came too often to be told
    since the last one that was. `raw`: what the device itself said. `cleared_by`: device,
    restart, or who acknowledged it.
    """

    fault_id: str
    state: Literal["started", "ended"]
    code: str
    device: str
    severity: Severity
    stops: tuple[str, ...]
    count: int
    detail: str = ""
    slot: str | None = None
    eva_code: str | None = None
    duration_s: int | None = None
    started_at: str | None = None
    suppressed: int | None = None
    raw: str | None = None
    cleared_by: str | None = None


@dataclass(frozen=True, slots=True)
class SlotStateChanged(Fact):
    slot: str
    product_id: str
    state: Literal["on_sale", "off", "retry"]
    reason: str
    no_drop_streak: int
    by: str
    retry_at: str | None = None


@dataclass(frozen=True, slots=True)
class Door(Fact):
    """The service door moved, or stands open for longer than allowed (left_open)."""

    state: Literal["opened", "closed", "left_open"]
    credit_at_open: int
    sale_in_flight: bool
    duration_s: int | None = None
    operator: str | None = None


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
    off_time_known: bool | None = None
    controller_serial: str | None = None
    restored_from_backup: bool | None = None


@dataclass(frozen=True, slots=True)
class TenderUsable:
    """Whether a means of payment can be used now, and if not, why."""

    kind: TenderKind
    usable: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ZoneTemperature:
    zone: str
    celsius: float


@dataclass(frozen=True, slots=True)
class MachineTotals:
    """Since initialisation; never set back."""

    sales_count: int
    sales_value: int
    cash_in: int
    cash_out: int
    card_value: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxLoad:
    """Events not delivered, how long the oldest waits, and what the link carried today."""

    depth: int
    oldest_age_s: int
    bytes_today: int


@dataclass(frozen=True, slots=True)
class Heartbeat(Fact):
    """The machine lives: regularly, and when `in_service` or a tender changed.

    `slots_off` and `sold_out_slots` name slots. `disk_free` in bytes, `signal` in dBm. The next
    one comes within `next_heartbeat_s`, or something is wrong.
    """

    in_service: bool
    reasons: tuple[str, ...]
    tenders: tuple[TenderUsable, ...]
    exact_change_only: bool
    faults_open: tuple[str, ...]
    slots_off: tuple[str, ...]
    sold_out_slots: tuple[str, ...]
    door: Literal["open", "closed"]
    totals: MachineTotals
    outbox: OutboxLoad
    uptime_s: int
    next_heartbeat_s: int
    last_sale_at: str | None = None
    last_cash_sale_at: str | None = None
    last_card_sale_at: str | None = None
    last_visit_at: str | None = None
    temperatures: tuple[ZoneTemperature, ...] | None = None
    disk_free: int | None = None
    under_voltage: bool | None = None
    cpu_temp: float | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class ClockSet(Fact):
    """The wall clock became trustworthy, or jumped by `offset_ms`.

    Events of this boot from `affected_from_seq` to this one carry a `time` that is wrong by that
    much. They are not rewritten: their `uptimems` against this event's tells when they were.
    """

    offset_ms: int
    source: Literal["synchronised", "jump"]
    affected_from_seq: int


@dataclass(frozen=True, slots=True)
class Temperature(Fact):
    """One zone, every 15 min and at each alarm, lock and unlock. Degrees Celsius."""

    zone: str
    min: float
    mean: float
    max: float
    setpoint: float
    state: Literal["normal", "alarm", "locked", "unlocked", "sensor_lost"]
    above_limit_s: int
    locked_slots: tuple[str, ...]
    door_grace: bool
    compressor_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class VisitTask:
    """One thing done during a visit. `what`: slot, fault, collection number ..."""

    task: Literal["refill", "remove", "test", "clear_fault", "price", "collect", "other"]
    what: str
    units: int | None = None


@dataclass(frozen=True, slots=True)
class Visit(Fact):
    """A technician or driver enters or leaves; tasks and what remains stand on the leaving one."""

    visit_id: str
    state: Literal["entered", "left"]
    operator: str
    role: Literal["technician", "driver", "owner"]
    door_seconds: int
    tasks: tuple[VisitTask, ...]
    faults_before: tuple[str, ...]
    sellable_slots_before: int
    faults_after: tuple[str, ...] | None = None
    sellable_slots_after: int | None = None


@dataclass(frozen=True, slots=True)
class Command(Fact):
    """A remote command was received, done or refused. `counter`: the sender's, never used twice."""

    cmd_id: str
    kind: str
    by: str
    issued_at: str
    state: Literal["received", "done", "refused"]
    counter: int
    reason: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigChanged(Fact):
    """Names of the keys only: values may be nobody's business."""

    keys: tuple[str, ...]
    hash_old: str
    hash_new: str
    by: str


@dataclass(frozen=True, slots=True)
class SoftwareChanged(Fact):
    """`old` and `new`: versions of the daemon."""

    old: str
    new: str
    state: Literal["started", "done", "rolled_back"]
    reason: str


@dataclass(frozen=True, slots=True)
class ThinnedRange:
    """Every seq from `from_seq` to `to_seq` was dropped: events of `topic`, by type.

    `topic` is ``*`` where all topics are meant.
    """

    from_seq: int
    to_seq: int
    topic: str
    types: dict[str, int]


@dataclass(frozen=True, slots=True)
class OutboxThinned(Fact):
    """Telemetry was dropped for want of room: the gap in `seq` is explained by `ranges`.

    One of them may have arrived all the same, if it was on its way already.
    """

    ranges: tuple[ThinnedRange, ...]
    reason: Literal["space", "budget", "disabled"]
    oldest_kept_seq: int | None = None
