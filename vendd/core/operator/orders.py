"""The orders: what a person may ask of a machine. Money is minor units.

An order is a wish and may be refused; what it changes is decided in `decide`. `owner_only`: a
technician is refused.
"""

from dataclasses import dataclass
from typing import ClassVar

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
class Knock(Order):
    """Somebody without a role asked for `what`; always refused, and journalled."""

    what: str


def action_of(order: Order) -> str:
    """Its name in the journal."""
    return order.what if isinstance(order, Knock) else order.action
