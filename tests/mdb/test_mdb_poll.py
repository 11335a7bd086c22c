"""Every activity byte of POLL, and the slow questions in between."""

from itertools import pairwise

import pytest
from mdb_script import EUR, INIT2, INIT3, TUBES, Row, Script

from vendd.wire.mdb.changer_data import Status, activities
from vendd.wire.mdb.changer_news import (
    ByHand,
    CoinIn,
    CoinOut,
    FaultBegan,
    FaultGone,
    Lever,
    TubeLevel,
    TubesSeen,
)
from vendd.wire.mdb.changer_start import ChangerRules

IDLE: Row = ("0B", "ACK")
ONE = [
    # one POLL answer and what it is
    ("40 00", [CoinIn(0, 5, False, 0)]),
    ("45 00", [CoinIn(5, 200, False, 0)]),
    ("41 09", [CoinIn(1, 10, False, 9)]),
    ("52 1E", [CoinIn(2, 20, True, 0x1E)]),
    ("53 FF", [CoinIn(3, 50, True, 255)]),
    ("73 00", [CoinOut("rejected", 3)]),
    ("63 11", []),  # routing 10 is unused
    ("21", [CoinOut("slug", None, 1)]),
    ("3F", [CoinOut("slug", None, 31)]),
    ("20", []),
    ("92 51", [ByHand(2, 1, 0x51)]),
    ("F4 02", [ByHand(4, 7, 2)]),
    ("84 02", []),
    ("01", [Lever()]),
    ("02", []),
    ("03", [CoinOut("lost")]),
    ("04", [FaultBegan("tube_sensor")]),
    ("05", [CoinOut("double_arrival")]),
    ("06", [FaultBegan("acceptor_unplugged")]),
    ("07", [FaultBegan("tube_jam")]),
    ("08", [FaultBegan("changer_rom")]),
    ("09", [FaultBegan("coin_routing")]),
    ("0A", []),
    ("0C", [FaultBegan("coin_jam")]),
    ("0D", [FaultBegan("coin_removal")]),
    ("00", []),
    ("0E", []),
    ("1F", []),
    ("52 0B 53 0B", [CoinIn(2, 20, True, 11), CoinIn(3, 50, True, 11)]),
    ("52 0B 52 0C", [CoinIn(2, 20, True, 11), CoinIn(2, 20, True, 12)]),
    ("45 00 45 00", [CoinIn(5, 200, False, 0)] * 2),
    ("01 45 00 21", [Lever(), CoinIn(5, 200, False, 0), CoinOut("slug")]),
    ("1F 45 00 0E", [CoinIn(5, 200, False, 0)]),
    ("50 0B" * 8, [CoinIn(0, 5, True, 11)] * 8),
    ("01" * 35, [Lever()] * 35),  # longer than the standard's 16 bytes
]  # fmt: skip


@pytest.fixture
def script() -> Script:
    polling = Script()
    polling.up(INIT2)
    return polling


@pytest.mark.parametrize(("answer", "news"), ONE)
def test_activity(script: Script, answer: str, news: list[object]) -> None:
    script.play([("0B", answer, *news)])


def test_every_byte_is_covered() -> None:
    """Each of the 256 first bytes reads as one activity; what has no meaning is counted."""
    for byte in range(256):
        (one,) = activities(bytes((byte, 1)) if byte >= 0x40 else bytes((byte,)))
        if isinstance(one, Status):
            assert one.defined == (1 <= one.code <= 0x0D)


def test_unknown_bytes_are_counted(script: Script) -> None:
    script.play([("0B", "0E 0F 00 1F"), ("0B", "63 00")])
    assert script.machine.poll.unknown == 5


def test_a_coin_whose_count_was_not_sent_is_credited_and_the_tubes_are_read(script: Script) -> None:
    script.play([("0B", "52", CoinIn(2, 20, True, 11))])
    script.play([("0A", "0000 0A0A0B0A0A", TubesSeen(script.machine._tubes())), IDLE])


def test_a_coin_without_a_value_is_no_credit(script: Script) -> None:
    script.play([("0B", "49 00")])
    assert script.machine.poll.unpriced == 1
    assert script.ask() == "0A"


# --- the same report twice --------------------------------------------------------------

