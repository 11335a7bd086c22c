"""Payouts of a bill recycler as tables: both commands, and each thing that interrupts them."""

import pytest
from bill_script import EUR, LEVELS, RECYCLER, SETUP2
from bill_script import BillScript as Script
from mdb_script import Row

from vendd.wire.mdb.bill_validator_news import (
    BillOffered,
    BillsReady,
    InEscrow,
    RecyclerByHand,
    RecyclerSeen,
)
from vendd.wire.mdb.bill_validator_start import BillRules
from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import FaultBegan, PayoutDone, PayoutRefused, PayoutTaken

BY_VALUE = BillRules(currency=978, exponent=2, by_value=True)
TAKEN = PayoutTaken("p")


def levels(fives: int = 5, tens: int = 10, twenties: int = 3, full: str = "0000") -> str:
    return full + f"{fives:04X}{tens:04X}{twenties:04X}" + "0000" * 13


def paid(*counts: int) -> str:
    return "".join(f"{n:04X}" for n in counts).ljust(64, "0")


def up(rules: BillRules = EUR) -> Script:
    script = Script(rules)
    script.up(RECYCLER)
    script.play([("33", "ACK")])
    return script


def looked(*row: object) -> list[Row]:
    """What the levels say is odd: a POLL may explain it, and they are read again."""
    command, text, *news = row
    return [(command, text), ("33", "ACK"), (command, text, *news)]


def seen(script: Script, after: str) -> None:
    """The levels are read once more and told."""
    assert script.ask() == "3705"
    (news,) = script.answer(after)
    assert isinstance(news, RecyclerSeen)


def test_by_bills_highest_first() -> None:
    script = up()
    script.machine.pay_out("p", ((0, 1), (2, 2)))
    rows: list[Row] = [
        ("3705", LEVELS),
        ("3706 02 0002", "ACK", TAKEN),
        ("33", "22"),
        ("3709", "0004"),
        ("33", "22"),
        ("3709", "0004"),
        ("33", "ACK"),
        ("3709", "ACK"),
        ("3708", paid(0, 0, 2)),
        ("3706 00 0001", "ACK"),
        ("33", "22"),
        ("3709", "0001"),
        ("33", "ACK"),
        ("3709", "ACK"),
        ("3708", paid(1)),
        ("3705", levels(4, 10, 1), PayoutDone("p", ((0, 1), (2, 2)), True, "")),
    ]
    script.play(rows)
    seen(script, levels(4, 10, 1))


def test_by_value() -> None:
    script = up(BY_VALUE)
    script.machine.pay_out("p", ((1, 3),))
    script.play(
        [
            ("3705", LEVELS),
            ("3707 0006", "ACK", TAKEN),
            ("33", "22"),
            ("3709", "0006"),
            ("33", "ACK"),
            ("3709", "ACK"),
            ("3708", paid(0, 1, 1)),  # its own choice
            ("3705", levels(5, 9, 2), PayoutDone("p", ((1, 1), (2, 1)), True, "")),
        ]
    )


def begin_by_value(script: Script, *rows: Row) -> None:
    script.machine.pay_out("p", ((1, 2),))
    script.play([("3705", LEVELS), ("3707 0004", "ACK", TAKEN), ("33", "22"), *rows])


def test_by_value_jammed_in_the_middle() -> None:
    script = up(BY_VALUE)
    jam = ("33", "27", FaultBegan("recycler_jam"))
    begin_by_value(script, ("3709", "0002"), jam, ("3709", "ACK"), ("3708", paid(0, 1)))
    script.play(looked("3705", levels(5, 9), PayoutDone("p", ((1, 1),), True, "recycler_jam")))


def test_by_value_less_than_asked_for() -> None:
    script = up(BY_VALUE)
    begin_by_value(script, ("3709", "0001"), ("33", "ACK"), ("3709", "ACK"), ("3708", paid(1)))
    script.play(looked("3705", levels(4), PayoutDone("p", ((0, 1),), True, "short")))


def test_by_value_just_reset_in_the_middle() -> None:
    script = up(BY_VALUE)
    begin_by_value(script, ("3709", "0002"), ("33", "06"))
    script.play([("31", SETUP2), *RECYCLER[3:7], ("3705", levels(5, 9)), ("36", "0007")])
    assert script.ask() == "34001F001F"
    assert script.answer("ACK")[0] == PayoutDone("p", ((1, 1),), False, "reset")


