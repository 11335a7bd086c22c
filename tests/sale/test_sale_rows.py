"""No row of the behaviour tables is without a test, and no test that is named is missing."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.sale.rows import ROWS

HERE = Path(__file__).parent
TESTS = {
    name
    for path in HERE.glob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
}
# How many rows the tables of sections 1..9 have, rows that stand for two things counted twice.
COUNTS = {1: 11, 2: 13, 3: 15, 4: 15, 5: 16, 6: 14, 7: 18, 8: 8, 9: 14}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"s{r.section} {r.words}")
def test_every_row_has_its_test(row):
    assert row.test in TESTS or re.fullmatch(r"later: issue [67]", row.test)


def test_no_row_is_forgotten():
    assert Counter(row.section for row in ROWS) == COUNTS
    assert len({(row.section, row.words) for row in ROWS}) == len(ROWS)
