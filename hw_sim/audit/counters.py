"""The audit's counters against the ledger and against what the events say was sold."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from hw_sim.audit.books import Books

_TENDERS: Final = (("CA2", "value"), ("DA2", "value"), ("DB2", "value"), ("TA2", "value"))


def check(books: Books, closed: Sequence[dict[str, Any]]) -> Iterator[str]:
    """`closed`: the data of every sale-closed event."""
    counted = [sale for sale in closed if sale["sale_id"] not in books.suspended]
    sold = [sale for sale in counted if sale["proof"] != "none"]
    paid = [sale for sale in sold if sale["channel"] != "free"]
    for what, counter, expected in (
        ("paid vends", _of(books, "VA1", "number"), len(paid)),
        ("free vends", _of(books, "VA3", "number"), len(sold) - len(paid)),
        ("paid", _charged(books), sum(sale["price_charged"] for sale in paid)),
        ("the tenders' sales", sum(_of(books, *t) for t in _TENDERS), _of(books, "VA1", "value")),
        *_cash(books),
    ):
        if counter != expected:
            yield f"audit: {what} counted {counter}, and it was {expected}"
    yield from _by_device(books, paid)


def _of(books: Books, segment: str, what: str) -> int:
    return books.counters.get((segment, "", what), 0)


def _charged(books: Books) -> int:
    """List prices, less discounts, and surcharges."""
    less, more = _of(books, "VA1", "discount_value"), _of(books, "VA1", "surcharge_value")
    return _of(books, "VA1", "value") - less + more


def _cash(books: Books) -> Iterator[tuple[str, int, int]]:
    came = [p for p in books.ledger if p.credit in ("customer", "fills")]
    box = sum(p.amount for p in came if p.debit == "coin_box")
    tubes = sum(p.amount for p in came if p.debit.startswith("tube:"))
    bills = sum(
        p.amount
        for p in books.ledger
        if (p.credit in ("customer", "fills") or p.reason == "bill_turned_up")
        and p.debit.startswith(("stacker", "recycler:"))
    )
    out = sum(
        p.amount
        for p in books.ledger
        if p.credit.startswith(("tube:", "recycler:", "coin_box", "stacker"))
        and (
            p.debit in ("change", "refunds", "manual_dispense", "fills")
            or p.reason == "paid_too_much"
        )
    )
    yield "cash into the box", _of(books, "CA3", "box"), box
    yield "cash into the tubes", _of(books, "CA3", "tubes"), tubes
    yield "bills", _of(books, "CA3", "bills"), bills
    yield "cash in", _of(books, "CA3", "cash"), box + tubes + bills
    yield "cash out", _of(books, "CA4", "cash"), out
    yield "overpaid", _of(books, "CA8", "value"), -books.closing("overpay")


def _by_device(books: Books, paid: Sequence[dict[str, Any]]) -> Iterator[str]:
    """PA7: per selection and device what was charged there."""
    expected: Counter[tuple[str, str]] = Counter()
    for sale in paid:
        for tender in sale["tenders"]:
            device = "TA" if tender["kind"] == "token" else tender["audit_device"]
            expected[sale["selection"], device] += tender["applied"]
        expected[sale["selection"], "CA"] -= sale["overpay_kept"]
    counted: Counter[tuple[str, str]] = Counter()
    for (segment, subject, what), total in books.counters.items():
        if segment == "PA7" and what == "value":
            selection, device, *_ = subject.split("*")
            counted[selection, device] += total
    for key in sorted(expected.keys() | counted.keys()):
        if expected[key] != counted[key]:
            yield f"audit: {'/'.join(key)} counted {counted[key]}, and it was {expected[key]}"
