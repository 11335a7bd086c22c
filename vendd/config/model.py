"""The whole configuration, checked, and what the daemon needs from it in the core's own words."""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from vendd.config.sections import (
    Bcm,
    Buzzer,
    DirectMotors,
    Display,
    Door,
    DropSensor,
    Gpio,
    Health,
    Kafka,
    Keypad,
    Machine,
    MatrixMotors,
    Mdb,
    PinName,
    ProductEntry,
    Sale,
    SlotEntry,
    Store,
)
from vendd.core.money import Currency, currency, format_amount, parse_amount
from vendd.core.planogram import Product, Slot
from vendd.core.policy import Policy

AMOUNTS = ("max_credit", "accept_unreturnable_up_to", "overpay_up_to")
"""Keys of ``[sale]`` that hold money."""


class Config(BaseModel):
    """One machine. Build it with `vendd.config.load`, which also checks across sections."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: Machine
    store: Store = Store()
    kafka: Kafka = Kafka()
    gpio: Gpio = Gpio()
    pins: Mapping[PinName, Bcm]
    motors: MatrixMotors | DirectMotors = Field(discriminator="layout")
    drop_sensor: DropSensor | None = None
    door: Door | None = None
    keypad: Keypad
    buzzer: Buzzer | None = None
    display: Display = Display()
    mdb: Mdb
    sale: Sale = Sale()
    health: Health = Health()
    product: tuple[ProductEntry, ...] = Field(min_length=1)
    slot: tuple[SlotEntry, ...] = Field(min_length=1)

    def currency(self) -> Currency:
        return currency(self.machine.currency)

    def amount(self, minor: int) -> str:
        """Minor units as the file writes them."""
        return format_amount(minor, self.currency())

    def pin(self, name: str) -> int:
        """The BCM number of a pin that a section named."""
        return self.pins[name]

    def policy(self) -> Policy:
        """The sale's settings; whether a drop sensor decides comes from ``[drop_sensor]``."""
        money = self.currency()
        values = self.sale.model_dump(exclude=set(AMOUNTS))
        for key in AMOUNTS:
            text = getattr(self.sale, key)
            if text is not None:
                values[key] = parse_amount(text, money)
        return Policy(
            currency=money.code,
            exponent=money.exponent,
            drop_sensor=self.drop_sensor is not None and self.drop_sensor.enabled,
            **values,
        )

    def products(self) -> dict[str, Product]:
        return {entry.id: Product(entry.id, entry.name, entry.vat_code) for entry in self.product}

    def slots(self) -> dict[str, Slot]:
        """By selection, in the order of the file."""
        products, money = self.products(), self.currency()
        return {entry.selection: as_slot(entry, products, money) for entry in self.slot}

    def first_levels(self) -> dict[str, int]:
        """What stands in each slot when the books see it for the first time."""
        return {entry.selection: entry.level for entry in self.slot}

    def hash(self) -> str:
        """12 hexadecimal digits that change whenever a value does (never with comments)."""
        canonical = self.model_dump_json(by_alias=False).encode()
        return hashlib.sha256(canonical).hexdigest()[:12]


def as_slot(entry: SlotEntry, products: Mapping[str, Product], money: Currency) -> Slot:
    """The planogram's slot. KeyError: no such product; ValueError: a price that is no amount."""
    lists = {} if entry.price is None else entry.price.model_dump(exclude_none=True)
    return Slot(
        selection=entry.selection,
        item_no=entry.item_no,
        product=products[entry.product],
        motors=entry.motors,
        capacity=entry.capacity,
        par=entry.capacity if entry.par is None else entry.par,
        threshold=entry.threshold,
        prices={name: parse_amount(text, money) for name, text in lists.items()},
        free=entry.free,
    )
