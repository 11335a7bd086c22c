"""The rows of one decision, gathered and then written: what a commit costs is decided here.

Rows of one commit are netted first (a slot or an account is touched once), so that the
order of the records doesn't matter: a level may fall and its reservation end in either order.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

from vendd.core.facts import Fact
from vendd.core.rows import (
    AuditRead,
    BoxChanged,
    ClaimSet,
    CountersAdded,
    DoubtSet,
    Journalled,
    LevelChanged,
    Posted,
    PricePending,
    PriceSet,
    Record,
    RecyclerSet,
    Released,
    Reserved,
    SettingSet,
    SlotSet,
    TubeSet,
    Vended,
)
from vendd.ports import BooksRefused


@dataclass(slots=True)
class Entries:
    """What one decision changes, by table."""

    facts: list[Fact] = field(default_factory=list)
    levels: Counter[str] = field(default_factory=Counter)
    reserved: Counter[tuple[str, str]] = field(default_factory=Counter)  # (sale, selection)
    slots: list[SlotSet] = field(default_factory=list)
    postings: list[Posted] = field(default_factory=list)
    tubes: list[TubeSet] = field(default_factory=list)
    recycler: list[RecyclerSet] = field(default_factory=list)
    boxes: Counter[tuple[str, int]] = field(default_factory=Counter)  # (box, value)
    claims: list[ClaimSet] = field(default_factory=list)
    settings: list[SettingSet] = field(default_factory=list)
    totals: list[CountersAdded] = field(default_factory=list)
    vends: list[Vended] = field(default_factory=list)
    reads: list[AuditRead] = field(default_factory=list)
    journal: list[Journalled] = field(default_factory=list)
    prices: list[PricePending | PriceSet] = field(default_factory=list)
    doubts: list[DoubtSet] = field(default_factory=list)


_KEPT_IN_ORDER: Final[dict[type, str]] = {
    Posted: "postings",
    SlotSet: "slots",
    TubeSet: "tubes",
    RecyclerSet: "recycler",
    ClaimSet: "claims",
    SettingSet: "settings",
    CountersAdded: "totals",
    Vended: "vends",
    AuditRead: "reads",
    Journalled: "journal",
    PricePending: "prices",
    PriceSet: "prices",
    DoubtSet: "doubts",
}


def gather(records: Iterable[Record]) -> Entries:
    """Sort records by table. A record of an unknown kind is a mistake of ours."""
    entries = Entries()
    for record in records:
        match record:
            case Fact():
                entries.facts.append(record)
            case LevelChanged(selection, delta):
                entries.levels[selection] += delta
            case Reserved(sale_id, selection, quantity):
                entries.reserved[sale_id, selection] += quantity
            case Released(sale_id, selection, quantity):
                entries.reserved[sale_id, selection] -= quantity
            case BoxChanged(box, value, delta):
                entries.boxes[box, value] += delta
            case _ if (table := _KEPT_IN_ORDER.get(type(record))) is not None:
                getattr(entries, table).append(record)
            case _:
                raise BooksRefused(f"no table for {type(record).__name__}")
    return entries


_SLOT: Final = "UPDATE slots SET level = level + ?, reserved = reserved + ? WHERE selection = ?"
_SLOT_STATE: Final = (
    "UPDATE slots SET state = ?, reason = ?, no_drop_streak = ? WHERE selection = ?"
)
_RESERVE: Final = (
    "INSERT INTO reservations (sale_id, selection, quantity) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity"
)
_RELEASE: Final = (
    "UPDATE reservations SET quantity = quantity - ? WHERE sale_id = ? AND selection = ?"
)
_RELEASED: Final = "DELETE FROM reservations WHERE sale_id = ? AND selection = ? AND quantity = 0"


def write_stock(connection: Connection, entries: Entries) -> None:
    """Levels, reservations and slot states. `BooksRefused` for what the books don't know."""
    changes = {selection: [delta, 0] for selection, delta in entries.levels.items()}
    for (sale_id, selection), quantity in entries.reserved.items():
        changes.setdefault(selection, [0, 0])[1] += quantity
        if quantity > 0:
            connection.execute(_RESERVE, (sale_id, selection, quantity))
        elif quantity < 0:
            done = connection.execute(_RELEASE, (-quantity, sale_id, selection))
            _must_touch(done.rowcount, f"reservation of {sale_id} in {selection}")
            connection.execute(_RELEASED, (sale_id, selection))
    for selection, (delta, quantity) in changes.items():
        done = connection.execute(_SLOT, (delta, quantity, selection))
        _must_touch(done.rowcount, f"slot {selection}")
    for row in entries.slots:
        values = (str(row.state), row.reason, row.no_drop_streak, row.selection)
        done = connection.execute(_SLOT_STATE, values)
        _must_touch(done.rowcount, f"slot {row.selection}")


