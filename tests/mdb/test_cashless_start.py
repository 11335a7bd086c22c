"""Initialisation as tables: levels 1 to 3, slow, odd and foreign devices, resets, silence."""

from dataclasses import replace
from itertools import pairwise

import pytest
from cashless_script import (
    CONFIG1,
    EUR,
    IDENTITY,
    INIT1,
    INIT2,
    INIT3,
    LEVEL2,
    PLAIN,
    READY1,
    READY3,
    VMC,
    WHO,
    WIDE,
    CardScript,
    card,
)
from mdb_script import Row

from vendd.wire.mdb.cashless import State
from vendd.wire.mdb.cashless_news import (
    FaultBegan,
    FaultGone,
    Lost,
    ReaderDescription,
    ReaderReady,
    VendTaken,
)
from vendd.wire.mdb.changer_data import Identity

SLOW = "01 01 1978 01 02 1E 01"  # 30 s


def test_level_1() -> None:
    CardScript(PLAIN).play([*INIT1[:-1], (*INIT1[-1], READY1), ("12", "ACK"), ("12", "ACK")])


def test_level_1_then_enabled() -> None:
    script = CardScript(PLAIN)
    script.machine.enable(True)
    script.play([*INIT1[:-1], (*INIT1[-1], READY1), ("1401", "ACK"), ("12", "ACK")])
    assert script.machine.state is State.ENABLED


def test_level_3_with_expanded_currency_and_always_idle() -> None:
    CardScript().play([*INIT3, (*WIDE, READY3), ("12", "ACK")])


def test_level_3_without_options() -> None:
    who = replace(IDENTITY, options=0)
    ready = ReaderReady(ReaderDescription(who, 3, "1978", 1, 2, 5, True, True, True, False, False))
    CardScript().play([*INIT3[:4], ("1700" + VMC, "09" + WHO + "00000000", ready)])


def test_level_2() -> None:
    ready = ReaderReady(
        ReaderDescription(IDENTITY, 2, "1978", 1, 2, 5, True, True, False, False, False)
    )
    script = CardScript(LEVEL2)
    script.machine.enable(True)
    script.play([*INIT2[:-1], (*INIT2[-1], ready), ("1401", "ACK"), ("12", "ACK")])


def test_level_3_in_16_bits_when_that_is_wished_for() -> None:
    script = CardScript(replace(EUR, wide=False, always_idle=False))
    who = replace(IDENTITY, options=0x22)
    ready = ReaderReady(ReaderDescription(who, 3, "1978", 1, 2, 5, True, True, True, False, False))
    script.play([*INIT3[:4], (*INIT3[4], ready), ("12", "ACK")])


def test_level_3_asked_level_2_answered() -> None:
    ready = ReaderReady(
        ReaderDescription(IDENTITY, 2, "1978", 1, 2, 5, True, True, False, False, False)
    )
    rows: list[Row] = [
        *INIT3[:2],
        ("1100 03 000001", "01 02 1978 01 02 05 03"),
        INIT3[3],
        ("1700" + VMC, "09" + WHO, ready),
    ]
    CardScript().play(rows)


def test_second_device_speaks_at_60() -> None:
    rows = [(f"{int(c[:2], 16) + 0x50:02X}" + c[2:], t) for c, t in INIT1]  # type: ignore[index]
    script = CardScript(replace(PLAIN, number=2))
    script.machine.enable(True)
    script.play([*rows[:-1], (*rows[-1], READY1), ("6401", "ACK"), ("62", "ACK")])


def test_everything_on_poll() -> None:
    """Field note 11: the configuration and the identification come later."""
    rows: list[Row] = [
        ("10", "-"),
        ("12", "-"),
        ("12", "ACK"),
        *[("12", "ACK")] * 8,
        ("10", "ACK"),
        ("12", "-"),
        ("12", "00"),
        ("1100 01 000001", "ACK"),
        ("12", "ACK"),
        ("12", CONFIG1),
        ("1101 FFFF 0000", "ACK"),
        ("1700" + VMC, "ACK"),
        ("12", "ACK"),
        ("12", "09" + WHO, READY1),
    ]
    CardScript(PLAIN).play(rows)


