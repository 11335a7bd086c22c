"""The machine itself: what it last said about its parts (events.md section 5)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from vendd.fleet.projection.entry import LONGEST_KEY, Entry, Malformed
from vendd.fleet.tables import ACCOUNTED, BEATS, TOTALS


def whole(entry: Entry) -> None:
    """One subject per type."""
    entry.latest(entry.event.name)


def _by(field: str) -> Callable[[Entry], None]:
    """One subject per type and value of `field`."""

    def projector(entry: Entry) -> None:
        entry.latest(entry.event.name, entry.text(field))

    return projector


def heartbeat(entry: Entry) -> None:
    """Beside its state, the machine's own totals: they are checked against the sales seen here."""
    entry.latest(entry.event.name)
    entry.put(BEATS, (), entry.seq, entry.event.at_ms, entry.number("next_heartbeat_s"))
    totals: Mapping[str, Any] = entry.data.get("totals", entry.data)
    if isinstance(totals, dict) and "sales_count" in totals:
        count, value = entry.number("sales_count", totals), entry.number("sales_value", totals)
        entry.put(TOTALS, (), 0, 0, entry.seq, count, value, entry.seq, count, value)


def thinned(entry: Entry) -> None:
    """Telemetry that was dropped for space: its numbers are accounted for."""
    why = str(entry.data.get("reason", ""))[:LONGEST_KEY]
    for dropped in entry.listed("ranges"):
        first, last = entry.number("from_seq", dropped), entry.number("to_seq", dropped)
        if not 0 < first <= last:
            raise Malformed(f"{entry.event.type}: a range from {first} to {last}")
        entry.put(ACCOUNTED, (first, last, "thinned"), why)


PROJECTORS: Final[Mapping[str, Callable[[Entry], None]]] = {
    "heartbeat": heartbeat,
    "machine-started": whole,
    "clock-set": whole,
    "door": whole,
    "software-changed": whole,
    "config-changed": whole,
    "device-found": _by("device"),
    "fault": _by("fault_id"),
    "slot-state": _by("slot"),
    "temperature": _by("zone"),
    "visit": whole,
    "command": _by("kind"),
    "outbox-thinned": thinned,
}
