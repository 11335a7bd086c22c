"""The audit report's products: PA1 to PA8 of each selection (EVA-DTS 6.1.1, chapter 4)."""

from collections.abc import Iterator, Mapping

from vendd.core.audit.figures import Both, Figures
from vendd.core.planogram import Slot
from vendd.services.audit_times import day, time_of_day

Segment = tuple[str, ...]


def products(slots: Mapping[str, Slot], figures: Figures) -> Iterator[Segment]:
    """In the planogram's order; selections that are gone but were sold come last, not present."""
    counted = {key.subject.split("*")[0] for key in figures.counts if key.segment.startswith("PA")}
    for selection in (*slots, *sorted(counted - slots.keys())):
        yield from _product(selection, slots.get(selection), figures)


def _product(selection: str, slot: Slot | None, figures: Figures) -> Iterator[Segment]:
    yield _shown(selection, slot, figures)
    sold = _of(figures, "PA2", selection, ("number", "value"))
    reduced = (
        *_of(figures, "PA2", selection, ("discount_number", "discount_value")),
        *_of(figures, "PA2", selection, ("surcharge_number", "surcharge_value")),
    )
    yield "PA2", *sold, *(reduced if any(part != "0" for part in reduced) else ())
    for segment in ("PA3", "PA4"):
        given = _of(figures, segment, selection, ("number", "value"))
        if any(part != "0" for part in given):
            yield segment, *given
    if selection in figures.last_sales:
        at = figures.last_sales[selection]
        yield "PA5", day(at), time_of_day(at)
    yield from _by_device(selection, figures)
    mixed = _of(figures, "PA8", selection, ("number", "value"))
    if any(part != "0" for part in mixed):
        yield "PA8", *mixed


def _shown(selection: str, slot: Slot | None, figures: Figures) -> Segment:
    """PA1; 07: 1 for a selection that is not there."""
    if slot is None:
        return "PA1", selection, "", "", "", "", "", "1"
    return (
        "PA1",
        selection,
        str(slot.price()),
        slot.product.name,
        str(slot.capacity),
        str(slot.par),
        "1",
        "0",
        str(figures.levels.get(selection, 0)),
        str(slot.threshold),
    )


def _of(figures: Figures, segment: str, subject: str, whats: tuple[str, str]) -> Segment:
    """Both since initialisation, then both since reset."""
    one, other = (figures.of(segment, what, subject) for what in whats)
    return _four(one, other)


def _four(one: Both, other: Both) -> Segment:
    return str(one.total), str(other.total), str(one.interval), str(other.interval)


def _by_device(selection: str, figures: Figures) -> Iterator[Segment]:
    """PA7: by payment device, price list and price."""
    subjects = {
        key.subject
        for key in figures.counts
        if key.segment == "PA7" and key.subject.startswith(f"{selection}*")
    }
    for subject in sorted(subjects):
        yield "PA7", *subject.split("*"), *_of(figures, "PA7", subject, ("number", "value"))
