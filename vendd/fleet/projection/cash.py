"""Money in the machine outside of sales (events.md section 4)."""

from collections.abc import Callable, Mapping
from typing import Final

from vendd.fleet.projection.entry import Entry
from vendd.fleet.tables import CASH_FLOWS


def cash_moved(entry: Entry) -> None:
    flow = f"moved:{entry.text('from')}>{entry.text('to')}"
    entry.put(CASH_FLOWS, (flow, entry.text("currency")), entry.number("value"), 1)


def tubes(entry: Entry) -> None:
    """The exact-change sign and the cash level: both tell what the tubes hold."""
    entry.latest(entry.event.name)
    if "tubes" in entry.data:
        entry.latest("tubes", data=entry.listed("tubes"))


def collected(entry: Entry) -> None:
    entry.latest(entry.event.name, str(entry.number("collection_no")))


PROJECTORS: Final[Mapping[str, Callable[[Entry], None]]] = {
    "cash-moved": cash_moved,
    "exact-change": tubes,
    "cash-level": tubes,
    "cash-collected": collected,
    "cash-counted": collected,
}
