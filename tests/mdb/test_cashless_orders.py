"""Amounts, always idle, and everything beside a vend: revalue, age, cash sales, malfunctions."""

from dataclasses import replace

import pytest
from cashless_script import (
    ASK,
    BEGIN,
    FULL3,
    INIT1,
    INIT2,
    MONEY_ON_CARD,
    PLAIN,
    REQUEST,
    card,
    paid,
    with_card,
)

from vendd.wire.mdb.cashless import Declined, State
from vendd.wire.mdb.cashless_news import (
    AgeChecked,
    FailureSettled,
    FaultBegan,
    FaultGone,
    Hiccup,
    Lost,
    ReaderText,
    Refund,
    Revalued,
    RevalueUpTo,
    Session,
    SessionOver,
    SuccessTold,
    TimeAsked,
    VendNot,
    VendTaken,
)

# --- amounts ---


@pytest.mark.parametrize(
    ("answer", "amount", "token"),
    [
        ("05 0078", 120, False),
        ("05 00C8", 200, False),
        ("05 0000", 0, False),
        ("05 FFFF", 150, True),
    ],
)
def test_approved_amount_may_differ(answer: str, amount: int, token: bool) -> None:
    """Field note 12."""
    script = with_card()
    script.play([REQUEST, ASK, ("12", answer, VendTaken("v", amount, token))])


def test_prices_that_the_reader_cannot_say_are_declined() -> None:
    config = "01 01 1978 0A 02 05 01"  # ten cents
    script = card(init=[*INIT1[:2], (INIT1[2][0], config), *INIT1[3:]], rules=PLAIN)
    script.play([("12", "03 0064", Session(1000))])
    with pytest.raises(Declined):
        script.machine.request("v", 155, 6)
    with pytest.raises(Declined):
        script.machine.request("v", 10 * 0xFFFF, 6)
    script.machine.request("v", 150, 99999)
    script.play([("1300 000F FFFF", "05 000F", VendTaken("v", 150))])


def test_nothing_to_request_without_a_session_or_twice() -> None:
    script = card()
    with pytest.raises(Declined):
        script.machine.request("v", 150, 6)
    script.play([BEGIN, REQUEST])
    with pytest.raises(Declined):
        script.machine.request("w", 150, 6)


# --- expanded currency and always idle ---


def test_always_idle_request_without_a_session() -> None:
    script = card(init=FULL3)
    script.play(
        [
            ("DO", "request", "v", 150, 6),
            ("1300 00000096 0006", "ACK"),
            ("12", "05 00000096", VendTaken("v", 150)),
            ("DO", "succeeded", "v"),
            ("1302 0006", "ACK", SuccessTold("v", True)),
            ("1304", "07", SessionOver("completed")),
            ("12", "ACK"),
        ]
    )


def test_always_idle_still_honours_a_session() -> None:
    script = card(init=FULL3)
    wide = "03 000003E8 01020304 C0 0000 656E 1978 07"
    session = Session(1000, "01020304", 0, 0, True, True, True, True, True, "en")
    script.play([("12", wide, session), ("DO", "request", "v", 150, 6)])
    script.play([("1300 00000096 0006", "05 FFFFFFFF", VendTaken("v", 150, True))])


def test_always_idle_session_that_opens_during_the_request() -> None:
    script = card(init=FULL3)
    wide = "03 000003E8 FFFFFFFF 00 0000 656E 1978 00"
    session = Session(1000, refundable=False, revaluable=False, language="en")
    script.play([("DO", "request", "v", 150, 6), ("1300 00000096 0006", "ACK")])
    script.play([("12", wide, session), ("12", "05 00000096", VendTaken("v", 150))])
    script.play([("DO", "failed", "v"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.UNSUPPORTED))])


def test_narrow_amount_in_wide_mode() -> None:
    script = card(init=FULL3)
    script.play([("DO", "request", "v", 150, 6), ("1300 00000096 0006", "ACK")])
    script.play([("12", "05 0096", VendTaken("v", 150))])


def test_always_idle_without_end_session_goes_on_without_reset() -> None:
    script = card(init=FULL3)
    script.play(
        [("DO", "request", "v", 150, 6), ("1300 00000096 0006", "06", VendNot("v", "denied"))]
    )
    script.play([("1304", "ACK")])
    script.until("12")
    for _ in range(60):
        script.answer("ACK")
        assert script.ask() == "12"
    assert script.news[-1] == SessionOver("no answer")
    assert script.machine.state is State.ENABLED


# --- other commands ---


def test_reader_cancel() -> None:
    script = card()
    script.play([("12", "ACK"), ("DO", "recall"), ("1402", "ACK"), ("12", "08"), ("12", "ACK")])
    script.play([("DO", "recall"), ("1402", "08"), ("12", "ACK")])
    script.play([("DO", "recall"), ("1402", "ACK"), BEGIN])


