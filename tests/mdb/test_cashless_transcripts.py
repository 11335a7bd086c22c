"""The machine against another master's recorded conversations with card readers, where present.

They carry that master's habits; each conversation that does not hold is listed with the reason.
The data is not part of this project.
"""

import pytest
from cashless_script import CardScript

from tests.vectors.recordings import Group, Held, conversations, exchanges, judged
from vendd.wire.mdb.cashless import Declined, State
from vendd.wire.mdb.cashless_start import CashlessRules

PATIENCE = 1000  # exchanges of our own until a recorded command must have come

# That master asks for level 2, in roubles, and names itself.
THEIRS = CashlessRules(
    currency=643,
    exponent=2,
    level=2,
    revalue=True,
    vmc=bytes.fromhex("4546523031323334353637383941423031323334353637383941420100"),
)
CONFIG = {  # what conversations that begin in the middle had agreed on: one decimal, or two
    "usual": "0101164301011400",
    "PaxD200": "010116430A022D05",
}
# Why a conversation does not hold to its end; every other one has to.
RESTARTED = "its test restarts that master: a RESET for which nothing on the bus is the cause"
EXPLAINED = {
    "testDeviceJustReset": RESTARTED,
    "testPaxD200SberbankSessionCancel": RESTARTED,
}


def prepared(test: str, first: str) -> CardScript:
    """Where the conversation begins: at power on, disabled, or enabled."""
    script = CardScript(THEIRS)
    if first == "10":
        return script
    config = CONFIG["PaxD200" if "Pax" in test else "usual"]
    while script.machine.state not in (State.DISABLED, State.ENABLED):
        command = script.ask()
        script.answer("00" if command == "12" else usual(command, config))
    if first != "1401":
        script.machine.enable(True)
        assert script.ask() == "1401"
        script.answer("ACK")
    return script


def usual(command: str, config: str) -> str:
    if command.startswith("1100"):
        return config
    return "09" + THEIRS.vmc.hex() if command.startswith("1700") else "ACK"


def wish(script: CardScript, command: str) -> None:
    """Order what the recorded master wanted."""
    machine = script.machine
    vend = getattr(machine, "_vend", None)
    vend_id = vend.id if vend is not None else "v"
    scale = machine._units.minor(1)
    try:
        if command == "1401":
            machine.enable(True)
        elif command == "1400":
            machine.enable(False)
        elif command.startswith("1300"):
            machine.request("v", int(command[4:8], 16) * scale, int(command[8:], 16))
        elif command == "1301":
            machine.cancel(vend_id)
        elif command.startswith("1302"):
            machine.succeeded(vend_id)
        elif command == "1303":
            machine.failed(vend_id)
        elif command == "1304":
            machine.end_session()
        elif command.startswith("1500"):
            machine.revalue("r", int(command[4:], 16) * scale)
    except Declined:
        pass  # not in a state for it; whether the command comes all the same is counted


def same(asked: str, recorded: str) -> bool:
    """The same command; what we say of our display is our own business."""
    return asked[:6] == recorded[:6] if recorded.startswith("1100") else asked == recorded


def replay(test: str, recorded: list[tuple[str, str]]) -> int:
    """How many exchanges our machine came to have.

    An idle POLL that we leave out before the same next command is no difference.
    """
    script = prepared(test, recorded[0][0])
    held, asked = 0, ""
    config = CONFIG["PaxD200" if "Pax" in test else "usual"]
    for number, (command, answer) in enumerate(recorded):
        wish(script, command)
        for _ in range(PATIENCE):
            asked = asked or script.ask()
            following = recorded[number + 1][0] if number + 1 < len(recorded) else ""
            if same(asked, command):
                script.answer(answer)
                asked = ""
            elif not (answer == "ACK" and command == "12" and same(asked, following)):
                script.answer("-" if recorded[number - 1][1] == "-" else usual(asked, config))
                asked = ""
                continue
            held += 1
            break
    return held


def replayed() -> Group:
    found = []
    for name, steps in conversations("master", "cashless").items():
        recorded = exchanges(steps)
        held = replay(name, recorded)
        found.append(Held(name, held, len(recorded), EXPLAINED.get(name, "")))
    return Group("our master, card readers", tuple(found))


def test_recorded_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    judged(replayed(), capsys, EXPLAINED)
