"""Initialisation as tables: levels 2 and 3, devices that are slow, odd, foreign or gone."""

from itertools import pairwise

import pytest
from mdb_script import (
    IDENT,
    INIT2,
    INIT3,
    SETUP2,
    TUBES,
    Row,
    Script,
)

from vendd.wire.mdb.changer_data import Identity
from vendd.wire.mdb.changer_news import (
    CoinIn,
    CoinKind,
    Description,
    FaultBegan,
    FaultGone,
    Lost,
    PayoutTaken,
    Ready,
    TubeLevel,
)
from vendd.wire.mdb.changer_start import ChangerRules, State

KINDS = tuple(CoinKind(t, v, t < 5) for t, v in enumerate((5, 10, 20, 50, 100, 200)))
LEVELS = tuple(TubeLevel(t, v, 10, False, False) for t, v in enumerate((5, 10, 20, 50, 100)))
WHO = Identity("MEI", "000000000042", "CF7900MDB", "0127", 7)
READY3 = Ready(Description(WHO, 3, "1978", 5, 2), KINDS, LEVELS)
READY2 = Ready(Description(Identity(), 2, "1978", 5, 2), KINDS, LEVELS)
READY3_UNKNOWN = Ready(Description(Identity(), 3, "1978", 5, 2), KINDS, LEVELS)


def test_level_3() -> None:
    script = Script()
    script.play([*INIT3, ("0C0000FFFF", "ACK", READY3), ("0B", "ACK"), ("0B", "ACK")])


def test_level_2_is_not_asked_for_what_it_does_not_have() -> None:
    script = Script()
    script.play([*INIT2, ("0C0000FFFF", "ACK", READY2), ("0B", "ACK")])


def test_every_answer_lost_once() -> None:
    """After silence the same command again; nothing here moves a coin."""
    rows: list[Row] = [("08", "-"), ("0B", "-"), ("0B", "0B")]
    for command, text in INIT3[2:]:
        rows += [(command, "-"), (command, text)]
    script = Script()
    script.play([*rows, ("0C0000FFFF", "-"), ("0C0000FFFF", "ACK", READY3), ("0B", "-")])


@pytest.mark.parametrize("bad", ["NAK", "?", "lost"])
def test_answers_that_are_none_are_asked_for_again(bad: str) -> None:
    rows: list[Row] = [("08", "ACK"), ("0B", bad), ("0B", "0B")]
    for command, text in INIT3[2:]:
        rows += [(command, bad), (command, text)]
    Script().play([*rows, ("0C0000FFFF", bad), ("0C0000FFFF", "ACK", READY3)])


def test_the_tubes_are_not_asked_before_500_ms_after_the_reset() -> None:
    script = Script()
    script.play(INIT3[:2])
    reset_at = script.now
    script.play(INIT3[2:6])
    assert script.ask() == "0A"
    assert script.now - reset_at >= 0.5 - 1e-9


def test_a_reset_without_a_report_is_repeated_and_then_believed() -> None:
    script = Script()
    script.play([("08", "ACK")])
    while (command := script.ask()) == "0B":
        script.answer("ACK")
    assert command == "08"
    script.answer("ACK")
    while (command := script.ask()) == "0B":
        script.answer("ACK")
    assert command == "09"


def test_a_changer_that_runs_already_is_reset_at_once() -> None:
    script = Script()
    script.play([("08", "-"), ("0B", "-"), ("0B", "ACK")])
    while (command := script.ask()) == "0B":
        script.answer("ACK")
    assert command == "08"
    assert script.now < 100.0 + 2.0


def test_silence_means_reset_every_10_s_and_polls_in_between() -> None:
    script = Script()
    resets = []
    while script.now < 160.0:
        command = script.ask()
        if command == "08":
            resets.append(script.now)
        else:
            assert command == "0B"
        script.answer("-")
    assert len(resets) == 6
    assert all(9.9 < b - a < 10.3 for a, b in pairwise(resets))
    assert script.news == [Lost("no answer")]


def test_lost_in_operation_is_told_once_after_2_s_and_ended_by_ready() -> None:
    script = Script()
    script.up()
    silent_at = script.now
    while not script.news:
        assert script.ask() == "0B"
        script.answer("-")
    assert script.news == [Lost("no answer")]
    assert 2.0 <= script.now - silent_at < 2.3
    script.play([("08", "-"), *[("0B", "-")] * 20, ("0B", "0B"), *INIT3[2:]])
    assert script.ask() == "0C003FFFFF", "the coins that were wished for before"
    assert script.answer("ACK") == [READY3]


