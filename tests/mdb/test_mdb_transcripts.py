"""The machine against conversations recorded from another master's test suite, where present.

They carry that master's habits; each that does not hold is listed with the reason. A
conversation holds when our machine has all its exchanges in their order, with others of its own
in between, and credits the same.
"""

import pytest
from mdb_script import Script

from tests.vectors.recordings import (
    Group,
    Held,
    conversations,
    credits_told,
    exchanges,
    judged,
)
from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import CoinIn
from vendd.wire.mdb.changer_start import ChangerRules, PayoutWay

# What does not hold, and why ours is as it is.
EXPLAINED = {
    "testDeviceReboot": "resets after one unanswered POLL, where the standard gives a changer 2 s",
    "testDeviceJustReset": "resets once more after a clean start, without a cause on the wire",
    "testExpansionPayout": "goes on paying though the status tells of coins without a value; ours "
    "looks into the tubes first",
    "testExpansionPayoutConfirmErrors": "sends a payout again whose answer was lost; ours asks "
    "what became of it, because repeating can pay twice",
    "testPoll": "tells the coin types again every few polls; ours when they change or it was reset",
}

# What their changer says of itself; used where a conversation is silent about it.
USUAL = {
    "09": "0300070A01005C00000102050A0AFF0000000000000000",
    "0F00": "4A4F463035333637392020202020204A323030304D444220503332901000000003",
    "0F05": "0300",
    "0A": "004000004137570000000000000000000000",
}
PATIENCE = 150  # exchanges of our own until a recorded command must have come


def start(first: str, *, by_coins: bool) -> Script:
    """Where the conversation begins: at power on, else in operation, with all coins off."""
    way = PayoutWay.COINS if by_coins else PayoutWay.AUTO
    script = Script(ChangerRules(currency=643, exponent=2, payout=way))
    while first != "08" and script.machine.state.value != "polling":
        command = script.ask()
        script.answer("0B" if command == "0B" else USUAL.get(command, "ACK"))
    script.news.clear()
    return script


def order(script: Script, command: str) -> None:
    """Wish for what the recorded master wished for."""
    machine = script.machine
    if command.startswith("0C"):
        mask = int(command[2:6], 16)
        machine.accept(frozenset(t for t in range(16) if mask >> t & 1))
    try:
        if command.startswith("0D"):
            machine.pay_out("p", ((int(command[3], 16), 1),))
        elif command.startswith("0F02"):
            machine.pay_out("p", ((2, int(command[4:], 16)),))  # type 2 is one unit
        elif command == "0A":
            machine.read_tubes()
    except Declined:
        pass  # not in a state for it; whether the command comes all the same is counted


def same(asked: str, recorded: str) -> bool:
    """The same question; which features and coins are enabled is each master's own business."""
    if asked[:2] == recorded[:2] == "0C":
        return True
    return asked[:4] == recorded[:4] if asked[:4] == "0F01" else asked == recorded


def replay(recorded: list[tuple[str, str]]) -> tuple[int, Script]:
    """How many of the recorded exchanges our machine came to have."""
    script = start(recorded[0][0], by_coins=any(c.startswith("0D") for c, _ in recorded))
    held = 0
    for command, answer in recorded:
        order(script, command)
        for _ in range(PATIENCE):
            asked = script.ask()
            if same(asked, command):
                script.answer(answer)
                held += 1
                break
            script.answer(USUAL.get(asked, "ACK"))
    return held, script


def replayed() -> Group:
    found = []
    for name, steps in conversations("master", "coin_changer").items():
        recorded = exchanges(steps)
        held, script = replay(recorded)
        credited = [news.value for news in script.news if isinstance(news, CoinIn)]
        sound = credited == credits_told(steps, 2)
        found.append(Held(name, held, len(recorded), EXPLAINED.get(name, ""), sound))
    return Group("our master, coin changers", tuple(found))


def test_recorded_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    judged(replayed(), capsys, EXPLAINED)
