"""Tests by name: ``tests/mdb/test_bill_poll.py::test_each_activity``. Does it exist?"""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tests_in(module: str) -> frozenset[str]:
    """The names of the test functions of one file; none when it is not there."""
    path = ROOT / module
    if not path.is_file():
        return frozenset()
    source = path.read_text(encoding="utf-8")
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)\(", source, re.MULTILINE))


def exists(test: str) -> bool:
    module, _, name = test.partition("::")
    return name in tests_in(module)
