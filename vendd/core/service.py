"""The second, small machine: in service, door open, out of service and why.

It also folds what devices say of themselves into the snapshot, so that the
purchase machine decides on one picture of the world.
"""

from dataclasses import dataclass, replace
from typing import Final

from vendd.core.sale.bill_reports import BillValidatorLost, BillValidatorReady, StackerRead
from vendd.core.sale.card_reports import CardReaderLost, CardReaderReady
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    DoorMoved,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    Report,
    ServiceChanged,
    Started,
)
from vendd.core.snapshot import BillValidator, CardReader, Changer, Snapshot

# Devices without which nobody can buy: their faults put the machine out of service.
ESSENTIAL: Final = frozenset({"keypad", "storage", "motors"})


@dataclass(frozen=True, slots=True)
class Service:
    """`reasons` the machine is out of service for, oldest first; durable.

    `faults` are the open faults (``device:code``) of essential devices; this life's only.
    """

    reasons: tuple[str, ...] = ()
    door_open: bool = False
    faults: tuple[str, ...] = ()

    def step(self, report: Report) -> "Service":
        """The next service state; only these reports matter to it."""
        match report:
            case DoorMoved(is_open):
                return replace(self, door_open=is_open)
            case ServiceChanged(reason, active):
                return self._with(reason, active)
            case FaultStarted(code, device, _, None) if device in ESSENTIAL:
                return self._with_fault(device, f"{device}:{code}", active=True)
            case FaultEnded(code, device, None) if device in ESSENTIAL:
                return self._with_fault(device, f"{device}:{code}", active=False)
            case Started():  # what is still broken will say so again; what a restart cured won't
                kept = tuple(r for r in self.reasons if r not in ESSENTIAL)
                return replace(self, reasons=kept, faults=())
            case _:
                return self

    def _with(self, reason: str, active: bool) -> "Service":
        others = tuple(r for r in self.reasons if r != reason)
        if not active:
            return replace(self, reasons=others)
        return self if reason in self.reasons else replace(self, reasons=(*others, reason))

    def _with_fault(self, device: str, fault: str, *, active: bool) -> "Service":
        """A device is broken as long as any of its faults is open."""
        others = tuple(f for f in self.faults if f != fault)
        faults = (*others, fault) if active else others
        broken = any(f.startswith(f"{device}:") for f in faults)
        return replace(self._with(device, broken), faults=faults)


def observe(world: Snapshot, service: Service, report: Report) -> Snapshot:
    """The snapshot with what this report says of devices and service."""
    world = replace(world, out_of_service=service.reasons, door_open=service.door_open)
    match report:
        case ChangerReady(_, coins, _):
            return replace(world, changer=Changer(True, coins))
        case ChangerLost():
            return replace(world, changer=replace(world.changer, ready=False))
        case DropSensorChanged(blocked):
            return replace(world, drop_sensor_blocked=blocked)
        case _:
            return _money_devices(world, report)


def _money_devices(world: Snapshot, report: Report) -> Snapshot:
    match report:
        case BillValidatorReady(_, bills, escrow, stacker, _):
            ready = BillValidator(True, True, escrow, bills, stacker.full)
            return replace(world, validator=ready)
        case BillValidatorLost():
            return replace(world, validator=replace(world.validator, ready=False))
        case StackerRead(stacker):
            return replace(world, validator=replace(world.validator, stacker_full=stacker.full))
        case CardReaderReady():
            return _with_reader(world, _reader(report))
        case CardReaderLost(number, _):
            return _with_reader(world, replace(world.reader(number), ready=False))
        case _:
            return world


def _reader(report: CardReaderReady) -> CardReader:
    return CardReader(
        report.reader,
        True,
        report.identity.serial,
        report.max_response_s,
        report.can_refund,
        report.multi_vend,
        report.selection_first,
        report.wants_cash_sales,
    )


def _with_reader(world: Snapshot, reader: CardReader) -> Snapshot:
    others = {r.number: r for r in world.readers} | {reader.number: reader}
    return replace(world, readers=tuple(others[n] for n in sorted(others)))
