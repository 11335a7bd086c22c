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

from vendd.core.facts import ClaimOpened, Fact, Fault, LowStockAlert, RefundDue, Security, Severity
from vendd.core.rows import Record, SettingSet
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    Report,
    Started,
)
from vendd.core.snapshot import Moment

SETTING: Final = "faults_open"
TOLD_PER_HOUR: Final = 6
_HOUR_MS: Final = 3_600_000
_SEVERITY: Final = {
    "changer": Severity.NO_CASH,
    "mdb": Severity.NO_CASH,  # the bus: whatever takes money hangs on it
    "disk": Severity.DOWN,
    "keypad": Severity.DOWN,
    "storage": Severity.DOWN,
    "motors": Severity.DOWN,
    "outbox": Severity.DOWN,
    "drop_sensor": Severity.SLOT_OFF,
}
_STOPS: Final = {
    "changer": ("coins",),
    "mdb": ("coins",),
    "disk": ("everything",),
    "keypad": ("everything",),
    "storage": ("everything",),
    "motors": ("everything",),
    "outbox": ("everything",),
    "drop_sensor": ("slots",),
}
_ALERTS: Final = (Fault, LowStockAlert, ClaimOpened, RefundDue, Security)
_CHANGER_LOST: Final = ("changer", "changer_lost", None)
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
    count: int = 1
    told: bool = True


class Notification:
    """Keeps which faults are open. Not durable by itself: `records` belong into the commit."""

    def __init__(self, faults_open: str | None = None) -> None:
        # Device, code, slot and, since it is kept, when it started.
        self._left_over: list[list[str | None]] = json.loads(faults_open) if faults_open else []
        self._suppressed: Counter[Key] = Counter()
        self._open: dict[Key, _Open] = {}
        self._told_at: dict[Key, list[int]] = {}

    def records(self, report: Report, now: Moment) -> list[Record]:
        """What this report means for the fault list."""
        match report:
            case Started():
                return self._end_left_over()
            case FaultStarted(code, device, detail, selection):
                return self._started((device, code, selection), detail, now)
            case FaultEnded(code, device, selection):
                return self._ended((device, code, selection), now)
            case ChangerLost(why):
                return self._started(_CHANGER_LOST, why, now)
            case ChangerReady():
                return self._ended(_CHANGER_LOST, now)
            case DropSensorChanged(True):
                return self._started(_BEAM_BLOCKED, "", now)
            case DropSensorChanged(False):
                return self._ended(_BEAM_BLOCKED, now)
            case _:
                return []

    def open_faults(self) -> list[str]:
        """Ids of what is wrong now."""
        return [_id(key) for key in self._open]

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
            fault = _fault((device, code, slot), "ended", 1, "cleared by restart")
            started_at = since[0] if since else None
            ended.append(replace(fault, started_at=started_at, cleared_by="restart"))
        self._left_over = []
        return [*ended, self._setting()] if ended else []

    def _started(self, key: Key, detail: str, now: Moment) -> list[Record]:
        known = self._open.get(key)
        if known is not None:
            self._open[key] = replace(known, count=known.count + 1)
            return []
        told = self._may_tell(key, now.uptime_ms)
        self._open[key] = _Open(*key, now.uptime_ms, now.wall, told=told)
        if not told:
            self._suppressed[key] += 1
            return []
        fault = _fault(key, "started", 1, detail)
        suppressed = self._suppressed.pop(key, 0) or None
        return [replace(fault, started_at=now.wall, suppressed=suppressed), self._setting()]

    def _ended(self, key: Key, now: Moment) -> list[Record]:
        known = self._open.pop(key, None)
        if known is None or not known.told:
            return []
        duration = (now.uptime_ms - known.since_ms) // 1000
        fault = _fault(key, "ended", known.count, "", duration)
        ended = replace(fault, started_at=known.started_at, cleared_by="device")
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
    detail: str,
    duration: int | None = None,
) -> Fault:
    device, code, slot = key
    return Fault(
        fault_id=_id(key),
        state=state,
        code=code,
        device=device,
        severity=_SEVERITY.get(device, Severity.DEGRADED),
        stops=_STOPS.get(device, ()),
        count=count,
        detail=detail,
        slot=slot,
        duration_s=duration,
    )


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
