"""The sections of ``vendd.toml``: one frozen model each, unknown keys are errors.

Times are integer milliseconds, amounts are text (``"1.50"``), pins are names from
``[pins]``. What concerns several sections at once is checked in `vendd.config.checks`.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, Strict, StringConstraints

from vendd.config.parts import (
    Amount,
    Count,
    Milliseconds,
    PinName,
    Positive,
    Section,
    Switch,
    Text,
)
from vendd.core.planogram import ITEM_NO_MAX
from vendd.core.policy import ForceVend, Policy

_DEFAULT: Final = Policy()
_Plate = Annotated[str, StringConstraints(max_length=30)]


class Machine(Section):
    """Who the machine is. `id` is the Kafka key and the CloudEvents source: it never changes."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    language: Literal["en"] = "en"


class Store(Section):
    """Where the books live. `keep_days` of delivered events and closed periods stay.
    `flight_mib`: size of the flight recorder's ring beside them, 0 for none."""

    path: Text = "/var/lib/vendd"
    keep_days: Annotated[int, Strict(), Field(ge=1, le=3_660)] = 90
    max_mib: Annotated[int, Strict(), Field(ge=16, le=65_536)] = 512
    flight_mib: Annotated[int, Strict(), Field(ge=0, le=1_024)] = 8


class Gpio(Section):
    """gpiozero's pin factory. `host` and `port` are those of a pigpio daemon."""

    factory: Literal["lgpio", "rpigpio", "pigpio"] = "lgpio"
    host: Text = "127.0.0.1"
    port: Annotated[int, Strict(), Field(ge=1, le=65_535)] = 8888


class MotorLine(Section):
    drive: PinName
    home: PinName


class _Motors(Section):
    """`leave_home_ms`: the cam must have left its notch; `home_ms`: and be back in it, sooner
    than the dispensing service loses its patience with a motor driver (20 s)."""

    heartbeat: PinName
    leave_home_ms: Annotated[int, Strict(), Field(ge=50, le=10_000)] = 800
    home_ms: Annotated[int, Strict(), Field(ge=200, le=15_000)] = 6_000
    active_high: Switch = True
    home_active_low: Switch = False


class MatrixMotors(_Motors):
    """Motors are named row name + column number, counted from 1: ``A1``."""

    layout: Literal["matrix"]
    rows: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[A-Z]$")], PinName],
        Field(min_length=1, max_length=12),
    ]
    columns: Annotated[tuple[PinName, ...], Field(min_length=1, max_length=12)]
    home: PinName

    def names(self) -> frozenset[str]:
        return frozenset(
            f"{row}{column}" for row in self.rows for column in range(1, len(self.columns) + 1)
        )


class DirectMotors(_Motors):
    layout: Literal["direct"]
    lines: Annotated[dict[PinName, MotorLine], Field(min_length=1, max_length=24)]

    def names(self) -> frozenset[str]:
        return frozenset(self.lines)


class DropSensor(Section):
    pin: PinName
    active_low: Switch = True
    enabled: Switch = True


class Door(Section):
    pin: PinName
    active_low: Switch = False


class Keypad(Section):
    """`keys`: the legends row by row, "" where no key is. The one named by `clear` clears."""

    rows: Annotated[tuple[PinName, ...], Field(min_length=1, max_length=8)]
    columns: Annotated[tuple[PinName, ...], Field(min_length=1, max_length=8)]
    keys: tuple[
        tuple[Annotated[str, StringConstraints(pattern=r"^([A-Z0-9*#]|clear|)$")], ...], ...
    ]
    clear: Text = "clear"

    def legends(self) -> tuple[str, ...]:
        return tuple(key for row in self.keys for key in row if key)


class Buzzer(Section):
    pin: PinName


class Display(Section):
    """An HD44780 behind a PCF8574, on the kernel's I2C bus 1 or through the pigpio daemon."""

    columns: Literal[16, 20] = 16
    rows: Literal[2, 4] = 2
    address: Annotated[int, Strict(), Field(ge=0x03, le=0x77)] = 0x27
    bus: Literal["kernel", "pigpiod"] = "kernel"


