"""Vends that go wrong: VEND FAILURE to its end, requests nobody answers, an earlier life."""

import pytest
from cashless_script import (
    APPROVED,
    ASK,
    BEGIN,
    DONE,
    INIT1,
    PLAIN,
    REQUEST,
    CardScript,
    card,
    paid,
    with_card,
)
from mdb_script import Row

from vendd.wire.mdb.cashless import State
from vendd.wire.mdb.cashless_news import (
    FailureSettled,
    Hiccup,
    Lost,
    Refund,
    SessionOver,
    SuccessTold,
    VendNot,
)

# --- VEND FAILURE to its end ---


def test_failure_refunded() -> None:
    script = paid()
    script.play(
        [
            ("DO", "failed", "v"),
            ("1303", "ACK"),
            ("12", "ACK", FailureSettled("v", Refund.CONFIRMED)),
            ("1304", "ACK"),
            DONE,
        ]
    )


def test_failure_refunded_after_a_silence_that_is_not_too_long() -> None:
    """Field note 13."""
    script = paid()
    script.play([("DO", "failed", "v"), ("1303", "ACK"), *[("12", "-")] * 40])
    script.play([("12", "ACK", FailureSettled("v", Refund.CONFIRMED)), ("1304", "ACK"), DONE])


def test_failure_with_refund_error() -> None:
    script = paid()
    error = Hiccup("reader_refund_error", "EAM_0AC0")
    script.play([("DO", "failed", "v"), ("1303", "ACK"), ("12", "-")])
    script.play(
        [
            ("12", "0A C0", error, FailureSettled("v", Refund.FAILED)),
            ("1304", "07", SessionOver("completed")),
        ]
    )


def test_failure_silent_to_the_end_is_unconfirmed_and_only_then_comes_a_reset() -> None:
    script = paid()
    script.play([("DO", "failed", "v"), ("1303", "ACK")])
    start = script.now
    script.until("10", "-")
    assert script.now - start >= 5.0
    assert script.news[-2:] == [FailureSettled("v", Refund.UNCONFIRMED), SessionOver("no answer")]


def test_failure_by_a_reader_that_cannot_refund() -> None:
    config = "01 01 1978 01 02 05 00"
    script = card(init=[*INIT1[:2], (INIT1[2][0], config), *INIT1[3:]], rules=PLAIN)
    script.play([BEGIN, REQUEST, ASK, APPROVED, ("DO", "failed", "v"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.UNSUPPORTED))])


def test_failure_whose_answer_is_lost_on_the_way_is_unconfirmed() -> None:
    script = paid()
    script.play([("DO", "failed", "v"), ("1303", "ACK"), ("12", "lost")])
    script.play([("12", "ACK", FailureSettled("v", Refund.UNCONFIRMED))])


def test_failure_not_heard_is_said_again_after_a_poll() -> None:
    script = paid()
    script.play([("DO", "failed", "v"), ("1303", "-"), ("12", "ACK"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.CONFIRMED))])


def test_failure_answered_by_end_session() -> None:
    script = paid()
    script.play([("DO", "failed", "v"), ("1303", "ACK")])
    script.play([("12", "07", FailureSettled("v", Refund.CONFIRMED), SessionOver("reader"))])


def test_failure_out_of_sequence_is_unconfirmed() -> None:
    script = paid()
    script.play([("DO", "failed", "v")])
    script.play(
        [("1303", "0B", FailureSettled("v", Refund.UNCONFIRMED), SessionOver("out of sequence"))]
    )
    script.until("10")


def test_reader_starts_anew_before_the_failure_could_be_told() -> None:
    """Field note 14: it counts the vend as a success."""
    script = paid()
    script.play([("12", "00", SessionOver("reset")), ("DO", "failed", "v")])
    assert script.ask().startswith("1100")
    assert script.answer("-") == [FailureSettled("v", Refund.UNCONFIRMED)]


def test_reader_starts_anew_after_delivery_and_success_is_not_repeated() -> None:
    script = paid()
    script.play([("12", "00", SessionOver("reset")), ("DO", "succeeded", "v")])
    assert script.ask().startswith("1100")
    assert script.answer("-") == [SuccessTold("v", False)]


def test_reader_lost_after_approval_no_reset_before_failure() -> None:
    script = paid()
    for _ in range(200):
        assert script.ask() == "12"
        script.answer("-")
    assert script.news[-1] == Lost("no answer")
    script.play([("DO", "failed", "v"), ("1303", "-"), ("12", "ACK"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.CONFIRMED), SessionOver("reset"))])
    script.until("10")


