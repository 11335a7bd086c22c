"""A bill validator's machine: start, escrow, credit only on stacked, orders never blind."""

import pytest
from cctalk_script import Script

from vendd.wire.cctalk.bill_validator import BillRules, BillValidatorMachine
from vendd.wire.cctalk.codes import Identity
from vendd.wire.cctalk.contact import Declined
from vendd.wire.cctalk.news import (
    BillHeld,
    BillInterrupted,
    BillKind,
    BillRefused,
    BillReturned,
    BillsReady,
    BillStacked,
    BillUnclear,
    EventsLost,
    FaultBegan,
    FaultGone,
    Lost,
)

ZERO = "00" * 11
NO_BILL = "2E" * 7
# request, answer, meaning
START = [
    ("FE", "ACK", "there it is"),
    ("F5", "42696C6C2056616C696461746F72", "Bill Validator"),
    ("F6", "4D4349", "MCI"),
    ("F4", "41726461633620", "Ardac6"),
    ("F1", "56342E3434", "V4.44"),
    ("F2", "450600", "1605"),
    ("E7 0000", "ACK", "everything off"),
    ("9C 4555", "640002", "euros: times 100, two decimals"),
    ("9D 01", "45553030303541", "EU0005A"),
    ("9D 02", "45553030313041", "EU0010A"),
    ("9D 03", "47423030313041", "GB0010A: not this machine's money"),
    *((f"9D {n:02X}", NO_BILL, "nothing there") for n in range(4, 17)),
    ("99 03", "ACK", "stacker and escrow"),
    ("E6", "0000", "it tells its inhibits"),
]
USUAL = {request: answer for request, answer, _ in START} | {"9F": ZERO}
KINDS = (BillKind(1, 500, "EU0005A"), BillKind(2, 1000, "EU0010A"))
FIVE = BillHeld(1, 1, 500)
STACKED = BillStacked(1, 1, 500)


def events(counter: int, *pairs: tuple[int, int]) -> str:
    filled = [*pairs, *[(0, 0)] * 5][:5]
    return bytes([counter, *(b for pair in filled for b in pair)]).hex()


def running(first: str = ZERO, hold: frozenset[int] | None = None) -> Script:
    script = Script(BillValidatorMachine(BillRules("EU")), USUAL | {"9F": first})
    script.machine.accept(frozenset({1, 2, 3}), hold)
    script.up("9F")
    script.usual["E6"] = "0300"
    script.rows([("E7 0300", "ACK"), ("E4 01", "ACK")])
    return script


def held() -> Script:
    """5 euros in escrow, event 1."""
    script = running()
    script.row("9F", events(1, (1, 1)), FIVE)
    script.usual["9F"] = events(1, (1, 1))
    return script


def test_the_whole_start() -> None:
    script = Script(BillValidatorMachine(BillRules("EU")))
    script.rows((request, answer) for request, answer, _ in START)
    identity = Identity("MCI", "Ardac6", "1605", "V4.44")
    script.row("9F", ZERO, BillsReady(identity, KINDS, 0))
    script.rows([("E4 01", "ACK"), ("9F", ZERO)])
    script.machine.accept(frozenset({2}))
    script.rows([("E7 0200", "ACK"), ("9F", ZERO)])


# The readings of the specification's bill conversations, with the orders they show
READINGS = {
    "held, stacked": [
        ("0101010000000000000000", [FIVE]),
        ("0201000101000000000000", [STACKED]),
    ],
    "returned by itself": [
        ("0101010000000000000000", [FIVE]),
        ("0200010101000000000000", [BillReturned(1, 1, 500, "returned")]),
    ],
    "escrow and stacked between two polls": [
        ("0201000101000000000000", [FIVE, STACKED]),
    ],
    "escrow, escrow, stacked: one credit, for the bill that is in": [
        ("0101010000000000000000", [FIVE]),
        ("0202010101000000000000", [BillHeld(2, 2, 1000)]),
        ("0302000201010100000000", [BillStacked(2, 2, 1000)]),
    ],
    "stacked without escrow": [("0101000000000000000000", [BillStacked(None, 1, 500)])],
    "a bill of unknown value is no credit": [
        ("0103000000000000000000", [FaultBegan("unknown_bill", "position 3 has no value")]),
    ],
    "refusals": [
        ("0100020000000000000000", [BillRefused("rejected")]),
        ("0200040002000000000000", [BillRefused("type_disabled")]),
        ("0300030004000200000000", [BillRefused("rejected")]),
    ],
    "stacker out and in": [
        ("01000B0000000000000000", [FaultBegan("stacker_removed", "event 11")]),
        ("02000C000B000000000000", [FaultGone("stacker_removed")]),
    ],
    "stacker full": [
        ("01000E0000000000000000", [FaultBegan("stacker_full", "event 14")]),
        ("02000A000E000000000000", [FaultGone("stacker_full")]),
    ],
    "pulled on a string": [("0100120000000000000000", [FaultBegan("bill_fraud", "event 18")])],
    "jam of a held bill is no credit": [
        ("0101010000000000000000", [FIVE]),
        (
            "0200100101000000000000",
            [BillUnclear(1, 1, 500, "event 16"), FaultBegan("bill_jam", "event 16")],
        ),
    ],
}


@pytest.mark.parametrize("name", READINGS)
def test_readings(name: str) -> None:
    script = running()
    for reading, news in READINGS[name]:
        script.row("9F", reading, *news)


def test_stack() -> None:
    script = held()
    script.machine.stack(1)
    script.rows([("9A 01", "ACK"), ("9F", events(1, (1, 1)))])
    script.row("9F", events(2, (1, 0), (1, 1)), STACKED)


