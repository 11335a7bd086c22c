"""Sessions as tables: the flows of the standard, and what readers make of them."""

import pytest
from cashless_script import (
    APPROVED,
    ASK,
    BEGIN,
    DONE,
    INIT2,
    LEVEL2,
    REQUEST,
    card,
    paid,
    with_card,
)
from mdb_script import Row

from vendd.wire.mdb.cashless import State
from vendd.wire.mdb.cashless_news import (
    FailureSettled,
    Hiccup,
    Refund,
    Session,
    SessionOver,
    SuccessTold,
    VendNot,
    VendTaken,
)


def test_single_vend() -> None:
    script = card()
    script.play(
        [
            BEGIN,
            ("12", "ACK"),
            REQUEST,
            ASK,
            ("12", "ACK"),
            APPROVED,
            ("12", "ACK"),
            ("DO", "succeeded", "v"),
            ("1302 0006", "ACK", SuccessTold("v", True)),
            ("1304", "ACK"),
            ("12", "ACK"),
            DONE,
            ("12", "ACK"),
        ]
    )
    assert script.machine.state is State.ENABLED


def test_everything_answered_at_once() -> None:
    script = with_card()
    script.play(
        [
            REQUEST,
            ("1300 0096 0006", "05 0096", VendTaken("v", 150)),
            ("DO", "succeeded", "v"),
            ("1302 0006", "ACK", SuccessTold("v", True)),
            ("1304", "07", SessionOver("completed")),
            ("12", "ACK"),
        ]
    )


def test_multi_vend_keeps_the_session_where_the_reader_allows_it() -> None:
    script = card(init=INIT2, rules=LEVEL2)
    session = Session(1000, "01020304", 1, 0x0203)
    script.play([("12", "03 03E8 01020304 01 0203", session)])
    for vend in ("v1", "v2"):
        script.machine.request(vend, 150, 6)
        script.play([ASK, ("12", "05 0096", VendTaken(vend, 150))])
        script.machine.succeeded(vend, keep=True)
        script.play([("1302 0006", "ACK", SuccessTold(vend, True)), ("12", "ACK")])
    script.play([("DO", "end_session"), ("1304", "07", SessionOver("completed")), ("12", "ACK")])


def test_multi_vend_is_not_kept_by_a_reader_without_it_or_when_the_card_has_gone() -> None:
    script = paid()
    script.machine.succeeded("v", keep=True)
    script.play(
        [("1302 0006", "ACK", SuccessTold("v", True)), ("1304", "07", SessionOver("completed"))]
    )
    script = card(init=INIT2, rules=LEVEL2)
    script.play([("12", "03 03E8 FFFFFFFF 00 0000", Session(1000)), REQUEST, ASK, APPROVED])
    script.play([("12", "04")])
    script.machine.succeeded("v", keep=True)
    script.play(
        [("1302 0006", "ACK", SuccessTold("v", True)), ("1304", "07", SessionOver("completed"))]
    )


def test_cancelled_by_the_readers_button_before_a_selection() -> None:
    with_card().play([("12", "04"), ("1304", "07", SessionOver("completed")), ("12", "ACK")])


def test_cancelled_by_the_reader_while_authorising() -> None:
    rows: list[Row] = [
        REQUEST,
        ASK,
        ("12", "04"),
        ("1301", "06", VendNot("v", "cancelled by reader")),
        ("1304", "07", SessionOver("completed")),
    ]
    with_card().play(rows)


def test_lever_before_a_selection() -> None:
    with_card().play([("DO", "end_session"), ("1304", "ACK"), DONE])


def test_lever_before_the_approval() -> None:
    rows: list[Row] = [
        REQUEST,
        ASK,
        ("DO", "cancel", "v"),
        ("1301", "ACK"),
        ("12", "ACK"),
        ("12", "06", VendNot("v", "cancelled")),
        ("1304", "07", SessionOver("completed")),
    ]
    with_card().play(rows)


