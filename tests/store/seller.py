"""Sells without end and prints each acknowledged seq; made to be killed. `seller.py DIRECTORY`."""

import asyncio
import sys

from store_samples import coin, context, delivered, reserve

from vendd.core.facts import StockReason
from vendd.core.rows import LevelChanged
from vendd.store import Database, SqliteBooks, SqliteOutbox, ThreadWriter


async def main(directory: str) -> None:
    writer = ThreadWriter(asyncio.get_running_loop(), Database.open(directory), idle_after=0.0)
    books, outbox = SqliteBooks(writer), SqliteOutbox(writer)
    loaded = await books.load({"A1": 8})
    coins = loaded.tubes[0].count if loaded.tubes else 0
    seq = loaded.last_seq
    while True:
        coins += 1
        sale_id = f"s{loaded.boot_count}-{coins}"
        now = context(boot=loaded.boot_count)
        await books.commit(b"credit", coin(coins), now)
        refill = LevelChanged("A1", 1, StockReason.REFILL)
        await books.commit(b"vending", [refill, *reserve(sale_id)], now)
        events = await books.commit(b"idle", delivered(sale_id, 8), now)
        assert events[0].seq == seq + 1
        seq = events[-1].seq
        outbox.delivered(seq)
        print(seq, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
