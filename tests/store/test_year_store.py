"""The year's store is a sound store, and a start doesn't read it all."""

import time

from year_store import fill

from vendd.store import Archive, Database, SqliteBooks, SqliteOutbox


def test_a_filled_store_is_in_balance_and_takes_the_next_sale(drive, tmp_path):
    fill(tmp_path, 300)

    async def scenario(writer):
        books = SqliteBooks(writer)
        assert (await books.load({})).last_seq == 900
        assert await books.audit_fully() == []
        assert await Archive(writer).check_fully() == []
        assert await SqliteOutbox(writer).watermark() == 900

    drive(scenario)


def test_the_time_to_open_does_not_grow_with_the_books(tmp_path):
    def opening(sales: int) -> float:
        fill(tmp_path / str(sales), sales)
        started = time.perf_counter()
        Database.open(tmp_path / str(sales)).close()
        return time.perf_counter() - started

    opening(1)
    assert opening(10_000) < 0.15
