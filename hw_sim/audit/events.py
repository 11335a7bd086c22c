"""Events: everything that was committed arrived, once or more, valid and in order."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator

from hw_sim.audit.books import Books
from hw_sim.received import Audit, Received, audit
from vendd.core.privacy import card_numbers
from vendd.events import schemas

SALE_CLOSED: Final = "vend.sale-closed.v1"
DISPENSED: Final = "vend.item-dispensed.v1"
REFUSED: Final = "vend.sale-refused.v1"
DUE: Final = "vend.refund-due.v1"
CLAIM_CLOSED: Final = "vend.claim-closed.v1"
STOCK: Final = "vend.stock-changed.v1"
_HEADERS: Final = ("specversion", "id", "source", "type", "time", "machine", "seq", "topicseq")
_SHOWN: Final = 5  # of many findings of one kind


def firsts(received: Sequence[Received]) -> list[Received]:
    """One copy of each event, in seq order: what a deduplicating consumer works with."""
    by_seq: dict[int, Received] = {}
    for message in received:
        by_seq.setdefault(message.seq, message)
    return [by_seq[seq] for seq in sorted(by_seq)]


def of_type(events: Sequence[Received], kind: str) -> list[dict[str, Any]]:
    return [json.loads(e.value) for e in events if e.headers.get("ce_type") == kind]


def check_delivery(received: Sequence[Received], books: Books) -> Iterator[str]:
    """E1: seq 1 to the last committed, gapless; per topic in order and gapless too."""
    found: Audit = audit(received, books.seq)
    if found.missing:
        yield f"{len(found.missing)} events never arrived: seq {_some(found.missing)}"
    if not found.in_order:
        yield "within a topic, events arrived out of order"
    unknown = sorted({m.seq for m in received if not 1 <= m.seq <= books.seq})
    if unknown:
        yield f"events that nobody committed: seq {_some(unknown)}"
    if books.dead_letters:
        yield f"{len(books.dead_letters)} events are dead letters: seq {_some(books.dead_letters)}"
    yield from _check_topics(received)
    yield from _check_copies(received, books)


def _check_topics(received: Sequence[Received]) -> Iterator[str]:
    numbers: dict[str, dict[int, int]] = {}
    for message in received:
        topicseq = int(message.headers["ce_topicseq"])
        numbers.setdefault(message.topic, {}).setdefault(message.seq, topicseq)
    for topic, by_seq in sorted(numbers.items()):
        ordered = [by_seq[seq] for seq in sorted(by_seq)]
        if ordered != list(range(1, len(ordered) + 1)):
            yield f"{topic}: topicseq has gaps or repeats"


def _check_copies(received: Sequence[Received], books: Books) -> Iterator[str]:
    """Each copy is what was committed."""
    changed = sorted({m.seq for m in received if books.outbox.get(m.seq, m.value) != m.value})
    if changed:
        yield f"arrived otherwise than committed: seq {_some(changed)}"


def check_payloads(events: Sequence[Received], machine: str) -> Iterator[str]:
    """Envelope and data of every event against what is promised to consumers."""
    for event in events:
        kind = event.headers.get("ce_type", "")
        absent = [name for name in _HEADERS if not event.headers.get(f"ce_{name}")]
        if absent:
            yield f"seq {event.seq}: without {', '.join(absent)}"
        yield from (f"seq {event.seq}: a card number" for _ in card_numbers(text_of(event)))
        if event.key != machine.encode() or event.headers.get("ce_machine") != machine:
            yield f"seq {event.seq}: key or machine is not {machine}"
        try:
            errors = list(_validator(kind).iter_errors(json.loads(event.value)))
        except (KeyError, ValueError) as error:
            yield f"seq {event.seq}: {kind or 'no type'}: {error}"
            continue
        for wrong in errors[:_SHOWN]:
            yield f"seq {event.seq}: {kind}: {wrong.json_path}: {wrong.message}"


def text_of(event: Received) -> str:
    """All texts of an event: of headers and data."""
    random = ("ce_traceparent", "ce_bootid")  # any digits may follow each other there
    texts = [value for name, value in event.headers.items() if name not in random]
    parts: list[Any] = [json.loads(event.value or b"null")]
    while parts:
        match parts.pop():
            case str(text):
                texts.append(text)
            case dict(members):
                parts += members.values()
            case list(items):
                parts += items
    return "\n".join(texts)


def check_sales(events: Sequence[Received], books: Books) -> Iterator[str]:
    """One outcome per sale, at most one dispense per payment, and the sums of the ledger."""
    closed = of_type(events, SALE_CLOSED)
    dispensed = of_type(events, DISPENSED)
    for name, sales in (("outcomes", closed), ("dispenses", dispensed)):
        counts = Counter(sale["sale_id"] for sale in sales)
        for sale_id, count in counts.items():
            if count > 1:
                yield f"sale {sale_id} has {count} {name}"
    delivered = {sale["sale_id"] for sale in closed if sale["proof"] != "none"}
    for sale_id in sorted(delivered ^ {sale["sale_id"] for sale in dispensed}):
        yield f"sale {sale_id}: delivered and closed do not agree"
    numbers = sorted(sale["sale_no"] for sale in closed)
    if numbers != list(range(1, len(numbers) + 1)):
        yield "sale numbers have gaps or repeats"
    for sale in closed:
        yield from _check_tenders(sale)
    charged = sum(sale["price_charged"] for sale in closed)
    if charged != -books.closing("sales"):
        yield f"sale-closed charged {charged}, the books sold for {-books.closing('sales')}"


def _check_tenders(sale: dict[str, Any]) -> Iterator[str]:
    """What was applied is what was charged, and each tender adds up by itself (M6)."""
    sale_id, tenders = sale["sale_id"], sale["tenders"]
    cost = sale["price_charged"] + sale["overpay_kept"]
    if sum(t["applied"] for t in tenders) != cost:
        yield f"sale {sale_id}: its tenders do not make {cost}"
    for tender in tenders:
        name = f"sale {sale_id}: {tender['kind']} by {tender['device']}"
        if tender["applied"] + tender["returned"] > tender["inserted"]:
            yield f"{name}: more came out than was put in"
        if tender["kind"] != "card" or tender.get("approved") is None:
            continue
        for key in ("reader_serial", "approved_at"):
            if not tender.get(key):
                yield f"{name}: without {key}"
        if not tender["applied"] and tender["refund_state"] == "none":
            yield f"{name}: approved, not applied, and nothing is said of a refund"
        if (tender["refund_state"] == "confirmed") != (tender["returned"] > 0):
            yield f"{name}: returned {tender['returned']}, refund {tender['refund_state']}"


def stock_deltas(events: Sequence[Received]) -> Counter[str]:
    """Slot -> how its level moved, by what was published."""
    moved: Counter[str] = Counter()
    for change in of_type(events, STOCK):
        moved[change["slot"]] += change["delta"]
    return moved


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schemas.load(kind))


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    return shown + (" …" if len(numbers) > _SHOWN else "")
