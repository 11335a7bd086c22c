"""Each activity of a bill validator's POLL, and the two orders, as tables."""

from itertools import pairwise

import pytest
from bill_script import INIT1, NO_ESCROW
from bill_script import BillScript as Script
from mdb_script import Row

from vendd.wire.mdb.bill_validator_news import (
    BillOffered,
    FillKey,
    InEscrow,
    News,
    Reading,
    RecyclerByHand,
    Refusal,
    Returned,
    Stacked,
    StackerSeen,
    Unclear,
)
from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import FaultBegan, Lever

DIRECT: list[Row] = [*INIT1[:2], ("31", NO_ESCROW), *INIT1[3:]]
HELD = InEscrow(1, 2, 2000)
EIGHT = StackerSeen(8, False, 600)


def up(masks: str = "001F001F", init: list[Row] | None = None) -> Script:
    script = Script()
    script.up(init or INIT1, masks)
    return script


def escrowed() -> Script:
    script = up()
    script.play([("33", "03", Reading(True)), ("33", "92", HELD), ("33", "ACK")])
    return script


EACH: list[tuple[str, list[News]]] = [
    ("80", [Stacked(None, 0, 500, False)]),
    ("84", [Stacked(None, 4, 10000, False)]),
    ("B1", [Stacked(None, 1, 1000, True)]),
    ("91", [InEscrow(1, 1, 1000)]),
    ("9109", [InEscrow(1, 1, 1000)]),
    ("A2", [Returned(None, 2, 2000, "returned")]),
    ("C3", [Refusal("type_disabled", 3)]),
    ("D1", [RecyclerByHand(1, 1000, "filled")]),
    ("E1", [RecyclerByHand(1, 1000, "dispensed")]),
    ("F1", [RecyclerByHand(1, 1000, "to_box")]),
    ("0B", [Refusal("rejected")]),
    ("14", [Refusal("rejected")]),
    ("43", [Refusal("disabled", None, 3)]),
    ("40", []),
    ("01", [FaultBegan("bill_motor")]),
    ("02", [FaultBegan("bill_sensor")]),
    ("03", [Reading(True)]),
    ("04", [FaultBegan("validator_rom")]),
    ("05", [FaultBegan("bill_jam")]),
    ("07", []),
    ("08", [FaultBegan("cash_box_out")]),
    ("09", []),
    ("0A", []),
    ("0C", [FaultBegan("bill_removal")]),
    ("21", [Lever()]),
    ("22", []),
    ("23", []),
    ("24", [FaultBegan("recycler_sensor")]),
    ("26", [FaultBegan("recycler_motor")]),
    ("27", [FaultBegan("recycler_jam")]),
    ("28", [FaultBegan("recycler_rom")]),
    ("29", []),
    ("2A", [BillOffered(True)]),
    ("2F", [FillKey()]),
    ("33", []),  # undefined, seen from one maker
    ("60", []),
    ("8F", []),  # a type without a value is stacked: no credit, counted
    ("8081", [Stacked(None, 0, 500, False), Stacked(None, 1, 1000, False)]),
]


@pytest.mark.parametrize(("said", "news"), EACH)
def test_each_activity(said: str, news: list[News]) -> None:
    script = up()
    script.play([("33", said, *news)])


def test_undefined_bytes_and_bills_without_a_value_are_counted() -> None:
    script = up()
    script.play([("33", "33608F")])
    assert script.machine.poll.unknown == 2
    assert script.machine.path.unpriced == 1


def test_escrow_then_stack() -> None:
    script = escrowed()
    script.machine.stack(1)
    script.play(
        [
            ("3501", "ACK"),
            ("33", "03"),
            ("33", "0309"),
            ("33", "82", Stacked(1, 2, 2000, False)),
            ("36", "0008", EIGHT),
            ("33", "ACK"),
        ]
    )


def test_escrow_then_recycler() -> None:
    script = escrowed()
    script.machine.stack(1)
    script.play([("3501", "ACK"), ("33", "B2", Stacked(1, 2, 2000, True)), ("33", "ACK")])


def test_escrow_then_return() -> None:
    script = escrowed()
    script.machine.give_back(1)
    script.play([("3500", "ACK"), ("33", "03"), ("33", "A2", Returned(1, 2, 2000, "ordered"))])
    with pytest.raises(Declined):
        script.machine.stack(1)


def test_the_bill_comes_back_by_itself() -> None:
    script = escrowed()
    script.play([("33", "A2", Returned(1, 2, 2000, "returned")), ("33", "ACK")])


def test_asked_to_stack_and_returned_all_the_same() -> None:
    script = escrowed()
    script.machine.stack(1)
    script.play([("3501", "ACK"), ("33", "03"), ("33", "A2", Returned(1, 2, 2000, "returned"))])


def test_the_bill_is_pulled_out_and_returned_is_said_too() -> None:
    script = escrowed()
    script.play([("33", "07", Returned(1, 2, 2000, "removed")), ("33", "A2"), ("33", "ACK")])


def test_escrow_is_no_money_and_only_the_bill_that_is_there_can_be_ordered() -> None:
    script = up()
    with pytest.raises(Declined):
        script.machine.stack(1)
    script = escrowed()
    with pytest.raises(Declined):
        script.machine.stack(2)
    script.machine.stack(1)
    with pytest.raises(Declined):
        script.machine.give_back(1)
    assert not [n for n in script.news if isinstance(n, Stacked)]


def test_escrow_escrow_stacked_is_one_credit() -> None:
    """The order had no effect and the bill is in escrow again (field note 1)."""
    script = escrowed()
    script.machine.stack(1)
    script.play([("3501", "ACK"), *[("33", "09")] * 8, ("33", "ACK")])
    script.play([("33", "03"), ("33", "92", HELD)])
    script.machine.stack(1)
    script.play([("3501", "ACK"), ("33", "09"), ("33", "82", Stacked(1, 2, 2000, False))])


