"""The machine against conversations recorded from another master's test suite, where present.

They carry that master's habits (RESET repeated at once, options 0F, other order and
pace), so not all of them hold; how many do is printed. The data is not part of this
project.
"""

import json
from pathlib import Path

import pytest
from mdb_script import Script

from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_start import ChangerRules, PayoutWay

NAME = Path("shared/protocols/vectors/mdb-transcripts.json")
FILE = Path(__file__).resolve().parents[2].parent / NAME
AT_LEAST = 75  # percent of the exchanges; the rest is habit

# What their changer says of itself; used where a conversation is silent about it.
USUAL = {
    "09": "0300070A01005C00000102050A0AFF0000000000000000",
    "0F00": "4A4F463035333637392020202020204A323030304D444220503332901000000003",
    "0F05": "0300",
    "0A": "004000004137570000000000000000000000",
}
PATIENCE = 150  # exchanges of our own until a recorded command must have come


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


def start(first: str, *, by_coins: bool) -> Script:
    way = PayoutWay.COINS if by_coins else PayoutWay.AUTO
    script = Script(ChangerRules(currency=643, exponent=2, payout=way))
    if first == "08":
        return script
    script.machine.accept(frozenset(range(2, 8)))
    while script.machine.state.value != "polling":
        command = script.ask()
        script.answer("0B" if command == "0B" else USUAL.get(command, "ACK"))
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


def replay(recorded: list[tuple[str, str]]) -> int:
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
    return held


def test_recorded_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    if not FILE.exists():
        pytest.skip(f"{NAME} is not there")
    stored = [
        t
        for t in json.loads(FILE.read_text("utf-8"))
        if t["role"] == "master" and "coin_changer" in t["file"]
    ]
    whole = held = total = 0
    for conversation in stored:
        recorded = exchanges(conversation["steps"])
        ours = replay(recorded)
        held, total, whole = held + ours, total + len(recorded), whole + (ours == len(recorded))
    with capsys.disabled():
        print(f"\n{whole} of {len(stored)} conversations hold, {held} of {total} exchanges")
    assert held * 100 >= total * AT_LEAST
