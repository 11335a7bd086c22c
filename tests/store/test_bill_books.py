"""Bills in the books: the recycler's stores, the boxes, and stores from before there were any."""

import pytest
from sqlite_utils import Database as Utils
from store_samples import LEVELS, coin, context

from vendd.core import ledger
from vendd.core.rows import BoxChanged, Posted, Record, RecyclerSet
from vendd.core.sale.bill_reports import RecyclerStore
from vendd.ports import BooksRefused
from vendd.store import Database, SqliteBooks
from vendd.store.migrations import MIGRATIONS
from vendd.store.opening import FILE, MARKER
from vendd.store.schema import SCHEMA_VERSION

TEN: list[Record] = [
    Posted(ledger.recycler(1000), ledger.CUSTOMER, 1000, "bill"),
    RecyclerSet(2, 1000, 1),
]
FIFTY: list[Record] = [
    Posted(ledger.STACKER, ledger.CUSTOMER, 5000, "bill"),
    BoxChanged("stacker", 5000, 1),
]


def test_recycler_and_boxes_stand_as_committed(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.commit(None, [*TEN, *FIFTY], context())
        await books.commit(None, [*FIFTY, RecyclerSet(1, 500, 0, full=True)], context())
        assert await books.audit() == await books.audit_fully() == []
        boxes = await writer.run(lambda c: c.execute("SELECT * FROM boxes").fetchall())
        return await books.load({}), boxes

    loaded, boxes = drive(scenario)
    assert loaded.recycler == (RecyclerStore(1, 500, 0, full=True), RecyclerStore(2, 1000, 1))
    assert loaded.balances["recycler:1000"] == 1000
    assert boxes == [("stacker", 5000, 2)]


def test_a_box_is_emptied_and_never_holds_less_than_nothing(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.commit(None, FIFTY, context())
        collected: list[Record] = [
            Posted(ledger.COLLECTION, ledger.STACKER, 5000, "collection"),
            BoxChanged("stacker", 5000, -1),
        ]
        await books.commit(None, collected, context())
        assert await books.audit() == []
        for never in (collected, [BoxChanged("coin_box", 100, -1)]):
            with pytest.raises(BooksRefused):
                await books.commit(None, never, context())
        # rows of one commit are netted: in and out again is nothing
        await books.commit(
            None, [BoxChanged("coin_box", 50, -1), BoxChanged("coin_box", 50, 1)], context()
        )

    drive(scenario)


def test_the_audit_tells_stores_that_do_not_hold_what_is_booked(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.commit(None, [TEN[0], FIFTY[0], BoxChanged("coin_box", 50, 1)], context())
        return await books.audit()

    assert drive(scenario) == [
        "recycler:1000: booked 1000, counted 0",
        "coin_box: booked 0, counted 50",
        "stacker: booked 5000, counted 0",
    ]


def test_coins_from_before_they_were_counted_are_no_finding(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        box = Posted(ledger.COIN_BOX, ledger.CUSTOMER, 50, "coin")
        await books.commit(None, [box], context())
        await books.commit(None, [box, BoxChanged("coin_box", 50, 1)], context())
        return await books.audit()

    assert drive(scenario) == []


def test_a_store_of_the_first_version_is_brought_to_this_one_in_the_middle_of_a_sale(tmp_path):
    old = Utils(tmp_path / FILE)
    MIGRATIONS.apply(old, stop_before="m0002_bills")
    apply = SqliteBooks(None)._apply  # type: ignore[arg-type]  # the work itself, no writer
    old.conn.execute("INSERT INTO slots (selection, level) VALUES ('A1', 8)")
    old.conn.execute("INSERT INTO state VALUES (1, x'7B7D', '0.1.0', '2026-01-31T12:00:00Z')")
    old.conn.execute("INSERT INTO tubes VALUES (3, 100, 1, 0, 0)")
    old.conn.execute("INSERT INTO balances VALUES ('tube:100', 0, 100, 0, 100)")
    old.conn.execute("INSERT INTO balances VALUES ('customer', 0, 0, 100, -100)")
    old.conn.commit()
    assert old.conn.execute("PRAGMA user_version").fetchone() == (1,)
    old.close()
    (tmp_path / MARKER).touch()
    database = Database.open(tmp_path)
    assert database.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert database.connection.execute("SELECT data FROM state").fetchone() == (b"{}",)
    done = database.transact([lambda c: apply(None, (*coin(2), *TEN, *FIFTY), context(), c)])
    assert done == [[]]
    database.close()
    Database.open(tmp_path).close()
