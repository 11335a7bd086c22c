"""Customers: what the machine kept of each one is the price of what came out, or a debt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hw_sim.audit.books import Books
from hw_sim.audit.cards import Cards
from hw_sim.devices.card_reader_parts import Charge, Outcome
from hw_sim.visit import Visit
from vendd.core.planogram import Slot
from vendd.core.policy import Policy

Prices = Mapping[str, frozenset[int]]
"""Selection -> what it may cost, by coins and bills or by card."""


def prices(slots: Mapping[str, Slot], policy: Policy) -> Prices:
    """As the owner has set them."""
    return {
        selection: frozenset({slot.price("cash"), _card_price(slot, policy)})
        for selection, slot in slots.items()
        if not slot.free
    }


def _card_price(slot: Slot, policy: Policy) -> int:
    if "card" in slot.prices:
        return slot.prices["card"]
    return slot.price("cash") + policy.card_surcharge - policy.card_discount


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What customers are judged by. `charges`: by the number of the visit."""

    prices: Prices
    books: Books
    cards: Cards = field(default_factory=Cards)
    charges: Mapping[int, Sequence[Charge]] = field(default_factory=dict)
    bills_back_too: int = 0  # owed as claims, although customers have the bills again

    def paid_by_card(self, visit: Visit) -> list[Charge]:
        """What a holder has paid for good, and is not promised back."""
        kept = (Outcome.HELD, Outcome.PAID)
        charges = self.charges.get(visit.number, ())
        return [c for c in charges if c.outcome in kept and not self.cards.is_due(c)]


def check(visits: Sequence[Visit], by: Ledgers) -> Iterator[str]:
    """M2, M6 and R6, one by one and all together."""
    for visit in visits:
        if not visit.finished:
            yield f"customer {visit.number} waited in vain: {visit.gave_up or visit.said!r}"
        elif unaccounted(visit, by) and not visit.disturbed:
            yield f"customer {visit.number}: paid {_paid(visit, by)} {_for_what(visit, by.books)}"
        if visit.balance < 0:
            yield f"customer {visit.number} got {-visit.balance} more in cash than they put in"
        for lie in visit.lies:
            yield f"customer {visit.number} was told {lie}"
    yield from _together(visits, by)


def _together(visits: Sequence[Visit], by: Ledgers) -> Iterator[str]:
    books = by.books
    charged = -books.closing("sales") - books.closing("overpay")
    kept = sum(visit.balance for visit in visits) + by.cards.kept
    owed = books.owed() - by.bills_back_too
    due = books.owed(due=True) - by.cards.returned_too
    lost = lost_with_controllers(visits, by)
    if kept != charged + owed + due + lost:
        yield (
            f"customers left {kept} in the machine; sold for {charged}, owed {owed},"
            f" refunds due {due}" + (f", lost with dead controllers {lost}" if lost else "")
        )


def lost_with_controllers(visits: Sequence[Visit], by: Ledgers) -> int:
    """Cash that nobody could see, because the controller had died."""
    return sum(unaccounted(visit, by) for visit in visits if visit.disturbed)


def unaccounted(visit: Visit, by: Ledgers) -> int:
    """What the machine kept beyond the prices of products got and the claims it admitted.

    Something may have been got for nothing (it dropped after the refund): so it is 0 when the
    prices of any of the products got make the balance. Negative: money was given away.
    """
    charges = by.paid_by_card(visit)
    rest = visit.balance + sum(c.amount for c in charges)
    waived = sum(c.asked - c.amount for c in charges)  # the reader approved less
    sums = {0}
    for selection in visit.products:
        sums |= {s + price for s in sums for price in by.prices.get(selection, frozenset({0}))}
    wanted = [rest - owed for owed in _owed(visit, by.books)]
    if any(amount in sums or amount + waived in sums for amount in wanted):
        return 0
    return wanted[0] - max((s for s in sums if s <= wanted[0]), default=0)


def _owed(visit: Visit, books: Books) -> list[int]:
    """What the references shown to this customer stand for. A bill that nobody found may be
    back in its owner's hand: with it and without it."""
    claims = [books.claims[ref] for ref in _references(visit) if ref in books.claims]
    sure = sum(c.amount for c in claims if not c.due and c.reason != "bill_unclear")
    unclear = sum(c.amount for c in claims if c.reason == "bill_unclear")
    return [sure + unclear, sure]


def _references(visit: Visit) -> list[str]:
    shown = [*visit.references, *([visit.claim] if visit.claim else [])]
    return list(dict.fromkeys(shown))


def _paid(visit: Visit, by: Ledgers) -> str:
    by_card = sum(c.amount for c in by.paid_by_card(visit))
    return f"{visit.balance}" + (f" and {by_card} by card" if by_card else "")


def _for_what(visit: Visit, books: Books) -> str:
    owed = "".join(
        f", claim {ref} of {books.claims[ref].amount if ref in books.claims else 'nothing'}"
        for ref in _references(visit)
    )
    return f"for {visit.products or 'nothing'}{owed}"
