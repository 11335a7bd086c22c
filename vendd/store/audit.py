"""Do the books balance? Each finding is one sentence; no finding is the promise kept.

M1: per account opening + in - out = closing, over all accounts zero, and every tube's
account is what the tube holds, likewise each store of the recycler, and the stacker.
S2: what slots have reserved is what sales reserved.
"""

from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.core.ledger import COIN_BOX, STACKER
from vendd.ports import Writer

_PIECE: Final = 5_000  # ledger rows per transaction: some milliseconds on a Pi


def quick(connection: Connection) -> list[str]:
    """Everything that needs no ledger rows; reads only small tables."""
    return [
        *_balances(connection),
        *_stores(connection, "tube", "tubes"),
        *_stores(connection, "recycler", "recycler"),
        *_boxes(connection),
        *_stock(connection),
    ]


def _balances(connection: Connection) -> list[str]:
    findings = [
        f"{account}: {opening} + {inflow} - {outflow} is not {closing}"
        for account, opening, inflow, outflow, closing in connection.execute(
            "SELECT * FROM balances WHERE opening + inflow - outflow <> closing"
        )
    ]
    (total,) = connection.execute("SELECT coalesce(sum(closing), 0) FROM balances").fetchone()
    if total:
        findings.append(f"all accounts together are {total}, not 0")
    findings += [
        f"{account} holds {closing}"
        for account, closing in connection.execute(
            "SELECT account, closing FROM balances WHERE account IN (?, ?) AND closing < 0",
            (COIN_BOX, STACKER),
        )
    ]
    last = connection.execute(
        "SELECT b.account, b.opening, coalesce(p.closing, 0) FROM balances b"
        " LEFT JOIN period_balances p ON p.account = b.account"
        " AND p.period = (SELECT max(id) FROM periods)"
        " WHERE b.opening <> coalesce(p.closing, 0)"
    )
    findings += [f"{account}: opens with {now}, closed with {was}" for account, now, was in last]
    return findings


def _stores(connection: Connection, kind: str, table: str) -> list[str]:
    """Stores that count their pieces, by value: what is booked is what they hold."""
    rows = connection.execute(
        "SELECT account, coalesce(max(booked), 0), coalesce(max(held), 0) FROM ("
        " SELECT account, closing AS booked, NULL AS held FROM balances WHERE account GLOB ?1"
        f" UNION ALL SELECT ?2 || value, NULL, sum(count * value) FROM {table} GROUP BY value)"
        " GROUP BY account HAVING coalesce(max(booked), 0) <> coalesce(max(held), 0)",
        (f"{kind}:*", f"{kind}:"),
    )
    return [f"{account}: booked {booked}, counted {held}" for account, booked, held in rows]


def _boxes(connection: Connection) -> list[str]:
    """The stacker holds its bills. The coin box may hold coins from before they were counted,
    but never fewer than were counted into it."""
    counted = dict(
        connection.execute("SELECT box, sum(count * value) FROM boxes GROUP BY box").fetchall()
    )
    booked = dict(
        connection.execute(
            "SELECT account, closing FROM balances WHERE account IN (?, ?)", (COIN_BOX, STACKER)
        ).fetchall()
    )
    findings = []
    for box in sorted(counted.keys() | booked.keys()):
        holds, pieces = booked.get(box, 0), counted.get(box, 0)
        if pieces != holds if box == STACKER else pieces > holds:
            findings.append(f"{box}: booked {holds}, counted {pieces}")
    return findings


def _stock(connection: Connection) -> list[str]:
    rows = connection.execute(
        "SELECT s.selection, s.reserved, coalesce(sum(r.quantity), 0) AS spoken FROM slots s"
        " LEFT JOIN reservations r USING (selection) GROUP BY s.selection"
        " HAVING s.reserved <> spoken"
    )
    return [f"slot {slot}: {held} reserved, sales hold {spoken}" for slot, held, spoken in rows]


async def full(writer: Writer) -> list[str]:
    """`quick`, and the balances of this and of every unpruned period from their ledger rows."""
    findings = await writer.run(quick)
    for first, last, books in await writer.run(_spans):
        sums = await _sum(writer, first, last)
        for account in sorted(books.keys() | sums.keys()):
            booked, summed = books.get(account, (0, 0)), sums.get(account, (0, 0))
            if booked != summed:
                findings.append(
                    f"{account}: in/out booked {booked[0]}/{booked[1]}, ledger rows"
                    f" {first}..{last} say {summed[0]}/{summed[1]}"
                )
    return findings


_Moved = dict[str, tuple[int, int]]  # account -> (inflow, outflow)


def _spans(connection: Connection) -> list[tuple[int, int, _Moved]]:
    """(first ledger id, last ledger id, what the books say moved) per period with all its rows."""
    spans, first = [], 1
    periods = connection.execute("SELECT id, last_ledger_id, pruned FROM periods ORDER BY id")
    for period, last, pruned in periods.fetchall():
        if not pruned:
            moved = connection.execute(
                "SELECT account, inflow, outflow FROM period_balances WHERE period = ?", (period,)
            )
            spans.append((first, last, {account: (i, o) for account, i, o in moved}))
        first = last + 1
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM ledger").fetchone()
    moved = connection.execute("SELECT account, inflow, outflow FROM balances")
    spans.append((first, newest, {account: (i, o) for account, i, o in moved}))
    return spans


async def _sum(writer: Writer, first: int, last: int) -> _Moved:
    sums: _Moved = {}
    for start in range(first, last + 1, _PIECE):
        piece = await writer.run(partial(_sum_piece, start, min(start + _PIECE - 1, last)))
        for account, (inflow, outflow) in piece.items():
            before = sums.get(account, (0, 0))
            sums[account] = (before[0] + inflow, before[1] + outflow)
    return sums


def _sum_piece(first: int, last: int, connection: Connection) -> _Moved:
    rows = connection.execute(
        "SELECT account, sum(inflow), sum(outflow) FROM ("
        " SELECT debit AS account, amount AS inflow, 0 AS outflow FROM ledger"
        " WHERE id BETWEEN :first AND :last UNION ALL"
        " SELECT credit, 0, amount FROM ledger WHERE id BETWEEN :first AND :last)"
        " GROUP BY account",
        {"first": first, "last": last},
    )
    return {account: (inflow, outflow) for account, inflow, outflow in rows}
