"""The owner's settings for how a sale goes. Times in milliseconds, money in minor units."""

from dataclasses import dataclass
from enum import StrEnum


class ForceVend(StrEnum):
    OFF = "off"
    BILLS = "bills"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Policy:
    """Defaults are those of the behaviour tables; every field is a key of ``[sale]``."""

    currency: str = "EUR"
    exponent: int = 2
    selection_length: int = 2
    entry_ms: int = 5_000
    price_ms: int = 4_000
    refusal_ms: int = 3_000
    thanks_ms: int = 4_000
    idle_credit_ms: int = 300_000
    choose_again_ms: int = 30_000
    multi_vend: bool = False
    multi_vend_hold_ms: int = 15_000
    drop_window_ms: int = 3_000
    payout_answer_ms: int = 90_000
    claim_ms: int = 60_000
    overpay_confirm_ms: int = 10_000
    max_credit: int | None = None  # None: the highest sellable price
    accept_unreturnable_up_to: int = 0
    overpay_up_to: int = 0
    tube_reserve: int = 0  # coins kept in each tube
    force_vend: ForceVend = ForceVend.OFF
    forfeit_idle_credit: bool = False
    return_credit_on_door: bool = True
    drop_sensor: bool = True
    door_switch: bool = True  # without one nobody is seen to come
    home_proves_when_sensor_blocked: bool = False
    extra_turns: int = 1
    failures_to_slot_off: int = 1
    jackpot_refunds: int = 3
    jackpot_window_ms: int = 600_000
    jackpot_home_ms: int = 1_800_000
    hold_last_bill: bool = True
    stack_ms: int = 30_000
    mixed_tender: bool = False
    tap_ms: int = 30_000
    session_ms: int = 60_000
    authorise_ms: int = 30_000  # at least; the reader's own maximum response time if longer
    refund_ms: int = 60_000  # a reader that does not settle a failed vend by then: refund due
    show_card_balance: bool = False
    card_surcharge: int = 0  # on the cash price, where a slot names no price for cards
    card_discount: int = 0
    age_check_ms: int = 60_000
    revalue: bool = False
    app_audit_device: str = "DB"  # the audit's device for what an app paid
    support_line: str = ""
