"""No row of the field notes is without a test, and no test that is named is missing."""

import re

import pytest

from tests.field.rows import LATER, OTHER, ROWS, Row
from tests.vectors.named import exists

HERE = "tests/field/"
NUMBERS = range(1, 39)


def path(test: str) -> str:
    return test if test.startswith("tests/") else HERE + test


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row.number} {row.words}")
def test_every_row_has_its_tests(row: Row) -> None:
    names = [t for t in row.tests if t != OTHER and not re.fullmatch(LATER + r"\d+", t)]
    assert [test for test in names if not exists(path(test))] == []
    assert not row.payment or names == list(row.tests), "what is about money is tested now"


@pytest.mark.parametrize("row", [row for row in ROWS if row.payment], ids=lambda row: row.words)
def test_a_row_about_payment_has_a_test_of_its_name(row: Row) -> None:
    named = [test for test in row.tests if f"::test_row_{row.number:02}_" in test]
    assert named
    assert all(test.split("::")[1].startswith(f"test_row_{row.number:02}_")
               for test in row.tests if not test.startswith("tests/"))  # fmt: skip


def test_no_row_is_forgotten_or_there_twice() -> None:
    assert [row.number for row in ROWS] == list(NUMBERS)
