"""A coin acceptor's machine: start, credit, inhibits, faults, power. Tables in hex."""

import pytest
from cctalk_script import Script

from vendd.wire.cctalk.codes import Identity
from vendd.wire.cctalk.coin_acceptor import CoinAcceptorMachine, CoinRules
from vendd.wire.cctalk.contact import Phase
from vendd.wire.cctalk.news import (
    CoinIn,
    CoinKind,
    CoinOut,
    CoinsReady,
    EventsLost,
    FaultBegan,
    FaultGone,
    Lever,
    Lost,
)

ZERO = "00" * 11
EMPTY_ID = "2E2E2E2E2E2E"
KINDS = (CoinKind(1, 200, "EU200A"), CoinKind(2, 100, "EU100B"), CoinKind(6, 10, "EU010A"))
# request, answer, meaning: from power-on to the first credit reading
START = [
    ("FE", "ACK", "there it is"),
    ("F5", "436F696E204163636570746F72", "Coin Acceptor"),
    ("F6", "41636D65", "Acme"),
    ("F4", "53523569", "SR5i"),
    ("F1", "56312E30", "V1.0"),
    ("F2", "4E61BC", "12345678"),
    ("E7 0000", "ACK", "everything off, whatever it remembers"),
    ("B8 01", "455532303041", "EU200A"),
    ("B8 02", "455531303042", "EU100B"),
    ("B8 03", "474231303041", "GB100A: not this machine's money"),
    ("B8 04", EMPTY_ID, "nothing there"),
    ("B8 05", "546F6B656E20", "a token"),
    ("B8 06", "455530313041", "EU010A"),
    ("B8 07", "-", "it knows no more positions"),
    *((f"B8 {n:02X}", EMPTY_ID, "nothing there") for n in range(8, 17)),
    ("E6", "0000", "it tells its inhibits"),
    ("E8", "00", "all well"),
]
USUAL = {request: answer for request, answer, _ in START} | {"E5": ZERO}
IDENTITY = Identity("Acme", "SR5i", "12345678", "V1.0")


def events(counter: int, *pairs: tuple[int, int]) -> str:
    """A buffer, newest first; what is not given never happened."""
    filled = [*pairs, *[(0, 0)] * 5][:5]
    return bytes([counter, *(b for pair in filled for b in pair)]).hex()


def running(wanted: frozenset[int] = frozenset({1, 2, 6}), first: str = ZERO) -> Script:
    """A machine in operation, with its inhibits set and its first self-check done."""
    script = Script(CoinAcceptorMachine(CoinRules("EU")), USUAL)
    script.machine.accept(wanted)
    script.until("E5")
    script.answer(first)
    script.usual["E5"] = first
    script.usual["E6"] = "2300"
    script.until("E8")
    script.answer("00")
    return script


def test_the_whole_start() -> None:
    script = Script(CoinAcceptorMachine(CoinRules("EU")))
    script.rows((request, answer) for request, answer, _ in START)
    script.rows(
        [
            ("E5", ZERO, CoinsReady(IDENTITY, KINDS, 0)),
            ("E4 01", "ACK"),
            ("E5", ZERO),
            ("E8", "00"),
            ("E5", ZERO),
        ]
    )
    script.machine.accept(frozenset({2, 6, 9}))  # 9 has no value and stays off
    script.row("E7 2200", "ACK")
    script.row("E5", ZERO)


def test_every_worked_credit_reading() -> None:
    """The readings of the specification's acceptor conversation, coin 1 and 5 known."""
    script = running(first=events(0))
    script.rows(
        [
            ("E5", "0101050000000000000000", CoinIn(1, 200, 5)),
            ("E5", "0201050105000000000000", CoinIn(1, 200, 5)),
            (
                "E5",
                "0305050105010500000000",
                FaultBegan("unknown_coin", "position 5 has no value"),
            ),
            ("E5", "0400010505010501050000", CoinOut("rejected")),
        ]
    )


# last reading, next reading (twice where it is doubted), news
COUNTERS = [
    (events(23, (1, 1)), [events(23, (1, 1))], []),
    (
        events(102, (1, 0)),
        [events(104, (6, 0), (2, 0), (1, 0))],
        [CoinIn(2, 100, 0), CoinIn(6, 10, 0)],
    ),
    (
        events(255, *[(1, 0)] * 5),
        [events(1, (2, 3), *[(1, 0)] * 4)],
        [CoinIn(2, 100, 3)],
    ),
    (events(253), [events(3, *[(6, 1)] * 5)], [CoinIn(6, 10, 1)] * 5),
    (
        events(48),
        [events(54, *[(6, 1)] * 5)] * 2,
        [*[CoinIn(6, 10, 1)] * 5, EventsLost(1), FaultBegan("credits_lost", "1 events unread")],
    ),
    (events(67, (1, 1)), [events(0)] * 2, [EventsLost(None)]),
    (
        events(67, *[(1, 1)] * 5),
        [events(2, (6, 1), (0, 1))] * 2,
        [CoinOut("rejected"), CoinIn(6, 10, 1), EventsLost(None)],
    ),
    (events(9, (1, 1)), [events(9, (2, 2))] * 2, []),
    (events(9, (1, 1)), ["0A0102", ZERO + "00"], []),
]


