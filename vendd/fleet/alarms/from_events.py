"""What a machine raises itself, as alarms: an event starts one, or ends it.

A one-off (security, a short collection) has no ending event: it stays until somebody takes it on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vendd.fleet.alarms.condition import Condition, Severity
from vendd.fleet.alarms.rules import Limits
from vendd.fleet.envelope import Event

_FAULTS: Final = {
    "info": Severity.INFO,
    "down": Severity.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Turn:
    """An alarm goes on, or off."""

    on: bool
    condition: Condition


def turns(event: Event, limits: Limits) -> list[Turn]:
    """What `event` means for the alarms; empty for most."""
    reader = _READERS.get(event.name)
    return [] if reader is None else reader(event, limits)


def _low_stock(event: Event, _limits: Limits) -> list[Turn]:
    data = event.data
    said = (
        f"slot {data['slot']} ({data['product_id']}) has {data['level']} left,"
        f" {data['needed']} to its par level; {data['product_level_machine']} of it in the machine"
    )
    return [_turn(event, "low_stock", data["slot"], Severity.WARNING, said, data["state"])]


def _sold_out(event: Event, _limits: Limits) -> list[Turn]:
    data = event.data
    said = (
        f"slot {data['slot']} ({data['product_id']}) is sold out ({data['kind']});"
        f" {data['slots_left_for_product']} other slots have it"
    )
    return [_turn(event, "sold_out", data["slot"], Severity.WARNING, said, data["state"])]


def _expiry(event: Event, _limits: Limits) -> list[Turn]:
    data = event.data
    what = "expired and is locked" if data["locked"] else "is about to expire"
    said = f"slot {data['slot']} ({data['product_id']}, {data['level']} left) {what}"
    state = "raised" if data["level"] else "cleared"
    return [_turn(event, "expiry", data["slot"], Severity.WARNING, said, state)]


def _fault(event: Event, _limits: Limits) -> list[Turn]:
    data = event.data
    severity = _FAULTS.get(data["severity"], Severity.WARNING)
    stops = f", stops {', '.join(data['stops'])}" if data["stops"] else ""
    slot = f" at slot {data['slot']}" if "slot" in data else ""
    detail = f": {data['detail']}" if data.get("detail") else ""
    said = f"{data['code']} of {data['device']}{slot}{stops}{detail}"
    return [_turn(event, "fault", data["fault_id"], severity, said, data["state"])]


def _door(event: Event, _limits: Limits) -> list[Turn]:
    state = "raised" if event.data["state"] == "left_open" else "cleared"
    return [_turn(event, "door_left_open", "", Severity.WARNING, "the door stands open", state)]


def _security(event: Event, _limits: Limits) -> list[Turn]:
    data = event.data
    said = f"{data['kind']} at {data['device']}, {data['count']} times: {data['action_taken']}"
    return [_turn(event, "security", data["kind"], Severity.CRITICAL, said)]


def _counted(event: Event, limits: Limits) -> list[Turn]:
    data = event.data
    if -data["difference"] < limits.cash_short:
        return []
    said = (
        f"collection {data['collection_no']}, counted by {data['by']}, is"
        f" {-data['difference']} {data['currency']} (minor units) short"
    )
    return [_turn(event, "cash_short", str(data["collection_no"]), Severity.CRITICAL, said)]


def _visit(event: Event, _limits: Limits) -> list[Turn]:
    data = event.data
    left = data.get("faults_after")
    if data["state"] != "left" or not left:
        return []
    said = f"{data['operator']} left with faults open: {', '.join(left)}"
    return [_turn(event, "visit_left_fault", data["visit_id"], Severity.WARNING, said)]


def _turn(
    event: Event, kind: str, item: str, severity: Severity, said: str, state: Any = "raised"
) -> Turn:
    condition = Condition(event.who.machine, kind, item, severity, said)
    return Turn(state in ("raised", "started"), condition)


_READERS: Final[Mapping[str, Callable[[Event, Limits], list[Turn]]]] = {
    "low-stock-alert": _low_stock,
    "sold-out": _sold_out,
    "expiry-alert": _expiry,
    "fault": _fault,
    "door": _door,
    "security": _security,
    "cash-counted": _counted,
    "visit": _visit,
}
