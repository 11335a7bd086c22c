"""What stands in the machine: slots, products, prices, par levels and thresholds.

Money is integer minor units of the machine's one currency (promise M5).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

ITEM_NO_MAX: Final = 65_534  # 0xFFFF is "no item" to a reader (MDB/ICP 4.2 section 7, VEND REQUEST)
_SELECTION: Final = re.compile(r"[A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class Product:
    """A thing for sale; several slots may hold the same product."""

    id: str
    name: str
    vat_code: str = ""
    min_age: int = 0  # years a card reader must verify before it is sold; 0: none


@dataclass(frozen=True, slots=True)
class Slot:
    """One selection and what a technician has set for it.

    `selection` is what a customer keys (``A3``), and the audit's product
    (EVA-DTS PA101); `item_no` is the number that readers use for it
    (MDB/ICP 4.2 section 7).
    `motors` are names of the motor layout, all turned together. `prices` maps
    a price list (``cash``, ``card``) to minor units. A slot is given away only
    when `free` says so; a price of 0 never does.
    """

    selection: str
    item_no: int
    product: Product
    motors: tuple[str, ...]
    capacity: int
    par: int
    threshold: int
    prices: Mapping[str, int]
    free: bool = False

    def price(self, price_list: str = "cash") -> int:
        """Minor units on that list; lists that name no price fall back to cash."""
        if self.free:
            return 0
        return self.prices.get(price_list, self.prices["cash"])

    def priced(self, price_list: str, price: int) -> "Slot":
        """With another price on that list."""
        return replace(self, prices={**self.prices, price_list: price})


class SlotState(StrEnum):
    """Whether a slot may be sold, apart from its level (events.md section 3)."""

    ON_SALE = "on_sale"
    JAMMED = "jammed"
    DISABLED = "disabled"
    HEALTH = "health"
    EXPIRED = "expired"
    BLOCKED_TIME = "blocked_time"
    SENSOR_BLOCKED = "sensor_blocked"
    MOTOR_MISSING = "motor_missing"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a planogram, in words for whoever set it."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


def check_planogram(
    slots: Sequence[Slot], *, motors: Collection[str], accepts_scale: int | None = None
) -> list[Problem]:
    """Everything that keeps these slots from being sold, in the order of the slots.

    `motors`: the names of the motor layout. `accepts_scale`: minor units of one
    scaling unit of the changer; None (or 0) while no changer has said it.
    """
    length = len(slots[0].selection) if slots else 0
    first = _FirstUse({}, {}, {})
    problems: list[Problem] = []
    for number, slot in enumerate(slots, 1):
        where = f"slot {number} ({slot.selection})"
        problems += _names(where, slot, length, first)
        problems += _turns(where, slot, motors, first)
        problems += _levels(where, slot)
        problems += _prices(where, slot)
        if accepts_scale:
            problems += _payable(where, slot, accepts_scale)
    return problems


@dataclass(frozen=True, slots=True)
class _FirstUse:
    """Which slot used a selection, an item number, a motor first."""

    selections: dict[str, str]
    item_nos: dict[int, str]
    motors: dict[str, str]


def _names(where: str, slot: Slot, length: int, first: _FirstUse) -> Iterator[Problem]:
    selection, item_no = slot.selection, slot.item_no
    if not _SELECTION.fullmatch(selection):
        yield Problem(
            f"{where} selection",
            f"{selection!r} can't be keyed",
            "use capital letters A-Z and digits only, for example A1",
        )
    elif len(selection) != length:
        yield Problem(
            f"{where} selection",
            f"{selection!r} has {len(selection)} characters, the first slot's has {length}",
            "give all selections the same length",
        )
    if (other := first.selections.setdefault(selection, where)) != where:
        yield Problem(
            f"{where} selection",
            f"{selection!r} is also that of {other}",
            "give each slot a selection of its own",
        )
    if not 1 <= item_no <= ITEM_NO_MAX:
        yield Problem(f"{where} item_no", f"{item_no} is out of range", f"use 1 to {ITEM_NO_MAX}")
    if (other := first.item_nos.setdefault(item_no, where)) != where:
        yield Problem(
            f"{where} item_no",
            f"{item_no} is also that of {other}",
            "give each slot an item number of its own",
        )


def _turns(where: str, slot: Slot, motors: Collection[str], first: _FirstUse) -> Iterator[Problem]:
    where_motors = f"{where} motors"
    if not slot.motors:
        yield Problem(where_motors, "no motor is named", "name the motor that turns this slot")
    for motor in dict.fromkeys(slot.motors):
        if motor not in motors:
            known = ", ".join(sorted(motors)) or "none"
            yield Problem(
                where_motors,
                f"{motor!r} is not a motor of this machine",
                f"use one of the layout: {known}",
            )
        if slot.motors.count(motor) > 1:
            yield Problem(where_motors, f"{motor!r} is named twice", "name each motor once")
        if (other := first.motors.setdefault(motor, where)) != where:
            yield Problem(
                where_motors, f"{motor!r} also turns {other}", "let a motor turn one slot only"
            )


def _levels(where: str, slot: Slot) -> Iterator[Problem]:
    if slot.capacity < 1:
        yield Problem(f"{where} capacity", f"{slot.capacity} holds nothing", "use 1 or more")
    if not 0 <= slot.par <= slot.capacity:
        yield Problem(
            f"{where} par", f"{slot.par} is out of range", f"use 0 to the capacity, {slot.capacity}"
        )
    if not 0 <= slot.threshold <= slot.par:
        yield Problem(
            f"{where} threshold",
            f"{slot.threshold} is out of range",
            f"use 0 to the par level, {slot.par}",
        )


def _prices(where: str, slot: Slot) -> Iterator[Problem]:
    for name, price in slot.prices.items():
        where_price = f"{where} price {name}"
        if slot.free and price > 0:
            yield Problem(
                where_price,
                f"{price} minor units although the slot is free",
                "remove the price, or free",
            )
        elif price < 0 or (price == 0 and not slot.free):
            yield Problem(
                where_price,
                f"{price} is not a price",
                "set a price above 0, or mark the slot as free",
            )
    if not slot.free and "cash" not in slot.prices:
        yield Problem(
            f"{where} price",
            "there is no cash price",
            "set one: it is the price of all lists that name none",
        )


def _payable(where: str, slot: Slot, scale: int) -> Iterator[Problem]:
    """Only the cash list: coins need not make what a reader charges."""
    price = 0 if slot.free else slot.prices.get("cash", 0)
    if price > 0 and price % scale:
        below = price - price % scale
        nearest = f"{below} or {below + scale}" if below else f"{scale}"
        yield Problem(
            f"{where} price cash",
            f"{price} minor units can't be paid: the changer counts in units of {scale}",
            f"set a multiple of {scale}, for example {nearest}",
        )
