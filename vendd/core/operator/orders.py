"""The orders: what a person may ask of a machine. Money is minor units.

An order is a wish and may be refused; what it changes is decided in `decide`. `owner_only`: a
technician is refused.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from vendd.core.operator.people import Person
from vendd.core.sale.reports import Report


class Order:
    """Marker. `action` names it in the journal."""

    __slots__ = ()
    action: ClassVar[str] = ""
    owner_only: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Ordered(Report):
    """A person's order has arrived. `number` tells it from others of this life; `why` in the
    person's words. `preview`: decide, and change nothing. `faults`: ids of those open now."""

    number: int
    person: Person
    order: Order
    why: str = ""
    preview: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnterService(Order):
    """Out of service for customers, and a visit begins."""

    action: ClassVar[str] = "service enter"


@dataclass(frozen=True, slots=True)
class LeaveService(Order):
    action: ClassVar[str] = "service leave"


@dataclass(frozen=True, slots=True)
class Inhibit(Order):
    """Out of service (`on`) until somebody says otherwise; no visit."""

    action: ClassVar[str] = "inhibit"
    on: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """`units` more of a slot; None: to its par level."""

    selection: str
    units: int | None = None


@dataclass(frozen=True, slots=True)
class Refill(Order):
    """Products were put in. Nothing named: every slot to its par level."""

    action: ClassVar[str] = "refill"
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class Remove(Order):
    """Products were taken out."""

    action: ClassVar[str] = "stock remove"
    selection: str
    units: int
    reason: Literal["expired", "damaged", "other"]


@dataclass(frozen=True, slots=True)
class CountStock(Order):
    """What really is in slots: (selection, level)."""

    action: ClassVar[str] = "stock count"
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SlotSale(Order):
    """A slot is put on sale, or taken off."""

    action: ClassVar[str] = "slot enable"
    selection: str
    on: bool


@dataclass(frozen=True, slots=True)
class ClearJam(Order):
    action: ClassVar[str] = "slot clear-jam"
    selection: str


@dataclass(frozen=True, slots=True)
class SetPrice(Order):
    action: ClassVar[str] = "price set"
    selection: str
    price_list: str
    price: int


@dataclass(frozen=True, slots=True)
class CloseClaim(Order):
    """What a customer was owed is settled, outside the machine."""

    action: ClassVar[str] = "claims close"
    owner_only: ClassVar[bool] = True
    ref: str
    how: Literal["paid_by_hand", "refunded_elsewhere", "written_off"]


@dataclass(frozen=True, slots=True)
class ResolveDoubt(Order):
    """Somebody knows, or decides, what a doubtful sale was."""

    action: ClassVar[str] = "doubtful resolve"
    owner_only: ClassVar[bool] = True
    number: int
    decision: Literal["sold", "refunded", "written_off"]


@dataclass(frozen=True, slots=True)
class TryMotor(Order):
    """Turn a slot's motor once; no sale."""

    action: ClassVar[str] = "test motor"
    selection: str


@dataclass(frozen=True, slots=True)
class PutBack(Order):
    """A product that a test had moved stands in its slot again."""

    action: ClassVar[str] = "test put-back"
    selection: str


@dataclass(frozen=True, slots=True)
class Heard(Report):
    """A report was about an order and nothing else: the sale machine has nothing to do with it."""


@dataclass(frozen=True, slots=True)
class Knock(Order):
    """Somebody without a role asked for `what`; always refused, and journalled."""

    what: str


def action_of(order: Order) -> str:
    """Its name in the journal."""
    match order:
        case Knock(what):
            return what
        case SlotSale(on=False):
            return "slot disable"
        case _:
            return order.action
