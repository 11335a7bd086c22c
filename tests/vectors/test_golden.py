"""Every golden table that is promised is there."""

import pytest

from tests.vectors.golden import GOLDEN
from tests.vectors.named import exists


@pytest.mark.parametrize("what", GOLDEN)
def test_the_table_is_there(what: str) -> None:
    assert [test for test in GOLDEN[what] if not exists(test)] == []


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert not exists("tests/mdb/test_bill_poll.py::test_nothing_of_the_kind")
    assert not exists("tests/mdb/nowhere.py::test_each_activity")
    assert not exists("tests/mdb/bill_script.py::BillScript")
