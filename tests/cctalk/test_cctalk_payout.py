"""A hopper's machine: start, payouts, and the retry rule as conversations in hex."""

import pytest
from cctalk_script import Script

from vendd.wire.cctalk.contact import Declined, Phase
from vendd.wire.cctalk.hopper import HopperMachine, HopperRules
from vendd.wire.cctalk.hopper_payout import Cipher, Plain
from vendd.wire.cctalk.news import (
    Evidence,
    FaultBegan,
    FaultGone,
    HopperReady,
    Lost,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
)

# request, answer, meaning
START = [
    ("FE", "ACK", "there it is"),
    ("F5", "5061796F7574", "Payout"),
    ("F6", "41636D65", "Acme"),
    ("F4", "53434832", "SCH2"),
    ("F1", "56312E30", "V1.0"),
    ("F2", "671200", "serial number 4711"),
    ("A3", "C00000", "powered up, payout disabled"),
    ("A8", "640000", "100 coins in its life"),
    ("A6", "07000400", "counter 7, idle, four coins paid last time"),
]
USUAL = {request: answer for request, answer, _ in START}
BEFORE = Evidence(7, 0, 4, 0, 100)
TAKEN = PayoutTaken("p")
PREPARE = [("A6", "07000400"), ("A8", "640000"), ("A3", "C00000"), ("A4 A5", "ACK")]
SEND = "A7 67120003"


def done(paid: int, certain: bool = True, why: str = "") -> PayoutDone:
    return PayoutDone("p", paid, certain, why)


def running(rules: HopperRules | None = None, **usual: str) -> Script:
    script = Script(HopperMachine(rules or HopperRules()), USUAL | usual)
    script.up("A6")
    return script


def paying(rules: HopperRules | None = None, **usual: str) -> Script:
    script = running(rules, **usual)
    script.machine.pay_out("p", 3)
    return script


def test_the_whole_start() -> None:
    script = Script(HopperMachine(HopperRules()))
    script.rows((request, answer) for request, answer, _ in START[:-1])
    assert script.ask() == "A6"
    (ready,) = script.answer("07000400")
    assert isinstance(ready, HopperReady)
    assert (ready.identity.serial, ready.evidence) == ("4711", BEFORE)
    assert script.machine.evidence == BEFORE
    script.row("A3", "C00000")


