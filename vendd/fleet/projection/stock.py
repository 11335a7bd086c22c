"""Slots: levels, terms and what a snapshot says of them (events.md section 3)."""

from collections.abc import Callable, Mapping
from typing import Final

from vendd.fleet.projection.entry import Entry
from vendd.fleet.tables import SLOT_LEVELS, SLOT_TERMS


def stock_changed(entry: Entry) -> None:
    """One link of the slot's chain: `before` + `delta` = `after`, and the next begins there."""
    data, seq = entry.data, entry.seq
    _level(entry, data["slot"], data["before"], data["delta"], data["after"])
    terms = (data["product_id"], data["capacity"], data["par"], data["threshold"])
    entry.put(SLOT_TERMS, (data["slot"],), seq, *terms)


def stock_snapshot(entry: Entry) -> None:
    """The levels as the machine has them: a link that moves nothing."""
    for slot in entry.listed("slots"):
        name, level = entry.text("slot", slot), entry.number("level", slot)
        _level(entry, name, level, 0, level)
        entry.latest("stock-snapshot", name, slot)


def _level(entry: Entry, slot: str, before: int, delta: int, after: int) -> None:
    moves = 1 if delta else 0
    seq, at_ms = entry.seq, entry.event.at_ms
    entry.put(SLOT_LEVELS, (slot,), seq, before, delta, moves, seq, after, at_ms)


def by_slot(entry: Entry) -> None:
    """Low stock, sold out, about to expire: the last word counts."""
    entry.latest(entry.event.name, entry.text("slot"))


PROJECTORS: Final[Mapping[str, Callable[[Entry], None]]] = {
    "stock-changed": stock_changed,
    "stock-snapshot": stock_snapshot,
    "low-stock-alert": by_slot,
    "sold-out": by_slot,
    "expiry-alert": by_slot,
}
