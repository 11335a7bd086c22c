"""What the world tells the machine. Drivers, timers and services put these in the inbox.

A report is a past-tense fact about hardware or time, never a wish. Money is
integer minor units. `attempt_id` and `payout_id` echo what the act named, so a
late answer is never taken for the answer to something newer (field note 16).
"""

from dataclasses import dataclass
from enum import StrEnum


class Report:
    """Marker: anything the engine's inbox accepts."""

    __slots__ = ()


# --- the customer's side ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyPressed(Report):
    """One debounced key: a legend of the keypad (``A``, ``3``) or ``clear``."""

    key: str


@dataclass(frozen=True, slots=True)
class LeverPressed(Report):
    """The coin return lever, one report per press (MDB changer poll 01)."""


class Timer(StrEnum):
    """Timers the machine arms; one of each at most, arming again restarts it."""

    ENTRY = "entry"  # second key of a selection
    NOTICE = "notice"  # price or refusal on the display
    IDLE = "idle"  # credit without input
    CHOOSE_AGAIN = "choose_again"  # after a failed vend
    HOLD = "hold"  # multi-vend: remaining credit held
    DROP_WINDOW = "drop_window"  # since the motor stopped
    PAYOUT = "payout"  # answer of a payout overdue
    CLAIM = "claim"  # reference on the display
    READ = "read"  # a reference that nobody can have read yet
    TAP = "tap"  # waiting for a card after a selection
    AUTHORISE = "authorise"  # reader's maximum response time
    STACK = "stack"  # bill on its way to the stacker
    SESSION = "session"  # card session without a selection
    BILL = "bill"  # nobody has said yet where a bill is
    AGE = "age"  # the reader verifies an age
    REFUND = "refund"  # the reader settles a failed vend
    OVERPAY = "overpay"  # confirmation of an announced overpay
    JACKPOT = "jackpot"  # out of service for anti-jackpot, on a machine without a door switch
    TUBES = "tubes"  # tubes were found odd: look again
    LEVER = "lever"  # a stuck lever has been quiet
    TRIAL = "trial"  # a motor that a person tests has stopped: what falls late


@dataclass(frozen=True, slots=True)
class TimerFired(Report):
    """An armed timer ran out; never delivered after it was disarmed or restarted."""

    timer: Timer


# --- the coin changer ------------------------------------------------------


class CoinPath(StrEnum):
    """Where an accepted coin went."""

    TUBE = "tube"
    BOX = "box"


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin type as the changer numbers it (0..15). `to_tube`: its routing bit."""

    type: int
    value: int
    to_tube: bool


@dataclass(frozen=True, slots=True)
class Tube:
    """One tube: `count` coins are definitely there. Full with count 0 = defective (MDB 0A)."""

    type: int
    value: int
    count: int
    full: bool = False
    defective: bool = False


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What a device says of itself; empty strings where it does not."""

    manufacturer: str = ""
    serial: str = ""
    model: str = ""
    firmware: str = ""
    level: int = 0
    options: int = 0
    currency: str = ""
    scale: int = 0
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class ChangerReady(Report):
    """The changer finished its initialisation (also after a reset of its own)."""

    identity: DeviceIdentity
    coins: tuple[Coin, ...]
    tubes: tuple[Tube, ...]


@dataclass(frozen=True, slots=True)
class ChangerLost(Report):
    """The changer stopped answering, or can't be used; `why` in words."""

    why: str


@dataclass(frozen=True, slots=True)
class TubesRead(Report):
    """A TUBE STATUS taken while no coin moves by the machine's own doing."""

    tubes: tuple[Tube, ...]


@dataclass(frozen=True, slots=True)
class CoinAccepted(Report):
    """A coin is in: routed to tube or box. `tube_count` is the changer's own count after it."""

    type: int
    value: int
    path: CoinPath
    tube_count: int


@dataclass(frozen=True, slots=True)
class CoinRejected(Report):
    """A coin came back to the customer; no money moved. `type` is None for slugs and lost coins."""

    why: str  # rejected, slug, lost, double_arrival
    type: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class ManuallyDispensed(Report):
    """Someone pressed the changer's own payout buttons: `count` coins of `type` left their tube."""

    type: int
    count: int
    tube_count: int


@dataclass(frozen=True, slots=True)
class PayoutEnded(Report):
    """A payout is over. `paid` counts coins per type that left the tubes.

    `certain` is False when the changer could not say (reset or lost in the
    middle): then `paid` is what is known at least, and the next `ChangerReady`
    brings the tube counts that decide.
    """

    payout_id: str
    paid: tuple[tuple[int, int], ...]  # (coin type, count)
    certain: bool
    why: str = ""


# --- the motors ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeftHome(Report):
    """The cam of this attempt's motor left its home position."""

    attempt_id: str


class TurnResult(StrEnum):
    """How a turn ended; the motor is off in every case."""

    HOME = "home"  # went round and is home again
    NEVER_LEFT = "never_left"  # home switch never opened
    NO_HOME = "no_home"  # left, and did not come back in time
    NOT_STARTED = "not_started"  # driver refused or could not start; nothing moved
    STOPPED = "stopped"  # stopped by hand, door or fault in mid-turn


@dataclass(frozen=True, slots=True)
class TurnEnded(Report):
    """One turn is over. `at_home`: the home switch when the motor had stopped."""

    attempt_id: str
    result: TurnResult
    at_home: bool
    ran_ms: int = 0


@dataclass(frozen=True, slots=True)
class DropSeen(Report):
    """Something fell through the drop sensor's beam: one report per product that falls."""


@dataclass(frozen=True, slots=True)
class DropSensorChanged(Report):
    """The beam is blocked for longer than any product, or free again."""

    blocked: bool


# --- door, health, faults --------------------------------------------------


@dataclass(frozen=True, slots=True)
class DoorMoved(Report):
    """The service door opened or closed."""

    open: bool


@dataclass(frozen=True, slots=True)
class FaultStarted(Report):
    """A device or the daemon itself has a fault. `code` is stable; `detail` is for people."""

    code: str
    device: str
    detail: str = ""
    selection: str | None = None


@dataclass(frozen=True, slots=True)
class FaultEnded(Report):
    """The fault of that code and device is gone."""

    code: str
    device: str
    selection: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceChanged(Report):
    """A reason to be out of service came or went (``keypad``, ``operator``, ``storage``…)."""

    reason: str
    active: bool


@dataclass(frozen=True, slots=True)
class Started(Report):
    """First report of every boot: what a power cut or restart left behind can now be read.

    `homes` says for each motor in a persisted attempt whether it stands at home
    (None = can't be read). `cause`: power_loss, planned, crash, watchdog, update.
    `clean`: the previous life ended by an orderly stop.
    """

    cause: str
    homes: tuple[tuple[str, bool | None], ...] = ()
    off_time_s: int | None = None
    clean: bool = False
    db_check: str = "ok"
    software: str = ""
    software_old: str | None = None
    controller_serial: str | None = None