COIN = CoinIn(3, 50, True, 11)
BOX = CoinIn(5, 200, False, 0)
REPEATS: list[tuple[str, list[Row]]] = [
    ("tube count proves it", [("0B", "53 0B", COIN), ("0B", "53 0B"), IDLE]),
    ("also after silence", [("0B", "53 0B", COIN), ("0B", "-"), ("0B", "53 0B")]),
    ("with more behind it", [("0B", "53 0B", COIN), ("0B", "53 0B 01", Lever())]),
    ("a second coin counts", [("0B", "53 0B", COIN), ("0B", "53 0C", CoinIn(3, 50, True, 12))]),
    ("an ACK in between", [("0B", "53 0B", COIN), IDLE, ("0B", "53 0B", COIN)]),
    ("box, wire fine", [("0B", "45 00", BOX), ("0B", "45 00", BOX)]),
    ("box, answer lost", [("0B", "45 00", BOX), ("0B", "-"), ("0B", "45 00"), IDLE]),
    ("box, bad checksum", [("0B", "45 00", BOX), ("0B", "?"), ("0B", "45 00"), IDLE]),
    ("box, after silence", [("0B", "-"), ("0B", "45 00", BOX), ("0B", "45 00", BOX)]),
    ("lever, wire fine", [("0B", "01", Lever()), ("0B", "01", Lever())]),
    ("lever, answer lost", [("0B", "01", Lever()), ("0B", "-"), ("0B", "01")]),
    ("by hand", [("0B", "92 09", ByHand(2, 1, 9)), ("0B", "92 09"), IDLE]),
    ("saturated count", [("0B", "53 FF", CoinIn(3, 50, True, 255))] * 2),
]


@pytest.mark.parametrize(("why", "rows"), REPEATS)
def test_repeated_reports(script: Script, why: str, rows: list[Row]) -> None:
    script.play(rows)


# --- faults ------------------------------------------------------------------------------


def test_unplugged_is_one_fault_however_often_it_is_said(script: Script) -> None:
    began, gone = FaultBegan("acceptor_unplugged"), FaultGone("acceptor_unplugged")
    script.play([("0B", "06", began), ("0B", "06"), ("0B", "0601", Lever()), ("0B", "-")])
    script.play([("0B", "06"), ("0B", "ACK", gone), IDLE, ("0B", "06", began)])


def test_a_coin_jam_ends_with_the_next_coin(script: Script) -> None:
    script.play([("0B", "0C", FaultBegan("coin_jam")), ("0B", "0C"), IDLE])
    script.play([("0B", "45 00", FaultGone("coin_jam"), BOX)])


def test_a_jam_ends_when_the_diagnostics_say_ok() -> None:
    script = Script()
    script.up(INIT3)
    script.play([("0B", "0C", FaultBegan("coin_jam"))])
    while script.ask() != "0F05":
        script.answer("ACK")
    assert script.answer("0300") == [FaultGone("coin_jam")]


def test_diagnosed_faults_begin_and_end() -> None:
    script = Script()
    script.up(INIT3)
    jam = FaultBegan("changer_discriminator_30", "EAU_1130")
    cassette = FaultBegan("changer_cassette_02", "EAU_1502")
    answers = [
        ("0300 1130", [jam]),
        ("1130 1502", [cassette]),
        ("1130", [FaultGone(cassette.code)]),
        ("0600", [FaultGone(jam.code)]),
    ]
    for text, news in answers:
        while (command := script.ask()) != "0F05":
            script.answer(TUBES if command == "0A" else "ACK")
        assert script.answer(text) == news


def test_attempted_removal_ends_after_a_quiet_minute(script: Script) -> None:
    script.play([("0B", "0D", FaultBegan("coin_removal")), ("0B", "0D")])
    quiet_at = script.now
    while FaultGone("coin_removal") not in script.news:
        script.answer(TUBES if script.ask() == "0A" else "ACK")
    assert 60.0 <= script.now - quiet_at < 62.0


def test_removal_alarm_can_be_switched_off() -> None:
    script = Script(ChangerRules(currency=978, exponent=2, removal_alarm=False))
    script.up(INIT2)
    script.play([("0B", "0D"), ("0B", "0D")])