# name -> rows from the command on: request, answer, news
CONVERSATIONS = {
    "ACK, then until nothing remains": [
        (SEND, "ACK", TAKEN),
        ("A6", "08020102"),
        ("A6", "08010201"),
        ("A6", "08000300"),
        ("A3", "400000"),
        ("A8", "670000", done(3)),
    ],
    "event counter as the answer": [
        (SEND, "08", TAKEN),
        ("A6", "08000300"),
        ("A3", "400000"),
        ("A8", "670000", done(3)),
    ],
    "reply lost, counter advanced: never sent again": [
        (SEND, "-"),
        ("A6", "08020102", TAKEN),
        ("A6", "08000300"),
        ("A3", "400000"),
        ("A8", "670000", done(3)),
    ],
    "reply garbled, already over": [
        (SEND, "?"),
        ("A6", "08000300"),
        ("A3", "400000"),
        ("A8", "670000", TAKEN, done(3)),
    ],
    "reply lost, counter equal: sent again": [
        (SEND, "-"),
        ("A6", "07000400"),
        ("A3", "400000"),
        ("A8", "640000"),
        *PREPARE,
        (SEND, "ACK", TAKEN),
        ("A6", "08000300"),
        ("A3", "400000"),
        ("A8", "670000", done(3)),
    ],
    "it counted late, after it was judged not to have": [
        (SEND, "-"),
        ("A6", "07000400"),
        ("A3", "400000"),
        ("A8", "640000"),
        ("A6", "08020102"),
        ("A6", "08000300", ),
        ("A3", "400000"),
        ("A8", "670000", TAKEN, done(3)),
    ],
    "it never counted, and coins came all the same": [
        (SEND, "-"),
        ("A6", "07000400"),
        ("A3", "400000"),
        ("A8", "640000"),
        ("A6", "07000400"),
        ("A8", "650000", TAKEN, done(1, False, "not_counted")),
    ],
    "refused three times": [
        (SEND, "NAK"), ("A6", "07000400"), ("A3", "400000"), ("A8", "640000"),
        *PREPARE, (SEND, "NAK"), ("A6", "07000400"), ("A3", "400000"), ("A8", "640000"),
        *PREPARE, (SEND, "BUSY"), ("A6", "07000400"), ("A3", "410000"),
        ("A8", "640000", PayoutRefused("p", "not taken up")),
    ],
    "wrong key: the flag needs a reset, the counter starts anew": [
        (SEND, "NAK"), ("A6", "07000400"), ("A3", "400008"), ("A8", "640000"),
        ("A6", "07000400"), ("A8", "640000"), ("A3", "C00008"), ("01", "ACK"),
        ("A6", "00000400"), ("A8", "640000"), ("A3", "800000"), ("A4 A5", "ACK"),
        (SEND, "NAK"), ("A6", "00000400"), ("A3", "000008"), ("A8", "640000"),
        ("A6", "00000400"), ("A8", "640000"),
        ("A3", "000008", PayoutRefused("p", "cipher_key_wrong")),
    ],
    "runs empty": [
        (SEND, "ACK", TAKEN),
        ("A6", "08020102"),
        ("A6", "08000201"),
        ("A3", "420000"),
        ("A8", "660000", done(2, True, "empty")),
    ],
    "jams": [
        (SEND, "ACK", TAKEN),
        ("A6", "08000102"),
        ("A3", "410000"),
        ("A8", "650000", done(1, True, "over_current")),
    ],
    "power-up 0: the command was never heard": [
        (SEND, "-"),
        ("A6", "00000400"),
        ("A3", "C00000"),
        ("A8", "640000", TAKEN, done(0, True, "power_loss")),
    ],
    "power-up 0: two coins are out": [
        (SEND, "ACK", TAKEN),
        ("A6", "08020102"),
        ("A6", "00000201"),
        ("A3", "C00001"),
        ("A8", "660000", done(2, True, "power_loss")),
    ],
    "questions are asked again, the command is not": [
        (SEND, "-"),
        ("A6", "-"),
        ("A6", "?"),
        ("A6", "BUSY"),
        ("A6", "080201"),
        ("A6", "08000300"),
        ("A3", "-"),
        ("A3", "400000"),
        ("A8", "-"), ("A8", "-"),
        ("A8", "NAK", TAKEN, done(3)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_payouts(name: str) -> None:
    script = paying()
    script.rows(PREPARE)
    script.rows(CONVERSATIONS[name])
    assert script.ask() == "F5", "and afresh: what it says now is compared with next time"


def test_the_command_is_never_repeated_by_whoever_owns_the_wire() -> None:
    script = paying()
    script.rows(PREPARE)
    assert script.ask() == SEND
    assert script.asked is not None
    assert not script.asked.repeat


def test_cipher_and_plain_hoppers() -> None:
    cipher = Cipher(lambda key: key[::-1], lambda: bytes(range(8)))
    script = paying(HopperRules(security=cipher))
    script.rows(PREPARE)
    script.rows([("A1 0001020304050607", "ACK"), ("A0", "1122334455667788")])
    script.row("A7 887766554433221103", "08", TAKEN)
    script = paying(HopperRules(security=Plain(b"\xaa")))
    script.rows(PREPARE)
    script.row("A7 AA03", "ACK", TAKEN)


def test_a_hopper_without_a_lifetime_count() -> None:
    script = paying(A8="-")
    script.rows([("A6", "07000400"), ("A3", "C00000"), ("A4 A5", "ACK"), (SEND, "ACK", TAKEN)])
    script.rows([("A6", "08000300"), ("A3", "400000", done(3))])


def test_nothing_moves_without_the_preparation() -> None:
    for stuck in ("A6", "A8", "A3", "A4 A5"):
        script = paying()
        script.until(stuck)
        news = script.answer("?")
        while not news:
            assert script.ask() != SEND
            news = script.answer("NAK")
        assert isinstance(news[0], PayoutRefused)


def test_a_coin_that_does_not_come_stops_the_hopper() -> None:
    script = paying()
    script.rows([*PREPARE, (SEND, "ACK", TAKEN)])
    script.usual["A6"] = "08020102"
    script.until("AC")
    script.answer("02")
    script.rows([("A6", "08000102"), ("A3", "400000"), ("A8", "650000", done(1, True, "stopped"))])


def test_a_hopper_that_pays_for_ever_is_given_up() -> None:
    script = paying()
    script.rows([*PREPARE, (SEND, "ACK", TAKEN)])
    script.usual |= {"A6": "08020102", "AC": "02"}
    began = script.now
    news: list[object] = []
    while not news:
        news = script.answer(script.usual[script.ask()])
    assert news == [done(1, False, "overdue")]
    assert script.now - began < 60


def silent(script: Script, seconds: float) -> list[object]:
    news: list[object] = []
    until = script.now + seconds
    while script.now < until:
        script.ask()
        news += script.answer("-", took=0.75)
    return news


def test_pulled_in_a_payout_and_back_again() -> None:
    script = paying()
    script.rows([*PREPARE, (SEND, "ACK", TAKEN), ("A6", "08020102")])
    assert silent(script, 10) == [Lost("no answer")]
    script.usual |= {"A6": "00000201", "A3": "C00001", "A8": "660000"}
    news: list[object] = []
    while done(2, True, "power_loss") not in news:
        asked = script.ask()
        assert not asked.startswith("A7")
        news += script.answer(script.usual[asked])


def test_pulled_in_a_payout_for_good() -> None:
    script = paying()
    script.rows([*PREPARE, (SEND, "-")])
    assert silent(script, 40) == [TAKEN, Lost("no answer"), done(0, False, "lost")]


def test_pulled_before_the_command() -> None:
    script = paying()
    script.row("A6", "07000400")
    assert silent(script, 10) == [PayoutRefused("p", "no answer"), Lost("no answer")]
    assert script.machine.phase is Phase.SEEKING


# our own process died between 167 and 166; what the hopper says in the next life -> outcome
RECOVERIES = [
    ("never heard", BEFORE, "07000400", "400000", "640000", done(0, True, "not taken up")),
    ("all paid", BEFORE, "08000300", "400000", "670000", done(3)),
    ("two paid, then empty", BEFORE, "08000201", "420000", "660000", done(2, True, "empty")),
    ("both lost power", BEFORE, "00000201", "C00001", "660000", done(2, True, "power_loss")),
    ("both, before the command", BEFORE, "00000400", "C00000", "640000",
     done(0, True, "power_loss")),
    ("no record of before", None, "08000300", "400000", "670000", done(0, False, "restart")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "status", "flags", "count", "end"), RECOVERIES)
def test_another_life_finds_out(name, before, status, flags, count, end) -> None:
    machine = HopperMachine(HopperRules())
    machine.recover("p", 3, before)
    script = Script(machine, USUAL | {"A6": status, "A3": flags, "A8": count})
    news: list[object] = []
    while not any(isinstance(n, PayoutDone | PayoutRefused) for n in news):
        asked = script.ask()
        assert not asked.startswith(("A7", "01", "A4")), "it only looks"
        news = script.answer(script.usual[asked])
    assert news == [end]


def test_another_life_waits_for_the_end() -> None:
    machine = HopperMachine(HopperRules())
    machine.recover("p", 3, BEFORE)
    script = Script(machine, USUAL | {"A6": "08020102"})
    script.up("A6")
    script.rows([("A6", "08010201"), ("A6", "08000300"), ("A3", "400000")])
    script.row("A8", "670000", done(3))


def test_orders_that_can_not_be_taken() -> None:
    machine = HopperMachine(HopperRules())
    with pytest.raises(Declined):
        machine.pay_out("p", 1)
    script = running()
    for coins in (0, 256, -1):
        with pytest.raises(Declined):
            script.machine.pay_out("p", coins)
    script.machine.pay_out("p", 1)
    with pytest.raises(Declined):
        script.machine.pay_out("q", 1)
    assert not script.machine.withdraw("q")
    assert script.machine.withdraw("p")
    script.machine.pay_out("p", 3)
    script.rows([*PREPARE, (SEND, "ACK", TAKEN)])
    assert not script.machine.withdraw("p")


def test_faults_of_an_idle_hopper_come_and_go() -> None:
    script = running()
    script.row("A3", "C80000", FaultBegan("hopper_opto_blocked_idle"))
    script.row("A3", "C80000")
    script.row("A3", "C00000", FaultGone("hopper_opto_blocked_idle"))
