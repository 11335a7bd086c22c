"""`ports.Books` on SQLite: everything of a decision or nothing, in balance at every commit."""

import asyncio
import json
import sqlite3

import pytest
from store_samples import LEVELS, coin, context, delivered, item_dispensed, refused, reserve

from vendd.core import ledger
from vendd.core.facts import StockReason
from vendd.core.planogram import SlotState
from vendd.core.rows import (
    ClaimSet,
    LevelChanged,
    Posted,
    Released,
    Reserved,
    Row,
    SettingSet,
    SlotSet,
    TubeSet,
)
from vendd.core.sale.reports import Tube
from vendd.core.snapshot import Totals
from vendd.ports import BooksRefused
from vendd.store import Database, SqliteBooks, SqliteOutbox


async def a_sale(books: SqliteBooks, number: int, before: int):
    """Coin, reservation, delivery: three commits; returns the events of the last."""
    sale_id = f"s{number}"
    await books.commit(b"credit", coin(number), context())
    await books.commit(b"vending", reserve(sale_id), context())
    return await books.commit(b"idle", delivered(sale_id, before), context())


def test_a_sale_reaches_every_table(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        events = await a_sale(books, 1, 8)
        assert await books.audit() == await books.audit_fully() == []
        return events, await books.load({})

    events, loaded = drive(scenario)
    assert [event.seq for event in events] == [1, 2, 3]
    assert [event.type for event in events] == [
        "vend.item-dispensed.v1",
        "vend.stock-changed.v1",
        "vend.sale-closed.v1",
    ]
    assert [event.attributes["topicseq"] for event in events] == ["1", "1", "2"]
    assert json.loads(events[2].data)["price_charged"] == 100
    assert loaded.state == b"idle"
    assert (loaded.slots["A1"].level, loaded.slots["A1"].reserved) == (7, 0)
    assert loaded.tubes == (Tube(3, 100, 1),)
    assert loaded.totals == Totals(sales_count=1, sales_value=100, cash_in=100)
    assert loaded.balances == {"change": 0, "customer": 0, "sales": -100, "tube:100": 100}
    assert loaded.last_seq == 3
    assert loaded.last_commit_at == context().time


def test_seqs_are_gapless_over_topics_failures_and_starts(drive):
    seqs, topicseqs = [], []

    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        attempts = [
            books.commit(None, [refused(), item_dispensed(f"s{n}", 8)], context())
            if n % 3
            else books.commit(None, [refused(), Reserved("x", "A1", 99)], context())
            for n in range(12)
        ]
        for result in await asyncio.gather(*attempts, return_exceptions=True):
            if not isinstance(result, Exception):
                seqs.extend(event.seq for event in result)
                topicseqs.extend(int(event.attributes["topicseq"]) for event in result)

    for _ in range(2):
        drive(scenario)
    assert seqs == list(range(1, 33))
    assert topicseqs == list(range(1, 33))


def test_the_outbox_gives_back_what_was_committed(drive):
    async def scenario(writer):
        books, outbox = SqliteBooks(writer), SqliteOutbox(writer)
        await books.load(LEVELS)
        committed = [*await a_sale(books, 1, 8), *await a_sale(books, 2, 7)]
        committed += await books.commit(None, [refused()], context())
        assert await outbox.read(0, 100) == committed
        assert await outbox.read(2, 3) == committed[2:5]
        assert [event.money for event in committed] == [True] * 6 + [False]

    drive(scenario)


@pytest.mark.parametrize(
    "wrong",
    [
        [Reserved("s2", "A2", 2)],  # more than there is
        [Reserved("s2", "A2", 1), Reserved("s3", "A2", 1)],
        [Reserved("s2", "B1", 1)],  # sold out
        [Reserved("s2", "Z9", 1)],  # no such slot
        [LevelChanged("A2", -2, StockReason.SOLD)],
        [LevelChanged("Z9", 1, StockReason.REFILL)],
        [Released("nobody", "A1")],
        [SlotSet("Z9", SlotState.JAMMED, "no_drop")],
        [Posted("sales", "sales", 5, "to itself")],
        [Posted("sales", "customer", 0, "nothing")],
        [Posted("sales", "customer", -5, "backwards")],
        [TubeSet(3, 100, -1)],
        [ClaimSet("4821", -1, "payout_incomplete")],
        [SettingSet("x", "not json")],
        [Row()],
    ],
    ids=lambda records: " ".join(type(r).__name__ for r in records),
)
def test_records_that_contradict_the_books_change_nothing(drive, wrong):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.commit(b"before", coin(1), context())
        with pytest.raises(BooksRefused):
            await books.commit(b"after", [*coin(2), refused(), *wrong], context())
        assert await books.audit() == []
        loaded = await books.load({})
        assert loaded.state == b"before"
        assert loaded.last_seq == 0
        assert loaded.balances["tube:100"] == 100
        (event,) = await books.commit(None, [refused()], context())
        assert event.seq == 1

    drive(scenario)


@pytest.mark.parametrize("turned", [False, True])
def test_the_last_unit_can_be_sold_whatever_the_order_of_the_records(drive, turned):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.commit(None, reserve("s1", "A2"), context())
        end = [LevelChanged("A2", -1, StockReason.SOLD), Released("s1", "A2")]
        await books.commit(None, end[::-1] if turned else end, context())
        slot = (await books.load({})).slots["A2"]
        assert (slot.level, slot.reserved) == (0, 0)

    drive(scenario)


def test_simultaneous_reservations_never_oversell(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        results = await asyncio.gather(
            *(books.commit(None, reserve(f"s{n}"), context()) for n in range(20)),
            return_exceptions=True,
        )
        assert sum(not isinstance(result, Exception) for result in results) == LEVELS["A1"]
        assert await books.audit() == []

    drive(scenario)


def test_boots_are_counted_and_the_end_of_the_last_life_is_told(drive):
    async def scenario(writer):
        return await SqliteBooks(writer).load(LEVELS)

    async def orderly(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.close(clean=True)

    first, second = drive(scenario), drive(scenario)
    assert (first.boot_count, first.clean_shutdown, first.state) == (1, True, None)
    assert (first.last_commit_at, first.last_seq) == (None, 0)
    assert (second.boot_count, second.clean_shutdown) == (2, False)
    drive(orderly)
    assert drive(scenario).clean_shutdown


def test_first_levels_are_for_slots_the_books_do_not_know(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        assert (await books.load({"A1": 8})).new_slots == ("A1",)
        await books.commit(None, [LevelChanged("A1", -3, StockReason.SOLD)], context())
        return await books.load({"A1": 8, "C1": 4})

    loaded = drive(scenario)
    assert loaded.new_slots == ("C1",)
    assert {name: slot.level for name, slot in loaded.slots.items()} == {"A1": 5, "C1": 4}


def test_claims_settings_and_slot_states_stand_as_last_set(drive):
    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.commit(
            None,
            [
                ClaimSet("4821", 50, "payout_incomplete", "s1"),
                ClaimSet("4822", 20, "changer_lost"),
                SettingSet("door", "true"),
                SlotSet("A1", SlotState.JAMMED, "no_drop", 2),
            ],
            context(),
        )
        closed = ClaimSet("4821", 50, "payout_incomplete", "s1", "paid_by_hand", "tech-7")
        await books.commit(None, [closed, SettingSet("door", "false")], context())
        return await books.load({})

    loaded = drive(scenario)
    assert loaded.claims_open == {"4822": 20}
    assert loaded.settings == {"door": "false"}
    assert loaded.slots["A1"].state is SlotState.JAMMED
    assert loaded.slots["A1"].no_drop_streak == 2


def test_the_ledger_is_append_only_and_balances_cannot_be_bent(tmp_path):
    def tamper(sql):
        return lambda connection: connection.execute(sql)

    database = Database.open(tmp_path)
    apply = SqliteBooks(None)._apply  # type: ignore[arg-type]  # the work itself, no writer
    database.transact([lambda connection: apply(None, tuple(coin(1)), context(), connection)])
    for sql in (
        "UPDATE ledger SET amount = 1",
        "DELETE FROM ledger",
        "REPLACE INTO ledger SELECT * FROM ledger",
        "UPDATE balances SET closing = closing + 1",
        "INSERT INTO slots (selection, level) VALUES ('A9', -1)",
        "INSERT INTO meta (id) VALUES (2)",
        "UPDATE meta SET watermark = 5",
    ):
        (result,) = database.transact([tamper(sql)])
        assert isinstance(result, BooksRefused), sql
    assert database.connection.execute("SELECT amount FROM ledger").fetchall() == [(100,)]
    database.close()


def test_the_audit_names_what_does_not_fit(drive):
    def bend(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE balances SET inflow = inflow + 5, closing = closing + 5")
        connection.execute("UPDATE slots SET reserved = 1 WHERE selection = 'A1'")

    async def scenario(writer):
        books = SqliteBooks(writer)
        await books.load(LEVELS)
        await books.commit(None, coin(1), context())
        await books.commit(None, [Posted(ledger.COIN_BOX, ledger.CUSTOMER, 5, "coin")], context())
        assert await books.audit_fully() == []
        await writer.run(bend)
        return await books.audit(), await books.audit_fully()

    quick, full = drive(scenario)
    assert quick == [
        "all accounts together are 15, not 0",
        "tube:100: booked 105, counted 100",
        "slot A1: 1 reserved, sales hold 0",
    ]
    assert full[:3] == quick
    assert "coin_box: in/out booked 10/0, ledger rows 1..2 say 5/0" in full
