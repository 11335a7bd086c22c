"""The machine against conversations recorded from another master's test suite, where present.

A conversation holds when our machine has all its exchanges in their order, with others of
its own in between, and tells the same credit. Two habits of that master are not ours: it
switches bills off once before it switches them on (such a command is left out here), and a
single unanswered POLL makes it RESET, where the standard gives a validator 5 s. The data is
not part of this project.
"""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from bill_script import BillScript as Script

from vendd.wire.mdb.bill_validator_news import BillsReady, InEscrow, Stacked
from vendd.wire.mdb.bill_validator_start import BillRules
from vendd.wire.mdb.changer import Declined

NAME = Path("shared/protocols/vectors/mdb-transcripts.json")
FILE = Path(__file__).resolve().parents[2].parent / NAME

# What their validator says of itself; used where a conversation is silent about it.
USUAL = {
    "31": "0100070064010000FFFFFF01050A32000000000000000000000000",
    "3700": "4A4F4634333236202020202020202031314D4452555F5F303030340025",
    "36": "0000",
}
PATIENCE = 150  # exchanges of our own until a recorded command must have come
OFF = "3400000000"

# what does not hold, and why
HABITS = {
    "testDeviceReboot": "resets after one unanswered POLL",
    "testDeviceJustReset": "resets once more after a clean start, without a cause on the wire",
}


def exchanges(steps: list[str]) -> list[tuple[str, str]]:
    """(command, answer) in order; a command without an answer was met by silence."""
    found: list[tuple[str, str]] = []
    for step in steps:
        kind, text = step[0], step[1:]
        if kind == ">" and text != "ACK":
            found.append((text, "-"))
        elif kind == "<" and found:
            found[-1] = (found[-1][0], {"TIMEOUT": "-", "RET": "?"}.get(text, text))
    return found


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
        else:
            break
    return held, total, script


def expected(steps: list[str]) -> list[object]:
    """What their driver told: credits in kopecks, and readiness."""
    told: list[object] = []
    for step in steps:
        if "Deposite" in step:
            told.append(int(step.split(",")[-1].rstrip(">}")))
        elif "event=Ready" in step:
            told.append("ready")
    return told


def test_recorded_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    if not FILE.exists():
        pytest.skip(f"{NAME} is not there")
    stored = [
        t
        for t in json.loads(FILE.read_text("utf-8"))
        if t["role"] == "master" and "bill_validator" in t["file"]
    ]
    lines, failed = [], []
    for it in stored:
        held, total, script = replay(exchanges(it["steps"]))
        credits_ = [n.value for n in script.news if isinstance(n, Stacked)]
        ours = [e for e in expected(it["steps"]) if e != "ready"]
        whole = held == total and credits_ == ours
        if not whole:
            why = HABITS.get(it["test"], "")
            lines.append(f"  {it['test']}: {held} of {total}, {why or 'NOT EXPLAINED'}")
            failed += [it["test"]] if not why or credits_ != ours else []
        elif any(isinstance(n, InEscrow) for n in script.news):
            assert credits_ == ours
        if "ready" in expected(it["steps"]) and whole:
            assert any(isinstance(n, BillsReady) for n in script.news)
    with capsys.disabled():
        print(f"\n{len(stored) - len(lines)} of {len(stored)} conversations hold", *lines, sep="\n")
    assert failed == []
