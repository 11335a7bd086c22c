"""Ranges of numbers behave as the sets they stand for."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vendd.fleet.spans import Spans, shown

ranges = st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1]))


def numbers(of: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in of for number in range(first, last + 1)}


@given(st.lists(ranges, max_size=20), st.lists(ranges, max_size=5))
def test_it_is_the_set_of_its_numbers(put: list[tuple[int, int]], out: list[tuple[int, int]]):
    spans = Spans(put)
    meant = numbers(put)
    assert {number for number in range(70) if number in spans} == meant
    assert len(spans) == len(meant)
    assert numbers(spans.missing(1, 65)) == set(range(1, 66)) - meant
    assert numbers(list(spans.without(out))) == meant - numbers(out)
    listed = list(spans)
    assert all(a[1] + 1 < b[0] for a, b in pairwise(listed))
    assert spans == Spans(reversed(listed))


def test_ranges_are_shown_briefly():
    assert shown([(3, 3), (7, 9)]) == "3, 7..9"
    assert shown([(n, n) for n in range(10)], most=2) == "0, 1, and 8 more ranges"
