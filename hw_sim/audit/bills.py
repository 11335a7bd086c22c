"""Bills: where they really are against what the books say of stacker and recycler."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from hw_sim.audit.books import Books
from hw_sim.audit.money import Store
from hw_sim.devices.bill_truth import BillTruth

STACKER: Final = "stacker"


@dataclass(frozen=True, slots=True)
class BillOpening:
    """What really was in the bill stores when the day began."""

    stacker: int
    recycler: dict[int, int]  # bill value -> money

    @classmethod
    def of(cls, truth: BillTruth) -> "BillOpening":
        held = {value: value * count for value, count in truth.recycler.items()}
        return cls(truth.stacker_total(), held)


def stores(books: Books, truth: BillTruth, opening: BillOpening) -> list[Store]:
    """The recycler's stores and the stacker. What the first count booked is their opening."""
    found = []
    for value, first in sorted(opening.recycler.items()):
        account = f"recycler:{value}"
        found.append(
            Store(
                account,
                opening=first,
                came=books.moved(debit=account) - first,
                went=books.moved(credit=account),
                closing=books.closing(account),
                counted=truth.recycler[value] * value,
            )
        )
    stacker = Store(
        STACKER,
        opening=opening.stacker,
        came=books.moved(debit=STACKER),
        went=books.moved(credit=STACKER),
        closing=books.closing(STACKER),
        counted=truth.stacker_total(),
    )
    return [*found, stacker]


def unclear(books: Books) -> list[int]:
    """Bills that a validator could not account for: each is an open claim of its own."""
    return [c.amount for c in books.claims.values() if c.open and c.reason == "bill_unclear"]


def adrift(found: list[Store]) -> int:
    """Bills that are there and in no store's book (below 0: the other way round)."""
    return sum(store.counted - store.closing for store in found)


def check(books: Books, truth: BillTruth, found: list[Store]) -> Iterator[str]:
    """M1 for bills; the only excuse is a bill that was published as doubtful."""
    if not truth.conserved():
        yield "bills appeared or vanished in the simulated validator"
    if truth.hand or truth.offered:
        left = sum(value for _, value in truth.hand) + sum(truth.offered)
        yield f"{left} in bills sticks out of the machine, and nobody is there"
    if truth.in_path():
        yield f"{truth.in_path()} in bills is still on its way inside the validator"
    for store in found:
        if store.opening + store.came - store.went != store.closing:
            yield (
                f"{store.account}: opening {store.opening} + in {store.came} - out {store.went}"
                f" is not closing {store.closing}"
            )
    doubts, missing = unclear(books), adrift(found)
    sums = {sum(some) for n in range(len(doubts) + 1) for some in combinations(doubts, n)}
    if missing not in sums or (not doubts and any(s.counted != s.closing for s in found)):
        wrong = [s for s in found if s.counted != s.closing]
        for store in wrong:
            yield f"{store.account}: booked {store.closing}, but {store.counted} is in there"
    for value, count in sorted(books.recycler.items()):
        if count * value != books.closing(f"recycler:{value}"):
            yield (
                f"recycler:{value}: {count} bills counted,"
                f" {books.closing(f'recycler:{value}')} booked"
            )
    if books.boxes.get(STACKER, 0) != books.closing(STACKER):
        yield (
            f"stacker: {books.boxes.get(STACKER, 0)} by denomination,"
            f" {books.closing(STACKER)} booked"
        )
