"""A machine that only publishes: its books, and the messages that its forwarder would send.

It keeps the rules that the daemon keeps (one numbering, chains of stock, totals that count
along), encodes with the daemon's own encoder, and knows its own truth for comparison. What
happens to it, and when, is others' business.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from vendd.core import facts
from vendd.core.facts import Fact, TenderKind
from vendd.events import Context, encode, kind_of
from vendd.links.message import message
from vendd.ports import Message

CAPACITY: Final = 10
PAR: Final = 8
THRESHOLD: Final = 2
PRICE: Final = 150
_READER: Final = "4711"
_PRODUCTS: Final = ("cola", "water", "crisps", "bar", "juice", "nuts")
_CASH: Final = frozenset({TenderKind.COIN, TenderKind.BILL})


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
    cash_in: int = 0
    card_value: int = 0
    claims: int = 0


class StreamMachine:
    """One machine; every method is one commit or a few, at `ms` (since 1970). `publish` gets each
    message, in order."""

    def __init__(
        self,
        name: str,
        slots: Sequence[str],
        born_ms: int,
        publish: Callable[[Message], None],
        chance: random.Random,
    ) -> None:
        self.name = name
        self.books = Books(stock=dict.fromkeys(slots, CAPACITY))
        self.ms = born_ms
        self.chance = chance
        self._booted_ms = born_ms
        self._publish = publish
        self._boots = 0
        self._bootid = ""

    # --- what happens to it -------------------------------------------------------------

    def start(self, *, power_cut: bool = True) -> None:
        """A start of the daemon; after a power cut also of the kernel."""
        if power_cut or not self._bootid:
            self._boots += 1
            self._booted_ms = self.ms
            self._bootid = f"{self.name}-boot-{self._boots}"
        self.books.bootcount += 1
        self.commit(facts.MachineStarted("power_loss", None, None, None, 0, "ok", "0.1.0", "0.1.0"))

    def sell(self, slot: str, tender: TenderKind = TenderKind.COIN, *, drops: bool = True) -> None:
        """A sale, or a refund where nothing drops: then, or when the slot is empty."""
        books = self.books
        books.sales += 1
        before = books.stock[slot]
        if before == 0 or not drops:
            self.commit(self._closed(slot, tender, sold=False))
            return
        books.stock[slot] -= 1
        books.sales_count += 1
        books.sales_value += PRICE
        if tender in _CASH:
            books.cash_in += PRICE
        else:
            books.card_value += PRICE
        sale = self._sale
        self.commit(
            facts.ItemDispensed(
                sale, f"{sale}-1", slot, self.product(slot), 1, facts.Proof.DROP, 1, before,
                before - 1, facts.Channel.KEYPAD,
            ),
            self._moved(slot, before, -1, facts.StockReason.SOLD, sale),
            *self.alerts(slot, before),
        )  # fmt: skip
        self.commit(self._closed(slot, tender, sold=True))

    def refill(self, slot: str, visit: str = "visit-1") -> None:
        before = self.books.stock[slot]
        self.books.stock[slot] = CAPACITY
        self.commit(
            self._moved(slot, before, CAPACITY - before, facts.StockReason.REFILL, visit),
            *self.alerts(slot, before),
        )

    def claim(self, *, close: bool) -> None:
        self.books.claims += 1
        ref = f"K{self.books.claims}"
        self.commit(facts.ClaimOpened(ref, 50, "payout_incomplete"))
        if close:
            self.commit(facts.ClaimClosed(ref, 50, "paid_by_hand", "driver"))

    def fault(self, state: Literal["started", "ended"], fault_id: str = "f1") -> None:
        severity = facts.Severity.DEGRADED
        self.commit(facts.Fault(fault_id, state, "EJS", "motor", severity, ("A1",), 1))

    # --- publishing ---------------------------------------------------------------------

    def commit(self, *published: Fact) -> None:
        """What one transaction would put into the outbox."""
        context = self._context()
        for fact in published:
            self.books.seq += 1
            topic = kind_of(fact).topic
            self.books.topicseq[topic] = self.books.topicseq.get(topic, 0) + 1
            stored = encode(fact, self.books.seq, self.books.topicseq[topic], context)
            self._publish(message(stored))

    def product(self, slot: str) -> str:
        return _PRODUCTS[list(self.books.stock).index(slot) % len(_PRODUCTS)]

    def alerts(self, slot: str, before: int) -> list[Fact]:
        """What the slot's new level means for the threshold."""
        level = self.books.stock[slot]
        if (before > THRESHOLD) == (level > THRESHOLD):
            return []
        state = facts.AlertState.RAISED if level <= THRESHOLD else facts.AlertState.CLEARED
        needed = max(0, PAR - level)
        product = self.product(slot)
        return [
            facts.LowStockAlert(state, slot, product, level, THRESHOLD, PAR, needed, level),
        ]

    @property
    def uptime_ms(self) -> int:
        """Since this boot."""
        return self.ms - self._booted_ms

    @property
    def time(self) -> str:
        """What the machine's own clock shows."""
        moment = datetime.fromtimestamp(self.ms / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _context(self) -> Context:
        return Context(
            machine=self.name,
            boot_id=self._bootid,
            boot_count=self.books.bootcount,
            uptime_ms=self.uptime_ms,
            time=self.time,
            clocksync=False,
            currency="EUR",
            exponent=2,
            software="0.1.0",
            config_hash="c0ffee",
            planogram_ver=1,
            price_ver=1,
        )

    @property
    def _sale(self) -> str:
        return f"{self.name}-s{self.books.sales}"

    def _moved(
        self, slot: str, before: int, delta: int, reason: facts.StockReason, ref: str
    ) -> Fact:
        product, after = self.product(slot), before + delta
        return facts.StockChanged(
            slot, product, before, delta, after, CAPACITY, PAR, THRESHOLD, reason, ref
        )

    def _closed(self, slot: str, kind: TenderKind, *, sold: bool) -> Fact:
        books = self.books
        applied = PRICE if sold else 0
        return facts.SaleClosed(
            sale_id=self._sale,
            sale_no=books.sales,
            session_id=f"{self.name}-c{books.sales}",
            channel=facts.Channel.KEYPAD,
            outcome=facts.Outcome.SOLD if sold else facts.Outcome.REFUNDED,
            slot=slot,
            selection=slot,
            item_no=1,
            product_id=self.product(slot),
            product_name=self.product(slot).title(),
            vat_code="A",
            quantity=1,
            list_price=PRICE,
            price_list="cash",
            discount=0,
            surcharge=0,
            price_charged=applied,
            tenders=(self._tender(kind, applied),),
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
            started_at=self.time,
            closed_at=self.time,
            sales_count=books.sales_count,
            sales_value=books.sales_value,
            reason=None if sold else facts.Reason.NO_DROP,
        )

    def _tender(self, kind: TenderKind, applied: int) -> facts.Tender:
        if kind in _CASH:
            returned = PRICE - applied
            return facts.Tender(kind, "cash", "CA", PRICE, applied, returned)
        return facts.Tender(
            kind,
            "cashless1",
            "DA",
            applied=applied,
            approved=PRICE,
            reader_serial=_READER,
            media_hash=f"{self.books.sales % 97:08x}",
            approved_at=self.time,
            refund_state=facts.RefundState.NONE if applied else facts.RefundState.CONFIRMED,
        )