def test_an_escrow_report_repeated_beside_the_order_is_old() -> None:
    script = up()
    script.play([("33", "92", HELD)])
    script.machine.stack(1)
    script.play([("3501", "ACK"), ("33", "9203"), ("33", "82", Stacked(1, 2, 2000, False))])


def test_a_validator_that_says_escrow_while_it_begins_to_move() -> None:
    script = up()
    script.play([("33", "92", HELD)])
    script.machine.stack(1)
    script.play([("3501", "ACK"), ("33", "ACK"), ("33", "92"), ("33", "ACK"), ("33", "92")])
    script.play([("33", "82", Stacked(1, 2, 2000, False))])


def test_an_order_is_not_repeated_blindly() -> None:
    """Its answer was lost: POLL first, and once more only after a second without any sign."""
    script = escrowed()
    script.machine.stack(1)
    script.play([("3501", "-"), ("33", "03"), ("33", "03")])
    script.play([*[("33", "ACK")] * 15, ("33", "82", Stacked(1, 2, 2000, False))])


@pytest.mark.parametrize("bad", ["-", "NAK", "?", "lost"])
def test_an_order_without_any_effect_is_given_again_three_times_in_all(bad: str) -> None:
    script = escrowed()
    script.machine.give_back(1)
    times = []
    until = script.now + 20.0
    while script.now < until:
        command = script.ask()
        if command == "3500":
            times.append(script.now)
        script.answer(bad if command == "3500" else "ACK")
    assert len(times) == 3
    assert all(b - a >= 1.0 for a, b in pairwise(times))


def test_no_result_within_30_s_asks_the_stacker_tells_and_resets() -> None:
    script = escrowed()
    script.machine.stack(1)
    ordered = script.now
    script.play([("3501", "ACK"), *[("33", "ACK")] * 297])
    while (command := script.ask()) == "33":
        script.answer("ACK")
    assert command == "36"
    assert 29.9 < script.now - ordered < 30.3
    assert script.answer("0007") == [Unclear(1, 2, 2000, "no_report", False)]
    rows: list[Row] = [("30", "ACK"), ("33", "06"), *INIT1[2:]]
    script.play(rows)
    script.ask()
    script.answer("ACK")
    # late, and counts all the same
    script.play([("33", "82", Stacked(1, 2, 2000, False))])


def test_the_stackers_count_is_evidence() -> None:
    script = escrowed()
    script.machine.stack(1)
    script.play([("3501", "ACK"), ("33", "lost"), ("36", "0008", EIGHT)])
    while (command := script.ask()) in ("33", "3500"):
        assert command == "33", "a bill that is being stacked must not be called back"
        script.answer("ACK")
    assert script.answer("0008") == [Unclear(1, 2, 2000, "no_report", True)]


def test_an_order_the_validator_calls_invalid_is_over_sooner() -> None:
    script = escrowed()
    script.machine.stack(1)
    began = script.now
    script.play([("3501", "ACK"), ("33", "0A")])
    while script.ask() == "33":
        script.answer("ACK")
    assert 5.0 <= script.now - began < 5.5
    assert script.answer("0007") == [Unclear(1, 2, 2000, "no_report", False)]


# --- repeats -----------------------------------------------------------------------------


def test_direct_stacking_without_escrow() -> None:
    script = up("001F0000", DIRECT)
    script.play([("33", "03", Reading(True)), ("33", "80", Stacked(None, 0, 500, False))])
    script.play([("36", "0008", EIGHT), ("33", "ACK"), *[("33", "ACK")] * 9])
    script.play(
        [("33", "80", Stacked(None, 0, 500, False)), ("36", "0009", StackerSeen(9, False, 600))]
    )


@pytest.mark.parametrize("bad", ["-", "?", "lost"])
def test_a_repeat_after_a_lost_answer_is_one_credit(bad: str) -> None:
    script = up("001F0000", DIRECT)
    script.play([("33", "80", Stacked(None, 0, 500, False)), ("36", "0008", EIGHT)])
    script.play([("33", bad)])
    if bad == "lost":
        script.play([("36", "0008")])
    script.play([("33", "80")])
    script.ask()
    assert script.machine.poll.repeats == 1


def test_a_repeat_sooner_than_any_bill_could_come_is_one_credit() -> None:
    """The validator did not hear our ACK, and nothing else went wrong."""
    script = up("001F0000", DIRECT)
    script.play([("33", "0380", Stacked(None, 0, 500, False)), ("36", "0008", EIGHT)])
    script.play([("33", "80"), ("33", "8081", Stacked(None, 1, 1000, False))])


def test_a_repeat_is_one_credit_even_with_an_idle_poll_in_between() -> None:
    """Behind an adapter that polls by itself, an ACK only says that nothing was told."""
    script = up("001F0000", DIRECT)
    script.play([("33", "80", Stacked(None, 0, 500, False)), ("36", "0008", EIGHT)])
    script.play([("33", "ACK"), ("33", "80")])


def test_a_second_bill_after_a_silence_of_its_own_length_is_told_as_unclear() -> None:
    script = up("001F0000", DIRECT)
    script.play([("33", "80", Stacked(None, 0, 500, False)), ("36", "0008", EIGHT)])
    script.play([("33", "-")] * 35)
    script.play([("33", "80", Unclear(None, 0, 500, "said_twice", False))])


def test_a_lost_answer_may_have_been_an_escrow_so_return_is_ordered() -> None:
    script = up()
    script.play([("33", "lost"), ("36", "0007"), ("3500", "ACK"), ("33", "0A"), ("33", "ACK")])
