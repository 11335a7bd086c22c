"""What an event adds to the projection: pure functions from an event to rows, by event type."""

from collections.abc import Callable, Mapping
from typing import Final

from vendd.fleet.envelope import Event
from vendd.fleet.projection import cash, sales, state, stock
from vendd.fleet.projection.entry import Entry, Malformed, Put
from vendd.fleet.tables import UNKNOWNS

__all__ = ["Malformed", "Put", "project"]

_SHOWN: Final = 100  # of a member that no enumeration knows
_PROJECTORS: Final[Mapping[str, Callable[[Entry], None]]] = {
    **sales.PROJECTORS,
    **stock.PROJECTORS,
    **cash.PROJECTORS,
    **state.PROJECTORS,
}


def project(event: Event, life: int) -> list[Put]:
    """The rows that `event` adds, as an event of the machine's `life`. Raises `Malformed` for
    data that no projection can use; of an unknown type only its name is counted."""
    entry = Entry(event, life)
    projector = _PROJECTORS.get(event.name)
    if projector is not None:
        projector(entry)
    elif not event.known:
        entry.put_by_machine(UNKNOWNS, ("type", event.type), 1)
    for field, member in event.others:
        entry.put_by_machine(UNKNOWNS, (field, member[:_SHOWN]), 1)
    return entry.puts
