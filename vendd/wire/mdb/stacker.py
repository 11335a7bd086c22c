"""The stacker's own count as evidence (NAMA MDB/ICP 4.2, 6.3 STACKER)."""

from vendd.wire.mdb.bill_validator_data import Stacker


class StackerCount:
    """What the stacker said last, and how many bills it holds that nobody reported.

    Some validators don't count: a counter that was never seen to move proves nothing.
    """

    def __init__(self) -> None:
        self.last: Stacker | None = None
        self.emptied = 0  # bills that were taken out before the newest reading
        self._surplus = 0
        self._expected = 0  # STACKED since the newest reading
        self._counts = False

    @property
    def full(self) -> bool:
        return self.last is not None and self.last.full

    @property
    def count(self) -> int:
        """0 until it was told."""
        return 0 if self.last is None else self.last.count

    @property
    def rose(self) -> bool | None:
        """Since `mark`, by more than was reported; None: no evidence."""
        return self._surplus > self._expected if self._counts else None

    def mark(self) -> None:
        """A bill came: its evidence begins here."""
        self._surplus = 0

    def expect_one(self) -> None:
        """STACKED was reported. The count may have risen before, or may rise later."""
        self._expected += 1

    def read(self, stacker: Stacker) -> None:
        before, self.last = self.last, stacker
        expected, self._expected, self.emptied = self._expected, 0, 0
        if before is None:
            return
        self._counts = self._counts or bool(before.count) or stacker.count > before.count
        if stacker.count < before.count:
            self.emptied, self._surplus = before.count, 0
        else:
            self._surplus += stacker.count - before.count - expected
