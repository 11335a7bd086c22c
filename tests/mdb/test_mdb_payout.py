"""Payouts both ways as tables, and each way they are interrupted.

Tubes 0..4 hold ten coins each of 5, 10, 20, 50, 100; a unit is 5.
"""

from collections.abc import Sequence
from itertools import cycle

import pytest
from mdb_script import BY_COINS, EUR, INIT2, INIT3, TUBES, Row, Script

from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import (
    CoinIn,
    FaultBegan,
    FaultGone,
    Lever,
    Lost,
    News,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
    Ready,
    TubesSeen,
)
from vendd.wire.mdb.changer_start import ChangerRules, PayoutWay, State
from vendd.wire.mdb.payout import Coins

TAKEN = PayoutTaken("p")
IDLE: Row = ("0B", "ACK")
BUSY: Row = ("0B", "02")


def tubes(**counts: int) -> str:
    """TUBE STATUS with other counts than ten: t3=8."""
    levels = [10] * 5 + [0] * 11
    for name, count in counts.items():
        levels[int(name[1:])] = count
    return "0000" + bytes(levels).hex()


def out(reading: str) -> str:
    """The same, tube 3 out of use."""
    return "0008" + reading[4:]


def done(*paid: tuple[int, int], certain: bool = True, why: str = "") -> PayoutDone:
    return PayoutDone("p", paid, certain, why)


def paying(rules: ChangerRules, coins: Coins, init: list[Row] = INIT3) -> Script:
    script = Script(rules)
    script.up(init)
    script.machine.pay_out("p", coins)
    return script


def value(coins: Coins = ((3, 2),)) -> Script:
    return paying(EUR, coins)


def coinwise(coins: Coins = ((3, 2),)) -> Script:
    return paying(BY_COINS, coins)


def settled(script: Script, reading: str) -> None:
    """After a payout the tubes are told, and polling goes on."""
    assert script.ask() == "0A"
    (seen,) = script.answer(reading)
    assert isinstance(seen, TubesSeen)
    script.play([IDLE])
    assert script.machine.state is State.POLLING


# --- by value ---------------------------------------------------------------------------