def test_just_reset_as_the_answer_to_reset() -> None:
    CardScript(PLAIN).play([("10", "00"), *INIT1[2:4], (*INIT1[4], READY1)])


@pytest.mark.parametrize("bad", ["-", "NAK", "?", "lost"])
def test_every_answer_lost_once(bad: str) -> None:
    rows: list[Row] = [("10", "ACK"), ("12", bad), ("12", "00")]
    for command, text in INIT1[2:]:
        rows += [(command, bad)]
        if bad != "NAK":
            rows += [("12", "ACK")]
        rows += [(command, text)]
    CardScript(PLAIN).play([*rows[:-1], (*rows[-1], READY1)])


def test_a_device_that_cannot_identify_itself_is_used_without() -> None:
    ready = ReaderReady(
        ReaderDescription(Identity(), 1, "1978", 1, 2, 5, True, False, False, False, False)
    )
    rows = [*INIT1[:4], *[("1700" + VMC, "NAK")] * 4, ("1700" + VMC, "NAK", ready)]
    CardScript(PLAIN).play(rows)


def test_prices_as_known_and_again_when_they_change() -> None:
    script = CardScript(PLAIN)
    script.machine.show_prices(350, 100)
    script.play([*INIT1[:3], ("1101 015E 0064", "ACK"), (*INIT1[4], READY1), ("12", "ACK")])
    script.machine.show_prices(400, 100)
    script.play([("1101 0190 0064", "-"), ("12", "ACK"), ("1101 0190 0064", "ACK"), ("12", "ACK")])


def test_prices_rounded_outwards_to_the_scale_of_the_reader() -> None:
    script = CardScript(PLAIN)
    script.machine.show_prices(155, 104)
    config = "01 01 1978 0A 02 05 01"  # ten cents
    script.play([*INIT1[:2], (INIT1[2][0], config), ("1101 0010 000A", "ACK")])


def test_a_foreign_currency_is_not_used_and_said_once() -> None:
    script = CardScript(PLAIN)
    wrong = "01 01 1840 01 02 05 01"
    fault = FaultBegan("currency_mismatch", "reader says 1840, machine has 978")
    script.play([*INIT1[:2], (INIT1[2][0], wrong, fault, Lost("currency_mismatch"))])
    script.play([("12", "ACK")] * 50)
    assert script.machine.state is State.UNUSABLE
    right = (*INIT1[2], FaultGone("currency_mismatch"))
    script.play([("12", "00"), right, INIT1[3], (*INIT1[4], READY1)])


def test_one_bad_answer_is_not_for_ever() -> None:
    script = CardScript(PLAIN)
    wrong = "01 01 1840 01 02 05 01"
    fault = FaultBegan("currency_mismatch", "reader says 1840, machine has 978")
    script.play([*INIT1[:2], (INIT1[2][0], wrong, fault, Lost("currency_mismatch"))])
    for _ in range(2):  # still wrong: nothing is told again
        since = script.now
        script.until("10")
        assert 59.0 < script.now - since < 62.0
        script.answer("ACK")
        script.play([("12", "00"), (INIT1[2][0], wrong)])
    script.until("10")
    script.answer("ACK")
    right = (*INIT1[2], FaultGone("currency_mismatch"))
    script.play([("12", "00"), right, INIT1[3], (*INIT1[4], READY1)])


def test_an_undefined_currency_is_ours() -> None:
    script = CardScript(PLAIN)
    script.play([*INIT1[:2], (INIT1[2][0], "01 01 FFFF 01 02 05 01"), INIT1[3]])


def test_silence_means_reset_every_10_s_and_one_report() -> None:
    script = card()
    silent_at = script.now
    resets = []
    while script.now < silent_at + 60:
        command = script.ask()
        if command == "10":
            resets.append(script.now)
        else:
            assert command == "12"
        script.answer("-")
    assert script.news == [Lost("no answer")]
    assert 5.0 <= resets[0] - silent_at < 5.3
    assert all(9.9 < b - a < 10.3 for a, b in pairwise(resets))


