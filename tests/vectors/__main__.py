"""``python -m tests.vectors``: how many recorded conversations and worked examples hold.

Each that does not is listed with the reason. Exit code 1 when one is not explained, 2 when the
files are not there.
"""

import importlib
import sys
from typing import Final

from tests.vectors.recordings import CCTALK, MDB, PLACE, ROOT, Group, Held, conversations, place

REPLAYS: Final = (
    ("mdb", "test_mdb_transcripts"),
    ("mdb", "test_bill_transcripts"),
    ("mdb", "test_cashless_transcripts"),
    ("simdev", "test_simdev_transcripts"),
    ("simdev", "test_bill_slave_transcripts"),
    ("simdev", "test_card_slave_transcripts"),
    ("cctalk", "test_cctalk_examples"),
)
NO_GATEWAY: Final = "no communications gateway is among the devices of this machine"


def groups() -> list[Group]:
    """Every file of the recordings, against what is ours."""
    found: list[Group] = []
    for folder, module in REPLAYS:
        sys.path.insert(0, str(ROOT / "tests" / folder))  # its tests find their own rooms there
        found.append(importlib.import_module(module).replayed())
    gateway = conversations("slave", "com_gateway")
    nothing = tuple(
        Held(name, 0, sum(step[0] == "<" for step in steps), NO_GATEWAY)
        for name, steps in gateway.items()
    )
    return [*found[:-1], Group("communications gateways", nothing), found[-1]]


def main() -> int:
    missing = [name for name in (MDB, CCTALK) if place(name) is None]
    if missing:
        print(f"not there: {', '.join(missing)}; {PLACE} can name their folder")
        return 2
    found = groups()
    for group in found:
        print(*group.lines(), sep="\n")
    *recorded, examples = found
    holding = sum(group.holding for group in recorded)
    total = sum(len(group.conversations) for group in recorded)
    worked = f"{examples.holding} of {len(examples.conversations)} worked examples"
    print(f"{holding} of {total} conversations, {worked} hold")
    return 1 if any(group.unexplained() for group in found) else 0


if __name__ == "__main__":
    sys.exit(main())
