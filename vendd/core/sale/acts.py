"""What the machine wants done, performed only after the commit that recorded it.

Everything continuous (what the display says, which coins are taken, whether the
exact-change sign is lit) is not an act but a function of the state, see
`vendd.core.sale.outputs`; the engine brings devices to it again and again.
"""

from dataclasses import dataclass
from typing import ClassVar

from vendd.core.sale.reports import Timer


class Act:
    """Marker. `repeatable`: performing it twice by mistake does no harm."""

    __slots__ = ()
    repeatable: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class TurnMotor(Act):
    """One full turn of all `motors` of a slot. Never repeated: silence is asked about."""

    attempt_id: str
    motors: tuple[str, ...]
    turn: int


@dataclass(frozen=True, slots=True)
class PayOut(Act):
    """Coins (type, count) out of the tubes. Never repeated."""

    payout_id: str
    coins: tuple[tuple[int, int], ...]
    amount: int


@dataclass(frozen=True, slots=True)
class ReadTubes(Act):
    """Ask the changer for a `TubesRead`: after silence, or when a reading was odd."""

    repeatable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Arm(Act):
    """Start (or restart) a timer."""

    repeatable: ClassVar[bool] = True
    timer: Timer
    ms: int


@dataclass(frozen=True, slots=True)
class Disarm(Act):
    repeatable: ClassVar[bool] = True
    timer: Timer


@dataclass(frozen=True, slots=True)
class Acknowledge(Act):
    """The customer did something that changes nothing on the display: blink or beep (R9)."""

    repeatable: ClassVar[bool] = True


# --- bills ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StackBill(Act):
    """Take the bill that waits in escrow. Never repeated."""

    bill: int


@dataclass(frozen=True, slots=True)
class ReturnBill(Act):
    """Give the bill in escrow back."""

    bill: int


@dataclass(frozen=True, slots=True)
class PayBills(Act):
    """Bills (type, count) out of the recycler. Never repeated."""

    payout_id: str
    bills: tuple[tuple[int, int], ...]
    amount: int


@dataclass(frozen=True, slots=True)
class ReadStores(Act):
    """Ask the bill validator for its stacker and recycler counts."""

    repeatable: ClassVar[bool] = True


# --- card readers -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestVend(Act):
    """Ask the holder to pay. Never repeated."""

    reader: int
    vend_id: str
    price: int
    item_no: int


@dataclass(frozen=True, slots=True)
class CancelVend(Act):
    """Take the request back: `VendDenied` follows."""

    reader: int
    vend_id: str


@dataclass(frozen=True, slots=True)
class ConfirmVend(Act):
    """Delivered: VEND SUCCESS."""

    reader: int
    vend_id: str
    keep_session: bool = False


@dataclass(frozen=True, slots=True)
class FailVend(Act):
    """Not delivered: VEND FAILURE, until the reader has answered or its time is over."""

    reader: int
    vend_id: str


@dataclass(frozen=True, slots=True)
class CompleteSession(Act):
    """Send the holder away."""

    reader: int


@dataclass(frozen=True, slots=True)
class ReleaseReader(Act):
    """After a start: no vend of an earlier life is open on this reader."""

    reader: int


@dataclass(frozen=True, slots=True)
class ReportCashSale(Act):
    """Tell the readers that want to know of a sale for cash."""

    price: int
    item_no: int


@dataclass(frozen=True, slots=True)
class CheckAge(Act):
    """Let the reader verify an age."""

    reader: int
    check_id: str
    years: int


@dataclass(frozen=True, slots=True)
class StopAgeCheck(Act):
    reader: int


@dataclass(frozen=True, slots=True)
class Revalue(Act):
    """Put cash credit on the card, because its holder asked for it. Never repeated."""

    reader: int
    revalue_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class AskRevalueLimit(Act):
    reader: int
