"""A machine that only publishes: its books, and the records that Kafka would hold of it.

It keeps the rules that the daemon keeps (one numbering, chains of stock, totals that count
along), encodes with the daemon's own encoder, and knows its own truth for comparison.
"""

import copy
import random
from dataclasses import dataclass, field

from vendd.core import facts
from vendd.core.facts import Fact
from vendd.events import Context, encode, kind_of
from vendd.fleet.envelope import Record
from vendd.links.message import message

BORN_MS = 1_800_000_000_000
CAPACITY, PAR, THRESHOLD = 10, 8, 2
PRICE = 150


@dataclass
class Books:
    """What a backup of the machine would hold."""

    seq: int = 0
    topicseq: dict[str, int] = field(default_factory=dict)
    bootcount: int = 0
    stock: dict[str, int] = field(default_factory=dict)
    sales: int = 0
    sales_count: int = 0
    sales_value: int = 0
    claims: int = 0


class ModelMachine:
    """One machine; every method is one commit. `records` stand per topic in offset order."""

    def __init__(self, name: str = "m-1", slots: int = 3, chance: random.Random | None = None):
        self.name = name
        self.books = Books(stock={f"A{n + 1}": CAPACITY for n in range(slots)})
        self.records: list[Record] = []
        self.commits: list[tuple[Fact, ...]] = []
        self.ms = BORN_MS
        self._boots = 0
        self._chance = chance or random.Random(1)
        self._bootid = ""
        self._offsets: dict[str, int] = {}
        self.start()

    # --- what happens to it -------------------------------------------------------------

    def start(self, *, power_cut: bool = True) -> None:
        """A start of the daemon; after a power cut also of the kernel."""
        if power_cut or not self._bootid:
            self._boots += 1
            self._bootid = f"{self.name}-boot-{self._boots}"
        self.books.bootcount += 1
        self.commit(facts.MachineStarted("power_loss", None, None, None, 0, "ok", "0.1.0", "0.1.0"))

    def sell(self, slot: str, tender: facts.TenderKind = facts.TenderKind.COIN) -> None:
        """A sale, or a refund where the slot is empty."""
        books = self.books
        books.sales += 1
        if books.stock[slot] == 0:
            self.commit(self._closed(slot, tender, sold=False))
            return
        before = books.stock[slot]
        books.stock[slot] -= 1
        books.sales_count += 1
        books.sales_value += PRICE
        sale = f"{self.name}-s{books.sales}"
        self.commit(
            facts.ItemDispensed(
                sale, f"{sale}-1", slot, "cola", 1, facts.Proof.DROP, 1, before, before - 1,
                facts.Channel.KEYPAD,
            ),
            self._moved(slot, before, -1, facts.StockReason.SOLD, sale),
            *self._alert(slot, before),
        )  # fmt: skip
        self.commit(self._closed(slot, tender, sold=True))

    def refill(self, slot: str) -> None:
        before = self.books.stock[slot]
        self.books.stock[slot] = CAPACITY
        self.commit(
            self._moved(slot, before, CAPACITY - before, facts.StockReason.REFILL, "visit-1"),
            *self._alert(slot, before),
        )

    def claim(self, *, close: bool) -> None:
        self.books.claims += 1
        ref = f"K{self.books.claims}"
        self.commit(facts.ClaimOpened(ref, 50, "payout_incomplete"))
        if close:
            self.commit(facts.ClaimClosed(ref, 50, "paid_by_hand", "driver"))

    def fault(self, state: str, fault_id: str = "f1") -> None:
        severity = facts.Severity.DEGRADED
        self.commit(facts.Fault(fault_id, state, "EJS", "motor", severity, ("A1",), 1))

    def random_day(self, events: int) -> None:
        """Until at least `events` more are published."""
        last = self.books.seq + events
        while self.books.seq < last:
            slot = self._chance.choice(list(self.books.stock))
            match self._chance.randrange(12):
                case 0:
                    self.refill(slot)
                case 1:
                    self.claim(close=self._chance.random() < 0.5)
                case 2:
                    self.fault(self._chance.choice(["started", "ended"]))
                case 3:
                    self.commit(facts.Door("opened", 0, sale_in_flight=False))
                case 4:
                    moved = (facts.CoinCount(50, 2),)
                    self.commit(facts.CashMoved("tube", "operator", moved, 100, "fill", True))
                case 5 if self._chance.random() < 0.3:
                    self.start(power_cut=self._chance.random() < 0.5)
                case _:
                    kind = self._chance.choice([facts.TenderKind.COIN, facts.TenderKind.CARD])
                    self.sell(slot, kind)

    def backup(self) -> Books:
        return copy.deepcopy(self.books)

    def restore(self, backup: Books) -> None:
        """The SD card died: an old backup is put in, and the machine starts."""
        self.books = copy.deepcopy(backup)
        self.start()

    # --- publishing ---------------------------------------------------------------------

    def commit(self, *published: Fact) -> None:
        self.ms += self._chance.randrange(1, 60_000)
        self.commits.append(published)
        for fact in published:
            self.books.seq += 1
            topic = kind_of(fact).topic
            self.books.topicseq[topic] = self.books.topicseq.get(topic, 0) + 1
            stored = encode(fact, self.books.seq, self.books.topicseq[topic], self._context())
            sent = message(stored)
            offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
            self.records.append(
                Record(topic, 0, offset, self.ms, sent.key, sent.value, sent.headers)
            )

    def _context(self) -> Context:
        return Context(
            machine=self.name,
            boot_id=self._bootid,
            boot_count=self.books.bootcount,
            uptime_ms=self.ms - BORN_MS,
            time="2027-01-15T08:00:00.000Z",
            clocksync=False,
            currency="EUR",
            exponent=2,
            software="0.1.0",
            config_hash="c0ffee",
            planogram_ver=1,
            price_ver=1,
        )

    def _moved(
        self, slot: str, before: int, delta: int, reason: facts.StockReason, ref: str
    ) -> Fact:
        return facts.StockChanged(
            slot, "cola", before, delta, before + delta, CAPACITY, PAR, THRESHOLD, reason, ref
        )

    def _alert(self, slot: str, before: int) -> list[Fact]:
        level = self.books.stock[slot]
        if (before > THRESHOLD) == (level > THRESHOLD):
            return []
        raised = level <= THRESHOLD
        state = facts.AlertState.RAISED if raised else facts.AlertState.CLEARED
        return [
            facts.LowStockAlert(
                state, slot, "cola", level, THRESHOLD, PAR, max(0, PAR - level), level
            )
        ]

    def _closed(self, slot: str, kind: facts.TenderKind, *, sold: bool) -> Fact:
        books = self.books
        applied = PRICE if sold else 0
        tender = facts.Tender(
            kind, "cash", "CA", inserted=PRICE, applied=applied, returned=PRICE - applied
        )
        return facts.SaleClosed(
            sale_id=f"{self.name}-s{books.sales}",
            sale_no=books.sales,
            session_id="c1",
            channel=facts.Channel.KEYPAD,
            outcome=facts.Outcome.SOLD if sold else facts.Outcome.REFUNDED,
            slot=slot,
            selection=slot,
            item_no=1,
            product_id="cola",
            product_name="Cola",
            vat_code="A",
            quantity=1,
            list_price=PRICE,
            price_list="cash",
            discount=0,
            surcharge=0,
            price_charged=applied,
            tenders=(tender,),
            change_due=0,
            change_paid=0,
            change_owed=0,
            overpay_kept=0,
            proof=facts.Proof.DROP if sold else facts.Proof.NONE,
            drops=int(sold),
            attempts=1,
            delivery_ms=900,
            total_ms=4_000,
            stock_after=books.stock[slot],
            exact_change_mode=False,
            started_at="2027-01-15T08:00:00.000Z",
            closed_at="2027-01-15T08:00:04.000Z",
            sales_count=books.sales_count,
            sales_value=books.sales_value,
            reason=None if sold else facts.Reason.NO_DROP,
        )
