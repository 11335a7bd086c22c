"""The alarms table: raised once, told of from there, cleared or taken on by somebody.

An alarm that comes back within `quiet_ms` of being cleared is the same one again: it is
counted, not raised anew, so that a contact that flutters doesn't ring all night.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vendd.fleet.alarms.condition import Condition
from vendd.fleet.database import Session

_COLUMNS = (
    "id, machine, kind, item, severity, said, raised_ms, cleared_ms, times, acked_ms, acked_by"
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One row. `times`: how often it was raised; `acked_ms`: somebody takes care of it."""

    id: int
    machine: str
    kind: str
    item: str
    severity: int
    said: str
    raised_ms: int
    cleared_ms: int | None
    times: int
    acked_ms: int | None
    acked_by: str | None

    @property
    def subject(self) -> tuple[str, str, str]:
        return self.machine, self.kind, self.item

    def __str__(self) -> str:
        where = f"machine {self.machine}: " if self.machine else ""
        return f"{where}{self.kind.replace('_', ' ')}: {self.said}"


class AlarmBook:
    """The alarms in one transaction; two of them never overlap."""

    def __init__(self, session: Session, now_ms: int, quiet_ms: int) -> None:
        self._session = session
        self._now_ms = now_ms
        self._quiet_ms = quiet_ms
        # Several consumers raise alarms: they take turns from here to the end of the transaction.
        session.execute(
            "INSERT INTO leases (name, holder, until_ms) VALUES ('alarm-book', '', 0)"
            " ON CONFLICT (name) DO NOTHING"
        )
        session.execute("UPDATE leases SET until_ms = 0 WHERE name = 'alarm-book'")

    def raise_(self, condition: Condition) -> None:
        """Now, or still: then its words are renewed."""
        before = self._last(condition.subject)
        if before is None or (
            before.cleared_ms is not None and before.cleared_ms < self._now_ms - self._quiet_ms
        ):
            self._insert(condition)
            return
        again = int(before.cleared_ms is not None)
        if again or before.said != condition.said or before.severity != condition.severity:
            self._session.execute(
                "UPDATE alarms SET severity = ?, said = ?, cleared_ms = NULL, times = times + ?"
                " WHERE id = ?",
                (int(condition.severity), condition.said, again, before.id),
            )

    def clear(self, machine: str, kind: str, item: str) -> None:
        """It is over, if it was raised."""
        self._session.execute(
            "UPDATE alarms SET cleared_ms = ?"
            " WHERE machine = ? AND kind = ? AND item = ? AND cleared_ms IS NULL",
            (self._now_ms, machine, kind, item),
        )

    def settle(
        self, conditions: Iterable[Condition], kinds: Iterable[str], undecided: Iterable[str] = ()
    ) -> None:
        """Of these kinds, exactly these conditions hold; on the undecided machines perhaps more."""
        held = {condition.subject: condition for condition in conditions}
        decided, left = set(kinds), set(undecided)
        for alarm in open_alarms(self._session):
            over = alarm.kind in decided and alarm.subject not in held
            if over and alarm.machine not in left:
                self.clear(*alarm.subject)
        for condition in held.values():
            self.raise_(condition)

    def _last(self, subject: tuple[str, str, str]) -> Alarm | None:
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM alarms WHERE machine = ? AND kind = ? AND item = ?"
            " ORDER BY id DESC LIMIT 1",
            subject,
        )
        return Alarm(*rows[0]) if rows else None

    def _insert(self, condition: Condition) -> None:
        ((number,),) = self._session.rows("SELECT coalesce(max(id), 0) + 1 FROM alarms")
        self._session.execute(
            f"INSERT INTO alarms ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 1, NULL, NULL)",
            (number, *condition.subject, int(condition.severity), condition.said, self._now_ms),
        )


def open_alarms(session: Session) -> list[Alarm]:
    """Raised and not over, oldest first."""
    rows = session.rows(f"SELECT {_COLUMNS} FROM alarms WHERE cleared_ms IS NULL ORDER BY id")
    return [Alarm(*row) for row in rows]


def alarms_since(session: Session, ms: int) -> list[Alarm]:
    """Open, or cleared since then."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM alarms WHERE cleared_ms IS NULL OR cleared_ms >= ? ORDER BY id",
        (ms,),
    )
    return [Alarm(*row) for row in rows]


def acknowledge(session: Session, number: int, by: str, now_ms: int) -> Alarm:
    """Somebody takes care of it. `KeyError`: no such alarm. A second time changes nothing."""
    session.execute(
        "UPDATE alarms SET acked_ms = ?, acked_by = ? WHERE id = ? AND acked_ms IS NULL",
        (now_ms, by, number),
    )
    rows = session.rows(f"SELECT {_COLUMNS} FROM alarms WHERE id = ?", (number,))
    if not rows:
        raise KeyError(number)
    return Alarm(*rows[0])


class Lease:
    """One holder at a time does what must not be done twice; it falls free when he dies."""

    def __init__(self, name: str, holder: str, lasts_ms: int) -> None:
        self._name = name
        self._holder = holder
        self._lasts_ms = lasts_ms

    def take(self, session: Session, now_ms: int) -> bool:
        """True while it is ours, from now on for its time."""
        until_ms = now_ms + self._lasts_ms
        session.execute(
            "INSERT INTO leases (name, holder, until_ms) VALUES (?, ?, 0)"
            " ON CONFLICT (name) DO NOTHING",
            (self._name, self._holder),
        )
        taken = session.execute(
            "UPDATE leases SET holder = ?, until_ms = ?"
            " WHERE name = ? AND (holder = ? OR until_ms < ?)",
            (self._holder, until_ms, self._name, self._holder, now_ms),
        )
        return taken == 1
