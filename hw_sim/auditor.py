"""The auditor: physical truth, the books and a separate consumer, laid beside each other.

Trusts none of the three. Is NOT responsible for causing anything.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hw_sim.audit import bills, cards, counters, customers, money, stock
from hw_sim.audit import events as event_checks
from hw_sim.audit.bills import BillOpening
from hw_sim.audit.books import Books
from hw_sim.audit.cards import Cards
from hw_sim.audit.customers import Ledgers
from hw_sim.audit.money import Opening, Store
from hw_sim.audit.stock import SlotCount
from hw_sim.devices.card_reader_parts import Charge
from hw_sim.front import Front
from hw_sim.received import Received, audit
from hw_sim.visit import Visit


@dataclass(frozen=True, slots=True)
class Verdict:
    """`violations` in words: empty when every promise was kept. The rest is the closing table."""

    violations: tuple[str, ...]
    customers: int
    sold: int
    refused: int
    refunded: int
    doubtful: int
    claims: int
    claimed: int
    due: int
    due_amount: int
    tenders: Mapping[str, int]
    stores: tuple[Store, ...]
    slots: tuple[SlotCount, ...]
    committed: int
    delivered: int
    missing: int
    duplicates: int
    deaths: int


class Auditor:
    """Make it before the day begins; `judge` after the daemon was stopped in order."""

    def __init__(self, front: Front) -> None:
        self._front = front
        till = front.till
        self._truth = till.coins.truth
        self._opening = Opening.of(self._truth)
        self._bills = till.bills.truth if till.bills is not None else None
        self._bills_opening = BillOpening.of(self._bills) if self._bills is not None else None
        self._before = dict(front.config.first_levels())
        self._tray = len(front.cabinet.tray)
        self.deaths: list[float] = []
        self.unseen: Mapping[str, int] = {}  # products that fell while no controller lived

    def died(self, at: float | None = None) -> None:
        """The controller died (or was stopped, or hung) at this loop time."""
        self.deaths.append(self._front.loop.time() if at is None else at)

    async def judge(self, visits: Sequence[Visit]) -> Verdict:
        """Everything there is to say about the day."""
        books = Books.read(self._front.books())
        received = await self._front.events()
        return self.compare(visits, books, received)

    def compare(
        self, visits: Sequence[Visit], books: Books, received: Sequence[Received]
    ) -> Verdict:
        """The judgement alone, of this evidence."""
        events = event_checks.firsts(received)
        dispensed = Counter(d["slot"] for d in event_checks.of_type(events, event_checks.DISPENSED))
        slots = stock.counts(self._before, books, self._front.cabinet, dispensed, self._tray)
        coin_stores = money.stores(books, self._truth, self._opening)
        bill_stores = self._bill_stores(books)
        paid = self._cards(events, visits)
        by = self._ledgers(visits, books, paid, bill_stores)
        violations = [
            *self._money(visits, coin_stores, bill_stores, by),
            *stock.check_stock(slots, event_checks.stock_deltas(events), books, self.unseen),
            *stock.check_motors(self._front.cabinet, self.deaths),
            *event_checks.check_delivery(received, books),
            *event_checks.check_payloads(events, self._front.config.machine.id),
            *event_checks.check_sales(events, books),
            *counters.check(books, event_checks.of_type(events, event_checks.SALE_CLOSED)),
        ]
        outcomes = Counter(
            sale["outcome"] for sale in event_checks.of_type(events, event_checks.SALE_CLOSED)
        )
        delivery = audit(received, books.seq)
        open_claims = [claim for claim in books.claims.values() if claim.open]
        return Verdict(
            violations=tuple(violations),
            customers=len(visits),
            sold=sum(dispensed.values()),
            refused=len(event_checks.of_type(events, event_checks.REFUSED)),
            refunded=outcomes["refunded"] + outcomes["partly_refunded"],
            doubtful=len(event_checks.of_type(events, "vend.sale-doubtful.v1")),
            claims=sum(not claim.due for claim in open_claims),
            claimed=books.owed(),
            due=sum(claim.due for claim in open_claims),
            due_amount=books.owed(due=True),
            tenders=_by_tender(event_checks.of_type(events, event_checks.SALE_CLOSED)),
            stores=(*coin_stores, *bill_stores, *cards.stores(books, paid)),
            slots=tuple(slots),
            committed=books.seq,
            delivered=len(events),
            missing=len(delivery.missing),
            duplicates=delivery.duplicates,
            deaths=len(self.deaths),
        )

    # --- what there is to compare ------------------------------------------------------

    def _bill_stores(self, books: Books) -> list[Store]:
        if self._bills is None or self._bills_opening is None:
            return []
        return bills.stores(books, self._bills, self._bills_opening)

    def _cards(self, events: Sequence[Received], visits: Sequence[Visit]) -> Cards:
        settled = event_checks.of_type(events, event_checks.CLAIM_CLOSED)
        return cards.judge(
            self._front.till.readers,
            event_checks.of_type(events, event_checks.SALE_CLOSED),
            event_checks.of_type(events, event_checks.DUE),
            frozenset(event["claim_ref"] for event in settled),
            frozenset(visit.number for visit in visits if visit.products),
        )

    def _ledgers(
        self, visits: Sequence[Visit], books: Books, paid: Cards, found: list[Store]
    ) -> Ledgers:
        config = self._front.config
        unclear = sum(bills.unclear(books))
        mine: defaultdict[int, list[Charge]] = defaultdict(list)
        for reader in self._front.till.readers.values():
            for charge in reader.truth.charges:
                mine[charge.card.number].append(charge)
        return Ledgers(
            prices=customers.prices(config.slots(), config.policy()),
            books=books,
            cards=paid,
            charges={v.number: mine[v.number] for v in visits},
            bills_back_too=unclear - bills.adrift(found) - min(unclear, books.found_at_a_start()),
        )

    def _money(
        self, visits: Sequence[Visit], coins: list[Store], found: list[Store], by: Ledgers
    ) -> list[str]:
        books = by.books
        violations = [
            *money.check_coins(self._truth),
            *money.check_ledger(books),
            *money.check_stores(coins, customers.lost_with_controllers(visits, by)),
            *cards.check(books, by.cards),
            *customers.check(visits, by),
        ]
        if self._bills is not None:
            violations += bills.check(books, self._bills, found)
        if not self.deaths:
            violations += money.check_flows(books, self._truth, self._opening)
        return violations


def _by_tender(closed: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What was applied to sales, by the kind of tender."""
    applied: Counter[str] = Counter()
    for sale in closed:
        for tender in sale["tenders"]:
            applied[tender["kind"]] += tender["applied"]
    return dict(sorted(applied.items()))
