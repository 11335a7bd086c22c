"""The audit report: which segments the books' figures make (EVA-DTS 6.1.1, chapter 4).

Segments are plain text here; `vendd.wire.evadts.report` makes bytes of them. Times are UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vendd.core import money
from vendd.core.audit.figures import Both, Device, Figures
from vendd.core.planogram import Slot
from vendd.services.audit_events import events
from vendd.services.audit_products import products

Segment = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plate:
    """What the machine is, apart from its books."""

    serial: str
    software: str
    currency: money.Currency
    model: str = ""
    location: str = ""
    asset_no: str = ""


@dataclass(frozen=True, slots=True)
class Readout:
    """This read-out: when (RFC 3339 UTC) and by whom."""

    at: str
    terminal: str


def segments(
    plate: Plate, slots: Mapping[str, Slot], figures: Figures, readout: Readout
) -> list[Segment]:
    """Everything between ST and G85."""
    return [
        *_identity(plate),
        *_vends(figures),
        *_cash(figures, plate.currency.exponent),
        *_cashless(figures, "DA", figures.devices.get("card_reader_1")),
        *_cashless(figures, "DB", figures.devices.get("card_reader_2")),
        *_tokens(figures),
        *products(slots, figures),
        *events(figures, readout.at, readout.terminal),
    ]


def _identity(plate: Plate) -> Iterator[Segment]:
    build = plate.software
    yield "ID1", plate.serial, plate.model, build, plate.location, "", plate.asset_no
    code = plate.currency.code
    # As machines in the field write it, and MDB does: 1, then the numeric code.
    yield "ID4", str(plate.currency.exponent), f"1{money.numeric(code):03}", code
    yield "CB1", plate.serial, "vendd", build


def _vends(figures: Figures) -> Iterator[Segment]:
    yield "VA1", *pair(figures, "VA1"), *_reduced(figures, "VA1")
    yield "VA2", *pair(figures, "VA2")
    yield "VA3", *pair(figures, "VA3")


def _reduced(figures: Figures, segment: str) -> Iterator[str]:
    """Discounts, then surcharges; each since initialisation, then since reset."""
    for kind in ("discount", "surcharge"):
        yield from _in_order(
            figures.of(segment, f"{kind}_value"), figures.of(segment, f"{kind}_number")
        )


def pair(figures: Figures, segment: str, value: str = "value", number: str = "number") -> Segment:
    """Value and number since initialisation, then both since reset."""
    return tuple(_in_order(figures.of(segment, value), figures.of(segment, number)))


def _in_order(value: Both, number: Both) -> Iterator[str]:
    yield from map(str, (value.total, number.total, value.interval, number.interval))


def _backwards(both: Both) -> Segment:
    """Since reset, then since initialisation."""
    return str(both.interval), str(both.total)


def _cash(figures: Figures, exponent: int) -> Iterator[Segment]:
    changer, validator = figures.devices.get("changer"), figures.devices.get("bill_validator")
    yield "CA1", *_device(changer)
    yield "BA1", *_device(validator)
    yield "CA2", *pair(figures, "CA2")
    yield _cash_in(figures, exponent)
    paid, by_hand = figures.of("CA4", "cash"), figures.of("CA4", "manual")
    out = (paid.interval, by_hand.interval, paid.total, by_hand.total)
    yield "CA4", *map(str, out)
    yield "CA8", *_backwards(figures.of("CA8"))
    filled = (*_backwards(figures.of("CA10", "cash")), *_backwards(figures.of("CA10", "bills")))
    yield "CA10", *filled
    yield "CA15", str(sum(tube.value * tube.count for tube in figures.tubes))
    for tube in figures.tubes:
        yield "CA17", str(tube.type), str(tube.value), str(tube.count)


def _cash_in(figures: Figures, exponent: int) -> Segment:
    """04 and 08 are the bills in whole units of the currency, from before 09 and 10."""
    cash, box, tubes, bills, kept = (
        figures.of("CA3", what) for what in ("cash", "box", "tubes", "bills", "recycler")
    )
    unit = 10**exponent
    reset = (cash.interval, box.interval, tubes.interval, bills.interval // unit)
    since = (cash.total, box.total, tubes.total, bills.total // unit)
    more = (bills.interval, bills.total, kept.interval, kept.total)
    return ("CA3", *map(str, (*reset, *since, *more)))


def _cashless(figures: Figures, name: str, device: Device | None) -> Iterator[Segment]:
    """Of a reader that was ever seen, or ever counted anything."""
    if device is None and not any(key.segment.startswith(name) for key in figures.counts):
        return
    yield f"{name}1", *_device(device)
    yield f"{name}2", *pair(figures, f"{name}2")
    credited = figures.of(f"{name}4")
    yield f"{name}4", str(credited.total), str(credited.interval)
    yield f"{name}5", *_reductions_backwards(figures, f"{name}5")
    yield f"{name}10", *pair(figures, f"{name}10", "number", "value")


def _reductions_backwards(figures: Figures, segment: str) -> Iterator[str]:
    """As VA1, but since reset comes first."""
    for kind in ("discount", "surcharge"):
        value = figures.of(segment, f"{kind}_value")
        number = figures.of(segment, f"{kind}_number")
        yield from map(str, (value.interval, number.interval, value.total, number.total))


def _tokens(figures: Figures) -> Iterator[Segment]:
    yield (
        "TA2",
        *pair(figures, "TA2"),
        *pair(figures, "TA2", "token_value", "token_number"),
    )
    yield "TA3", *_backwards(figures.of("TA3"))
    yield "TA5", *_backwards(figures.of("TA5"))


def _device(device: Device | None) -> Segment:
    """Serial, model, software revision."""
    if device is None:
        return ()
    return f"{device.manufacturer}{device.serial}", device.model, device.firmware