def test_by_value_silence_in_the_middle() -> None:
    script = up(BY_VALUE)
    begin_by_value(script, ("3709", "0002"))
    script.news.clear()
    while not script.news:
        script.ask()
        script.answer("-")
    assert PayoutDone("p", (), False, "no answer") in script.news


def test_by_value_a_lost_command_is_not_sent_again() -> None:
    script = up(BY_VALUE)
    script.machine.pay_out("p", ((1, 2),))
    script.play([("3705", LEVELS), ("3707 0004", "-"), ("33", "ACK"), ("3709", "ACK")])
    script.play([("3708", paid()), *looked("3705", LEVELS, PayoutRefused("p", "short"))])


def test_by_value_no_progress_is_cancelled() -> None:
    script = up(BY_VALUE)
    begin_by_value(script)
    while (command := script.ask()) in ("33", "3709"):
        script.answer("22" if command == "33" else "0000")
    assert command == "370A"
    script.answer("ACK")
    script.play([("33", "ACK"), ("3709", "ACK"), ("3708", paid())])
    script.play(looked("3705", LEVELS, PayoutDone("p", (), True, "short")))


def begin(script: Script, *rows: Row) -> None:
    script.machine.pay_out("p", ((1, 2),))
    script.play([("3705", LEVELS), ("3706 01 0002", "ACK", TAKEN), *rows])


def test_jammed_in_the_middle_is_paid_in_part() -> None:
    script = up()
    begin(script, ("33", "22"), ("3709", "0002"), ("33", "27", FaultBegan("recycler_jam")))
    script.play([("3709", "ACK"), ("3708", paid(0, 1))])
    script.play(looked("3705", levels(5, 9), PayoutDone("p", ((1, 1),), True, "recycler_jam")))


def test_a_lost_command_is_not_sent_again_and_the_levels_say_that_nothing_moved() -> None:
    script = up()
    script.machine.pay_out("p", ((1, 2),))
    script.play([("3705", LEVELS), ("3706 01 0002", "-"), ("33", "ACK"), ("3709", "ACK")])
    script.play([("3708", paid(0, 7))])  # of some earlier payout
    script.play(looked("3705", LEVELS, PayoutRefused("p", "short")))


def test_a_lost_command_and_no_levels_is_not_settled_by_an_empty_status() -> None:
    script = up()
    script.machine.pay_out("p", ((1, 2),))
    script.play([("3705", LEVELS), ("3706 01 0002", "-"), ("33", "ACK"), ("3709", "ACK")])
    script.play([("3708", paid()), *[("3705", "NAK")] * 5])
    while (command := script.ask()) == "33":
        script.answer("ACK")
    assert command == "30", "only a new start can tell"
    script.answer("ACK")
    rows: list[Row] = [*RECYCLER[1:7], ("3705", levels(5, 8)), ("36", "0007")]
    script.play(rows)
    script.ask()
    assert script.answer("ACK")[:2] == [TAKEN, PayoutDone("p", ((1, 2),), False, "unclear")]


def test_a_lost_command_that_was_heard() -> None:
    script = up()
    script.machine.pay_out("p", ((1, 2),))
    script.play([("3705", LEVELS), ("3706 01 0002", "-"), ("33", "22", TAKEN), ("3709", "0004")])
    script.play([("33", "ACK"), ("3709", "ACK"), ("3708", paid(0, 2))])
    script.play([("3705", levels(5, 8), PayoutDone("p", ((1, 2),), True, ""))])


def test_a_lost_status_is_made_up_for_by_the_levels() -> None:
    script = up()
    begin(script, ("33", "22"), ("3709", "0004"), ("33", "ACK"), ("3709", "ACK"))
    script.play([("3708", "lost"), ("3708", paid())])
    script.play(looked("3705", levels(5, 8), PayoutDone("p", ((1, 2),), True, "")))


