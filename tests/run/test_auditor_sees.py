"""Every check of the auditor goes red for the mistake it is there for."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from day import Evidence, virtual_day

from hw_sim.audit.books import Balance, Claim, Posting
from hw_sim.audit.events import DISPENSED, SALE_CLOSED, STOCK
from hw_sim.devices.coin_truth import CoinTruth
from hw_sim.received import Received
from hw_sim.shop import report
from hw_sim.spiral import Fallen

Plant = Callable[[Evidence], None]


@pytest.fixture(scope="module")
def clean() -> Evidence:
    evidence = virtual_day(20, 7)
    assert evidence.compare().violations == ()
    return evidence


@pytest.fixture
def evidence(clean: Evidence) -> Iterator[Evidence]:
    """A copy whose every part may be spoiled."""
    auditor, cabinet = clean.auditor, clean.shop.front.cabinet
    kept = auditor._truth, list(cabinet.tray), dict(cabinet.currents._open), auditor.deaths
    auditor._truth = copy.deepcopy(auditor._truth)
    auditor.deaths = []
    visits = tuple(copy.deepcopy(clean.day.visits))
    yield Evidence(
        replace(clean.day, visits=visits),
        clean.shop,
        copy.deepcopy(clean.books),
        list(clean.received),
        clean.lines,
    )
    auditor._truth, cabinet.tray[:], cabinet.currents._open, auditor.deaths = kept
    assert clean.compare().violations == ()


# --- money -----------------------------------------------------------------------------------


def _truth(e: Evidence) -> CoinTruth:
    return e.auditor._truth


def a_coin_gone_from_a_tube(e: Evidence) -> None:
    _truth(e).take_tube(100, 1)


def a_coin_gone_from_the_box(e: Evidence) -> None:
    _truth(e).box[200] -= 1


def a_coin_from_nowhere(e: Evidence) -> None:
    _truth(e).tubes[50].append(50)


def a_coin_left_in_the_cup(e: Evidence) -> None:
    _truth(e).eject(50, 0.0)


def a_coin_booked_to_the_wrong_tube(e: Evidence) -> None:
    _truth(e).into_tube[50] -= 50


def a_payout_booked_twice(e: Evidence) -> None:
    _truth(e).out_of_tube[20] -= 20


def a_filling_nobody_booked(e: Evidence) -> None:
    _truth(e).put_in_tube[10] += 10


def a_box_coin_nobody_booked(e: Evidence) -> None:
    _truth(e).into_box += 200


def a_ledger_row_without_its_balance(e: Evidence) -> None:
    posting = Posting("coin_box", "customer", 200, "coin_in")
    e.books = replace(e.books, ledger=(*e.books.ledger, posting))


def a_balance_without_its_other_side(e: Evidence) -> None:
    sales = e.books.balances["sales"]
    e.books.balances["sales"] = replace(sales, closing=sales.closing + 5)


def money_still_on_its_way(e: Evidence) -> None:
    e.books.balances["change"] = Balance(0, 0, 50, -50)


def an_unexplained_difference(e: Evidence) -> None:
    e.books.balances["unexplained"] = Balance(0, 50, 0, 50)


def a_tube_counted_otherwise_than_booked(e: Evidence) -> None:
    e.books.tubes[100] += 1


def a_claim_that_is_not_in_the_ledger(e: Evidence) -> None:
    e.books.claims["4821"] = Claim(50, open=True)


# --- customers ---------------------------------------------------------------------------------


def a_customer_short_changed(e: Evidence) -> None:
    visit = next(v for v in e.day.visits if v.returned)
    visit.returned.pop()


def a_customer_without_a_product(e: Evidence) -> None:
    next(v for v in e.day.visits if v.products).products.clear()


def a_customer_who_waits_for_ever(e: Evidence) -> None:
    e.day.visits[0].gave_up = "VENDING A1|PLEASE WAIT"


def a_claim_of_another_amount(e: Evidence) -> None:
    e.books.claims["4821"] = Claim(50, open=True)
    visit = e.day.visits[-1]
    visit.inserted.append(100)
    visit.claim = "4821"


# --- stock and motors ----------------------------------------------------------------------------


def a_product_that_fell_unseen(e: Evidence) -> None:
    e.shop.front.cabinet.tray.append(Fallen(0.0, "A1", "cola"))


def a_level_off_by_one(e: Evidence) -> None:
    e.books.levels["A2"] -= 1


def a_reservation_left_over(e: Evidence) -> None:
    e.books = replace(e.books, reserved=1)


def a_motor_that_ran_on(e: Evidence) -> None:
    turn = e.shop.front.cabinet.currents.intervals[0]
    e.auditor.died(turn.begin + 0.1)


def a_motor_that_runs_still(e: Evidence) -> None:
    cabinet = e.shop.front.cabinet
    cabinet.currents._open = {"A1": cabinet.currents.intervals[0]}


# --- events ---------------------------------------------------------------------------------------


def _first(e: Evidence, kind: str) -> Received:
    return next(m for m in e.received if m.headers["ce_type"] == kind)


def _spoil(e: Evidence, message: Received, **fields: object) -> None:
    data = json.dumps({**json.loads(message.value), **fields}).encode()
    e.received[e.received.index(message)] = replace(message, value=data)


def _again(e: Evidence, kind: str, **fields: object) -> None:
    """One event more, committed and delivered properly, that says what was said before."""
    original = _first(e, kind)
    seq = e.books.seq + 1
    topicseq = 1 + sum(message.topic == original.topic for message in e.received)
    headers = {**original.headers, "ce_seq": str(seq), "ce_topicseq": str(topicseq)}
    data = json.dumps({**json.loads(original.value), **fields}).encode()
    e.received.append(replace(original, headers=headers, value=data))
    e.books = replace(e.books, seq=seq)


def an_event_lost(e: Evidence) -> None:
    e.received.remove(_first(e, STOCK))


def events_out_of_order(e: Evidence) -> None:
    topic = [m for m in e.received if m.topic == "transaction-events"]
    e.received.remove(topic[0])
    e.received.append(topic[0])


def a_topicseq_that_jumps(e: Evidence) -> None:
    message = _first(e, SALE_CLOSED)
    headers = {**message.headers, "ce_topicseq": "999"}
    e.received[e.received.index(message)] = replace(message, headers=headers)


def an_event_nobody_committed(e: Evidence) -> None:
    e.books = replace(e.books, seq=e.books.seq - 1)


def a_dead_letter(e: Evidence) -> None:
    e.books = replace(e.books, dead_letters=(3,))


def a_payload_changed_on_the_way(e: Evidence) -> None:
    _spoil(e, _first(e, STOCK), note="added")


def a_payload_against_its_schema(e: Evidence) -> None:
    _spoil(e, _first(e, SALE_CLOSED), change_due="1.50")


def a_type_nobody_knows(e: Evidence) -> None:
    message = _first(e, STOCK)
    headers = {**message.headers, "ce_type": "vend.unheard-of.v1"}
    e.received[e.received.index(message)] = replace(message, headers=headers)


def a_header_missing(e: Evidence) -> None:
    message = _first(e, STOCK)
    headers = {**message.headers, "ce_time": ""}
    e.received[e.received.index(message)] = replace(message, headers=headers)


def a_wrong_key(e: Evidence) -> None:
    message = _first(e, STOCK)
    e.received[e.received.index(message)] = replace(message, key=b"somebody-else")


def a_sale_closed_twice(e: Evidence) -> None:
    _again(e, SALE_CLOSED)


def a_slot_dispensed_twice_for_one_payment(e: Evidence) -> None:
    _again(e, DISPENSED)


def a_sale_closed_but_never_dispensed(e: Evidence) -> None:
    _spoil(e, _first(e, DISPENSED), sale_id="s999")


def a_sale_number_left_out(e: Evidence) -> None:
    _spoil(e, _first(e, SALE_CLOSED), sale_no=999)


def a_price_that_was_not_booked(e: Evidence) -> None:
    message = next(
        m
        for m in e.received
        if m.headers["ce_type"] == SALE_CLOSED and json.loads(m.value)["price_charged"]
    )
    _spoil(e, message, price_charged=1)


def a_stock_change_published_wrong(e: Evidence) -> None:
    _spoil(e, _first(e, STOCK), delta=-2)


def a_vend_counted_twice(e: Evidence) -> None:
    e.books.counters["VA1", "", "number"] += 1


def a_coin_counted_elsewhere(e: Evidence) -> None:
    e.books.counters["CA3", "", "box"] += 50


def a_vend_counted_on_another_product(e: Evidence) -> None:
    counters = e.books.counters
    subject = next(key[1] for key in counters if key[0] == "PA7")
    counters["PA7", "Z9*CA*0*150", "value"] = counters.pop(("PA7", subject, "value"))


PLANTS: list[tuple[Plant, str]] = [
    (a_coin_gone_from_a_tube, "tube:100: booked"),
    (a_coin_gone_from_the_box, "coin_box: booked"),
    (a_coin_from_nowhere, "appeared or vanished"),
    (a_coin_left_in_the_cup, "50 lies in the return cup"),
    (a_coin_booked_to_the_wrong_tube, "tube:50: customers' coins in"),
    (a_payout_booked_twice, "tube:20: paid out"),
    (a_filling_nobody_booked, "tube:10: 210 was filled in"),
    (a_box_coin_nobody_booked, "not all of it was booked"),
    (a_ledger_row_without_its_balance, "the ledger rows"),
    (a_balance_without_its_other_side, "all accounts together are 5"),
    (a_balance_without_its_other_side, "sales: its balance does not add up"),
    (money_still_on_its_way, "change: 50 still open"),
    (an_unexplained_difference, "unexplained: 50"),
    (a_tube_counted_otherwise_than_booked, "coins counted"),
    (a_claim_that_is_not_in_the_ledger, "claims: 50 open, 0 booked"),
    (a_customer_short_changed, ": paid "),
    (a_customer_short_changed, "customers left"),
    (a_customer_without_a_product, "for nothing"),
    (a_customer_who_waits_for_ever, "customer 1 waited in vain"),
    (a_claim_of_another_amount, "claim 4821 of 50"),
    (a_product_that_fell_unseen, "slot A1: booked"),
    (a_level_off_by_one, "slot A2: booked"),
    (a_level_off_by_one, "slot A2: published"),
    (a_reservation_left_over, "still reserved"),
    (a_motor_that_ran_on, "ms after the daemon had died"),
    (a_motor_that_runs_still, "still have current: A1"),
    (an_event_lost, "1 events never arrived"),
    (events_out_of_order, "out of order"),
    (a_topicseq_that_jumps, "topicseq has gaps"),
    (an_event_nobody_committed, "nobody committed"),
    (a_dead_letter, "dead letters: seq 3"),
    (a_payload_changed_on_the_way, "otherwise than committed"),
    (a_payload_against_its_schema, "$.change_due"),
    (a_type_nobody_knows, "vend.unheard-of.v1"),
    (a_header_missing, "without time"),
    (a_wrong_key, "key or machine is not"),
    (a_sale_closed_twice, "has 2 outcomes"),
    (a_slot_dispensed_twice_for_one_payment, "has 2 dispenses"),
    (a_sale_closed_but_never_dispensed, "delivered and closed do not agree"),
    (a_sale_number_left_out, "sale numbers have gaps"),
    (a_price_that_was_not_booked, "sale-closed charged"),
    (a_stock_change_published_wrong, "published changes"),
    (a_vend_counted_twice, "audit: paid vends counted"),
    (a_coin_counted_elsewhere, "audit: cash into the box counted"),
    (a_vend_counted_on_another_product, "audit: Z9/CA counted"),
]


@pytest.mark.parametrize(
    ("plant", "words"), PLANTS, ids=[f"{p.__name__}-{n}" for n, (p, _) in enumerate(PLANTS)]
)
def test_the_auditor_sees(evidence: Evidence, plant: Plant, words: str) -> None:
    plant(evidence)
    violations = evidence.compare().violations
    assert any(words in violation for violation in violations), violations


def test_duplicates_are_allowed_and_counted(evidence: Evidence) -> None:
    evidence.received.insert(3, evidence.received[2])
    verdict = evidence.compare()
    assert (verdict.violations, verdict.duplicates) == ((), 1)


def test_a_broken_promise_is_printed_and_gives_exit_code_1(evidence: Evidence) -> None:
    a_coin_gone_from_a_tube(evidence)
    said: list[str] = []
    day = replace(evidence.day, verdict=evidence.compare())
    assert report(day, evidence.shop, said.append) == 1
    assert "PROMISES BROKEN" in "\n".join(said)


@pytest.mark.parametrize("disturbed", [True, False])
def test_a_coin_in_the_box_is_lost_only_with_a_dead_controller(
    evidence: Evidence, disturbed: bool
) -> None:
    """behaviour.md section 9: a box coin that was not committed leaves no evidence."""
    visit = evidence.day.visits[0]
    visit.inserted.append(200)
    visit.disturbed = disturbed
    _truth(evidence).insert(200)
    _truth(evidence).land_in_box(200, 0.0)
    if disturbed:
        evidence.auditor.died(0.0)
    violations = evidence.compare().violations
    assert (violations == ()) is disturbed, violations