def test_lever_before_the_request_was_even_sent() -> None:
    script = with_card()
    script.play([REQUEST, ("DO", "cancel", "v"), ("12", "ACK", VendNot("v", "cancelled"))])
    assert script.machine.state is State.SESSION


@pytest.mark.parametrize("where", ["answer", "poll"])
def test_approval_crosses_the_cancel_and_is_given_back(where: str) -> None:
    script = with_card()
    script.play([REQUEST, ASK, ("DO", "cancel", "v")])
    script.play(
        [("1301", "05 0096")] if where == "answer" else [("1301", "ACK"), ("12", "05 0096")]
    )
    script.play(
        [
            ("1303", "ACK"),
            ("12", "ACK", VendNot("v", "cancelled")),
            ("1304", "07", SessionOver("completed")),
        ]
    )


def test_approval_crosses_the_cancel_and_its_refund_fails() -> None:
    script = with_card()
    script.play([REQUEST, ASK, ("DO", "cancel", "v"), ("1301", "05 0096"), ("1303", "ACK")])
    refund_error = Hiccup("reader_refund_error", "EAM_0AC1")
    script.play([("12", "0A C1", refund_error, VendNot("v", "cancelled", doubtful=True))])


def test_late_approval_after_a_denial_is_given_back() -> None:
    script = with_card()
    script.play([REQUEST, ASK, ("12", "06", VendNot("v", "denied")), ("1304", "ACK")])
    script.play([("12", "05 0096"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.CONFIRMED)), ("1304", "ACK"), DONE])


def test_denied() -> None:
    rows: list[Row] = [
        REQUEST,
        ASK,
        ("12", "06", VendNot("v", "denied")),
        ("1304", "ACK"),
        DONE,
    ]
    with_card().play(rows)


def test_several_messages_in_one_answer_are_taken_in_order() -> None:
    """The standard's example: denied, malfunction, session cancel request."""
    media = Hiccup("reader_media", "EAM_0A07")
    with_card().play(
        [
            REQUEST,
            ASK,
            ("12", "06 0A07 04", VendNot("v", "denied"), media),
            ("1304", "07", SessionOver("completed")),
        ]
    )


# --- SESSION COMPLETE ---


def test_session_complete_never_answered_means_reset() -> None:
    """Field note 9."""
    script = with_card()
    script.play([("DO", "end_session"), ("1304", "ACK")])
    start = script.now
    script.until("10")
    assert 5.0 <= script.now - start <= 5.5
    assert script.news[-1] == SessionOver("no answer")


def test_begin_session_again_and_again_is_one_session() -> None:
    """Field note 8."""
    script = card()
    script.play([BEGIN, ("12", "03 03E8"), ("12", "03 03E8"), REQUEST, ASK, ("12", "03 03E8")])
    script.play([APPROVED])


def test_a_session_while_disabled_is_ended_and_not_told() -> None:
    script = card()
    script.play([("12", "ACK"), ("DO", "enable", False), ("1400", "ACK"), ("12", "03 03E8")])
    script.play([("1304", "07"), ("12", "ACK")])


def test_disable_does_not_end_a_session_but_follows_it() -> None:
    script = with_card()
    script.play([("DO", "enable", False), ("12", "ACK"), ("DO", "end_session"), ("1304", "ACK")])
    script.play([DONE, ("1400", "ACK"), ("12", "ACK")])


def test_pax_d200_begins_with_four_bytes() -> None:
    """Field note 11."""
    card().play([("12", "03 07D0 FF", Session(2000)), REQUEST, ASK])


def test_a_fourth_byte_that_is_a_message_of_its_own() -> None:
    card().play([("12", "03 07D0 07", Session(2000), SessionOver("reader")), ("12", "ACK")])


def test_level_1_reader_with_level_2_messages() -> None:
    card().play([("12", "03 07D0 FFFFFFFF 00 0000", Session(2000))])


def test_funds_that_are_not_determined() -> None:
    card().play([("12", "03 FFFF", Session(None))])
