"""What the auditor has to say about cards and bills, on evidence made for it."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from hw_sim.audit import bills, cards, customers
from hw_sim.audit.bills import BillOpening
from hw_sim.audit.books import Balance, Books, Claim, Posting
from hw_sim.audit.cards import SECOND_CARD, Cards
from hw_sim.audit.customers import Ledgers, unaccounted
from hw_sim.audit.events import check_sales
from hw_sim.devices.bill_truth import BillTruth, Place
from hw_sim.devices.card_reader import CardReader
from hw_sim.devices.card_reader_parts import Card, Charge, Outcome
from hw_sim.habits import Habit
from hw_sim.loop import VirtualLoop
from hw_sim.received import Received
from hw_sim.visit import Visit

HEADERS = {"ce_type": "vend.sale-closed.v1", "ce_seq": "1", "ce_topicseq": "1"}
SERIAL = "000000000011"
NOTHING = Books(0, 1, {}, (), {}, 0, {}, {}, {}, {}, {}, (), {}, ())


@contextmanager
def reader() -> Iterator[CardReader]:
    loop = VirtualLoop()
    try:
        yield CardReader(loop, random.Random(1))
    finally:
        loop.close()


def charged(at: CardReader, outcome: Outcome, amount: int = 150, number: int = 7) -> Charge:
    charge = at.truth.hold(Card(number), amount, 3)
    at.truth.settle(charge, outcome)
    return charge


def sale(applied: int, item: int = 3, **more: Any) -> dict[str, Any]:
    tender = {
        "kind": "card",
        "device": "cashless1",
        "inserted": 150,
        "applied": applied,
        "returned": 0,
        "approved": 150,
        "reader_serial": SERIAL,
        "approved_at": "2026-01-01T00:00:00.000Z",
        "refund_state": "none",
        **more,
    }
    return {"sale_id": "s1", "item_no": item, "tenders": [tender]}


def due(amount: int = 150, ref: str = "4821") -> dict[str, Any]:
    return {"claim_ref": ref, "item_no": 3, "amount": amount, "reader_serial": SERIAL}


def judged(
    outcome: Outcome,
    closed: list[dict[str, Any]],
    dues: list[dict[str, Any]],
    settled: frozenset[str] = frozenset(),
    number: int = 7,
) -> Cards:
    with reader() as one:
        charged(one, outcome, number=number)
        return cards.judge({1: one}, closed, dues, settled)


def test_a_payment_by_card_is_a_sale_or_is_due() -> None:
    assert judged(Outcome.PAID, [sale(150)], []).findings == []
    owed = judged(Outcome.PAID, [sale(0)], [due()])
    assert (owed.findings, len(owed.due), owed.returned_too) == ([], 1, 0)
    both = judged(Outcome.REFUNDED, [sale(0)], [due()])
    assert (both.findings, both.due, both.returned_too) == ([], [], 150)
    found = judged(Outcome.REFUNDED, [sale(0)], [due()], frozenset({"4821"}))
    assert (found.findings, found.returned_too) == ([], 0)


@pytest.mark.parametrize(
    ("outcome", "closed", "dues", "number", "words"),
    [
        (Outcome.PAID, [], [], 7, "neither sold nor published as due"),
        (Outcome.PAID, [sale(140)], [], 7, "neither sold nor published as due"),
        (Outcome.PAID, [sale(150, 4)], [], 7, "no card paid for it"),
        (Outcome.REFUNDED, [sale(150)], [], 7, "no card paid for it"),
        (Outcome.HELD, [sale(150)], [], 7, "approved and never settled"),
        (Outcome.PAID, [sale(150)], [], SECOND_CARD + 7, "came second paid 150"),
    ],
)
def test_a_payment_that_is_wrong(
    outcome: Outcome,
    closed: list[dict[str, Any]],
    dues: list[dict[str, Any]],
    number: int,
    words: str,
) -> None:
    findings = judged(outcome, closed, dues, number=number).findings
    assert any(words in finding for finding in findings), findings


def test_of_two_payments_for_the_same_product_the_one_who_took_it_has_bought_it() -> None:
    with reader() as one:
        empty_handed, buyer = (charged(one, Outcome.PAID, number=n) for n in (7, 8))
        found = cards.judge({1: one}, [sale(150)], [due()], frozenset(), frozenset({8}))
    assert found.findings == []
    assert (found.is_due(empty_handed), found.is_due(buyer)) == (True, False)


def test_the_books_of_a_reader_are_its_holders_statements() -> None:
    balances = {"cashless1": Balance(0, 150, 0, 150), "refunds_due": Balance(0, 0, 150, -150)}
    books = replace(NOTHING, balances=balances, claims={"4821": Claim(150, True, "refund_due")})
    owed = judged(Outcome.PAID, [], [due()])
    assert list(cards.check(books, owed)) == []
    assert list(cards.check(replace(books, claims={}), owed)) == ["refunds due: 0 open, 150 booked"]
    assert "booked 0, but holders paid 150" in next(cards.check(replace(books, balances={}), owed))
    (store,) = cards.stores(books, owed)
    assert (store.account, store.closing, store.counted) == ("cashless1", 150, 150)


# --- bills -----------------------------------------------------------------------------------


def stacked(value: int = 500) -> tuple[Books, BillTruth, BillOpening]:
    """One bill went into the stacker, and the books know."""
    truth = BillTruth((500,))
    opening = BillOpening.of(truth)
    truth.insert(value)
    truth.stack(value, Place.ENTRY)
    books = replace(
        NOTHING,
        balances={"stacker": Balance(0, value, 0, value)},
        ledger=(Posting("stacker", "customer", value, "bill_in"),),
        boxes={"stacker": value},
    )
    return books, truth, opening


def complaints(books: Books, truth: BillTruth, opening: BillOpening) -> list[str]:
    return list(bills.check(books, truth, bills.stores(books, truth, opening)))


def test_bills_that_are_booked_where_they_are() -> None:
    assert complaints(*stacked()) == []


def _gone(truth: BillTruth) -> None:
    truth.steal(500)


def _from_nowhere(truth: BillTruth) -> None:
    truth.stacker[500] += 1


def _inside(truth: BillTruth) -> None:
    truth.insert(1000)


def _sticks_out(truth: BillTruth) -> None:
    truth.insert(1000)
    truth.give_back(1000, Place.ENTRY, 0.0)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_gone, "stacker: booked 500, but 0 is in there"),
        (_from_nowhere, "appeared or vanished"),
        (_inside, "1000 in bills is still on its way"),
        (_sticks_out, "1000 in bills sticks out"),
    ],
)
def test_bills_that_are_elsewhere(spoil: Callable[[BillTruth], None], words: str) -> None:
    books, truth, opening = stacked()
    spoil(truth)
    found = complaints(books, truth, opening)
    assert any(words in one for one in found), found


def test_a_bill_that_nobody_found_is_excused_by_its_claim_alone() -> None:
    books, truth, opening = stacked()
    truth.insert(1000)
    truth.stack(1000, Place.ENTRY)
    assert len(complaints(books, truth, opening)) == 1
    doubtful = replace(books, claims={"4821": Claim(1000, True, "bill_unclear")})
    assert complaints(doubtful, truth, opening) == []
    wrong = replace(books, claims={"4821": Claim(500, True, "bill_unclear")})
    assert len(complaints(wrong, truth, opening)) == 1


def test_denominations_and_accounts_agree() -> None:
    books, truth, opening = stacked()
    off = replace(books, boxes={"stacker": 1000}, recycler={500: 1})
    assert complaints(off, truth, opening) == [
        "recycler:500: 1 bills counted, 0 booked",
        "stacker: 1000 by denomination, 500 booked",
    ]


# --- customers ---------------------------------------------------------------------------------


def visit(**known: Any) -> Visit:
    return Visit(7, Habit.TAP_FIRST, "A1", 150, said="THANK YOU|TAKE PRODUCT", **known)


def ledgers(*charges: Charge, books: Books = NOTHING, dues: tuple[Charge, ...] = ()) -> Ledgers:
    return Ledgers(
        prices={"A1": frozenset({150, 160}), "B1": frozenset({100})},
        books=books,
        cards=Cards(due=list(dues)),
        charges={7: charges},
    )


def paid(amount: int, asked: int | None = None, outcome: Outcome = Outcome.PAID) -> Charge:
    return Charge(Card(7), amount, 3, amount if asked is None else asked, outcome)


def test_what_a_customer_may_have_paid() -> None:
    assert unaccounted(visit(products=["A1"]), ledgers(paid(160))) == 0
    assert unaccounted(visit(inserted=[150], products=["A1"]), ledgers()) == 0
    mixed = visit(inserted=[100], products=["A1"])
    assert unaccounted(mixed, ledgers(paid(60))) == 0
    assert unaccounted(visit(products=["A1"]), ledgers(paid(128, 160))) == 0
    assert unaccounted(visit(), ledgers(paid(160, outcome=Outcome.REFUNDED))) == 0
    owed = paid(160)
    assert unaccounted(visit(), ledgers(owed, dues=(owed,))) == 0


def test_what_a_customer_may_not_have_paid() -> None:
    assert unaccounted(visit(), ledgers(paid(160))) == 160
    assert unaccounted(visit(inserted=[150], products=["A1"]), ledgers(paid(160))) == 150
    assert unaccounted(visit(inserted=[500], returned=[200], products=["A1"]), ledgers()) == 140
    assert unaccounted(visit(products=["A1"]), ledgers(paid(128))) == 128


def test_money_in_another_tender_and_lies_are_told() -> None:
    other = visit(inserted=[100], returned=[100, 50], products=["A1"])
    other.lies.append("'NOT DELIVERED|CARD REFUNDED', but the card was still charged")
    found = list(customers.check([other], ledgers(paid(200))))
    assert "customer 7 got 50 more in cash than they put in" in found
    assert any("was told 'NOT DELIVERED|CARD REFUNDED'" in one for one in found)


def test_a_bill_that_nobody_found_may_be_in_its_owners_hand() -> None:
    books = replace(NOTHING, claims={"4821": Claim(500, True, "bill_unclear")})
    gone = visit(inserted=[500], references=["4821"])
    back = visit(inserted=[500], returned=[500], references=["4821"])
    assert [unaccounted(v, ledgers(books=books)) for v in (gone, back)] == [0, 0]


# --- tenders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"applied": 140}, "its tenders do not make 150"),
        ({"inserted": 100}, "more came out than was put in"),
        ({"reader_serial": ""}, "without reader_serial"),
        ({"applied": 0}, "nothing is said of a refund"),
        ({"refund_state": "confirmed"}, "returned 0, refund confirmed"),
    ],
)
def test_tenders_add_up(changed: dict[str, Any], words: str) -> None:
    closed = sale(**{"applied": 150, **changed})
    closed |= {"sale_no": 1, "price_charged": 150, "overpay_kept": 0, "proof": "none"}
    event = Received("t", b"m", HEADERS, json.dumps(closed).encode())
    books = replace(NOTHING, balances={"sales": Balance(0, 0, 150, -150)})
    found = [one for one in check_sales([event], books) if "sale s1" in one]
    assert (found == []) if not words else any(words in one for one in found), found