def test_a_new_start_ends_the_faults(script: Script) -> None:
    script.play([("0B", "08", FaultBegan("changer_rom")), ("0B", "0B")])
    script.play([("09", INIT2[2][1], FaultGone("changer_rom"))])


def test_a_tube_fault_makes_us_read_the_tubes(script: Script) -> None:
    script.play([("0B", "0407", FaultBegan("tube_sensor"), FaultBegan("tube_jam"))])
    assert script.ask() == "0A"
    (seen,) = script.answer("0008 0A0A0A000A" + "00" * 11)
    assert isinstance(seen, TubesSeen)
    assert [t.defective for t in seen.tubes] == [False, False, False, True, False]


# --- what is asked beside POLL ---------------------------------------------------------------


def test_changed_wishes_are_sent_at_once_and_again_until_acknowledged(script: Script) -> None:
    script.play([IDLE])
    script.machine.accept(frozenset({1, 3, 9}))
    asked_at = script.now
    script.play([("0C000AFFFF", "-"), IDLE, ("0C000AFFFF", "NAK"), IDLE, ("0C000AFFFF", "ACK")])
    script.play([IDLE, IDLE])
    assert script.now - asked_at < 1.0
    script.machine.accept(frozenset({3, 1, 9}))
    script.play([IDLE])


def test_coins_off_is_a_wish_too(script: Script) -> None:
    script.machine.accept(frozenset())
    script.play([("0C0000FFFF", "ACK"), IDLE])


def test_wishes_made_while_an_answer_is_due(script: Script) -> None:
    assert script.ask() == "0B"
    script.machine.accept(frozenset({0}))
    script.answer("ACK")
    script.play([("0C0001FFFF", "ACK")])


def test_tubes_on_request_even_unchanged(script: Script) -> None:
    script.machine.read_tubes()
    script.play([("0A", "-"), IDLE, ("0A", TUBES, TubesSeen(script.machine._tubes())), IDLE])


def test_tubes_every_minute_and_only_changes_are_told(script: Script) -> None:
    begun = script.now
    readings = [TUBES, TUBES.replace("0A", "09", 1)]
    for text in readings:
        while script.ask() == "0B":
            script.answer("ACK")
        script.answer(text)
    assert 119 < script.now - begun < 122
    (seen,) = script.news
    assert isinstance(seen, TubesSeen)
    assert seen.tubes[0].count == 9


def test_a_tube_status_that_never_makes_sense_does_not_stop_the_polling(script: Script) -> None:
    script.machine.read_tubes()
    polls = 0
    for _ in range(50):
        command = script.ask()
        polls += command == "0B"
        script.answer("01" if command == "0A" else "ACK")
    assert polls >= 20


def test_polling_keeps_its_pace(script: Script) -> None:
    times = []
    for _ in range(20):
        assert script.ask() == "0B"
        times.append(script.now)
        script.answer("ACK")
    gaps = [b - a for a, b in pairwise(times)]
    assert all(abs(gap - EUR.poll_s) < 1e-6 for gap in gaps)


# --- coins moved by hand ---------------------------------------------------------------


def diagnosed(answer: str, **idle: str) -> Script:
    """A level 3 changer whose next diagnostics say `answer`."""
    script = Script()
    script.up(INIT3)
    for _ in range(1000):
        command = script.ask()
        if command == "0F05":
            script.answer(answer)
            return script
        script.answer(idle.get(command, TUBES if command == "0A" else "ACK"))
    raise AssertionError("the diagnostics are never asked for")


LEVELS = tuple(TubeLevel(t, v, 10, False, False) for t, v in enumerate((5, 10, 20, 50, 100)))
FILLED = "0000 0A 0C 0A 0A 0A 00000000000000000000 00"


def test_a_manual_fill_is_fetched_and_the_tubes_tell_what_they_hold() -> None:
    script = diagnosed("0520")
    script.play([("0F06", "00 02"), ("0F07", "00")])
    assert script.ask() == "0A"
    (seen,) = script.answer(FILLED)
    assert isinstance(seen, TubesSeen)
    assert [tube.count for tube in seen.tubes] == [10, 12, 10, 10, 10]
    script.play([IDLE])