def test_cash_sales_are_told_where_wanted_and_never_twice() -> None:
    script = card(init=FULL3)
    for price in (150, 160):
        script.machine.cash_sale(price, 7)
    script.play(
        [("1305 00000096 0007 1978", "-"), ("12", "ACK"), ("1305 000000A0 0007 1978", "NAK")]
    )
    script.play([("12", "ACK"), ("1305 000000A0 0007 1978", "ACK"), ("12", "ACK")])
    script = card()
    script.machine.cash_sale(150, 7)
    script.play([("12", "ACK")] * 3)


def test_revalue() -> None:
    script = card(init=INIT2, rules=replace(MONEY_ON_CARD, level=2))
    script.play([("12", "03 03E8 FFFFFFFF 00 0000", Session(1000))])
    script.play([("DO", "ask_revalue_limit"), ("1501", "0F 01F4", RevalueUpTo(500))])
    script.play(
        [("DO", "revalue", "r", 200), ("1500 00C8", "ACK"), ("12", "0D", Revalued("r", True))]
    )
    script.play([("DO", "revalue", "s", 200), ("1500 00C8", "0E", Revalued("s", False))])
    script.play([("DO", "revalue", "t", 200), ("1500 00C8", "-")])
    script.until("10")
    assert script.news[-2:] == [Revalued("t", False, doubtful=True), SessionOver("no answer")]


def test_revalue_needs_permission() -> None:
    script = with_card()
    with pytest.raises(Declined):
        script.machine.revalue("r", 200)


def test_age_verification() -> None:
    """At once, and on POLL; the limit is told again only when it changed."""
    rules = replace(PLAIN, age_approved=frozenset({b"\x9f\x10"}))
    limit, status = "17FF0506 12 4452415650", "17FF0606 00 4452415653"
    script = card(init=INIT1, rules=rules)
    script.play([("DO", "check_age", "a", 18), (limit, "ACK"), ("12", "FF0506 00 4452415650")])
    script.play([(status, "ACK"), ("12", "ACK")])
    script.play([("12", "FF0607 9F10 4452415653", AgeChecked("a", True, "9F10"))])
    script.play([("DO", "check_age", "b", 18)])
    script.play([(status, "FF0607 1F10 4452415653", AgeChecked("b", False, "1F10"))])
    script.play([("DO", "check_age", "c", 18), (status, "ACK"), ("DO", "stop_age_check")])
    script.play([("17FF0506 00 4452415650", "ACK", AgeChecked("c", False))])
    script.play([("12", "FF0607 9F10 4452415653"), ("12", "ACK")])


def test_time_and_text() -> None:
    script = card()
    script.play(
        [("12", "11", TimeAsked()), ("DO", "write_time", bytes.fromhex("26013112000006FF"))]
    )
    script.play([("1703 26013112000006FF FFFF", "ACK")])
    script.play([("12", "02 32" + b"HELLO".hex(), ReaderText("HELLO", 5.0))])


def test_malfunctions() -> None:
    script = card()
    script.play([("12", "0A 52", FaultBegan("reader_needs_service", "EAM_0A52")), ("12", "0A52")])
    script.play([("12", "0A 11", Hiccup("reader_invalid_media", "EAM_0A11"))])
    broken = FaultBegan("reader_failure", "EAM_0A80")
    script.play([("12", "0A 80", broken, Lost("reader failure"))])
    start = script.now
    script.until("10", "0A 80")
    assert script.now - start >= 59
    script.answer("ACK")
    gone = (FaultGone("reader_failure"), FaultGone("reader_needs_service"))
    script.play([("12", "00", *gone)])


def test_unusable_after_approval_settles_first() -> None:
    script = paid()
    broken = FaultBegan("reader_failure", "EAM_0A80")
    script.play([("12", "0A 80", broken), ("DO", "failed", "v"), ("1303", "ACK")])
    script.play([("12", "ACK", FailureSettled("v", Refund.CONFIRMED), SessionOver("reset"))])


def test_always_idle_end_session_that_crosses_a_request_is_no_answer_to_it() -> None:
    script = card(init=FULL3)
    session = Session(1000, refundable=True, revaluable=False, language="en")
    script.play([("12", "03 000003E8 FFFFFFFF 00 0000 656E 1978 02", session)])
    script.play([("DO", "request", "v", 150, 6), ("1300 00000096 0006", "ACK"), ("12", "07")])
    script.play([("1301", "05 00000096"), ("1303", "ACK")])
    script.play([("12", "ACK", VendNot("v", "session ended"))])


def test_late_approval_at_rest_is_given_back() -> None:
    script = card(init=FULL3)
    script.play([("DO", "request", "v", 150, 6)])
    script.play([("1300 00000096 0006", "06", VendNot("v", "denied"))])
    script.play([("1304", "07", SessionOver("completed")), ("12", "05 00000096")])
    script.play([("1303", "ACK"), ("12", "ACK", FailureSettled("v", Refund.CONFIRMED))])
