"""Sets of sequence numbers as ranges: which events were seen, and which are missing."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last number, both inside."""


class Spans:
    """A set of integers, kept as disjoint ranges with gaps between them.

    Events come in order within a topic, so the last range usually just grows.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> None:
        """Put `first` to `last` (just `first` without it) into the set."""
        last = first if last is None else last
        assert first <= last, f"a range from {first} to {last}"
        if self._lasts and first == self._lasts[-1] + 1:
            self._lasts[-1] = last
            return
        # Every range that touches the new one becomes part of it.
        begin = bisect_right(self._lasts, first - 2)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]

    def __iter__(self) -> Iterator[Range]:
        return zip(self._firsts, self._lasts, strict=True)

    def __len__(self) -> int:
        """How many numbers, not how many ranges."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Spans({list(self)})"

    @property
    def first(self) -> int:
        return self._firsts[0]

    @property
    def last(self) -> int:
        return self._lasts[-1]

    def missing(self, first: int, last: int) -> list[Range]:
        """The ranges between `first` and `last` that are not in the set."""
        gaps: list[Range] = []
        expected = first
        for begin, end in self:
            if end < expected:
                continue
            if begin > last:
                break
            if begin > expected:
                gaps.append((expected, begin - 1))
            expected = end + 1
        if expected <= last:
            gaps.append((expected, last))
        return gaps

    def without(self, others: Iterable[Range]) -> "Spans":
        """What is in this set and in none of `others`."""
        rest = Spans()
        taken = Spans(others)
        for first, last in self:
            for gap in taken.missing(first, last):
                rest.add(*gap)
        return rest


def shown(ranges: Iterable[Range], most: int = 8) -> str:
    """Ranges for people: ``3, 7..9``; long lists end with how many more there are."""
    listed = list(ranges)
    texts = [str(first) if first == last else f"{first}..{last}" for first, last in listed[:most]]
    if len(listed) > most:
        texts.append(f"and {len(listed) - most} more ranges")
    return ", ".join(texts)
