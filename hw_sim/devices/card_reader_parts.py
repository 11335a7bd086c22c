"""What a card reader is made of: its fixed properties, its cards, its faults by name."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

OPTION_WIDE = 0x02
OPTION_ALWAYS_IDLE = 0x20
MINOR_DIGITS = 2  # the world's money has cents


class CardFault(StrEnum):
    """What a reader does wrong, and what counts as one opportunity to do it."""

    # each session that begins
    REPEAT_BEGIN = "repeat_begin"  # field note 8: BEGIN SESSION five times
    DROP_SESSION = "drop_session"  # field note 15: END SESSION of its own a second later
    # each session that is to end
    NEVER_END = "never_end"  # field note 9: no END SESSION, only a RESET helps
    # each request to pay
    NO_ANSWER = "no_answer"  # neither approved nor denied
    SILENT_AUTHORISING = "silent_authorising"  # no POLL is answered meanwhile
    OTHER_AMOUNT = "other_amount"  # field note 12: approves less than was asked for
    CROSSING = "crossing"  # field note 21: has approved when VEND CANCEL arrives
    REQUEST_OUT_OF_SEQUENCE = "request_out_of_sequence"
    # each approval that the machine has heard of
    POWER_CUT_APPROVED = "power_cut_approved"  # field note 14: it counts as a success
    RESET_APPROVED = "reset_approved"  # the same by a reset of its own
    # each VEND FAILURE
    REFUND_ERROR = "refund_error"  # field note 13: `0A C0`, the holder has paid
    REFUND_SILENT = "refund_silent"  # no answer until it is reset, the holder has paid
    REFUND_SLOW = "refund_slow"  # silent for most of its time, then refunded
    # each block that arrives
    SILENT = "silent"  # not answered, not carried out
    DEAF = "deaf"  # carried out, answered too late for the master
    ANSWER_NAK = "answer_nak"  # not carried out
    RANDOM_RESET = "random_reset"  # resets itself instead of answering
    # each data answer
    BAD_CHK = "bad_chk"
    NOISE = "noise"  # random bytes with a wrong CHK
    ACK_LOST = "ack_lost"  # does not hear the master's ACK: the same message comes again
    # each poll
    MALFUNCTION = "malfunction"  # `0A 11`: a card it can't read


@dataclass(frozen=True)
class ReaderModel:
    """The fixed properties of one reader. Defaults: level 3, euro, always idle, wide amounts.

    `options` as REQUEST ID tells them at level 3. Times in seconds, a pair is a range.
    """

    level: int = 3
    currency: int = 0x1978
    scale: int = 1
    decimals: int = 2
    max_response_s: int = 10
    refunds: bool = True
    multi_vend: bool = False
    wants_cash_sales: bool = False
    options: int = OPTION_WIDE | OPTION_ALWAYS_IDLE
    manufacturer: str = "SIM"
    serial: str = "000000000011"
    model: str = "CARDS-1"
    software: int = 0x0150
    answers: Literal["at once", "on poll"] = "at once"  # configuration, identity, END SESSION
    begin_bytes: int = 0  # 4: BEGIN SESSION as the PAX D200 sends it (field note 11)
    tells_funds: bool = True
    hides_funds: bool = False
    revalues_up_to: int = 10_000  # minor units put on a card at once
    ages: bool = False  # DRAVP and DRAVS
    authorises_s: tuple[float, float] = (0.8, 3.0)
    refunds_s: tuple[float, float] = (0.1, 0.8)
    session_s: float = 90.0  # then it wants to end an idle session
    answer_s: tuple[float, float] = (0.0008, 0.0035)
    reset_s: float = 0.4
    boot_s: float = 3.0

    def units(self, minor: int) -> int:
        """In the reader's own units, rounded down."""
        return int(minor * 10**self.decimals // (self.scale * 10**MINOR_DIGITS))

    def minor(self, units: int) -> int:
        return int(units * self.scale * 10**MINOR_DIGITS // 10**self.decimals)


@dataclass
class Card:
    """A holder's card. `balance`: minor units. `declined`: its bank says no."""

    number: int = 0x01020304
    balance: int = 5000
    declined: bool = False


class Outcome(StrEnum):
    """What became of a payment, as the holder's bank has it."""

    HELD = "held"  # approved, not yet known how it went
    PAID = "paid"
    RELEASED = "released"  # never taken
    REFUNDED = "refunded"


@dataclass
class Charge:
    """One payment of `amount` where `asked` was to be paid. `heard`: the machine acknowledged
    the approval."""

    card: Card
    amount: int
    item: int
    asked: int
    outcome: Outcome = Outcome.HELD
    heard: bool = False


@dataclass
class CardTruth:
    """What holders really paid; for auditors. Amounts in minor units."""

    charges: list[Charge] = field(default_factory=list)
    loaded: int = 0  # put on cards by revalue
    cash_sales: list[tuple[int, int]] = field(default_factory=list)  # (amount, item) as told

    def hold(self, card: Card, amount: int, item: int, asked: int | None = None) -> Charge:
        card.balance -= amount
        charge = Charge(card, amount, item, amount if asked is None else asked)
        self.charges.append(charge)
        return charge

    def settle(self, charge: Charge, outcome: Outcome) -> None:
        if charge.outcome is Outcome.HELD:
            charge.outcome = outcome
            if outcome is not Outcome.PAID:
                charge.card.balance += charge.amount

    def paid(self) -> int:
        """The total of what holders paid for good."""
        return sum(c.amount for c in self.charges if c.outcome is Outcome.PAID)

    def held(self) -> int:
        return sum(c.amount for c in self.charges if c.outcome is Outcome.HELD)