@pytest.mark.parametrize(("before", "readings", "news"), COUNTERS)
def test_event_counters(before: str, readings: list[str], news: list[object]) -> None:
    script = running(first=before)
    told: list[object] = []
    for reading in readings:
        assert script.ask() == "E5"
        told += script.answer(reading)
    assert told == news


@pytest.mark.parametrize(
    ("code", "news"),
    [
        (1, [CoinOut("rejected")]),
        (25, [CoinOut("slug")]),
        (36, [CoinOut("lost")]),
        (133, [CoinOut("rejected", 6)]),
        (254, [Lever()]),
        (14, [FaultBegan("coin_jam", "error 14")]),
        (20, [CoinOut("rejected"), FaultBegan("coin_fraud", "error 20")]),
        (0, []),
    ],
)
def test_error_events(code: int, news: list[object]) -> None:
    script = running()
    script.row("E5", events(1, (0, code)), *news)


def test_a_fault_ends_with_the_next_coin() -> None:
    script = running()
    script.row("E5", events(1, (0, 14)), FaultBegan("coin_jam", "error 14"))
    script.row("E5", events(2, (0, 14), (0, 14)))
    script.row("E5", events(3, (2, 0), (0, 14), (0, 14)), FaultGone("coin_jam"), CoinIn(2, 100, 0))


def test_inhibits_forgotten_without_any_event_are_set_again() -> None:
    """The specification's hole: reset before the first event, the counter is 0 as before."""
    script = running()
    script.until("E6")
    script.answer("0000")
    script.rows([("E7 2300", "ACK"), ("E4 01", "ACK"), ("E5", ZERO)])


def test_a_coin_refused_as_inhibited_is_a_reason_to_look() -> None:
    script = running()
    script.row("E5", events(1, (0, 2)), CoinOut("rejected"))
    script.rows([("E4 01", "ACK"), ("E5", events(1, (0, 2))), ("E6", "0000"), ("E7 2300", "ACK")])


def test_after_a_power_failure_everything_is_asked_and_set_again() -> None:
    script = running(first=events(67, (1, 1)))
    script.row("E5", ZERO)
    script.row("E5", ZERO, EventsLost(None))
    script.usual["E5"] = ZERO
    script.until("E7 2300")
    script.answer("ACK")
    script.rows([("E4 01", "ACK"), ("E5", events(1, (1, 0)), CoinIn(1, 200, 0))])


def test_self_check_faults_come_and_go() -> None:
    script = running()
    script.until("E8")
    assert script.answer("03") == [FaultBegan("acceptor_self_credit_sensor", "03")]
    script.until("E8")
    assert script.answer("0302") == []
    script.until("E8")
    assert script.answer("00") == [FaultGone("acceptor_self_credit_sensor")]


def test_silence_is_a_loss_once_and_the_counter_goes_on() -> None:
    script = running(first=events(5, (1, 1)))
    news: list[object] = []
    for _ in range(40):
        script.ask()
        news += script.answer("-", took=0.75)
    assert news == [Lost("no answer")]
    assert script.machine.phase is Phase.SEEKING
    script.usual |= {"E5": events(6, (2, 1), (1, 1)), "E6": "2300"}
    told = script.until("E4 01")
    assert told[1:] == [CoinIn(2, 100, 1)], "a coin that came in while nobody asked"


def test_an_earlier_life_leaves_nothing_uncredited() -> None:
    script = Script(CoinAcceptorMachine(CoinRules("EU"), counter=7), USUAL)
    script.until("E5")
    news = script.answer(events(8, (2, 1), (1, 1)))
    assert news == [CoinsReady(IDENTITY, KINDS, 8), CoinIn(2, 100, 1)]


@pytest.mark.parametrize(
    ("category", "usable"),
    [("436F696E204163636570746F72", True), ("5061796F7574", False), ("", True)],
)
def test_something_else_at_this_address(category: str, usable: bool) -> None:
    script = Script(CoinAcceptorMachine(CoinRules("EU")), USUAL | {"F5": category or "-"})
    script.row("FE", "ACK")
    assert script.ask() == "F5"
    news = script.answer(category or "-")
    assert (script.machine.phase is Phase.STARTING) == usable
    assert bool(news) != usable
    if not usable:
        assert news[0] == FaultBegan("wrong_device", "calls itself 'Payout'")


def test_busy_is_no_refusal() -> None:
    script = Script(CoinAcceptorMachine(CoinRules("EU")), USUAL)
    script.row("FE", "BUSY")
    script.row("F5", "BUSY")
    script.row("F5", "436F696E204163636570746F72")


def test_values_may_be_given_by_hand() -> None:
    rules = CoinRules("EU", values={1: 0, 3: 75})
    script = Script(CoinAcceptorMachine(rules), USUAL)
    script.until("E5")
    ready = script.answer(ZERO)[0]
    assert isinstance(ready, CoinsReady)
    assert {kind.position: kind.value for kind in ready.coins} == {2: 100, 3: 75, 6: 10}