def test_a_manual_payout_is_told_once_by_the_poll_and_not_by_its_report() -> None:
    script = diagnosed("0300 0520", **{"0B": "ACK"})
    script.play([("0F06", "00"), ("0F07", "00 00 01"), ("0A", TUBES, TubesSeen(LEVELS)), IDLE])


@pytest.mark.parametrize("bad", ["-", "NAK", "?", "lost"])
def test_a_report_that_does_not_come_is_asked_for_with_the_next_diagnostics(bad: str) -> None:
    script = diagnosed("0520")
    script.play([("0F06", bad), IDLE])
    for _ in range(1000):
        command = script.ask()
        if command == "0F05":
            break
        assert command in ("0B", "0A")
        script.answer(TUBES if command == "0A" else "ACK")
    script.answer("0520")
    script.play([("0F06", "ACK"), ("0F07", "ACK"), ("0A", TUBES, TubesSeen(LEVELS)), IDLE])


def test_reports_are_not_asked_of_a_changer_that_does_not_offer_them() -> None:
    script = Script()
    without = [(c, t.replace("00000007", "00000003") if c == "0F00" else t) for c, t in INIT3]
    without = [("0F01 00000003" if str(c).startswith("0F01") else c, t) for c, t in without]
    script.up(without)
    for _ in range(400):
        command = script.ask()
        assert command not in ("0F06", "0F07")
        script.answer({"0A": TUBES, "0F05": "0520"}.get(command, "ACK"))


# --- a POLL whose answer was lost behind the adapter: nothing tells of its coins but the tubes ----

ONE_MORE = "0000 0A 0A 0B 0A 0A 00000000000000000000 00"
TWO_MORE = "0000 0A 0A 0C 0A 0A 00000000000000000000 00"
BY_HAND = "0000 0A 0A 0F 0A 0A 00000000000000000000 00"
EURO_20 = [CoinIn(2, 20, True, 11), CoinIn(2, 20, True, 12)]


def levels(count: int) -> TubesSeen:
    return TubesSeen(
        tuple(TubeLevel(t.type, t.value, count if t.type == 2 else t.count, False, False)
              for t in LEVELS)
    )  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([("0B", "ACK"), ("0B", "52 0C", EURO_20[1])], id="it was heard: gone"),
        pytest.param(
            [("0B", "52 0B"), ("0B", "52 0C", EURO_20[1])], id="not heard: it comes again"
        ),
        pytest.param([("0B", "52 0B 52 0C", EURO_20[1])], id="again, with another"),
    ],
)
def test_a_coin_whose_report_was_lost_is_one_credit(script: Script, rows: list[Row]) -> None:
    script.play([("0B", "lost"), ("0A", ONE_MORE, EURO_20[0], levels(11)), *rows, IDLE])


def test_coins_that_wait_behind_a_dead_adapter_are_told_once(script: Script) -> None:
    script.play([("0B", "lost"), ("0A", TWO_MORE, *EURO_20, levels(12))])
    script.play([("0B", "52 0B 52 0C"), IDLE, ("0B", "52 0C", EURO_20[1])])


def test_tubes_filled_by_hand_meanwhile_are_nobodys_credit(script: Script) -> None:
    script.play([("0B", "lost"), ("0A", BY_HAND, levels(15)), IDLE])


def test_tubes_that_differ_without_a_loss_are_nobodys_credit(script: Script) -> None:
    script.machine.read_tubes()
    script.play([("0A", ONE_MORE, levels(11)), IDLE])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0000 0A 0A 0A 0A 0A", "0000 0A 0A 0A 0A 0A 01"),  # 2.00 has no tube
        ("0004 0A 0A 00 0A 0A", "0000 0A 0A 03 0A 0A"),  # out of use, and counted anew
        ("0000 0A 0A 0A 0A 0A", "0008 0A 0A 0A 00 0A"),
    ],
)
def test_what_is_no_tube_or_was_out_of_use_tells_of_no_coin(
    script: Script, before: str, after: str
) -> None:
    script.machine.read_tubes()
    script.ask()
    script.answer(before)
    script.play([IDLE, ("0B", "lost")])
    assert script.ask() == "0A"
    assert not any(isinstance(one, CoinIn) for one in script.answer(after))
