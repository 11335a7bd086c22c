"""The daemon's books as they lie on the disk, read without any of the daemon's code."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "vendd.db"


@dataclass(frozen=True, slots=True)
class Balance:
    """Minor units. `inflow` is the debit side: money that came in, for a store of money."""

    opening: int
    inflow: int
    outflow: int
    closing: int


@dataclass(frozen=True, slots=True)
class Posting:
    debit: str
    credit: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """`due`: card money that has to be refunded elsewhere; otherwise cash that is owed."""

    amount: int
    open: bool
    reason: str = ""

    @property
    def due(self) -> bool:
        return self.reason == "refund_due"


@dataclass(frozen=True, slots=True)
class Books:
    """Read only while no daemon runs."""

    seq: int
    boots: int
    balances: dict[str, Balance]
    ledger: tuple[Posting, ...]
    levels: dict[str, int]
    reserved: int
    tubes: dict[int, int]  # coin value -> coins
    recycler: dict[int, int]  # bill value -> bills
    boxes: dict[str, int]  # box -> value of the pieces counted in it
    claims: dict[str, Claim]
    outbox: dict[int, bytes]  # seq -> data
    dead_letters: tuple[int, ...]
    counters: dict[tuple[str, str, str], int]  # of the audit, since initialisation
    suspended: tuple[str, ...]  # doubtful sales that no counter has (yet)

    @classmethod
    def read(cls, directory: Path) -> "Books":
        """Raises `sqlite3.Error` when there is nothing that can be read."""
        uri = f"{(directory / FILE).as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            tubes: defaultdict[int, int] = defaultdict(int)
            for value, count in db.execute("SELECT value, count FROM tubes WHERE value > 0"):
                tubes[value] += count
            stores = db.execute("SELECT value, sum(count) FROM recycler GROUP BY value").fetchall()
            boxes = db.execute("SELECT box, sum(value * count) FROM boxes GROUP BY box").fetchall()
            seq, boots = db.execute("SELECT seq, boot_count FROM meta").fetchone()
            slots = db.execute("SELECT selection, level, reserved FROM slots").fetchall()
            return cls(
                seq=seq,
                boots=boots,
                balances={
                    account: Balance(*amounts)
                    for account, *amounts in db.execute(
                        "SELECT account, opening, inflow, outflow, closing FROM balances"
                    )
                },
                ledger=tuple(
                    Posting(*row)
                    for row in db.execute(
                        "SELECT debit, credit, amount, reason FROM ledger ORDER BY id"
                    )
                ),
                levels={selection: level for selection, level, _ in slots},
                reserved=sum(held for _, _, held in slots)
                + db.execute("SELECT count(*) FROM reservations").fetchone()[0],
                tubes=dict(tubes),
                recycler=dict(stores),
                boxes=dict(boxes),
                claims={
                    ref: Claim(amount, how is None, reason)
                    for ref, amount, how, reason in db.execute(
                        "SELECT ref, amount, closed_how, reason FROM claims"
                    )
                },
                outbox=dict(db.execute("SELECT seq, data FROM outbox")),
                dead_letters=tuple(s for (s,) in db.execute("SELECT seq FROM dead_letters")),
                counters={
                    (segment, subject, what): total
                    for segment, subject, what, total in db.execute(
                        "SELECT segment, subject, what, total FROM audit_counters"
                    )
                },
                suspended=tuple(s for (s,) in db.execute("SELECT sale_id FROM audit_suspense")),
            )

    def closing(self, account: str) -> int:
        balance = self.balances.get(account)
        return 0 if balance is None else balance.closing

    def owed(self, *, due: bool = False) -> int:
        """Open claims in all: for cash, or refunds that are due."""
        return sum(c.amount for c in self.claims.values() if c.open and c.due is due)

    def found_at_a_start(self) -> int:
        """Bills that a recycler counted more than were booked: they may be claimed already."""
        return sum(
            p.amount
            for p in self.ledger
            if p.debit.startswith("recycler:")
            and (p.credit, p.reason) == ("unexplained", "restart_difference")
        )

    def moved(
        self, *, debit: str | None = None, credit: str | None = None, reason: str | None = None
    ) -> int:
        """The sum of all postings to `debit` and from `credit`; None means any."""
        return sum(
            p.amount
            for p in self.ledger
            if debit in (None, p.debit)
            and credit in (None, p.credit)
            and reason in (None, p.reason)
        )
