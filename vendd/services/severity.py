"""How bad a fault is: what can't be sold or paid now, seen from what still works.

A coin changer that is gone is no cash only on a machine without a bill validator that works.
"""

from collections.abc import Mapping
from typing import Final

from vendd.core.facts import Severity
from vendd.core.sale import tenders
from vendd.core.sale.tenders import BILLS, CARD, COINS
from vendd.core.snapshot import Snapshot

Weight = tuple[Severity, tuple[str, ...]]
"""Severity, and what is stopped: coins, bills, card, slots, everything."""

OnBus = Mapping[str, tuple[str, ...]]
"""Bus -> the tenders whose devices hang on it."""

_DOWN: Final = frozenset({"disk", "keypad", "storage", "motors", "outbox"})
_LOST: Final = "_lost"  # what the codes of a device that is not there end with
_STOPPING: Final = frozenset(  # a device with one of these answers, and takes nothing
    {
        "acceptor_unplugged",
        "coin_jam",
        "stuck_line",
        "bill_jam",
        "cash_box_out",
        "stacker_full",
        "validator_disabled",
        "currency_mismatch",
    }
)


def weigh(device: str, code: str, world: Snapshot, on_bus: OnBus) -> Weight:
    """Of a fault as it starts, in the world as it is then."""
    if device in _DOWN:
        return Severity.DOWN, ("everything",)
    if device == "drop_sensor":
        return Severity.SLOT_OFF, ("slots",)
    stopped = _stopped(device, code, world, on_bus)
    works = [name for name in tenders.usable(world) if name not in stopped]
    if not stopped:
        return Severity.DEGRADED, ()
    words = tuple(name.lower() for name in stopped)
    no_cash = any(name != CARD for name in stopped) and not {COINS, BILLS} & set(works)
    no_card = CARD in stopped
    if no_cash and no_card:
        return Severity.DOWN, words
    if no_cash or no_card:
        return (Severity.NO_CASH if no_cash else Severity.NO_CARD), words
    return Severity.DEGRADED, words


def _stopped(device: str, code: str, world: Snapshot, on_bus: OnBus) -> tuple[str, ...]:
    if device in on_bus:
        return on_bus[device]
    if not (code.endswith(_LOST) or code in _STOPPING):
        return ()
    if device in ("changer", "coin_acceptor"):
        return (COINS,)
    if device == "bill_validator":
        return (BILLS,)
    if device.startswith("card_reader_"):
        number = device.removeprefix("card_reader_")
        others = (r for r in world.readers if r.ready and str(r.number) != number)
        return () if any(others) else (CARD,)
    return ()