def test_out_of_sequence_after_approval_waits_for_the_vend() -> None:
    script = paid()
    script.play([("12", "0B 05"), *[("12", "ACK")] * 5, ("DO", "failed", "v"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.CONFIRMED), SessionOver("reset"))])
    script.until("10")


def test_reader_ends_the_session_in_the_middle_of_a_vend() -> None:
    script = paid()
    script.play([("12", "07"), ("DO", "succeeded", "v")])
    script.play(
        [("1302 0006", "ACK", SuccessTold("v", True), SessionOver("reader")), ("12", "ACK")]
    )
    script = paid()
    script.play([("12", "07"), ("DO", "failed", "v"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.UNCONFIRMED), SessionOver("reader"))])


# --- requests that nobody answers ---


@pytest.mark.parametrize("bad", ["-", "?", "lost"])
def test_a_request_that_may_have_been_heard_is_never_sent_again(bad: str) -> None:
    script = with_card()
    script.play([REQUEST, ("1300 0096 0006", bad), *[("12", "ACK")] * 100])
    script.play([APPROVED])


def test_a_request_that_was_refused_is_sent_again_three_times() -> None:
    script = with_card()
    refused: Row = ("1300 0096 0006", "NAK")
    script.play([REQUEST, refused, refused, (*refused, VendNot("v", "refused"))])
    assert script.machine.state is State.SESSION


def test_request_and_cancel_unanswered_failure_is_tried_before_the_reset() -> None:
    script = with_card()
    script.play([REQUEST, ASK, ("DO", "cancel", "v"), ("1301", "ACK")])
    script.until("1303")
    script.answer("ACK")
    script.play([("12", "ACK", VendNot("v", "cancelled"), SessionOver("reset"))])
    script.until("10")


def test_request_then_silence_is_doubtful() -> None:
    script = with_card()
    script.play([REQUEST, ASK])
    script.until("1303", "-")
    assert script.news[-1] == Lost("no answer")
    script.answer("-")
    script.until("10", "-")
    assert VendNot("v", "no answer", doubtful=True) in script.news
    assert script.news[-1] == SessionOver("no answer")


def test_the_backstop_of_a_request() -> None:
    script = with_card()
    script.play([REQUEST, ASK])
    asked_at = script.now
    script.until("1301")
    assert 299 < script.now - asked_at < 301


def test_out_of_sequence_to_a_request_is_a_certain_no() -> None:
    script = with_card()
    script.play([REQUEST])
    script.play(
        [
            (
                "1300 0096 0006",
                "0B 04",
                VendNot("v", "out of sequence"),
                SessionOver("out of sequence"),
            )
        ]
    )
    script.until("10")


def test_out_of_sequence_to_a_cancel_in_vend_is_answered_by_failure() -> None:
    script = with_card()
    script.play([REQUEST, ASK, ("DO", "cancel", "v"), ("1301", "0B 05"), ("1303", "ACK")])
    script.play([("12", "ACK", VendNot("v", "cancelled"), SessionOver("reset"))])


def test_reset_while_authorising() -> None:
    script = with_card()
    script.play([REQUEST, ASK, ("12", "00", VendNot("v", "reset"), SessionOver("reset"))])
    script = with_card()
    script.play([REQUEST, ASK, ("12", "lost")])
    script.play([("12", "00", VendNot("v", "reset", doubtful=True), SessionOver("reset"))])


# --- an earlier life ---


def test_held_polls_until_the_failure_of_an_earlier_life_is_settled() -> None:
    script = CardScript(PLAIN, held=True)
    script.play([("12", "ACK"), ("12", "ACK"), ("DO", "failed", "v"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.CONFIRMED))])
    script.until("10")


def test_held_reader_had_lost_its_power_too() -> None:
    script = CardScript(PLAIN, held=True)
    script.play([("12", "00"), ("DO", "failed", "v")])
    assert script.ask().startswith("1100")
    assert script.answer("-") == [FailureSettled("v", Refund.UNCONFIRMED)]


def test_held_request_is_cancelled() -> None:
    script = CardScript(PLAIN, held=True)
    script.play([("12", "ACK"), ("DO", "cancel", "v"), ("1301", "06", VendNot("v", "cancelled"))])
    script.until("10")


def test_held_released_or_forgotten_begins_as_usual() -> None:
    script = CardScript(PLAIN, held=True)
    script.play([("12", "ACK"), ("DO", "release"), ("10", "ACK"), ("12", "00")])
    script = CardScript(PLAIN, held=True)
    script.until("10", "-")
    assert 160 <= script.now < 161
