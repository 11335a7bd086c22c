"""The machine against conversations recorded from another master's test suite, where present.

A conversation holds when our machine has all its exchanges in their order, with others of
its own in between, and tells the same credit. Two habits of that master are not ours: it
switches bills off once before it switches them on (such a command is left out here), and a
single unanswered POLL makes it RESET, where the standard gives a validator 5 s. The data is
not part of this project.
"""

from contextlib import suppress

import pytest
from bill_script import BillScript as Script

from tests.vectors.recordings import (
    Group,
    Held,
    conversations,
    credits_told,
    exchanges,
    judged,
)
from vendd.wire.mdb.bill_validator_news import BillsReady, Stacked
from vendd.wire.mdb.bill_validator_start import BillRules
from vendd.wire.mdb.changer import Declined

# What their validator says of itself; used where a conversation is silent about it.
USUAL = {
    "31": "0100070064010000FFFFFF01050A32000000000000000000000000",
    "3700": "4A4F4634333236202020202020202031314D4452555F5F303030340025",
    "36": "0000",
}
PATIENCE = 150  # exchanges of our own until a recorded command must have come
OFF = "3400000000"

# What does not hold, and why ours is as it is.
EXPLAINED = {
    "testDeviceReboot": "resets after one unanswered POLL, where the standard gives 5 s",
    "testDeviceJustReset": "resets once more after a clean start, without a cause on the wire",
}


def start(first: str) -> Script:
    script = Script(BillRules(currency=643, exponent=2))
    if first == "30":
        return script
    if first.startswith("34"):
        wish(script, first)
    else:
        script.machine.accept(frozenset(range(4)))
    while script.machine.state.value != ("bill_types" if first.startswith("34") else "polling"):
        command = script.ask()
        script.answer("06" if command == "33" else USUAL.get(command, "ACK"))
    script.news.clear()
    return script


def wish(script: Script, command: str) -> None:
    """Order what the recorded master ordered."""
    if command.startswith("34"):
        mask = int(command[2:6], 16)
        script.machine.accept(frozenset(t for t in range(16) if mask >> t & 1))
    held = script.machine.path.held
    if command == "3501" and held is not None:
        with suppress(Declined):
            script.machine.stack(held.bill)


def replay(recorded: list[tuple[str, str]]) -> tuple[int, int, Script]:
    """How many of the recorded exchanges our machine came to have, and of how many."""
    script = start(recorded[0][0])
    held, total = 0, len(recorded)
    for number, (command, answer) in enumerate(recorded):
        later = [c for c, _ in recorded[number + 1 : number + 2]]
        if command == OFF and later and later[0].startswith("34") and later[0] != OFF:
            total -= 1  # off before on: ours is told once, what is wished
            continue
        wish(script, command)
        for _ in range(PATIENCE):
            asked = script.ask()
            if asked == command:
                script.answer(answer)
                held += 1
                break
            script.answer(USUAL.get(asked, "ACK"))
    return held, total, script


def replayed() -> Group:
    found = []
    for name, steps in conversations("master", "bill_validator").items():
        held, total, script = replay(exchanges(steps))
        credited = [news.value for news in script.news if isinstance(news, Stacked)]
        ready = any(isinstance(news, BillsReady) for news in script.news)
        ready = ready or not any("event=Ready" in step or ",Ready>" in step for step in steps)
        sound = credited == credits_told(steps, 3) and (ready or held < total)
        found.append(Held(name, held, total, EXPLAINED.get(name, ""), sound))
    return Group("our master, bill validators", tuple(found))


def test_recorded_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    judged(replayed(), capsys, EXPLAINED)
