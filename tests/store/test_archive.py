"""Years of books: periods close, old rows go, nothing that is owed gets lost."""

import sqlite3

from store_samples import LEVELS, coin, context, delivered, reserve

from vendd.store import Archive, SqliteBooks, SqliteOutbox

DAYS = ("2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01")


def rows(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM ledger").fetchone()[0])


async def sell(books: SqliteBooks, number: int, at: str) -> None:
    await books.commit(None, coin(number), context(at))
    await books.commit(None, reserve(f"s{number}"), context(at))
    await books.commit(None, delivered(f"s{number}", 9 - number), context(at))


async def months(writer, acknowledge: bool = True):
    """A sale and a closing on the first of each month; 4 ledger rows and 3 events per sale."""
    books, archive, outbox = SqliteBooks(writer), Archive(writer), SqliteOutbox(writer)
    await books.load(LEVELS)
    for number, day in enumerate(DAYS, 1):
        at = f"{day}T03:00:00.000Z"
        await sell(books, number, at)
        if acknowledge:
            outbox.delivered(number * 3)
        assert await archive.close_period(at) == number
        assert await books.audit_fully() == []
    return books, archive


def test_closing_carries_every_balance_over(drive):
    async def scenario(writer):
        books, _ = await months(writer)
        await sell(books, 5, "2026-04-02T00:00:00.000Z")
        assert await books.audit_fully() == []
        opening = await writer.run(
            lambda c: c.execute(
                "SELECT opening FROM balances WHERE account = 'tube:100'"
            ).fetchone()
        )
        assert opening == (400,)
        return (await books.load({})).balances

    assert drive(scenario) == {"change": 0, "customer": 0, "sales": -500, "tube:100": 500}


def test_pruning_keeps_the_young_the_newest_and_every_balance(drive):
    async def scenario(writer):
        books, archive = await months(writer)
        assert await writer.run(rows) == 16
        assert await archive.prune(45, "2026-04-02T00:00:00.000Z") == 8
        assert await books.audit_fully() == []
        assert await archive.prune(0, "2027-01-01T00:00:00.000Z") == 4  # newest period stays
        assert await books.audit_fully() == []
        await sell(books, 5, "2026-04-02T00:00:00.000Z")
        assert await books.audit_fully() == []
        assert (await books.load({})).balances["sales"] == -500

    drive(scenario)


def test_rows_whose_events_were_not_acknowledged_stay(drive):
    async def scenario(writer):
        _, archive = await months(writer, acknowledge=False)
        return await archive.prune(0, "2027-01-01T00:00:00.000Z")

    assert drive(scenario) == 0


def test_a_full_check_reads_everything_and_names_what_is_wrong(drive):
    def spoil(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE outbox SET data = x'7b' WHERE seq = 5")

    async def scenario(writer):
        _, archive = await months(writer)
        assert await archive.check_fully() == []
        assert await archive.size() > 50_000
        await writer.run(spoil)
        return await archive.check_fully()

    assert drive(scenario) == ["outbox 5: not JSON"]
