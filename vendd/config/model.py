"""The whole configuration, checked, and what the daemon needs from it in the core's own words."""

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vendd.config.kafka import Kafka
from vendd.config.parts import Bcm, PinName
from vendd.config.payment import BillValidator, CardReader, CcTalk, Changer, Mdb, PayoutBy, Pulse
from vendd.config.sections import (
    Api,
    Audit,
    Buzzer,
    Dex,
    DirectMotors,
    Display,
    Door,
    DropSensor,
    Gpio,
    Health,
    Keypad,
    Machine,
    MatrixMotors,
    ProductEntry,
    Sale,
    SlotEntry,
    Store,
)
from vendd.core.money import Currency, currency, format_amount, parse_amount
from vendd.core.planogram import Product, Slot
from vendd.core.policy import Policy

Bus = Literal["mdb", "cctalk"]

AMOUNTS = (
    "max_credit",
    "accept_unreturnable_up_to",
    "overpay_up_to",
    "card_surcharge",
    "card_discount",
)
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
    mdb: Mdb | None = None
    changer: Changer | None = None
    bill_validator: BillValidator | None = None
    card_reader: tuple[CardReader, ...] = ()
    cctalk: CcTalk | None = None
    pulse: tuple[Pulse, ...] = ()
    sale: Sale = Sale()
    health: Health = Health()
    api: Api = Api()
    audit: Audit = Audit()
    dex: Dex | None = None
    product: tuple[ProductEntry, ...] = Field(min_length=1)
    slot: tuple[SlotEntry, ...] = Field(min_length=1)

    def currency(self) -> Currency:
        return currency(self.machine.currency)

    def amount(self, minor: int) -> str:
        """Minor units as the file writes them."""
        return format_amount(minor, self.currency())

    def minor(self, text: str) -> int:
        """An amount as the file writes it, in minor units."""
        return parse_amount(text, self.currency())

    def pin(self, name: str) -> int:
        """The BCM number of a pin that a section named."""
        return self.pins[name]

    def policy(self) -> Policy:
        """The sale's settings; whether a drop sensor decides comes from ``[drop_sensor]``, whether
        a door is seen to open from ``[door]``."""
        money = self.currency()
        values = self.sale.model_dump(exclude=set(AMOUNTS))
        for key in AMOUNTS:
            text = getattr(self.sale, key)
            if text is not None:
                values[key] = parse_amount(text, money)
        return Policy(
            currency=money.code,
            exponent=money.exponent,
            door_switch=self.door is not None,
            drop_sensor=self.drop_sensor is not None and self.drop_sensor.enabled,
            **values,
        )

    def products(self) -> dict[str, Product]:
        return {
            entry.id: Product(entry.id, entry.name, entry.vat_code, entry.min_age)
            for entry in self.product
        }

    def slots(self) -> dict[str, Slot]:
        """By selection, in the order of the file."""
        products, money = self.products(), self.currency()
        return {entry.selection: as_slot(entry, products, money) for entry in self.slot}

    def file_prices(self) -> dict[tuple[str, str], int]:
        """By slot and price list."""
        slots = self.slots().values()
        return {(s.selection, name): price for s in slots for name, price in s.prices.items()}

    def first_levels(self) -> dict[str, int]:
        """What stands in each slot when the books see it for the first time."""
        return {entry.selection: entry.level for entry in self.slot}

    # --- payment devices: what is fitted, and where --------------------------------------

    def changer_bus(self) -> Bus | None:
        """Where the coin changer hangs; None without one."""
        changer = self.changer or Changer()
        if not changer.enabled:
            return None
        coins = self.cctalk is not None and self.cctalk.coins is not None
        bus: Bus = changer.bus or ("cctalk" if coins else "mdb")
        fitted = self.mdb is not None if bus == "mdb" else coins
        return bus if fitted else None

    def coin_payout(self) -> PayoutBy:
        """How an MDB changer pays; ``[changer]`` first, then where it stood before."""
        said = self.changer.payout if self.changer is not None else None
        return said or (self.mdb.payout if self.mdb is not None else None) or "auto"

    def validator_bus(self) -> Bus | None:
        """Where the bill validator hangs; None without one."""
        bills = self.cctalk is not None and self.cctalk.bills is not None
        validator = self.bill_validator
        if validator is None:
            return "cctalk" if bills else None
        if not validator.enabled:
            return None
        return validator.bus or ("cctalk" if bills else "mdb")

    def readers(self) -> tuple[CardReader, ...]:
        """The card readers that are used, by number."""
        used = (reader for reader in self.card_reader if reader.enabled)
        return tuple(sorted(used, key=lambda reader: reader.number))

    def hash(self) -> str:
        """12 hexadecimal digits that change whenever a value does, never with comments or with
        the place of the books and the socket: the same machine on another disk has the same."""
        canonical = self.model_dump_json(
            by_alias=False, exclude={"store": {"path"}, "api": {"socket"}}
        ).encode()
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
