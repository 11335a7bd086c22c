"""The yardstick of the design, and that it really measures."""

from pathlib import Path

import pytest

from tests.house.yardstick import LONGER, findings, measure

ROOT = Path(__file__).parents[2]


def test_nothing_exceeds_the_yardstick():
    found = list(findings(ROOT, ("vendd", "hw_sim", "tests")))
    longer = {line for line in found if line.endswith(" lines") and line.split(":")[0] in LONGER}
    assert [line for line in found if line not in longer] == []


def test_every_exception_is_still_needed():
    found = list(findings(ROOT, ("vendd", "hw_sim", "tests")))
    assert {
        name for name in LONGER if not any(line.startswith(f"{name}:1: ") for line in found)
    } == set()


def nested(depth: int) -> str:
    lines = ["def f():"]
    lines += [f"{'    ' * level}if a{level}:" for level in range(1, depth + 1)]
    return "\n".join([*lines, "    " * (depth + 1) + "pass"])


# (source, the finding; "" = none)
ROWS = [
    ("x = 1\n" * 400, ""),
    ("x = 1\n" * 401, "1: 401 lines"),
    ("def f():\n" + "    x = 1\n" * 49, ""),
    ("def f():\n" + "    x = 1\n" * 50, "1: f has 51 lines"),
    ("class A:\n    async def g(self):\n" + "        x = 1\n" * 50, "2: g has 51 lines"),
    (nested(4), ""),
    (nested(5), "1: f is nested 5 deep"),
    ("def f():\n    if a:\n        pass\n" + "    elif b:\n        pass\n" * 8, ""),
    ("class PinManager:\n    pass\n", "1: PinManager says nothing"),
    ("def parse_helper():\n    pass\n", "1: parse_helper says nothing"),
    ("class Baseline:\n    pass\n", ""),
]


@pytest.mark.parametrize(("source", "finding"), ROWS)
def test_a_source_is_measured(source, finding):
    assert list(measure(source)) == ([finding] if finding else [])


@pytest.mark.parametrize(
    ("file", "source", "said"),
    [
        ("vendd/core/utils.py", "", "a name that says nothing"),
        ("vendd/common/x.py", "", "a name that says nothing"),
        ("vendd/x.py", "if simulated:\n    pass\n", "asks whether it is simulated"),
        ("vendd/x.py", "x = 1 if config.is_sim else 2\n", "asks whether it is simulated"),
        ("vendd/x.py", "while os.environ['HW_SIM']:\n    pass\n", "asks whether it is simulated"),
        ("vendd/x.py", "if similar or mockingbird:\n    pass\n", ""),
        ("hw_sim/x.py", "if simulated:\n    pass\n", ""),
    ],
)
def test_a_name_or_habit_is_noticed(tmp_path: Path, file, source, said):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    found = list(findings(tmp_path, ("vendd", "hw_sim")))
    assert len(found) == bool(said)
    assert all(said in line for line in found)