V = "0F0214"  # 100 = 20 units
STEP: Row = ("0F04", "00")
BY_VALUE: list[tuple[str, list[Row], str]] = [
    (
        "as it should be",
        [("0A", TUBES), (V, "ACK", TAKEN), STEP, ("0F04", "0A"), STEP, BUSY, ("0F04", "0A"),
         ("0F04", "ACK"), ("0F03", "0000000002"[:8]), ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "the changer chooses other coins",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"),
         ("0F03", "0000000001"), ("0A", tubes(t4=9), done((4, 1)))],
        tubes(t4=9),
    ),
    (
        "done before the first question",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "ACK"), ("0F03", "00000002"),
         ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "less than asked for",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "0A"), ("0F04", "ACK"), ("0F03", "00000001"),
         ("0A", tubes(t3=9), done((3, 1), why="short"))],
        tubes(t3=9),
    ),
    (
        "nothing at all, and it says so",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "ACK"), ("0F03", "00"),
         ("0A", TUBES, done(why="short"))],
        TUBES,
    ),
    (
        "jam: 02 04 07, tube out of use",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "0A"), STEP, STEP,
         ("0B", "020407", FaultBegan("tube_sensor"), FaultBegan("tube_jam")), ("0F04", "ACK"),
         ("0F03", "00000001"), ("0A", out(tubes(t3=0)), done((3, 1), why="tube_jam"))],
        out(tubes(t3=0)),
    ),
    (
        "silent while it pays",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "-"), ("0F04", "-"), ("0F04", "-"),
         ("0B", "-"), ("0F04", "14"), ("0F04", "ACK"), ("0F03", "00000002"),
         ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "answer of the command lost, taken up: never sent again",
        [("0A", TUBES), (V, "-"), ("0F04", "0A", TAKEN), ("0F04", "0A"), ("0F04", "ACK"),
         ("0F03", "00000002"), ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "answer of the command lost, done at once: the tubes prove it",
        [("0A", TUBES), (V, "lost"), ("0F04", "ACK"), ("0F03", "00000002"),
         ("0A", tubes(t3=8), TAKEN, done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "report lost: the tubes decide",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"), ("0F03", "lost"),
         ("0F03", "00"), ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "report never answered: the tubes decide",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"), *[("0F03", "?")] * 5,
         ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "report cut short: the tubes decide",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"), ("0F03", "000000"),
         ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "still busy after it had finished",
        [("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"), ("0F03", "ACK"),
         ("0F03", "00000002"), ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "a coin falls into a tube meanwhile",
        [("0A", TUBES), (V, "-"), (*STEP, TAKEN), STEP, STEP,
         ("0B", "02 53 0A", CoinIn(3, 50, True, 10)), ("0F04", "14"), ("0F04", "ACK"),
         ("0F03", "00000002"), ("0A", tubes(t3=9), done((3, 2)))],
        tubes(t3=9),
    ),
    (
        "lever and unknown bytes meanwhile",
        [("0A", TUBES), (V, "ACK", TAKEN), STEP, STEP, STEP, ("0B", "02011F", Lever()),
         ("0F04", "14"), ("0F04", "ACK"), ("0F03", "00000002"), ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "tubes hold something else than we knew: read twice",
        [("0A", tubes(t0=7)), ("0A", tubes(t0=7)), (V, "ACK", TAKEN), ("0F04", "14"),
         ("0F04", "ACK"), ("0F03", "00000002"), ("0A", tubes(t0=7, t3=8), done((3, 2)))],
        tubes(t0=7, t3=8),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("why", "rows", "after"), BY_VALUE, ids=[row[0] for row in BY_VALUE])
def test_by_value(why: str, rows: list[Row], after: str) -> None:
    script = value()
    script.play(rows)
    settled(script, after)


def test_by_value_refused_when_nothing_moved() -> None:
    script = value()
    script.play([("0A", TUBES), (V, "-"), ("0F04", "ACK"), ("0F03", "00")])
    script.play([("0A", TUBES, PayoutRefused("p", "short")), IDLE])


@pytest.mark.parametrize("bad", ["-", "NAK", "?", "01"])
def test_refused_when_the_tubes_cannot_be_read_before(bad: str) -> None:
    for script in (value(), coinwise()):
        script.play([("0A", bad)] * 4)
        script.play([("0A", bad, PayoutRefused("p", "no_tube_status")), IDLE])


def test_more_than_255_units_go_in_parts_of_whole_coins() -> None:
    script = paying(EUR, ((4, 14), (3, 1)))  # 14 * 20 + 10 = 290 units
    script.play([("0A", TUBES), ("0F02F0", "ACK", TAKEN), ("0F04", "F0"), ("0F04", "ACK")])
    script.play([("0F03", "000000000C"), ("0F0232", "ACK"), ("0F04", "32"), ("0B", "ACK")])
    script.play([("0F04", "ACK"), ("0F03", "0000000102")])
    script.play([("0A", tubes(t4=0), done((3, 1), (4, 14)))])


def test_a_short_part_ends_it() -> None:
    script = paying(EUR, ((4, 14),))
    script.play([("0A", TUBES), ("0F02F0", "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK")])
    script.play([("0F03", "0000000001"), ("0A", tubes(t4=9), done((4, 1), why="short"))])


def until_reset(script: Script, answers: dict[str, str]) -> None:
    while (command := script.ask()) != "08":
        assert script.answer(answers.get(command, "02")) in ([], [TAKEN])


REINIT: list[Row] = [*INIT3[:6]]


def ends_uncertain(
    script: Script, reading: str, outcome: PayoutDone, taken: Sequence[News] = ()
) -> None:
    """RESET is on the table: after the new start the tubes tell, then it is ready again."""
    script.answer("ACK")
    script.play([*REINIT[1:], ("0A", reading)])
    assert script.ask() == "0C003FFFFF"
    *told, ready = script.answer("ACK")
    assert told == [*taken, outcome]
    assert isinstance(ready, Ready)
    assert script.machine.state is State.POLLING


@pytest.mark.parametrize("endless", ["00", "02", "FF"])
def test_a_value_poll_that_never_ends_is_ended_by_a_reset(endless: str) -> None:
    """The Coges Aeterna does that."""
    script = value()
    begun = script.now
    until_reset(script, {"0A": TUBES, V: "ACK", "0F04": endless})
    assert script.now - begun < 20.0
    ends_uncertain(script, tubes(t3=8), done((3, 2), certain=False, why="overdue"))


def test_a_payout_has_a_last_minute_whatever_the_progress() -> None:
    script = paying(EUR, ((0, 10),) * 20)
    begun = script.now
    steps = cycle(["01", "00", "00", "00", "00"])
    while (command := script.ask()) != "08":
        script.answer({"0A": TUBES, "0F02C8": "ACK"}.get(command) or next(steps))
    assert 70 < script.now - begun < 80


def test_just_reset_in_the_middle_by_value() -> None:
    script = value()
    script.play([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "0A"), STEP, STEP, ("0B", "0B")])
    script.play([*INIT3[2:6], ("0A", tubes(t3=9))])
    assert script.ask() == "0C003FFFFF"
    told, ready = script.answer("ACK")
    assert told == done((3, 1), certain=False, why="reset")
    assert isinstance(ready, Ready)


def when_silent(script: Script) -> list[object]:
    """The first news when nothing answers any more."""
    while script.ask():
        if news := script.answer("-"):
            return list(news)
    raise AssertionError


@pytest.mark.parametrize(("script", "command"), [(value(), V), (coinwise(), "0D13")])
def test_unplugged_in_the_middle(script: Script, command: str) -> None:
    script.play([("0A", TUBES), (command, "ACK", TAKEN)])
    assert when_silent(script) == [done(certain=False, why="no answer"), Lost("no answer")]


def test_unplugged_after_the_reset_of_a_stuck_payout() -> None:
    script = value()
    until_reset(script, {"0A": TUBES, V: "ACK", "0F04": "00"})
    script.answer("-")
    assert when_silent(script) == [done(certain=False, why="overdue"), Lost("no answer")]


def test_unplugged_before_anything_was_sent() -> None:
    script = value()
    assert when_silent(script) == [PayoutRefused("p", "no_tube_status")]


def test_saturated_tubes_cannot_contradict_the_report() -> None:
    script = value()
    script.machine.poll.levels = script.machine.poll.levels.__class__(0, (255,) * 16)
    full = tubes(t0=255, t1=255, t2=255, t3=255, t4=255)
    script.play([("0A", full), ("0A", full), (V, "ACK", TAKEN), ("0F04", "0A"), ("0F04", "ACK")])
    script.play([("0F03", "00000002"), ("0A", full, done((3, 2)))])


def test_no_evidence_at_all_is_unclear() -> None:
    script = value()
    full = tubes(t3=255)
    script.play([("0A", full), ("0A", full), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK")])
    script.play([*[("0F03", "-")] * 5, ("0A", full)])
    assert script.ask() == "08"
    ends_uncertain(script, full, done(certain=False, why="unclear"))


# --- coin by coin ---------------------------------------------------------------------------

D = "0D13"
SECOND: list[Row] = [(D, "ACK"), BUSY, IDLE, ("0A", tubes(t3=8), done((3, 2)))]
ONE_COIN: list[tuple[str, list[Row], str]] = [
    (
        "as it should be",
        [("0A", TUBES), (D, "ACK", TAKEN), BUSY, BUSY, IDLE, ("0A", tubes(t3=9)), *SECOND],
        tubes(t3=8),
    ),
    (
        "silent while it pays",
        [("0A", TUBES), (D, "ACK", TAKEN), *[("0B", "-")] * 15, IDLE, ("0A", tubes(t3=9)), *SECOND],
        tubes(t3=8),
    ),
    (
        "busy 0A counts as busy",
        [("0A", TUBES), (D, "ACK", TAKEN), ("0B", "0A"), IDLE, ("0A", tubes(t3=9)), *SECOND],
        tubes(t3=8),
    ),
    (
        "answer of the command lost, coin fell: not sent again for it",
        [("0A", TUBES), (D, "-"), (*BUSY, TAKEN), IDLE, ("0A", tubes(t3=9)), *SECOND],
        tubes(t3=8),
    ),
    (
        "answer of the command lost, coin fell at once",
        [("0A", TUBES), (D, "-"), IDLE, ("0A", tubes(t3=9), TAKEN), *SECOND],
        tubes(t3=8),
    ),
    (
        "command lost: sent again only after three unchanged readings",
        [("0A", TUBES), (D, "-"), IDLE, *[("0A", TUBES)] * 3, (D, "ACK", TAKEN), BUSY, IDLE,
         ("0A", tubes(t3=9)), *SECOND],
        tubes(t3=8),
    ),
    (
        "counts that follow late",
        [("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", TUBES), ("0A", tubes(t3=9)), *SECOND],
        tubes(t3=8),
    ),
    (
        "coin stays: over, and the rest is told as not paid",
        [("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", TUBES), ("0A", TUBES),
         ("0A", TUBES, done(why="short"))],
        TUBES,
    ),
    (
        "second coin stays",
        [("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", tubes(t3=9)), (D, "ACK"), IDLE,
         *[("0A", tubes(t3=9))] * 2, ("0A", tubes(t3=9), done((3, 1), why="short"))],
        tubes(t3=9),
    ),
    (
        "jam: tube out of use says nothing about its coins",
        [("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", tubes(t3=9)), (D, "ACK"),
         ("0B", "020407", FaultBegan("tube_sensor"), FaultBegan("tube_jam")), IDLE,
         *[("0A", out(tubes(t3=0)))] * 2,
         ("0A", out(tubes(t3=0)), done((3, 1), why="tube_jam"))],
        out(tubes(t3=0)),
    ),
    (
        "a coin of the same type falls in meanwhile",
        [("0A", TUBES), (D, "ACK", TAKEN), ("0B", "02 53 0B", CoinIn(3, 50, True, 11)), IDLE,
         ("0A", TUBES), (D, "ACK"), IDLE, ("0A", tubes(t3=9), done((3, 2)))],
        tubes(t3=9),
    ),
    (
        "a reading that can't be, once",
        [("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", tubes(t0=2, t3=9)), ("0A", tubes(t3=9)),
         *SECOND],
        tubes(t3=8),
    ),
    (
        "two coins fell for one command",
        [("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", tubes(t3=8)),
         ("0A", tubes(t3=8), done((3, 2)))],
        tubes(t3=8),
    ),
    (
        "another coin fell than the one asked for: stop",
        [("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", tubes(t2=9)),
         ("0A", tubes(t2=9), done((2, 1), why="short"))],
        tubes(t2=9),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("why", "rows", "after"), ONE_COIN, ids=[row[0] for row in ONE_COIN])
def test_by_coins(why: str, rows: list[Row], after: str) -> None:
    script = coinwise()
    script.play(rows)
    settled(script, after)


def test_by_coins_refused_when_the_command_never_gets_through() -> None:
    script = coinwise(((3, 1),))
    attempt: list[Row] = [(D, "NAK"), IDLE, *[("0A", TUBES)] * 3]
    script.play([("0A", TUBES), *attempt, *attempt, *attempt[:-1]])
    script.play([("0A", TUBES, PayoutRefused("p", "short")), IDLE])


def test_level_2_pays_by_coins_whatever_the_config_prefers() -> None:
    script = paying(ChangerRules(978, 2, payout=PayoutWay.VALUE), ((0, 1),), INIT2)
    script.play([("0A", TUBES), ("0D10", "ACK", TAKEN)])


def test_busy_for_ever_is_ended_by_a_reset() -> None:
    script = coinwise()
    begun = script.now
    until_reset(script, {"0A": TUBES, D: "ACK", "0B": "02"})
    assert 4.0 < script.now - begun < 8.0
    ends_uncertain(script, tubes(t3=9), done((3, 1), certain=False, why="overdue"))


def test_what_was_proven_before_a_reset_counts_with_what_the_tubes_say_after_it() -> None:
    script = coinwise(((3, 3),))
    script.play([("0A", TUBES), (D, "ACK", TAKEN), IDLE, ("0A", tubes(t3=9)), (D, "ACK")])
    script.play([("0B", "020B"), *INIT3[2:6], ("0A", tubes(t3=8))])
    assert script.ask() == "0C003FFFFF"
    assert script.answer("ACK")[0] == done((3, 2), certain=False, why="reset")


def test_saturated_tube_by_coins_believes_the_changer() -> None:
    script = coinwise(((3, 1),))
    full = tubes(t3=255)
    script.play([("0A", full), ("0A", full), (D, "ACK", TAKEN), BUSY, IDLE])
    script.play([("0A", full, done((3, 1)))])


def test_saturated_tube_and_a_lost_answer_is_unclear() -> None:
    script = coinwise(((3, 1),))
    full = tubes(t3=255)
    script.play([("0A", full), ("0A", full), (D, "-"), IDLE, *[("0A", full)] * 3])
    assert script.ask() == "08"
    ends_uncertain(script, full, done(certain=False, why="unclear"), taken=[TAKEN])


def test_a_payout_that_works_ends_the_jam() -> None:
    script = Script(BY_COINS)
    script.up()
    script.play([("0B", "07", FaultBegan("tube_jam"))])
    assert script.ask() == "0A"
    script.answer(TUBES)
    script.machine.pay_out("p", ((3, 1),))
    script.play([("0A", TUBES), (D, "ACK", TAKEN), IDLE])
    script.play([("0A", tubes(t3=9), FaultGone("tube_jam"), done((3, 1)))])


# --- orders -------------------------------------------------------------------------------


@pytest.mark.parametrize("coins", [(), ((0, 0),), ((9, 1),), ((16, 1),), ((-1, 1),)])
def test_no_such_coins(coins: Coins) -> None:
    script = Script()
    script.up()
    with pytest.raises(Declined):
        script.machine.pay_out("p", coins)
    script.play([IDLE])


def test_one_at_a_time_and_only_when_ready() -> None:
    script = Script()
    with pytest.raises(Declined):
        script.machine.pay_out("p", ((0, 1),))
    script.up()
    script.machine.pay_out("p", ((0, 1),))
    with pytest.raises(Declined):
        script.machine.pay_out("q", ((0, 1),))


def test_coins_go_off_before_a_payout_and_in_it() -> None:
    script = value()
    script.machine.accept(frozenset())
    script.play([("0C0000FFFF", "ACK"), ("0A", TUBES), (V, "ACK", TAKEN)])
    script.machine.accept(frozenset({1}))
    script.play([("0C0002FFFF", "-"), ("0F04", "14"), ("0C0002FFFF", "ACK"), ("0F04", "ACK")])


def test_withdrawn_before_a_coin_could_move() -> None:
    script = value()
    assert script.machine.withdraw("p")
    script.play([IDLE])
    script.machine.pay_out("p", ((3, 2),))
    assert script.ask() == "0A"
    assert not script.machine.withdraw("other")
    assert script.machine.withdraw("p")
    script.answer(TUBES)
    script.play([IDLE])


def test_too_late_to_withdraw() -> None:
    script = value()
    script.play([("0A", TUBES), (V, "ACK", TAKEN)])
    assert not script.machine.withdraw("p")
