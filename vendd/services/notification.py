"""The notification service on the machine: faults become one pair of facts each, not a storm.

A fault that flaps is told a few times an hour and then only counted, until it
has been quiet; what was held back is in the next fact's `count`. Open faults
are part of the books, so a fault that a restart cured is ended, not forgotten.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

import structlog

from vendd.core.audit.happenings import eva_code
from vendd.core.facts import ClaimOpened, Fact, Fault, LowStockAlert, RefundDue, Security
from vendd.core.operator.sight import OpenFault
from vendd.core.policy import Policy
from vendd.core.rows import Record, SettingSet
from vendd.core.sale.bill_reports import BillValidatorLost, BillValidatorReady
from vendd.core.sale.card_reports import CardReaderLost, CardReaderReady
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    Report,
    Started,
)
from vendd.core.snapshot import Snapshot
from vendd.services.severity import OnBus, Weight, weigh

SETTING: Final = "faults_open"
TOLD_PER_HOUR: Final = 6
_HOUR_MS: Final = 3_600_000
_ALERTS: Final = (Fault, LowStockAlert, ClaimOpened, RefundDue, Security)
_NO_DEVICE: Final = Snapshot({}, Policy())  # what a device of an earlier life is weighed in
_CHANGER_LOST: Final = ("changer", "changer_lost", None)
_VALIDATOR_LOST: Final = ("bill_validator", "bill_validator_lost", None)
_BEAM_BLOCKED: Final = ("drop_sensor", "beam_blocked", None)
_log = structlog.get_logger()
Key = tuple[str, str, str | None]  # device, code, slot


@dataclass(frozen=True, slots=True)
class _Open:
    device: str
    code: str
    slot: str | None
    since_ms: int
    started_at: str
    weight: Weight
    count: int = 1
    told: bool = True
    detail: str = ""


class Notification:
    """Keeps which faults are open. Not durable by itself: `records` belong into the commit.
    `on_bus`: what a bus takes with it when it is lost."""

    def __init__(self, faults_open: str | None = None, on_bus: OnBus | None = None) -> None:
        self._on_bus = on_bus or {}
        # Device, code, slot and, since it is kept, when it started.
        self._left_over: list[list[str | None]] = json.loads(faults_open) if faults_open else []
        self._suppressed: Counter[Key] = Counter()
        self._open: dict[Key, _Open] = {}
        self._told_at: dict[Key, list[int]] = {}

    def records(self, report: Report, world: Snapshot) -> list[Record]:
        """What this report means for the fault list; `world` as it is with this report."""
        match report:
            case Started():
                return self._end_left_over()
            case FaultStarted(code, device, detail, selection):
                return self._started((device, code, selection), detail, world)
            case FaultEnded(code, device, selection):
                return self._ended((device, code, selection), world)
            case DropSensorChanged(True):
                return self._started(_BEAM_BLOCKED, "", world)
            case DropSensorChanged(False):
                return self._ended(_BEAM_BLOCKED, world)
            case _:
                return self._device(report, world)

    def _device(self, report: Report, world: Snapshot) -> list[Record]:
        """A payment device came or went: a pair like any other fault's."""
        match report:
            case ChangerLost(why):
                return self._started(_CHANGER_LOST, why, world)
            case ChangerReady():
                return self._ended(_CHANGER_LOST, world)
            case BillValidatorLost(why):
                return self._started(_VALIDATOR_LOST, why, world)
            case BillValidatorReady():
                return self._ended(_VALIDATOR_LOST, world)
            case CardReaderLost(number, why):
                return self._started(_reader_lost(number), why, world)
            case CardReaderReady(number):
                return self._ended(_reader_lost(number), world)
            case _:
                return []

    def open_faults(self) -> list[str]:
        """Ids of what is wrong now."""
        return [_id(key) for key in self._open]

    def faults(self) -> tuple[OpenFault, ...]:
        """What is wrong now, oldest first."""
        return tuple(
            OpenFault(
                _id(key),
                fault.device,
                fault.code,
                fault.slot,
                *fault.weight,
                fault.started_at,
                fault.count,
                fault.detail,
            )
            for key, fault in self._open.items()
        )

    def tell(self, facts: Iterable[Fact]) -> None:
        """Operator alerts in the log, after the commit."""
        for fact in facts:
            if isinstance(fact, _ALERTS):
                _log.warning(_event_name(fact), **_words(fact))

    def _end_left_over(self) -> list[Record]:
        ended: list[Record] = []
        for device, code, slot, *since in self._left_over:
            assert device is not None
            assert code is not None
            weight = weigh(device, code, _NO_DEVICE, self._on_bus)
            fault = _fault((device, code, slot), "ended", 1, weight, "cleared by restart")
            started_at = since[0] if since else None
            eva = eva_code(device, code)
            ended.append(replace(fault, started_at=started_at, cleared_by="restart", eva_code=eva))
        self._left_over = []
        return [*ended, self._setting()] if ended else []

    def _started(self, key: Key, detail: str, world: Snapshot) -> list[Record]:
        now = world.now
        known = self._open.get(key)
        if known is not None:
            self._open[key] = replace(known, count=known.count + 1)
            return []
        told = self._may_tell(key, now.uptime_ms)
        weight = weigh(key[0], key[1], world, self._on_bus)
        self._open[key] = _Open(*key, now.uptime_ms, now.wall, weight, told=told, detail=detail)
        if not told:
            self._suppressed[key] += 1
            return []
        fault = _fault(key, "started", 1, weight, detail)
        suppressed = self._suppressed.pop(key, 0) or None
        eva = eva_code(key[0], key[1], detail)
        begun = replace(fault, started_at=now.wall, suppressed=suppressed, eva_code=eva)
        return [begun, self._setting()]

    def _ended(self, key: Key, world: Snapshot) -> list[Record]:
        known = self._open.pop(key, None)
        if known is None or not known.told:
            return []
        duration = (world.now.uptime_ms - known.since_ms) // 1000
        fault = _fault(key, "ended", known.count, known.weight, "", duration)
        eva = eva_code(key[0], key[1], known.detail)
        ended = replace(fault, started_at=known.started_at, cleared_by="device", eva_code=eva)
        return [ended, self._setting()]

    def _may_tell(self, key: Key, now_ms: int) -> bool:
        recent = [t for t in self._told_at.get(key, []) if now_ms - t < _HOUR_MS]
        if len(recent) >= TOLD_PER_HOUR:
            self._told_at[key] = recent
            return False
        self._told_at[key] = [*recent, now_ms]
        return True

    def _setting(self) -> SettingSet:
        told = [[*key, fault.started_at] for key, fault in self._open.items() if fault.told]
        return SettingSet(SETTING, json.dumps(told))


def _id(key: Key) -> str:
    device, code, slot = key
    return f"{code}:{device}" + (f":{slot}" if slot else "")


def _fault(
    key: Key,
    state: Literal["started", "ended"],
    count: int,
    weight: Weight,
    detail: str,
    duration: int | None = None,
) -> Fault:
    device, code, slot = key
    severity, stops = weight
    return Fault(
        fault_id=_id(key),
        state=state,
        code=code,
        device=device,
        severity=severity,
        stops=stops,
        count=count,
        detail=detail,
        slot=slot,
        duration_s=duration,
    )


def _reader_lost(number: int) -> Key:
    return f"card_reader_{number}", "card_reader_lost", None


def _event_name(fact: Fact) -> str:
    if isinstance(fact, Fault):
        return f"fault_{fact.state}"
    name = type(fact).__name__
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def _words(fact: Fact) -> dict[str, object]:
    return {
        name: value
        for name in type(fact).__dataclass_fields__  # type: ignore[attr-defined]
        if (value := getattr(fact, name)) not in (None, "", ())
    }