def test_a_short_silence_is_no_reason_for_anything() -> None:
    script = Script()
    script.up()
    script.play([*[("0B", "-")] * 15, ("0B", "ACK"), *[("0B", "-")] * 15, ("0B", "ACK")])


def test_just_reset_in_operation_initialises_without_another_reset() -> None:
    script = Script()
    script.up()
    script.play([("0B", "ACK"), ("0B", "0B"), *INIT3[2:], ("0C003FFFFF", "ACK", READY3)])


def test_ident_unanswered_degrades_to_level_2() -> None:
    script = Script()
    script.play(INIT3[:3])
    tries = 0
    while (command := script.ask()) == "0F00":
        tries += 1
        script.answer("-")
    assert command == "0A"
    assert 2 <= tries <= 12
    script.answer(TUBES)
    script.play([("0C0000FFFF", "ACK", READY3_UNKNOWN)])


def test_features_refused_are_not_used() -> None:
    script = Script()
    script.play([*INIT3[:4], *[("0F0100000007", "NAK")] * 5, ("0A", TUBES)])
    script.play([("0C0000FFFF", "ACK", READY3)])
    script.machine.pay_out("p", ((0, 1),))
    script.play([("0A", TUBES), ("0D10", "ACK", PayoutTaken("p"))])


def test_no_options_means_no_features_and_no_diagnostics() -> None:
    ident = IDENT[:-8] + "00000000"
    Script().play([*INIT3[:3], ("0F00", ident), ("0F0100000000", "ACK"), ("0A", TUBES)])


@pytest.mark.parametrize("diagnostics", ["ACK", "03", "0300" * 17 + "05", "FF" * 35])
def test_any_diagnostics_answer_will_do(diagnostics: str) -> None:
    Script().play([*INIT3[:5], ("0F05", diagnostics), ("0A", TUBES)])


def test_trailing_bytes_left_out_are_zeros_when_said_twice() -> None:
    setup, tubes = "02 1978 05 02 001F 01 02 04 0A 14 28", "0000 0A 0A 0A"
    script = Script()
    script.play([*INIT2[:2], ("09", setup), ("09", setup), ("0A", tubes), ("0A", tubes)])
    assert script.ask() == "0C0000FFFF"
    (ready,) = script.answer("ACK")
    assert isinstance(ready, Ready)
    assert [t.count for t in ready.tubes] == [10, 10, 10, 0, 0]
    assert ready.coins == KINDS


def test_an_answer_cut_once_is_not_believed() -> None:
    script = Script()
    cut: list[Row] = [("09", "02 1978 05 02 001F 01"), ("09", SETUP2)]
    script.play([*INIT2[:2], *cut, ("0A", "0000 0A"), ("0A", TUBES)])
    script.play([("0C0000FFFF", "ACK", READY2)])


@pytest.mark.parametrize("setup", ["02", "021978050200", "ACK", "NAK"])
def test_a_setup_that_never_comes_means_a_rest_not_a_loop(setup: str) -> None:
    script = Script()
    script.play([*INIT2[:2], *[("09", setup)] * 4])
    assert script.ask() == "09"
    assert script.answer(setup) == [Lost("setup failed")]
    rested_at = script.now
    while script.ask() == "0B":
        script.answer("ACK")
    assert 9.5 < script.now - rested_at < 11.0


MONEY = [
    # currency, scale, decimals, coins, exponent, numeric -> values
    ("1978", "05", "02", "0102040A1428", 2, 978, (5, 10, 20, 50, 100, 200)),
    ("1840", "05", "02", "010205140000", 2, 840, (5, 10, 25, 100)),
    ("0001", "05", "02", "010205140000", 2, 840, (5, 10, 25, 100)),
    ("0049", "0A", "02", "01020A000000", 2, 978, (10, 20, 100)),
    ("0007", "64", "02", "0102050A0000", 2, 643, (100, 200, 500, 1000)),
    ("1392", "0A", "00", "01050A32FF00", 0, 392, (10, 50, 100, 500)),
    ("1978", "01", "01", "010205000000", 2, 978, (10, 20, 50)),
    ("1414", "05", "02", "010200000000", 3, 414, (50, 100)),
    ("1392", "64", "02", "010200000000", 0, 392, (1, 2)),
]


