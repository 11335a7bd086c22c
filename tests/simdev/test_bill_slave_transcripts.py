"""Recorded slave conversations of another bill validator, replayed against the model.

The recordings are not part of this project; without them the test is skipped.
"""

import pytest
from bill_bench import TIMEOUT, BillBench, bench_of

from hw_sim.devices.bill_validator import BillModel
from tests.vectors.recordings import Group, Held, conversations, judged

# the device the recordings were made with; its security levels (FFFF) are the model's 0000
DEVICE = BillModel(
    currency=0x1643, scale=100, decimals=1, minor_per_unit=10, capacity=0,
    credits=(1, 5, 10, 50), manufacturer="EFR", serial="0123456789AB", model="0123456789AB",
    software=0x0100, reset_s=0.0, says_disabled=False,
)  # fmt: skip
SECURITY = "0000FFFFFF"


def replay(bench: BillBench, steps: list[str], known: dict[str, list[str]]) -> tuple[int, int]:
    """Exchanges that hold, and all. An answer not followed by >ACK is asked for again; a
    command without an answer was met by silence."""
    held = total = 0
    for at, step in enumerate(steps):
        following = [*steps[at + 1 : at + 3], "", ""]
        if step.startswith("{goto"):
            ours, all_ = replay(bench, known["gotoStateDisabled"], known)
            held, total = held + ours, total + all_
        elif step.startswith("{slave->reset"):
            bench.bills.reset_itself()
        elif step.startswith("{slave->deposite"):
            bench.bills.insert_bill(10000)
            bench.wait(2.0)
        elif step.startswith(">") and step != ">ACK":
            command = "37AA" if step == ">0FAA" else step[1:]  # the address is left out once
            expected = following[0][1:] if following[0].startswith("<") else TIMEOUT
            said = bench.ask(command, ack=following[1] == ">ACK").upper()
            total += 1
            held += said.replace("00000000FF", SECURITY) == expected
    return held, total


EXPLAINED = {
    "testDeposite": "takes a bill though bills were never switched on; ours gives it back",
    "testStateResetUnwaitedPacket": "silent to bill types before the first POLL; ours takes them",
}


def replayed() -> Group:
    known = conversations("slave", "bill_validator")
    found = []
    for name, steps in known.items():
        with bench_of(DEVICE) as bench:
            bench.wait(0.1)
            held, total = replay(bench, steps, known)
        found.append(Held(name, held, total, EXPLAINED.get(name, "")))
    return Group("our model, bill validators", tuple(found))


def test_recorded_slave_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    judged(replayed(), capsys, EXPLAINED)
