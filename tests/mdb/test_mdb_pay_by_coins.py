"""Payout coin by coin as tables, and what is asked of both ways."""

import pytest
from mdb_script import BY_COINS, INIT2, INIT3, TUBES, Row, Script
from payout_script import (
    BUSY,
    IDLE,
    TAKEN,
    coinwise,
    done,
    ends_uncertain,
    out,
    paying,
    settled,
    tubes,
    until_reset,
    value,
)

from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import (
    CoinIn,
    FaultBegan,
    FaultGone,
    PayoutRefused,
)
from vendd.wire.mdb.changer_start import ChangerRules, PayoutWay
from vendd.wire.mdb.payout import Coins

V = "0F0214"  # 100 = 20 units
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
