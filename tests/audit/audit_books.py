"""Records in, EVA-DTS elements out."""

from collections.abc import Mapping
from sqlite3 import Connection

from vendd.core.audit.figures import Figures
from vendd.core.money import Currency
from vendd.core.planogram import Product, Slot
from vendd.core.rows import Record
from vendd.services.audit_report import Plate, Readout, segments
from vendd.store.counters import figures, write_audit
from vendd.store.entries import gather, write_money, write_small
from vendd.wire.evadts.reader import Report, read
from vendd.wire.evadts.report import write

AT = "2026-03-01T10:20:30.000Z"
PLATE = Plate("demo-0001", "0.9.0", Currency("EUR", 2), "V20", "Building 1", "A-77")


def slot(selection: str, price: int = 40) -> Slot:
    product = Product(f"p{selection}", f"Product {selection}")
    return Slot(selection, int(selection), product, ("A1",), 10, 8, 2, {"cash": price})


SLOTS = {name: slot(name) for name in ("5", "6", "12")}


def book(connection: Connection, *records: Record, at: str = AT) -> None:
    """One commit, but for stock and events."""
    entries = gather(records)
    write_money(connection, entries, 1, 1, at)
    write_small(connection, entries, at)
    write_audit(connection, entries, at)


def report(connection: Connection, slots: Mapping[str, Slot] = SLOTS) -> Report:
    """As it would be read: written to bytes and read back."""
    return report_of(figures(connection), slots)


def report_of(shown: Figures, slots: Mapping[str, Slot] = SLOTS) -> Report:
    made = read(write("VND0000001", segments(PLATE, slots, shown, Readout(AT, "test"))))
    assert made.sound, made.findings
    assert made.findings == ()
    return made


def elements(made: Report) -> dict[str, str]:
    """``VA101`` -> text. Of product segments ``6:PA201``, of PA7 ``6:PA7(CA,0,40):05``."""
    found: dict[str, str] = {}
    product = ""
    for _, (name, *values) in made.segments:
        if name == "PA1":
            product = values[0]
        where = f"{product}:{name}" if name.startswith("PA") else name
        if name == "PA7":
            where = f"{product}:PA7({','.join(values[1:4])}):"
        for number, value in enumerate(values, 1):
            found[f"{where}{number:02}"] = value
    return found


COUNTERS = ("VA", "CA2", "CA3", "CA4", "CA8", "CA10", "CA15", "DA", "DB", "TA")
_PRODUCTS = ("PA2", "PA3", "PA4", "PA7", "PA8")


def moved(made: Report) -> dict[str, int]:
    """Every counter that is not 0; CA17 and names apart."""
    numbers = {}
    for key, text in elements(made).items():
        product = key.partition(":")[2]
        counter = product.startswith(_PRODUCTS) if product else key.startswith(COUNTERS)
        is_key = product.startswith("PA7") and product[-2:] in ("01", "02", "03", "04")
        if counter and not is_key and text not in ("", "0") and text.isdecimal():
            numbers[key] = int(text)
    return numbers
