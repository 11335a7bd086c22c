"""Resets with a bill inside, and faults from beginning to end, as tables."""

from bill_script import INIT1, SETUP1
from bill_script import BillScript as Script
from mdb_script import Row

from vendd.wire.mdb.bill_validator_news import (
    BillOffered,
    InEscrow,
    Interrupted,
    Phase,
    Reading,
    Refusal,
    Returned,
    Stacked,
    StackerEmptied,
    StackerSeen,
    Unclear,
)
from vendd.wire.mdb.changer_news import FaultBegan, FaultGone, Lost

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


# --- resets ---------------------------------------------------------------------------------


def reset(script: Script, said: str, *news: object) -> None:
    script.play([("33", said, *news), ("31", SETUP1), *INIT1[3:]])
    assert script.ask() == "34001F001F"
    script.answer("ACK")


def test_just_reset_with_a_bill_in_escrow_and_it_comes_back() -> None:
    script = escrowed()
    reset(script, "06", Interrupted(1, 2, 2000, Phase.ESCROW, "reset"))
    script.play([("33", "ACK"), ("33", "A2", Returned(1, 2, 2000, "returned"))])
    assert not [n for n in script.polls("ACK", 40) if isinstance(n, Unclear)]


def test_just_reset_while_stacking_and_it_was_stacked() -> None:
    script = escrowed()
    script.machine.stack(1)
    script.play([("3501", "ACK"), ("33", "03")])
    reset(script, "0609", Interrupted(1, 2, 2000, Phase.STACKING, "reset"))
    script.play([("33", "82", Stacked(1, 2, 2000, False))])


def test_just_reset_and_no_report_is_unclear_30_s_after_the_start() -> None:
    script = escrowed()
    script.machine.stack(1)
    script.play([("3501", "ACK")])
    reset(script, "06", Interrupted(1, 2, 2000, Phase.STACKING, "reset"))
    ready = script.now
    assert script.polls("ACK", 29) == []
    assert script.polls("ACK", 2) == [Unclear(1, 2, 2000, "no_report", False)]
    assert script.now - ready > 30
    assert script.polls("ACK", 60) == []


def test_just_reset_and_the_bill_is_in_escrow_still() -> None:
    script = escrowed()
    script.play([("33", "0692", Interrupted(1, 2, 2000, Phase.ESCROW, "reset"), HELD)])
    script.machine.give_back(1)
    script.play([("31", SETUP1), *INIT1[3:]])
    script.ask()
    script.answer("ACK")
    script.play([("3500", "ACK"), ("33", "A2", Returned(1, 2, 2000, "ordered"))])


def test_after_a_reset_an_escrow_is_said_anew_and_money_is_not() -> None:
    script = up()
    script.play([("33", "92", HELD)])
    script.play([("33", "0692", Interrupted(1, 2, 2000, Phase.ESCROW, "reset"), HELD)])
    script = up()
    script.play([("33", "82", Stacked(None, 2, 2000, False)), ("36", "0008", EIGHT)])
    script.play([("33", "-"), ("33", "0682"), ("31", SETUP1)])


def test_just_reset_while_a_bill_is_read() -> None:
    script = up()
    script.play([("33", "03", Reading(True))])
    reset(script, "06", Interrupted(None, None, 0, Phase.READING, "reset"))
    script.play([("33", "A2", Returned(None, 2, 2000, "returned"))])


def test_lost_with_a_bill_inside() -> None:
    script = escrowed()
    script.news.clear()
    while not script.news:
        assert script.ask() == "33"
        script.answer("-")
    lost = Lost("no answer")
    assert script.news == [Interrupted(1, 2, 2000, Phase.ESCROW, "no answer"), lost]
    script.play([("30", "-"), ("33", "06"), *INIT1[2:]])
    script.ask()
    script.answer("ACK")
    script.play([("33", "82", Stacked(1, 2, 2000, False))])


def test_the_stacked_of_a_previous_life_is_told_without_a_number() -> None:
    """Field note 2: whoever kept the bill's record knows what it is."""
    script = up()
    script.play([("33", "82", Stacked(None, 2, 2000, False))])


# --- faults ------------------------------------------------------------------------------------


def test_the_cash_box_is_out_and_back() -> None:
    script = up()
    script.play([("33", "0809", FaultBegan("cash_box_out")), ("36", "0007")])
    script.play([("33", "09"), ("33", "09"), ("33", "ACK", FaultGone("cash_box_out"))])


def test_the_cash_box_is_emptied_and_the_validator_starts_anew() -> None:
    script = up()
    script.play([("33", "0809", FaultBegan("cash_box_out")), ("36", "0007"), ("33", "09")])
    script.play([("33", "06", FaultGone("cash_box_out")), ("31", SETUP1), *INIT1[3:4]])
    script.play([("36", "0000", StackerEmptied(7))])


def test_the_stacker_is_full_and_emptied() -> None:
    script = up()
    script.play([("33", "80", Stacked(None, 0, 500, False))])
    script.play([("36", "8258", FaultBegan("stacker_full"), StackerSeen(600, True, 600))])
    script.polls("ACK", 58)
    while script.ask() == "33":
        script.answer("ACK")
    emptied = [FaultGone("stacker_full"), StackerEmptied(600), StackerSeen(0, False, 600)]
    assert script.answer("0000") == emptied


def test_a_jam_ends_with_the_next_bill() -> None:
    script = up()
    script.play([("33", "05", FaultBegan("bill_jam")), ("33", "05"), ("33", "ACK")])
    script.play([("33", "91", FaultGone("bill_jam"), InEscrow(1, 1, 1000))])


def test_a_removal_alarm_ends_after_a_quiet_minute() -> None:
    script = up()
    script.play([("33", "0C", FaultBegan("bill_removal"))])
    assert script.polls("ACK", 59) == []
    assert script.polls("ACK", 3) == [FaultGone("bill_removal")]


def test_disabled_by_itself_is_told_the_masks_again_and_reported() -> None:
    script = up()
    commands = []
    until = script.now + 20
    while script.now < until:
        commands.append(script.ask())
        script.answer("09" if commands[-1] == "33" else "ACK")
    assert 2 <= commands.count("34001F001F") <= 4
    assert script.news == [FaultBegan("validator_disabled")]
    script.play([("33", "ACK", FaultGone("validator_disabled"))])


def test_disabled_because_we_said_so_is_nothing() -> None:
    script = up("00000000")
    assert script.polls("09", 30) == []


def test_reading_without_a_result_ends() -> None:
    script = up()
    script.play([("33", "03", Reading(True)), ("33", "03"), ("33", "ACK", Reading(False))])
    script.play([("33", "03", Reading(True)), ("33", "0B", Refusal("rejected")), ("33", "ACK")])


def test_a_bill_offered_is_taken() -> None:
    script = up()
    script.play([("33", "2A", BillOffered(True)), ("33", "2A"), ("33", "ACK", BillOffered(False))])