def test_give_back() -> None:
    script = held()
    script.machine.give_back(1)
    script.row("9A 00", "ACK")
    script.row("9F", events(2, (0, 1), (1, 1)), BillReturned(1, 1, 500, "ordered"))


def test_a_held_bill_is_held_on() -> None:
    script = held()
    for _ in range(10):
        script.until("9A FF")
        script.answer("ACK")
    assert script.now > 145


def test_an_order_whose_answer_is_lost_is_not_repeated_before_it_is_clear() -> None:
    script = held()
    script.machine.stack(1)
    assert script.ask() == "9A 01"
    assert script.asked is not None
    assert not script.asked.repeat
    script.answer("-")
    assert script.until("9A FF") == [], "does a bill still wait?"
    script.answer("ACK")
    script.rows([("9F", events(1, (1, 1))), ("9A 01", "ACK")])
    script.row("9F", events(2, (1, 0), (1, 1)), STACKED)


def test_an_order_that_was_carried_out_though_its_answer_was_lost() -> None:
    script = held()
    script.machine.stack(1)
    script.row("9A 01", "?")
    script.row("9F", events(1, (1, 1)))
    script.row("9F", events(2, (1, 0), (1, 1)), STACKED)
    for _ in range(100):
        assert not script.ask().startswith("9A")
        script.answer(events(2, (1, 0), (1, 1)) if script.asked.header == 0x9F else "0300")


def test_the_bill_is_gone_and_no_event_says_where() -> None:
    script = held()
    script.machine.stack(1)
    script.row("9A 01", "-")
    script.usual["9A FF"] = "FE"
    began, news = script.now, []
    while not news:
        news = script.answer(script.usual[script.ask()])
    assert news == [BillUnclear(1, 1, 500, "no event")]
    assert script.now - began < 35
    script.usual["9F"] = events(2, (1, 0), (1, 1))
    late = BillStacked(None, 1, 500)
    assert script.until("E6") == [late]


def test_orders_that_have_no_effect_come_back_as_a_question() -> None:
    script = held()
    script.machine.stack(1)
    script.usual |= {"9A 01": "ACK", "9A FF": "ACK"}
    began, news = script.now, []
    while not news:
        news = script.answer(script.usual[script.ask()])
    assert news == [FIVE]
    assert script.now - began < 35
    script.machine.give_back(1)


def test_failed_to_route() -> None:
    script = held()
    script.machine.stack(1)
    script.row("9A 01", "FF", FaultBegan("bill_route", "failed to route"), FIVE)
    script.machine.give_back(1)
    script.until("9A 00")
    script.answer("ACK")
    news = [FaultGone("bill_route"), BillReturned(1, 1, 500, "ordered")]
    script.row("9F", events(2, (0, 1), (1, 1)), *news)


def test_bills_that_need_not_wait_are_stacked_at_once() -> None:
    script = running(hold=frozenset({2}))
    script.row("9F", events(1, (1, 1)))
    script.row("9A 01", "ACK")
    script.row("9F", events(2, (1, 0), (1, 1)), STACKED)
    script.row("9F", events(3, (2, 1), (1, 0), (1, 1)), BillHeld(2, 2, 1000))


def test_coupons_and_unknown_bills_go_back() -> None:
    script = running()
    script.row("9F", events(1, (255, 1)))
    script.row("9A 00", "ACK")
    script.row("9F", events(2, (0, 1), (255, 1)), BillReturned(1, 255, 0, "ordered"))


def test_power_lost_with_a_bill_inside() -> None:
    script = held()
    script.machine.stack(1)
    script.row("9A 01", "ACK")
    script.row("9F", ZERO)
    assert script.ask() == "9F"
    assert script.answer(ZERO) == [
        EventsLost(None),
        BillInterrupted(1, 1, 500, "stacking", "power_loss"),
    ]
    with pytest.raises(Declined):
        script.machine.give_back(1)
    script.usual["9F"] = ZERO
    script.up("E4 01")
    script.row("9F", events(1, (1, 0)), STACKED)


def test_power_lost_with_a_bill_inside_and_nothing_is_ever_told() -> None:
    script = held()
    script.rows([("9F", ZERO)])
    script.ask()
    script.answer(ZERO)
    script.usual |= {"9F": ZERO, "9A FF": "FE"}
    news: list[object] = []
    began = script.now
    while BillUnclear(1, 1, 500, "no event") not in news:
        news += script.answer(script.usual.get(script.ask(), "ACK"))
    assert 25 < script.now - began < 45


def test_lost_with_a_bill_in_escrow_and_found_with_it() -> None:
    script = held()
    news: list[object] = []
    for _ in range(10):
        script.ask()
        news += script.answer("-", took=0.75)
    assert news == [BillInterrupted(1, 1, 500, "escrow", "no answer"), Lost("no answer")]
    script.usual |= {"9A FF": "ACK"}
    told: list[object] = []
    while FIVE not in told:
        told += script.answer(script.usual.get(script.ask(), "ACK"))
    script.machine.give_back(1)


def test_an_earlier_life_leaves_no_bill_uncredited() -> None:
    script = Script(BillValidatorMachine(BillRules("EU"), counter=4), USUAL)
    script.until("9F")
    ready, credit = script.answer(events(5, (2, 0), (2, 1)))
    assert isinstance(ready, BillsReady)
    assert credit == BillStacked(None, 2, 1000)


def test_orders_for_bills_that_are_not_there() -> None:
    script = running()
    for order in (script.machine.stack, script.machine.give_back):
        with pytest.raises(Declined):
            order(1)
    script = held()
    with pytest.raises(Declined):
        script.machine.stack(2)
    script.machine.stack(1)
    with pytest.raises(Declined):
        script.machine.give_back(1)
