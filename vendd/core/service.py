"""The second, small machine: in service, door open, out of service and why.

It also folds what devices say of themselves into the snapshot, so that the
purchase machine decides on one picture of the world.
"""

from dataclasses import dataclass, replace
from typing import Final

from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    DoorMoved,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    Report,
    ServiceChanged,
)
from vendd.core.snapshot import Changer, Snapshot

# Devices without which nobody can buy: their faults put the machine out of service.
ESSENTIAL: Final = frozenset({"keypad", "storage", "motors"})


@dataclass(frozen=True, slots=True)
class Service:
    """`reasons` the machine is out of service for, oldest first; durable."""

    reasons: tuple[str, ...] = ()
    door_open: bool = False

    def step(self, report: Report) -> "Service":
        """The next service state; only these reports matter to it."""
        match report:
            case DoorMoved(is_open):
                return replace(self, door_open=is_open)
            case ServiceChanged(reason, active):
                return self._with(reason, active)
            case FaultStarted(_, device) if device in ESSENTIAL:
                return self._with(device, active=True)
            case FaultEnded(_, device) if device in ESSENTIAL:
                return self._with(device, active=False)
            case _:
                return self

    def _with(self, reason: str, active: bool) -> "Service":
        others = tuple(r for r in self.reasons if r != reason)
        return replace(self, reasons=(*others, reason) if active else others)


def observe(world: Snapshot, service: Service, report: Report) -> Snapshot:
    """The snapshot with what this report says of devices and service."""
    world = replace(world, out_of_service=service.reasons, door_open=service.door_open)
    match report:
        case ChangerReady(_, coins, _):
            return replace(world, changer=Changer(ready=True, coins=coins))
        case ChangerLost():
            return replace(world, changer=replace(world.changer, ready=False))
        case DropSensorChanged(blocked):
            return replace(world, drop_sensor_blocked=blocked)
        case _:
            return world
