"""Card money: no vend, no charge; no charge, no vend; what is open has a reference."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final

from hw_sim.audit.books import Books
from hw_sim.audit.money import Store
from hw_sim.devices.card_reader_parts import Charge, Outcome
from hw_sim.devices.mechs import CardMech

SECOND_CARD: Final = 500_000
"""Cards with numbers from here on belong to people who were second: nobody may charge them."""


@dataclass(slots=True)
class _Entry:
    """What was published of one payment. `item` 0: not known."""

    reader: int
    item: int
    amount: int

    def names(self, charge: Charge) -> bool:
        return self.item in (0, charge.item) and self.amount in (charge.amount, charge.asked)


@dataclass(slots=True)
class Cards:
    """`due`: charges that are to be refunded elsewhere. `returned_too`: what is published as due
    although the holder has it again: a person will find that out."""

    findings: list[str] = field(default_factory=list)
    due: list[Charge] = field(default_factory=list)
    returned_too: int = 0
    taken: dict[int, int] = field(default_factory=dict)  # by reader

    def is_due(self, charge: Charge) -> bool:
        return any(charge is one for one in self.due)

    @property
    def kept(self) -> int:
        """All that holders really paid."""
        return sum(self.taken.values())


def judge(
    readers: Mapping[int, CardMech],
    closed: Sequence[Mapping[str, Any]],
    due: Sequence[Mapping[str, Any]],
    settled: frozenset[str],
    served: Set[int] = frozenset(),
) -> Cards:
    """`closed`: sale-closed, `due`: refund-due, `settled`: references that were closed again.
    `served`: holders who took a product; of two payments for the same, theirs was the sale."""
    cards = Cards()
    numbers = {reader.model.serial: number for number, reader in readers.items()}
    open_sold = [entry for sale in closed for entry in _sold(sale)]
    open_due = [
        _Entry(numbers.get(event.get("reader_serial", ""), 0), event["item_no"], event["amount"])
        for event in due
        if event["claim_ref"] not in settled
    ]
    for number, reader in readers.items():
        charges = reader.truth.charges
        cards.taken[number] = sum(c.amount for c in charges if c.outcome is Outcome.PAID)
        for charge in charges:
            likely = (open_sold, open_due)
            if charge.card.number not in served:
                likely = (open_due, open_sold)
            if _judge_one(cards, number, charge, likely) is open_due:
                cards.due.append(charge)
    for entry in open_sold:
        cards.findings.append(
            f"reader {entry.reader}: item {entry.item} was sold for {entry.amount},"
            " and no card paid for it"
        )
    cards.returned_too = sum(entry.amount for entry in open_due)
    return cards


def _sold(sale: Mapping[str, Any]) -> Iterator[_Entry]:
    for tender in sale["tenders"]:
        if tender["kind"] == "card" and tender["applied"]:
            yield _Entry(int(tender["device"][-1]), sale["item_no"], tender["applied"])


def _judge_one(
    cards: Cards, number: int, charge: Charge, published: tuple[list[_Entry], ...]
) -> list[_Entry] | None:
    """Among which entries it was found, and taken from."""
    if charge.outcome is Outcome.HELD:
        cards.findings.append(f"reader {number}: {charge.amount} was approved and never settled")
    if charge.outcome is not Outcome.PAID:
        return None
    if charge.card.number >= SECOND_CARD:
        cards.findings.append(f"reader {number}: a card that came second paid {charge.amount}")
    for entries in published:
        found = next((e for e in entries if e.reader in (0, number) and e.names(charge)), None)
        if found is not None:
            entries.remove(found)
            return entries
    cards.findings.append(
        f"reader {number}: item {charge.item} was paid with {charge.amount} by card,"
        " neither sold nor published as due"
    )
    return None


def stores(books: Books, cards: Cards) -> list[Store]:
    """What the operator has got through each reader. `counted`: by the holders' statements."""
    return [
        Store(
            account=f"cashless{number}",
            opening=0,
            came=books.moved(debit=f"cashless{number}"),
            went=books.moved(credit=f"cashless{number}"),
            closing=books.closing(f"cashless{number}"),
            counted=taken,
        )
        for number, taken in sorted(cards.taken.items())
    ]


def check(books: Books, cards: Cards) -> Iterator[str]:
    """The books against the statements."""
    yield from cards.findings
    booked = sum(books.closing(f"cashless{number}") for number in cards.taken)
    if booked != cards.kept + cards.returned_too:
        yield (
            f"cards: booked {booked}, but holders paid {cards.kept}"
            + (f", and {cards.returned_too} is due that they have" if cards.returned_too else "")
        )
    if books.owed(due=True) != -books.closing("refunds_due"):
        yield (f"refunds due: {books.owed(due=True)} open, {-books.closing('refunds_due')} booked")