def test_non_response_time_is_the_readers_own_when_larger() -> None:
    script = card(rules=PLAIN, init=[*INIT1[:2], (INIT1[2][0], SLOW), *INIT1[3:]])
    silent_at = script.now
    while not script.news:
        assert script.ask() == "12"
        script.answer("-")
    assert 30.0 <= script.now - silent_at < 30.3


def test_just_reset_in_operation_is_no_reason_for_another_reset() -> None:
    script = card()
    script.play([("12", "00"), *INIT1[2:4], (*INIT1[4], READY1), ("1401", "ACK"), ("12", "ACK")])


def test_a_reader_that_does_not_take_reset_for_news_is_reset_again_then_believed() -> None:
    script = CardScript(PLAIN)
    script.play([("10", "ACK")])
    start = script.now
    script.until("10")
    assert 5.0 <= script.now - start < 5.5
    script.answer("ACK")
    script.until("1100 01 000001")


def test_reset_loops_are_slowed_down_and_the_level_lowered() -> None:
    """Field note 10."""
    script = CardScript()
    script.play([("10", "ACK"), ("12", "00")])
    times = []
    for _ in range(8):
        command = script.ask()
        assert command.startswith("1100")
        times.append((script.now, command))
        script.answer("00")  # repeats the report: still the same start
        assert script.ask().startswith("1100")
        script.answer("0B")
        while script.ask() != "10":
            script.answer("ACK")
        script.answer("ACK")
        assert script.ask() == "12"
        script.answer("00")
    assert any(isinstance(n, FaultBegan) and n.code == "reader_reset_loop" for n in script.news)
    assert {c[4:6] for _, c in times} > {"03", "02"}
    assert times[-1][0] - times[0][0] > 30


def test_setup_refused_rests_and_degrades() -> None:
    script = CardScript()
    script.play([*INIT3[:2], *[("1100 03 000001", "NAK")] * 4])
    script.play([("1100 03 000001", "NAK", Lost("setup failed"))])
    failed_at = script.now
    script.until("10")
    assert script.now - failed_at >= 9.9
    script.play([])
    script.answer("ACK")
    script.play([("12", "00"), ("1100 02 000001", CONFIG1)])


def test_out_of_sequence_in_operation_resets() -> None:
    script = card()
    script.play([("12", "0B")])
    script.until("10")
    script.answer("ACK")
    script.play([("12", "00"), *INIT1[2:4], (*INIT1[4], READY1), ("1401", "ACK")])


def test_enable_and_disable_are_repeated_until_heard() -> None:
    script = card()
    script.play([("12", "ACK"), ("DO", "enable", False), ("1400", "-"), ("12", "ACK")])
    script.play([("1400", "NAK"), ("12", "ACK"), ("1400", "ACK"), ("12", "ACK")])
    script.play([("DO", "enable", True), ("1401", "lost"), ("12", "ACK"), ("1401", "ACK")])


def test_a_lost_answer_at_rest_makes_sure_that_it_is_enabled() -> None:
    """It may have been JUST RESET; a reader that is not set up refuses the enable."""
    script = card()
    script.play([("12", "lost"), ("1401", "0B"), ("12", "ACK")])
    script.until("10")


def test_whole_level_1_life_with_another_money() -> None:
    """Scale 5, two decimals, in a machine that counts in thousandths."""
    rules = replace(EUR, exponent=3, level=1)
    config = "01 01 FFFF 05 02 05 01"
    script = CardScript(rules).up([*INIT1[:2], (INIT1[2][0], config), *INIT1[3:]])
    assert script.ask() == "12"
    script.answer("03 0014")
    script.machine.request("v", 1500, 7)
    script.play([("1300 001E 0007", "05 0014", VendTaken("v", 1000))])
