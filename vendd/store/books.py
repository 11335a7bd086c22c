"""`ports.Books`: state, stock, ledger and outbox move in one transaction per decision.

Decides nothing: which rows and facts belong together is the services' business; that
they all happen or none does is this module's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.core.audit.figures import Figures
from vendd.core.operator.sight import OperatorRows
from vendd.core.planogram import SlotState
from vendd.core.rows import AuditRead, Record
from vendd.core.sale.bill_reports import RecyclerStore
from vendd.core.sale.reports import Tube
from vendd.core.snapshot import Totals
from vendd.events.context import Context
from vendd.ports import Loaded, SlotRow, StoredEvent, Writer
from vendd.store import audit, counters, operator_tables
from vendd.store.entries import gather, write_journal, write_money, write_small, write_stock
from vendd.store.publishing import Publisher


@dataclass(frozen=True)
class SqliteBooks:
    """The books behind one writer."""

    writer: Writer
    publisher: Publisher = field(default_factory=Publisher)

    async def load(
        self,
        first_levels: Mapping[str, int],
        file_prices: Mapping[tuple[str, str], int] | None = None,
    ) -> Loaded:
        """One more boot; from here until `close(clean=True)` an end counts as a power cut."""
        return await self.writer.run(partial(_load, dict(first_levels), file_prices))

    async def commit(
        self, state: bytes | None, records: Sequence[Record], context: Context
    ) -> list[StoredEvent]:
        """See `ports.Books`. Raises `BooksRefused` for records that contradict the books."""
        return await self.writer.run(partial(self._apply, state, tuple(records), context))

    async def close(self, *, clean: bool) -> None:
        """The end of this life; the writer stays open for what others still have to write."""
        await self.writer.run(partial(_mark_clean, clean))

    async def audit(self) -> list[str]:
        """What contradicts M1 and S2 in balances, tubes and reservations; empty if nothing."""
        return await self.writer.run(audit.quick)

    async def audit_fully(self) -> list[str]:
        """`audit` and every ledger row summed anew, in pieces that let commits through."""
        return await audit.full(self.writer)

    async def figures(self) -> Figures:
        """What an EVA-DTS report is made from; only looks."""
        return await self.writer.run(counters.figures)

    async def read_out(self) -> Figures:
        """`figures` for a read-out that may end with a reset (`note_read`, or an `AuditRead` in
        a commit): that takes off what was shown here, and nothing that came later."""
        return await self.writer.run(counters.read_out)

    async def note_read(self, read: AuditRead, at: str) -> None:
        """A read-out came to its end at this time (RFC 3339 UTC)."""
        await self.writer.run(partial(counters.note_read, read, at))

    def _apply(
        self,
        state: bytes | None,
        records: tuple[Record, ...],
        context: Context,
        connection: Connection,
    ) -> list[StoredEvent]:
        entries = gather(records)
        last, stored = self.publisher.append(entries.facts, context, connection)
        if state is not None:
            connection.execute(_STATE, (state, context.software, context.time))
        write_stock(connection, entries)
        write_money(connection, entries, last, context.boot_count, context.time)
        write_small(connection, entries, context.time)
        counters.write_audit(connection, entries, context.time)
        operator_tables.write_operator(connection, entries, context.time)
        write_journal(connection, entries, last, context.boot_count, context.time)
        return stored


_STATE: Final = (
    "INSERT INTO state (id, data, software, written_at) VALUES (1, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET data = excluded.data, software = excluded.software,"
    " written_at = excluded.written_at"
)


def _mark_clean(clean: bool, connection: Connection) -> None:
    connection.execute("UPDATE meta SET clean = ?", (int(clean),))


def _load(
    first_levels: Mapping[str, int],
    file_prices: Mapping[tuple[str, str], int] | None,
    connection: Connection,
) -> Loaded:
    if file_prices is not None:
        operator_tables.follow_file(connection, file_prices)
    (clean,) = connection.execute("SELECT clean FROM meta").fetchone()
    connection.execute("UPDATE meta SET boot_count = boot_count + 1, clean = 0")
    known = {selection for (selection,) in connection.execute("SELECT selection FROM slots")}
    new_slots = tuple(selection for selection in first_levels if selection not in known)
    connection.executemany(
        "INSERT INTO slots (selection, level) VALUES (?, ?)",
        [(selection, first_levels[selection]) for selection in new_slots],
    )
    state = connection.execute("SELECT data FROM state").fetchone()
    boot_count, seq, last_commit_at, *totals = connection.execute(
        "SELECT boot_count, seq, last_commit_at, sales_count, sales_value, cash_in, cash_out"
        " FROM meta"
    ).fetchone()
    return Loaded(
        state=state[0] if state else None,
        slots=_slots(connection),
        tubes=_tubes(connection),
        totals=Totals(*totals),
        settings=dict(connection.execute("SELECT name, value FROM settings")),
        balances=dict(connection.execute("SELECT account, closing FROM balances")),
        claims_open=dict(
            connection.execute("SELECT ref, amount FROM claims WHERE closed_how IS NULL")
        ),
        boot_count=boot_count,
        last_seq=seq,
        clean_shutdown=bool(clean),
        last_commit_at=last_commit_at,
        new_slots=new_slots,
        recycler=_recycler(connection),
        operator=_operator(connection),
    )


def _operator(connection: Connection) -> OperatorRows:
    doubts, ever = operator_tables.open_doubts(connection)
    return OperatorRows(
        operator_tables.open_claims(connection),
        doubts,
        ever,
        operator_tables.prices_set(connection),
        operator_tables.prices_pending(connection),
    )


def _slots(connection: Connection) -> dict[str, SlotRow]:
    rows = connection.execute(
        "SELECT selection, level, reserved, state, no_drop_streak FROM slots ORDER BY selection"
    )
    return {
        selection: SlotRow(level, reserved, SlotState(state), streak)
        for selection, level, reserved, state, streak in rows
    }


def _tubes(connection: Connection) -> tuple[Tube, ...]:
    rows = connection.execute(
        'SELECT type, value, count, "full", defective FROM tubes ORDER BY type'
    )
    return tuple(
        Tube(type_, value, count, bool(full), bool(defective))
        for type_, value, count, full, defective in rows
    )


def _recycler(connection: Connection) -> tuple[RecyclerStore, ...]:
    rows = connection.execute(
        'SELECT type, value, count, "full", defective FROM recycler ORDER BY type'
    )
    return tuple(
        RecyclerStore(type_, value, count, bool(full), bool(defective))
        for type_, value, count, full, defective in rows
    )
