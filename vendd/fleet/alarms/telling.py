"""Who has to be told what now: a pure function of alarms, tellings and the clock.

An admin is told when an alarm is raised, and when it is over; each once, whatever flutters in
between. While nobody takes it on, the next level of admins is told after `escalate_min`. More
than `max_per_hour` messages to one admin become one message with the rest in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from vendd.fleet.alarms.book import Alarm
from vendd.fleet.alarms.condition import Severity

_HOUR_MS: Final = 3_600_000
_FIRST_RETRY_MS: Final = 30_000
What = Literal["raised", "over"]


class Admin(BaseModel):
    """Somebody to tell. `url` as Apprise has it; `level` 1 is told at once, 2 and more when
    nobody has taken the alarm on. `kinds` and `machines` are patterns such as ``north-*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,60}$")]
    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    kinds: tuple[str, ...] = ("*",)
    machines: tuple[str, ...] = ("*",)
    severity: Literal["info", "warning", "critical"] = "warning"
    level: Annotated[int, Strict(), Field(ge=1, le=9)] = 1

    def wants(self, alarm: Alarm) -> bool:
        return (
            alarm.severity >= Severity[self.severity.upper()]
            and any(fnmatchcase(alarm.kind, pattern) for pattern in self.kinds)
            and any(fnmatchcase(alarm.machine, pattern) for pattern in self.machines)
        )


class Manners(BaseModel):
    """How often somebody may be rung up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    escalate_min: Annotated[int, Strict(), Field(ge=1, le=10_080)] = 60
    max_per_hour: Annotated[int, Strict(), Field(ge=1, le=10_000)] = 20
    quiet_min: Annotated[int, Strict(), Field(ge=0, le=10_080)] = 30
    tell_over: Annotated[bool, Strict()] = True


@dataclass(frozen=True, slots=True)
class Telling:
    """One row: what an admin was told of an alarm. `told_ms` 0: it didn't get through yet.
    `message`: those with the same one went out together."""

    alarm: int
    admin: str
    what: str
    told_ms: int
    attempts: int
    next_ms: int
    message: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """One message: to whom, about which alarms."""

    admin: Admin
    about: tuple[tuple[What, Alarm], ...]

    @property
    def title(self) -> str:
        if len(self.about) > 1:
            return f"vendd: {len(self.about)} alarms"
        ((what, alarm),) = self.about
        word = "over" if what == "over" else Severity(alarm.severity).name.lower()
        return f"vendd {word}: {alarm.kind.replace('_', ' ')} {alarm.machine}".rstrip()

    @property
    def body(self) -> str:
        lines = []
        for what, alarm in self.about:
            prefix = "over: " if what == "over" else ""
            again = f" ({alarm.times} times)" if alarm.times > 1 else ""
            lines.append(f"[{alarm.id}] {prefix}{alarm}{again}")
        if any(what == "raised" for what, _ in self.about):
            lines.append("Take one on with: vendd-fleet ack NUMBER")
        return "\n".join(lines)


def due(
    alarms: Iterable[Alarm],
    tellings: Iterable[Telling],
    admins: Sequence[Admin],
    manners: Manners,
    now_ms: int,
) -> list[Due]:
    """The messages that have to go out now."""
    known = {(each.alarm, each.admin, each.what): each for each in tellings}
    last_hour: dict[str, int] = {}
    for name, _ in {(each.admin, each.message) for each in known.values() if _recent(each, now_ms)}:
        last_hour[name] = last_hour.get(name, 0) + 1
    wanted: dict[str, list[tuple[What, Alarm]]] = {admin.name: [] for admin in admins}
    for alarm in alarms:
        for admin in admins:
            what = _owed(alarm, admin, known, manners, now_ms)
            if what is not None:
                wanted[admin.name].append((what, alarm))
    found: list[Due] = []
    for admin in admins:
        about = wanted[admin.name]
        room = manners.max_per_hour - last_hour.get(admin.name, 0)
        if not about or room <= 0:
            continue
        if len(about) <= room:
            found += [Due(admin, (one,)) for one in about]
        else:  # the last message that is allowed tells of all the rest
            found += [Due(admin, (one,)) for one in about[: room - 1]]
            found.append(Due(admin, tuple(about[room - 1 :])))
    return found


def _owed(
    alarm: Alarm,
    admin: Admin,
    known: Mapping[tuple[int, str, str], Telling],
    manners: Manners,
    now_ms: int,
) -> What | None:
    raised = known.get((alarm.id, admin.name, "raised"))
    if alarm.cleared_ms is not None:
        over = known.get((alarm.id, admin.name, "over"))
        settled = now_ms - alarm.cleared_ms >= manners.quiet_min * 60_000
        was_told = raised is not None and raised.told_ms > 0
        if manners.tell_over and settled and was_told and _pending(over, now_ms):
            return "over"
        return None
    waited_ms = now_ms - alarm.raised_ms
    patience_ms = (admin.level - 1) * manners.escalate_min * 60_000
    called = admin.level == 1 or (alarm.acked_ms is None and waited_ms >= patience_ms)
    if called and alarm.acked_ms is None and admin.wants(alarm) and _pending(raised, now_ms):
        return "raised"
    return None


def _recent(telling: Telling, now_ms: int) -> bool:
    return telling.told_ms > now_ms - _HOUR_MS


def _pending(telling: Telling | None, now_ms: int) -> bool:
    return telling is None or (telling.told_ms == 0 and telling.next_ms <= now_ms)


def next_try_ms(attempts: int, now_ms: int) -> int:
    """When a message that didn't get through is tried again: after 30 s, doubling, at most 1 h."""
    return now_ms + min(_HOUR_MS, _FIRST_RETRY_MS * int(2 ** min(attempts, 10)))
