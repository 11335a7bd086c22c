"""The audit's counters: moved in the transaction of what they count, so that they agree with the
ledger at every commit, and a decision that was not committed was not counted either.

A doubtful sale that was booked as sold waits in ``audit_suspense`` until somebody resolves it.
"""

import json
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from sqlite3 import Connection
from typing import Final

from vendd.core.audit.cash import of_posting
from vendd.core.audit.figures import (
    Both,
    Device,
    EventEnded,
    EventFigure,
    Figures,
    Reads,
    Suspense,
)
from vendd.core.audit.happenings import Happening, of_fact
from vendd.core.audit.vend import Count, Counts, of_vend
from vendd.core.facts import Channel, Decision, DeviceFound, SaleDoubtful, SaleResolved
from vendd.core.rows import AuditRead, Vended, VendPart
from vendd.core.sale.reports import Tube
from vendd.store.entries import Entries

_LOG_KEPT: Final = 100
_SOLD: Final = "sold"
_ADD: Final = (
    "INSERT INTO audit_counters (segment, subject, what, total, since_reset)"
    " VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET total = total + excluded.total,"
    " since_reset = since_reset + excluded.since_reset"
)
_SUSPEND: Final = "INSERT INTO audit_suspense (sale_id, vend, at) VALUES (?, ?, ?)"
_OPEN: Final = "vend ->> '$.decision' IS NULL"  # nobody has decided it
_RELEASE: Final = f"DELETE FROM audit_suspense WHERE sale_id = ? AND {_OPEN} RETURNING vend, at"
_GIVEN_BACK: Final = (
    "UPDATE audit_suspense SET vend = json_set(vend, '$.decision', 'refunded')"
    f" WHERE sale_id = ? AND {_OPEN}"
)
_LAST_SALE: Final = (
    "INSERT INTO audit_last_sales (selection, at) VALUES (?, ?)"
    " ON CONFLICT DO UPDATE SET at = excluded.at"
)
_DEVICE: Final = (
    "INSERT INTO audit_devices (device, manufacturer, model, serial, firmware)"
    " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET manufacturer = excluded.manufacturer,"
    " model = excluded.model, serial = excluded.serial, firmware = excluded.firmware"
)
_EVENT: Final = (
    "INSERT INTO audit_events (code, source, total, since_reset) VALUES (?1, ?2, ?3, ?3)"
    " ON CONFLICT DO UPDATE SET total = total + excluded.total,"
    " since_reset = since_reset + excluded.since_reset"
)
_BEGINS: Final = "UPDATE audit_events SET since = ? WHERE code = ? AND source = ? AND since IS NULL"
_ENDS: Final = (
    "SELECT code, since FROM audit_events WHERE source = ?1 AND since IS NOT NULL",
    "UPDATE audit_events SET since = NULL WHERE source = ?1",
)
_ENDED: Final = "INSERT INTO audit_event_log (code, began, minutes) VALUES (?, ?, ?)"
_SHORTEN: Final = (
    "DELETE FROM audit_event_log WHERE id <= (SELECT max(id) FROM audit_event_log) - ?"
)
_READ: Final = (
    "UPDATE audit_reads SET reads = reads + 1, resets = resets + ?, last_at = ?, last_by = ?"
)
_SHOWN: Final = (
    "UPDATE audit_counters SET reported = since_reset",
    "UPDATE audit_events SET reported = since_reset",
)
_RESET: Final = (
    "UPDATE audit_counters SET since_reset = since_reset - reported, reported = 0",
    "UPDATE audit_events SET since_reset = since_reset - reported, reported = 0",
)


def write_audit(connection: Connection, entries: Entries, at: str) -> None:
    """Count what these entries mean."""
    counts: Counter[Count] = Counter()
    for row in entries.postings:
        counts.update(_summed(of_posting(row)))
    doubtful = {
        fact.sale_id
        for fact in entries.facts
        if isinstance(fact, SaleDoubtful) and fact.booked_as == _SOLD
    }
    for vend in entries.vends:
        if vend.sale_id in doubtful:
            connection.execute(_SUSPEND, (vend.sale_id, json.dumps(asdict(vend)), at))
        else:
            _count(connection, counts, vend, at)
    for fact in entries.facts:
        match fact:
            case SaleResolved():
                _resolve(connection, counts, fact)
            case DeviceFound():
                found = (fact.manufacturer, fact.model, fact.serial, fact.firmware)
                connection.execute(_DEVICE, (fact.device, *found))
            case _:
                pass
        for happening in of_fact(fact):
            _happen(connection, happening, at)
    connection.executemany(_ADD, [(*key, amount) for key, amount in counts.items()])
    for read in entries.reads:
        note_read(read, at, connection)


