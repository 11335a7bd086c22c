"""Killed in the middle of commits: what was acknowledged is there, and it balances."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import vendd
from vendd.store import Database, SqliteBooks, ThreadWriter

SELLER = Path(__file__).with_name("seller.py")


@pytest.mark.parametrize("seed", range(4))
def test_sigkill_loses_nothing_that_was_acknowledged(tmp_path, seed):
    chance = random.Random(seed)
    acknowledged = 0
    for _ in range(3):
        seller = subprocess.Popen(
            [sys.executable, SELLER, tmp_path],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(vendd.__file__).parents[1])},
        )
        assert seller.stdout is not None
        for _ in range(chance.randrange(5, 60)):
            acknowledged = int(seller.stdout.readline())
        seller.kill()
        rest = seller.stdout.read().split("\n")  # the last line may be cut short
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
        seller.wait()
    last_seq, findings = asyncio.run(reopen(tmp_path))
    assert findings == []
    assert last_seq >= acknowledged > 0


async def reopen(directory: Path) -> tuple[int, list[str]]:
    writer = ThreadWriter(asyncio.get_running_loop(), Database.open(directory))
    books = SqliteBooks(writer)
    loaded = await books.load({})
    findings = await books.audit_fully()
    (rows,) = await writer.run(lambda c: c.execute("SELECT count(*) FROM outbox").fetchone())
    await writer.close()
    if rows != loaded.last_seq:
        findings.append(f"{rows} events, last seq {loaded.last_seq}")
    if loaded.balances["tube:100"] != -loaded.balances["sales"] - loaded.balances["customer"]:
        findings.append(f"money without a sale: {loaded.balances}")
    return loaded.last_seq, findings
