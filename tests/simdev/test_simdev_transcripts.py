"""Recorded slave conversations of another changer, replayed against the model.

The recordings are not part of this project; without them the test is skipped.
"""

import pytest
from changer_bench import TIMEOUT, Bench, bench_of

from hw_sim.devices.changer_parts import ChangerModel
from tests.vectors.recordings import Group, Held, conversations, exchanges, judged

# the device the recordings were made with: no fixed currency, a tube for types 2, 3, 4 and 6
DEVICE = ChangerModel(
    currency=0x1643,
    scale=10,
    decimals=1,
    routing=0x005C,
    credits=(0, 0, 1, 2, 5, 10, 11, 0xFF),
    default_capacity=0x100,
    manufacturer="EFR",
    serial="0123456789AB",
    model="0123456789AB",
    software=0x0100,
    options=0x01,
    reset_s=0.0,
)
# their type 6 has the value of type 5, the model wants it apart: only SETUP differs
THEIR_SETUP = DEVICE.setup().hex().replace("0a0b", "0a0a")
FILL = {2: 0x41, 3: 0x37, 4: 0x57}


def do(bench: Bench, act: str, known: dict[str, list[str]]) -> None:
    """The braces of a recording: what happens beside the bus."""
    changer = bench.changer
    if "gotoStateEnabled" in act:
        replay(bench, known["gotoStateEnabled"], known)
    elif "reset" in act:
        changer.reset_itself()
        bench.wait(0.6)
    elif "deposite(0x42, 0x10)" in act:  # type 2 to the cash box, 16 in the tube
        changer.memory.counted[2] = 0x10
        changer.truth.fill(10, 0x100)
        changer.insert_coin(10)
        bench.wait(0.5)
    elif "escrowRequest" in act:
        changer.press_lever()
    elif "dispenseComplete" in act:
        bench.wait(1.0)
        changer.memory.counted[2] = FILL[2]  # theirs has no coins to lose
    else:
        assert act.startswith("{="), act  # what their driver told its own side


def replay(bench: Bench, steps: list[str], known: dict[str, list[str]]) -> None:
    for at, step in enumerate(steps):
        if step.startswith("{"):
            do(bench, step, known)
        elif step.startswith(">") and step != ">ACK":
            command = "08" if step == ">00" else step[1:]  # they leave the address out once
            if command == "0A":
                bench.wait(0.6)
            if command == "0F02C8":  # theirs accepts the command and has nothing to pay
                bench.changer.memory.counted[:] = [0] * 16
            following = steps[at + 1 : at + 3]
            expected = TIMEOUT
            if following and following[0].startswith("<"):
                expected = following[0][1:].lower().replace("ack", "ACK")
            acked = len(following) == 2 and following[1] == ">ACK"
            answer = bench.ask(command, ack=acked)
            answer = THEIR_SETUP if command == "09" and answer == DEVICE.setup().hex() else answer
            assert answer == expected, f"step {at}: {steps[: at + 1]}"


def holds(steps: list[str], known: dict[str, list[str]]) -> str:
    with bench_of(model=DEVICE) as bench:
        for coin_type, count in FILL.items():
            bench.changer.fill_tube(DEVICE.value(coin_type), count)
        bench.changer.memory.defective.add(6)
        try:
            replay(bench, steps, known)
        except AssertionError as problem:
            return str(problem)
    return ""


def replayed() -> Group:
    known = conversations("slave", "coin_changer")
    found = []
    for name, steps in known.items():
        total, problem = len(exchanges(steps)), holds(steps, known)
        found.append(Held(name, 0 if problem else total, total))
    return Group("our model, coin changers", tuple(found))


def test_recorded_slave_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    judged(replayed(), capsys, {})
