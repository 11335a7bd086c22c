"""What stands in the machine: slots, products, prices, par levels and thresholds.

Money is integer minor units of the machine's one currency (promise M5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Product:
    """A thing for sale; several slots may hold the same product."""

    id: str
    name: str
    vat_code: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """One selection and what a technician has set for it.

    `selection` is what a customer keys (``A3``); `item_no` is the number that
    readers and the audit use for it (MDB/ICP 4.2 section 7, EVA-DTS PA101).
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
