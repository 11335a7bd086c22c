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


# Cashless and bills: carried out by the devices of later issues, decided here.


@dataclass(frozen=True, slots=True)
class RequestVend(Act):
    sale_id: str
    price: int
    item_no: int


@dataclass(frozen=True, slots=True)
class CancelVend(Act):
    sale_id: str


@dataclass(frozen=True, slots=True)
class ConfirmVend(Act):
    sale_id: str
    item_no: int


@dataclass(frozen=True, slots=True)
class FailVend(Act):
    sale_id: str


@dataclass(frozen=True, slots=True)
class CompleteSession(Act):
    pass


@dataclass(frozen=True, slots=True)
class StackBill(Act):
    sale_id: str | None


@dataclass(frozen=True, slots=True)
class ReturnBill(Act):
    repeatable: ClassVar[bool] = True