def test_just_reset_in_the_middle_is_settled_by_the_levels_and_not_certain() -> None:
    script = up()
    begin(script, ("33", "22"), ("3709", "0002"), ("33", "06"))
    script.play([("31", SETUP2), *RECYCLER[3:7], ("3705", levels(5, 9)), ("36", "0007")])
    assert script.ask() == "34001F001F"
    done, ready = script.answer("ACK")
    assert done == PayoutDone("p", ((1, 1),), False, "reset")
    assert isinstance(ready, BillsReady)


def test_silence_in_the_middle() -> None:
    script = up()
    begin(script, ("33", "22"), ("3709", "0002"))
    script.news.clear()
    while not script.news:
        script.ask()
        script.answer("-")
    assert PayoutDone("p", (), False, "no answer") in script.news


def test_no_progress_is_cancelled_and_then_reset() -> None:
    script = up()
    begin(script)
    began = script.now
    while (command := script.ask()) in ("33", "3709"):
        script.answer("22" if command == "33" else "0000")
    assert command == "370A"
    assert 34 < script.now - began < 37
    script.answer("ACK")
    while (command := script.ask()) in ("33", "3709"):
        script.answer("22" if command == "33" else "0000")
    assert command == "30"
    assert 68 < script.now - began < 73


def test_cancelled_and_ended() -> None:
    script = up()
    begin(script)
    while (command := script.ask()) in ("33", "3709"):
        script.answer("22" if command == "33" else "0000")
    script.answer("ACK")
    script.play([("33", "ACK"), ("3709", "ACK"), ("3708", paid())])
    script.play(looked("3705", LEVELS, PayoutDone("p", (), True, "short")))


def test_a_bill_that_waits_to_be_taken_and_goes_to_the_box() -> None:
    script = up()
    waiting = ("33", "222A", BillOffered(True))
    begin(script, ("33", "22"), ("3709", "0002"), waiting)
    for _ in range(600):
        command = script.ask()
        assert command in ("33", "3709"), "patience while a customer is asked to take a bill"
        script.answer("222A" if command == "33" else "0000")
    while (command := script.ask()) != "33":
        script.answer("0000")
    taken = [RecyclerByHand(1, 1000, "to_box"), BillOffered(False)]
    assert script.answer("F1") == taken
    script.play([("3709", "ACK"), ("3708", paid(0, 1))])
    # two left, one of them to the box
    script.play(looked("3705", levels(5, 8), PayoutDone("p", ((1, 1),), True, "short")))


def test_a_bill_that_goes_to_the_box_just_before_the_end_is_not_paid() -> None:
    """It says that it has finished, and only with the next POLL where the bill went."""
    script = up()
    begin(script, ("33", "22"), ("3709", "0002"), ("33", "ACK"), ("3709", "ACK"))
    script.play([("3708", paid(0, 1)), ("3705", levels(5, 8))])
    script.play([("33", "F1", RecyclerByHand(1, 1000, "to_box"))])
    script.play([("3705", levels(5, 8), PayoutDone("p", ((1, 1),), True, "short"))])


def test_not_while_a_bill_is_inside_or_being_paid() -> None:
    script = up()
    script.play([("33", "91", InEscrow(1, 1, 1000))])
    with pytest.raises(Declined):
        script.machine.pay_out("p", ((1, 1),))
    script = up()
    script.machine.pay_out("p", ((1, 1),))
    with pytest.raises(Declined):
        script.machine.pay_out("q", ((1, 1),))
    assert script.machine.withdraw("p")
    script.play([("33", "ACK")])


@pytest.mark.parametrize("bills", [(), ((3, 1),), ((9, 1),), ((1, 0),), ((16, 1),)])
def test_what_the_recycler_does_not_have_is_declined(bills: tuple[tuple[int, int], ...]) -> None:
    script = up()
    with pytest.raises(Declined):
        script.machine.pay_out("p", bills)


def test_bills_can_be_switched_off_during_a_payout() -> None:
    script = up()
    begin(script, ("33", "22"))
    script.machine.accept(frozenset())
    script.play([("3400000000", "-"), ("3709", "0002"), ("3400000000", "ACK"), ("33", "22")])


def test_no_levels_nothing_moves() -> None:
    script = up()
    script.machine.pay_out("p", ((1, 1),))
    script.play([("3705", "NAK")] * 4)
    script.play([("3705", "NAK", PayoutRefused("p", "no_recycler_status")), ("33", "ACK")])
