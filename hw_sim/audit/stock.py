"""Stock: the books against the products that really fell; and motors against dead controllers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hw_sim.audit.books import Books
from hw_sim.front import Cupboard

MAY_RUN_ON_S: Final = 0.500
_ROUNDING_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class SlotCount:
    """One slot over the day. `fell`: what really lay in the tray."""

    selection: str
    before: int
    after: int
    fell: int
    dispensed: int


def counts(
    before: Mapping[str, int], books: Books, cabinet: Cupboard, dispensed: Counter[str], since: int
) -> list[SlotCount]:
    """`since`: how many products lay in the tray when the day began."""
    fell = Counter(product.selection for product in cabinet.tray[since:])
    return [
        SlotCount(s, level, books.levels.get(s, 0), fell[s], dispensed[s])
        for s, level in before.items()
    ]


def check_stock(
    slots: Sequence[SlotCount],
    published: Counter[str],
    books: Books,
    unseen: Mapping[str, int] | None = None,
) -> Iterator[str]:
    """S1, S2. `unseen`: products per slot that fell while no controller lived to see them."""
    for slot in slots:
        missed = (unseen or {}).get(slot.selection, 0)
        if slot.before - slot.after + missed != slot.fell:
            yield (
                f"slot {slot.selection}: booked {slot.before} -> {slot.after}, but {slot.fell} fell"
            )
        if published[slot.selection] != slot.after - slot.before:
            yield (
                f"slot {slot.selection}: published changes {published[slot.selection]},"
                f" booked {slot.after - slot.before}"
            )
        if slot.after < 0:
            yield f"slot {slot.selection}: oversold, {slot.after}"
    if books.reserved:
        yield "products are still reserved when everybody has left"


def check_motors(cabinet: Cupboard, deaths: Sequence[float]) -> Iterator[str]:
    """L3: no motor turns on after its controller died."""
    for moment in deaths:
        ran = cabinet.currents.ran_after(moment)
        if ran > MAY_RUN_ON_S + _ROUNDING_S:
            yield f"a motor had current {ran * 1000:.0f} ms after the daemon had died"
    if cabinet.currents.flowing():
        yield f"motors still have current: {', '.join(cabinet.currents.flowing())}"