def _summed(pairs: Counts) -> Counter[Count]:
    total: Counter[Count] = Counter()
    for key, amount in pairs:
        total[key] += amount
    return total


def _count(connection: Connection, counts: Counter[Count], vend: Vended, at: str) -> None:
    counts.update(_summed(of_vend(vend)))
    if vend.parts:
        connection.execute(_LAST_SALE, (vend.selection, at))


def _resolve(connection: Connection, counts: Counter[Count], fact: SaleResolved) -> None:
    """Refunded elsewhere: it is counted nowhere for good, though the ledger keeps what it was
    booked as. Otherwise it was a sale. Twice is once."""
    if fact.decision is Decision.REFUNDED:
        connection.execute(_GIVEN_BACK, (fact.sale_id,))
        return
    for vend, at in connection.execute(_RELEASE, (fact.sale_id,)).fetchall():
        _count(connection, counts, _vend(vend), at)


def _vend(stored: str) -> Vended:
    fields = json.loads(stored)
    parts = tuple(VendPart(**part) for part in fields.pop("parts"))
    return Vended(**fields | {"channel": Channel(fields["channel"])}, parts=parts)


def _happen(connection: Connection, happening: Happening, at: str) -> None:
    """What ends is found by its source: its code may have said more when it began."""
    key = (happening.code, happening.source)
    if happening.count or happening.active:
        connection.execute(_EVENT, (*key, happening.count))
    if happening.active:
        connection.execute(_BEGINS, (at, *key))
    elif happening.active is False:
        find, end = _ENDS
        for code, began in connection.execute(find, (happening.source,)).fetchall():
            connection.execute(_ENDED, (code, began, _minutes(began, at)))
            connection.execute(_SHORTEN, (_LOG_KEPT,))
        connection.execute(end, (happening.source,))


def _minutes(began: str, ended: str) -> int:
    """0 where the clock was set back meanwhile."""
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
    return max(0, int(seconds) // 60)


# --- reading ---------------------------------------------------------------------------------


def read_out(connection: Connection) -> Figures:
    """`figures`, and a note of them: what they show is what a reset will take off, so that a sale
    between a read-out and its end is lost in neither period."""
    shown = figures(connection)
    for statement in _SHOWN:
        connection.execute(statement)
    return shown


def note_read(read: AuditRead, at: str, connection: Connection) -> None:
    """A read-out came to its end."""
    connection.execute(_READ, (int(read.reset), at, read.terminal))
    if read.reset:
        for statement in _RESET:
            connection.execute(statement)


def figures(connection: Connection) -> Figures:
    """Everything a report needs, of one moment."""
    counted = connection.execute(
        "SELECT segment, subject, what, total, since_reset FROM audit_counters"
    )
    reads = connection.execute("SELECT reads, resets, last_at, last_by FROM audit_reads")
    devices = connection.execute("SELECT * FROM audit_devices")
    tubes = connection.execute('SELECT type, value, count, "full", defective FROM tubes')
    return Figures(
        counts={Count(*row[:3]): Both(*row[3:]) for row in counted},
        levels=dict(connection.execute("SELECT selection, level FROM slots")),
        last_sales=dict(connection.execute("SELECT selection, at FROM audit_last_sales")),
        tubes=tuple(
            Tube(type_, value, count, bool(full), bool(defective))
            for type_, value, count, full, defective in sorted(tubes)
        ),
        events=_events(connection),
        ended=tuple(
            EventEnded(*row)
            for row in connection.execute(
                "SELECT code, began, minutes FROM audit_event_log ORDER BY id"
            )
        ),
        reads=Reads(*reads.fetchone()),
        suspense=_suspense(connection),
        devices={name: Device(*rest) for name, *rest in devices},
    )


def _events(connection: Connection) -> tuple[EventFigure, ...]:
    rows = connection.execute(
        "SELECT code, sum(total), sum(since_reset), min(since) FROM audit_events"
        " GROUP BY code ORDER BY code"
    )
    return tuple(
        EventFigure(code, Both(total, interval), since is not None, since)
        for code, total, interval, since in rows
    )


def _suspense(connection: Connection) -> Suspense:
    rows = connection.execute(f"SELECT vend FROM audit_suspense WHERE {_OPEN}").fetchall()
    vends = [_vend(vend) for (vend,) in rows]
    return Suspense(len(vends), sum(part.amount for vend in vends for part in vend.parts))