@pytest.mark.parametrize(("bcd", "scale", "decimals", "coins", "exponent", "iso", "values"), MONEY)
def test_values_are_minor_units(
    bcd: str, scale: str, decimals: str, coins: str, exponent: int, iso: int,
    values: tuple[int, ...],
) -> None:  # fmt: skip
    setup = f"02{bcd}{scale}{decimals}001F{coins}" + "00" * 10
    script = Script(ChangerRules(currency=iso, exponent=exponent))
    script.play([*INIT2[:2], ("09", setup), ("0A", TUBES)])
    script.ask()
    (ready,) = script.answer("ACK")
    assert isinstance(ready, Ready)
    assert tuple(kind.value for kind in ready.coins) == values


FOREIGN = [
    "02 1840 05 02 001F 01" + " 00" * 15,  # another currency
    "02 0001 05 02 001F 01" + " 00" * 15,
    "02 19A8 05 02 001F 01" + " 00" * 15,  # no digits
    "02 0000 05 02 001F 01" + " 00" * 15,
    "02 2978 05 02 001F 01" + " 00" * 15,
    "02 1978 05 03 001F 01" + " 00" * 15,  # half a cent
    "02 1978 05 FF 001F 01" + " 00" * 15,
    "02 1978 00 02 001F 01" + " 00" * 15,  # nothing has a value
    "02 1978 05 02 001F FF" + " 00" * 15,
]


@pytest.mark.parametrize("setup", FOREIGN)
def test_foreign_money_makes_it_unusable(setup: str) -> None:
    script = Script()
    script.play(INIT2[:2])
    script.ask()
    fault, lost = script.answer(setup)
    assert isinstance(fault, FaultBegan)
    assert fault.code == "currency_mismatch"
    assert lost == Lost("currency_mismatch")
    script.machine.accept(frozenset(range(6)))
    script.play([("0B", "ACK"), ("0B", "53 11"), ("0B", "ACK")])  # coins stay off, nothing counts
    assert script.machine.state is State.UNUSABLE
    script.play([("0B", "0B"), ("09", SETUP2, FaultGone("currency_mismatch")), ("0A", TUBES)])


@pytest.mark.parametrize("setup", FOREIGN[:1])
def test_one_bad_answer_is_not_for_ever(setup: str) -> None:
    script = Script()
    script.play(INIT2[:2])
    script.ask()
    script.answer(setup)
    for answer in (setup, "-"):  # still wrong, or not heard: nothing is told again
        since = script.now
        while (command := script.ask()) == "0B":
            script.answer("ACK")
        assert 59.0 < script.now - since < 62.0
        assert (command, script.answer(answer)) == ("09", [])
    while script.ask() == "0B":
        script.answer("ACK")
    script.answer(SETUP2)
    script.play([("09", SETUP2, FaultGone("currency_mismatch")), *INIT2[3:]])


def test_a_changer_that_resets_again_and_again_is_left_alone_for_a_while() -> None:
    loop = FaultBegan("changer_reset_loop")
    script = Script()
    script.up()
    for _ in range(2):
        script.play([("0B", "0B"), *INIT3[2:], ("0C003FFFFF", "ACK", READY3)])
    script.play([("0B", "0B", loop)])
    stopped_at = script.now
    script.play([*INIT3[2:], ("0C003FFFFF", "ACK", READY3)])
    assert script.now - stopped_at > 9.9
    while FaultGone(loop.code) not in script.news:
        script.answer({"0A": TUBES, "0F05": "0300"}.get(script.ask(), "ACK"))
    assert script.now - stopped_at > 60.0


# --- a new life beside a changer that lived on -----------------------------------------


def test_a_coin_that_the_last_life_was_not_told_of_is_credited_once_its_value_is_known() -> None:
    """The first POLL comes before the RESET, which may forget what nobody has heard."""
    script = Script(fresh=True)
    script.play([("0B", "45 00"), ("08", "ACK"), ("0B", "0B")])
    script.play([("09", SETUP2, CoinIn(5, 200, False, 0)), ("0A", TUBES)])


def test_a_changer_that_just_started_is_not_reset_again() -> None:
    script = Script(fresh=True)
    script.play([("0B", "0B"), *INIT2[2:], ("0C0000FFFF", "ACK", READY2)])


def test_a_coin_told_beside_the_reset_is_kept_too_and_foreign_ones_are_not() -> None:
    script = Script(fresh=True)
    script.play([("0B", "0B 52 0B"), ("09", SETUP2, CoinIn(2, 20, True, 11)), ("0A", TUBES)])
    script = Script(fresh=True)
    script.play([("0B", "0B 52 0B")])
    script.ask()
    assert not any(isinstance(one, CoinIn) for one in script.answer(FOREIGN[0]))
    script.play([("0B", "0B"), ("09", SETUP2, FaultGone("currency_mismatch")), ("0A", TUBES)])