class Sale(Section):
    """The owner's settings: the fields of `vendd.core.policy.Policy`, amounts as text."""

    selection_length: Annotated[int, Strict(), Field(ge=1, le=4)] = _DEFAULT.selection_length
    entry_ms: Milliseconds = _DEFAULT.entry_ms
    price_ms: Milliseconds = _DEFAULT.price_ms
    refusal_ms: Milliseconds = _DEFAULT.refusal_ms
    thanks_ms: Milliseconds = _DEFAULT.thanks_ms
    idle_credit_ms: Milliseconds = _DEFAULT.idle_credit_ms
    choose_again_ms: Milliseconds = _DEFAULT.choose_again_ms
    multi_vend: Switch = _DEFAULT.multi_vend
    multi_vend_hold_ms: Milliseconds = _DEFAULT.multi_vend_hold_ms
    drop_window_ms: Milliseconds = _DEFAULT.drop_window_ms
    payout_answer_ms: Milliseconds = _DEFAULT.payout_answer_ms
    claim_ms: Milliseconds = _DEFAULT.claim_ms
    overpay_confirm_ms: Milliseconds = _DEFAULT.overpay_confirm_ms
    max_credit: Amount | None = None
    accept_unreturnable_up_to: Amount | None = None
    overpay_up_to: Amount | None = None
    tube_reserve: Count = _DEFAULT.tube_reserve
    force_vend: ForceVend = _DEFAULT.force_vend
    forfeit_idle_credit: Switch = _DEFAULT.forfeit_idle_credit
    return_credit_on_door: Switch = _DEFAULT.return_credit_on_door
    home_proves_when_sensor_blocked: Switch = _DEFAULT.home_proves_when_sensor_blocked
    extra_turns: Annotated[int, Strict(), Field(ge=0, le=5)] = _DEFAULT.extra_turns
    failures_to_slot_off: Positive = _DEFAULT.failures_to_slot_off
    jackpot_refunds: Positive = _DEFAULT.jackpot_refunds
    jackpot_window_ms: Milliseconds = _DEFAULT.jackpot_window_ms
    jackpot_home_ms: Milliseconds = _DEFAULT.jackpot_home_ms
    hold_last_bill: Switch = _DEFAULT.hold_last_bill
    stack_ms: Milliseconds = _DEFAULT.stack_ms
    mixed_tender: Switch = _DEFAULT.mixed_tender
    tap_ms: Milliseconds = _DEFAULT.tap_ms
    session_ms: Milliseconds = _DEFAULT.session_ms
    authorise_ms: Milliseconds = _DEFAULT.authorise_ms
    refund_ms: Milliseconds = _DEFAULT.refund_ms
    show_card_balance: Switch = _DEFAULT.show_card_balance
    card_surcharge: Amount | None = None
    card_discount: Amount | None = None
    age_check_ms: Milliseconds = _DEFAULT.age_check_ms
    revalue: Switch = _DEFAULT.revalue
    app_audit_device: Literal["DA", "DB"] = "DB"
    support_line: Annotated[str, StringConstraints(max_length=20)] = _DEFAULT.support_line


class Api(Section):
    """The local socket that `vendctl` talks to. Whoever connects is known by the kernel's word:
    members of the group `technicians` may work on the machine, those of `owners` and root may do
    everything, others are refused and journalled. `mode` "0660": others can't even connect, and
    leave no trace; owners then have to be in the socket's group, too."""

    enabled: Switch = True
    socket: Annotated[str, StringConstraints(pattern=r"^/.{1,100}$")] = "/run/vendd/vendd.sock"
    mode: Literal["0666", "0660"] = "0666"
    technicians: Text = "vendd"
    owners: Text = "vendd-admin"


class Health(Section):
    """`watchdog`: tell systemd that the machine lives. It is told nothing any more once the
    engine, the bus or the writer made no progress for `stalled_ms`."""

    watchdog: Switch = True
    stalled_ms: Milliseconds = 15_000


class Audit(Section):
    """What EVA-DTS reports say of the machine. `communication_id`: DXS01, the maker's 3
    characters first; `serial` and `asset_no` (ID101, ID106): the machine's id unless they are
    set."""

    communication_id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{10}$")] = "VND0000000"
    serial: _Plate = ""
    model: _Plate = ""
    location: _Plate = ""
    asset_no: _Plate = ""


class Dex(Section):
    """The port that route drivers' handhelds read the audit from (DEX/UCS, 9,600 baud, 8N1).
    `reset`: a read-out that arrived begins the interval counters anew."""

    port: Text
    reset: Switch = False


class ProductEntry(Section):
    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    vat_code: Annotated[str, StringConstraints(max_length=8)] = ""
    min_age: Annotated[int, Strict(), Field(ge=0, le=99)] = 0


class Price(Section):
    """By price list. ``list_7`` is what a reader calls its price list 7; any other list may
    stand here as well."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Amount]

    cash: Amount
    card: Amount | None = None


class SlotEntry(Section):
    """`level`: what stands in the slot when the books see it for the first time."""

    selection: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")]
    item_no: Annotated[int, Strict(), Field(ge=1, le=ITEM_NO_MAX)]
    product: Text
    motors: Annotated[tuple[Text, ...], Field(min_length=1, max_length=4)]
    capacity: Annotated[int, Strict(), Field(ge=1, le=999)]
    par: Count | None = None  # None: the capacity
    threshold: Count = 0
    level: Count = 0
    price: Price | None = None
    free: Switch = False
