"""The notification consumer's clockwork: evaluate the rules, then tell whom it concerns.

One process of the group does it at a time, by lease. A message goes out before it is recorded: one
that dies in between tells twice, which is better than not at all; the number in it shows that it
is the same alarm.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vendd.fleet.alarms.book import AlarmBook, Lease, alarms_since
from vendd.fleet.alarms.rules import KINDS, Limits, Sites, evaluate
from vendd.fleet.alarms.sender import Sender, SendFailed
from vendd.fleet.alarms.telling import Admin, Due, Manners, Telling, due, next_try_ms
from vendd.fleet.alarms.view import look
from vendd.fleet.clock import Clock
from vendd.fleet.database import Database, Session, Upsert

LEASE_MS: Final = 120_000
_DAY_MS: Final = 86_400_000
_TELLINGS: Final = Upsert(
    "tellings",
    ("alarm", "admin", "what", "told_ms", "attempts", "next_ms", "message", "error"),
    "(alarm, admin, what) DO UPDATE SET told_ms = excluded.told_ms,"
    " attempts = excluded.attempts, next_ms = excluded.next_ms, message = excluded.message,"
    " error = excluded.error",
)


@dataclass(frozen=True, slots=True)
class Watching:
    """What the watch goes by. `group`: the inventory consumers' group."""

    group: str
    limits: Limits
    sites: Sites
    admins: Sequence[Admin]
    manners: Manners
    every_ms: int
    inbox_ms: int


class Watch:
    """`turn` is called often; it acts every `every_ms`, and where messages have to be repeated."""

    def __init__(
        self,
        database: Database,
        watching: Watching,
        sender: Sender,
        clock: Clock,
        said: Callable[[str], None],
    ) -> None:
        self._database = database
        self._watching = watching
        self._sender = sender
        self._clock = clock
        self._said = said
        self._lease = Lease("watch", uuid.uuid4().hex, LEASE_MS)
        self._evaluated_ms = 0
        self._pruned_ms = 0

    def turn(self) -> None:
        """Raises `DatabaseDown`."""
        now_ms = self._clock.now_ms()
        with self._database.transaction() as session:
            if not self._lease.take(session, now_ms):
                return
        if now_ms - self._evaluated_ms >= self._watching.every_ms:
            self._evaluate(now_ms)
            self._evaluated_ms = now_ms
        if now_ms - self._pruned_ms >= _DAY_MS:
            self._prune(now_ms)
            self._pruned_ms = now_ms
        self._tell()

    def _evaluate(self, now_ms: int) -> None:
        of = self._watching
        with self._database.transaction() as session:
            ripe_ms, lately_ms = of.limits.gap_min * 60_000, of.limits.slot_days * _DAY_MS
            view = look(session, now_ms, of.group, ripe_ms, lately_ms)
            conditions = evaluate(view, of.limits, of.sites)
            undecided = [machine.machine for machine in view.machines if machine.unripe]
            book = AlarmBook(session, now_ms, of.manners.quiet_min * 60_000)
            book.settle(conditions, KINDS, undecided)

    def _tell(self) -> None:
        now_ms = self._clock.now_ms()
        horizon_ms = now_ms - max(_DAY_MS, 2 * self._watching.manners.quiet_min * 60_000)
        with self._database.transaction() as session:
            alarms = alarms_since(session, horizon_ms)
            tellings = _tellings(session, now_ms)
        known = {(each.alarm, each.admin, each.what): each.attempts for each in tellings}
        of = self._watching
        for message in due(alarms, tellings, of.admins, of.manners, now_ms):
            error = ""
            try:
                self._sender.send(message.admin.url, message.title, message.body)
            except SendFailed as failure:
                error = str(failure)
                self._said(f"{message.admin.name} could not be told: {error}")
            with self._database.transaction() as session:
                _record(session, message, known, error, now_ms)

    def _prune(self, now_ms: int) -> None:
        """What only proved that something came once, and what is long over."""
        before_ms = now_ms - self._watching.inbox_ms
        with self._database.transaction() as session:
            for statement in _PRUNING:
                session.execute(statement, (before_ms,))


_OLD_MARKS: Final = """
    DELETE FROM marks WHERE EXISTS (
        SELECT 1 FROM lives l WHERE l.machine = marks.machine
        AND l.bootid = marks.bootid AND l.bootcount = marks.bootcount AND l.last_ms < ?)
"""
_ENDED_FAULTS: Final = """
    DELETE FROM latest WHERE subject = 'fault' AND at_ms < ? AND data LIKE '%"state":"ended"%'
"""
_PRUNING: Final = (
    "DELETE FROM inbox WHERE arrived_ms < ?",
    "DELETE FROM tellings WHERE alarm IN (SELECT id FROM alarms WHERE cleared_ms < ?)",
    "DELETE FROM alarms WHERE cleared_ms < ?",
    "DELETE FROM dead_letters WHERE state <> 'open' AND changed_ms < ?",
    _OLD_MARKS,
    _ENDED_FAULTS,
)


def _tellings(session: Session, now_ms: int) -> list[Telling]:
    """Of alarms that may still have to be told, and of the last hour."""
    rows = session.rows(
        "SELECT t.alarm, t.admin, t.what, t.told_ms, t.attempts, t.next_ms, t.message"
        " FROM tellings t JOIN alarms a ON a.id = t.alarm"
        " WHERE a.cleared_ms IS NULL OR a.cleared_ms >= ? OR t.told_ms >= ?",
        (now_ms - 8 * _DAY_MS, now_ms - _DAY_MS),
    )
    return [Telling(*row) for row in rows]


def _record(
    session: Session,
    message: Due,
    known: dict[tuple[int, str, str], int],
    error: str,
    now_ms: int,
) -> None:
    ((number,),) = session.rows("SELECT coalesce(max(message), 0) + 1 FROM tellings")
    rows = []
    for what, alarm in message.about:
        key = (alarm.id, message.admin.name, what)
        attempts = known.get(key, 0) + 1
        told_ms = 0 if error else now_ms
        retry_ms = next_try_ms(attempts - 1, now_ms) if error else 0
        rows.append((*key, told_ms, attempts, retry_ms, number, error[:300]))
    session.merge(_TELLINGS, rows)
