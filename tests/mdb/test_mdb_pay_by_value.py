"""Alternative payout as tables, and each way it is interrupted."""

from itertools import cycle

import pytest
from mdb_script import EUR, INIT3, TUBES, Row, Script
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
    when_silent,
)

from vendd.wire.mdb.changer_news import (
    CoinIn,
    FaultBegan,
    Lever,
    Lost,
    PayoutRefused,
    Ready,
)

V = "0F0214"  # 100 = 20 units
STEP: Row = ("0F04", "00")


def looked(rows: list[Row]) -> list[Row]:
    """What the tubes say is odd: a POLL may explain it, and they are read again."""
    *before, (command, text, *news) = rows
    return [*before, (command, text), IDLE, (command, text, *news)]


BY_VALUE: list[tuple[str, list[Row], str]] = [
    (
        "as it should be",
        looked([("0A", TUBES), (V, "ACK", TAKEN), STEP, ("0F04", "0A"), STEP, BUSY, ("0F04", "0A"),
         ("0F04", "ACK"), ("0F03", "0000000002"[:8]), ("0A", tubes(t3=8), done((3, 2)))]),
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
        looked([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "0A"), ("0F04", "ACK"),
         ("0F03", "00000001"), ("0A", tubes(t3=9), done((3, 1), why="short"))]),
        tubes(t3=9),
    ),
    (
        "nothing at all, and it says so",
        looked([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "ACK"), ("0F03", "00"),
         ("0A", TUBES, done(why="short"))]),
        TUBES,
    ),
    (
        "jam: 02 04 07, tube out of use",
        looked([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "0A"), STEP, STEP,
         ("0B", "020407", FaultBegan("tube_sensor"), FaultBegan("tube_jam")), ("0F04", "ACK"),
         ("0F03", "00000001"), ("0A", out(tubes(t3=0)), done((3, 1), why="tube_jam"))]),
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
        looked([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"), ("0F03", "lost"),
         ("0F03", "00"), ("0A", tubes(t3=8), done((3, 2)))]),
        tubes(t3=8),
    ),
    (
        "report never answered: the tubes decide",
        looked([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"),
         *[("0F03", "?")] * 5, ("0A", tubes(t3=8), done((3, 2)))]),
        tubes(t3=8),
    ),
    (
        "report cut short: the tubes decide",
        looked([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK"),
         ("0F03", "000000"), ("0A", tubes(t3=8), done((3, 2)))]),
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


def test_a_jam_that_is_told_after_the_end_explains_it() -> None:
    script = value()
    script.play([("0A", TUBES), (V, "ACK", TAKEN), ("0F04", "0A"), ("0F04", "ACK")])
    script.play([("0F03", "00000001"), ("0A", tubes(t3=9))])
    script.play([("0B", "0407", FaultBegan("tube_sensor"), FaultBegan("tube_jam"))])
    script.play([("0A", tubes(t3=9), done((3, 1), why="tube_jam"))])


def test_by_value_refused_when_nothing_moved() -> None:
    script = value()
    script.play([("0A", TUBES), (V, "-"), ("0F04", "ACK"), ("0F03", "00")])
    script.play([*looked([("0A", TUBES, PayoutRefused("p", "short"))]), IDLE])


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
    script.play(looked([("0A", tubes(t4=0), done((3, 1), (4, 14)))]))


def test_a_short_part_ends_it() -> None:
    script = paying(EUR, ((4, 14),))
    script.play([("0A", TUBES), ("0F02F0", "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK")])
    script.play([("0F03", "0000000001"), *looked([("0A", tubes(t4=9), done((4, 1), why="short"))])])


@pytest.mark.parametrize("endless", ["00", "02", "FF"])
def test_a_value_poll_that_never_ends_is_ended_by_a_reset(endless: str) -> None:
    """The Coges Aeterna does that."""
    script = value()
    begun = script.now
    until_reset(script, {"0A": TUBES, V: "ACK", "0F04": endless})
    assert script.now - begun < 13.0
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
    script.play([("0F03", "00000002"), *looked([("0A", full, done((3, 2)))])])


def test_no_evidence_at_all_is_unclear() -> None:
    script = value()
    full = tubes(t3=255)
    script.play([("0A", full), ("0A", full), (V, "ACK", TAKEN), ("0F04", "14"), ("0F04", "ACK")])
    script.play([*[("0F03", "-")] * 5, *looked([("0A", full)])])
    assert script.ask() == "08"
    ends_uncertain(script, full, done(certain=False, why="unclear"))
