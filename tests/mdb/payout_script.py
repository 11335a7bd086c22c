"""Payouts as tables: what the tests of both ways share.

Tubes 0..4 hold ten coins each of 5, 10, 20, 50, 100; a unit is 5.
"""

from collections.abc import Sequence

from mdb_script import BY_COINS, EUR, INIT3, Row, Script

from vendd.wire.mdb.changer_news import (
    News,
    PayoutDone,
    PayoutTaken,
    Ready,
    TubesSeen,
)
from vendd.wire.mdb.changer_start import ChangerRules, State
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


def until_reset(script: Script, answers: dict[str, str]) -> None:
    while (command := script.ask()) != "08":
        assert script.answer(answers.get(command, "02")) in ([], [TAKEN])


def ends_uncertain(
    script: Script, reading: str, outcome: PayoutDone, taken: Sequence[News] = ()
) -> None:
    """RESET is on the table: after the new start the tubes tell, then it is ready again."""
    script.answer("ACK")
    script.play([*INIT3[1:6], ("0A", reading)])
    assert script.ask() == "0C003FFFFF"
    *told, ready = script.answer("ACK")
    assert told == [*taken, outcome]
    assert isinstance(ready, Ready)
    assert script.machine.state is State.POLLING


def when_silent(script: Script) -> list[object]:
    """The first news when nothing answers any more."""
    while script.ask():
        if news := script.answer("-"):
            return list(news)
    raise AssertionError
