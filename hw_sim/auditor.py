"""The auditor: physical truth, the books and a separate consumer, laid beside each other.

Trusts none of the three. Is NOT responsible for causing anything.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hw_sim.audit import events as event_checks
from hw_sim.audit import money, stock
from hw_sim.audit.books import Books
from hw_sim.audit.money import Opening, Store, unaccounted
from hw_sim.audit.stock import SlotCount
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
        self._truth = front.changer.truth
        self._opening = Opening.of(self._truth)
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
        stores = money.stores(books, self._truth, self._opening)
        violations = [
            *self._money(visits, books, stores),
            *stock.check_stock(slots, event_checks.stock_deltas(events), books, self.unseen),
            *stock.check_motors(self._front.cabinet, self.deaths),
            *event_checks.check_delivery(received, books),
            *event_checks.check_payloads(events, self._front.config.machine.id),
            *event_checks.check_sales(events, books),
        ]
        outcomes = Counter(
            sale["outcome"] for sale in event_checks.of_type(events, event_checks.SALE_CLOSED)
        )
        delivery = audit(received, books.seq)
        return Verdict(
            violations=tuple(violations),
            customers=len(visits),
            sold=sum(dispensed.values()),
            refused=len(event_checks.of_type(events, event_checks.REFUSED)),
            refunded=outcomes["refunded"] + outcomes["partly_refunded"],
            doubtful=len(event_checks.of_type(events, "vend.sale-doubtful.v1")),
            claims=sum(claim.open for claim in books.claims.values()),
            claimed=sum(claim.amount for claim in books.claims.values() if claim.open),
            stores=tuple(stores),
            slots=tuple(slots),
            committed=books.seq,
            delivered=len(events),
            missing=len(delivery.missing),
            duplicates=delivery.duplicates,
            deaths=len(self.deaths),
        )

    def _money(self, visits: Sequence[Visit], books: Books, stores: Sequence[Store]) -> list[str]:
        prices = {
            selection: slot.price("cash")
            for selection, slot in self._front.config.slots().items()
            if not slot.free
        }
        lost = sum(unaccounted(visit, prices, books) for visit in visits if visit.disturbed)
        found = [
            *money.check_coins(self._truth),
            *money.check_ledger(books),
            *money.check_stores(stores, lost),
            *money.check_customers(visits, prices, books),
        ]
        if not self.deaths:
            found += money.check_flows(books, self._truth, self._opening)
        return found