def _must_touch(rows: int, what: str) -> None:
    if rows != 1:
        raise BooksRefused(f"no {what} in the books")


_LEDGER: Final = (
    "INSERT INTO ledger (seq, boot, at, debit, credit, amount, reason, ref)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_BALANCE: Final = (
    "INSERT INTO balances (account, opening, inflow, outflow, closing) VALUES (?, 0, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET inflow = inflow + excluded.inflow,"
    " outflow = outflow + excluded.outflow, closing = closing + excluded.closing"
)


def write_money(connection: Connection, entries: Entries, seq: int, boot: int, at: str) -> None:
    """Ledger rows and the balances they move (M1). `seq`: the newest event of this commit."""
    moved: dict[str, list[int]] = {}
    for row in entries.postings:
        values = (seq, boot, at, row.debit, row.credit, row.amount, row.reason, row.ref)
        connection.execute(_LEDGER, values)
        moved.setdefault(row.debit, [0, 0])[0] += row.amount
        moved.setdefault(row.credit, [0, 0])[1] += row.amount
    for account, (inflow, outflow) in moved.items():
        connection.execute(_BALANCE, (account, inflow, outflow, inflow - outflow))


_STORE: Final = (  # of pieces that can be paid: a tube, or a bill type of the recycler
    'INSERT INTO {} (type, value, count, "full", defective) VALUES (?, ?, ?, ?, ?)'
    " ON CONFLICT DO UPDATE SET value = excluded.value, count = excluded.count,"
    ' "full" = excluded."full", defective = excluded.defective'
)
_TUBE: Final = _STORE.format("tubes")
_RECYCLER: Final = _STORE.format("recycler")
_INTO_BOX: Final = (
    "INSERT INTO boxes (box, value, count) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count"
)
_OUT_OF_BOX: Final = "UPDATE boxes SET count = count - ? WHERE box = ? AND value = ?"
_CLAIM: Final = (
    "INSERT INTO claims (ref, amount, reason, sale_id, opened_at, changed_at, closed_how,"
    " closed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET amount = excluded.amount, reason = excluded.reason,"
    " sale_id = excluded.sale_id, changed_at = excluded.changed_at,"
    " closed_how = excluded.closed_how, closed_by = excluded.closed_by"
)
_SETTING: Final = (
    "INSERT INTO settings (name, value) VALUES (?, ?)"
    " ON CONFLICT DO UPDATE SET value = excluded.value"
)
_TOTALS: Final = (
    "UPDATE meta SET sales_count = sales_count + ?, sales_value = sales_value + ?,"
    " cash_in = cash_in + ?, cash_out = cash_out + ?"
)


def write_small(connection: Connection, entries: Entries, at: str) -> None:
    """Tubes, recycler, boxes, claims, settings, totals."""
    for statement, stores in ((_TUBE, entries.tubes), (_RECYCLER, entries.recycler)):
        for store in stores:
            flags = (int(store.full), int(store.defective))
            connection.execute(statement, (store.type, store.value, store.count, *flags))
    _write_boxes(connection, entries)
    for row in entries.claims:
        opened = (row.ref, row.amount, row.reason, row.sale_id, at, at)
        connection.execute(_CLAIM, (*opened, row.closed_how, row.closed_by))
    for setting in entries.settings:
        connection.execute(_SETTING, (setting.name, setting.value))
    for add in entries.totals:
        added = (add.sales_count, add.sales_value, add.cash_in, add.cash_out)
        connection.execute(_TOTALS, added)


_JOURNAL: Final = (
    "INSERT INTO journal (at, boot, seq, uid, user, role, action, target, why, before, after,"
    " outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def write_journal(connection: Connection, entries: Entries, seq: int, boot: int, at: str) -> None:
    """The audit journal. `seq`: the newest event of this commit."""
    for line in entries.journal:
        who = (line.uid, line.user, line.role)
        what = (line.action, line.target, line.why, line.before, line.after, line.outcome)
        connection.execute(_JOURNAL, (at, boot, seq, *who, *what))


def _write_boxes(connection: Connection, entries: Entries) -> None:
    for (box, value), delta in entries.boxes.items():
        if delta > 0:
            connection.execute(_INTO_BOX, (box, value, delta))
        elif delta < 0:
            done = connection.execute(_OUT_OF_BOX, (-delta, box, value))
            _must_touch(done.rowcount, f"piece of {value} in the {box}")
