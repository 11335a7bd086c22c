"""Reading tube counts so that they can serve as evidence (NAMA MDB/ICP 4.2, 5.3 TUBE STATUS)."""

from typing import Final

from vendd.wire.mdb.changer_data import TubeLevels
from vendd.wire.mdb.exchange import Answer, Reply

SATURATED: Final = 255  # a count that says "this many or more"


class TubeReader:
    """Decides which TUBE STATUS answers to believe.

    Changers may leave out trailing zeros, and a flaky one may cut an answer anywhere with
    a right CHK. So an answer that ends before the highest tube is believed only when the
    next one says the same.
    """

    def __init__(self, types: frozenset[int]) -> None:
        self.types = types  # that have a tube
        self._needed = 2 + max(types, default=-1) + 1
        self._short: bytes | None = None

    def take(self, reply: Reply) -> TubeLevels | None:
        """The levels, or None: ask again."""
        if reply.answer is not Answer.DATA or len(reply.data) < 2:
            return None
        if len(reply.data) < self._needed and reply.data != self._short:
            self._short = reply.data
            return None
        self._short = None
        return TubeLevels.from_bytes(reply.data)


class TubeEvidence:
    """What left the tubes between two readings, other movements taken out."""

    def __init__(self, types: frozenset[int]) -> None:
        self._types = types
        self.before: TubeLevels | None = None
        self._others: dict[int, int] = {}

    def start(self, levels: TubeLevels) -> None:
        self.before = levels
        self._others.clear()

    def moved(self, type_: int, coins: int) -> None:
        """Coins of `type_` came in (positive) or left by hand (negative) meanwhile."""
        self._others[type_] = self._others.get(type_, 0) + coins

    def rose(self, now: TubeLevels) -> bool:
        """Coins appeared that nobody reported: one of the two readings is wrong, or a hand."""
        before = self.before
        return before is not None and any(
            now.counts[t] > before.counts[t] + max(0, self._others.get(t, 0)) for t in self._types
        )

    def left(self, now: TubeLevels) -> tuple[dict[int, int], frozenset[int]]:
        """Coins per type that left, and the types whose counts can't say (saturated, or
        out of use since: a changer forgets the count of a tube that jammed)."""
        if self.before is None:
            return {}, self._types
        out: dict[int, int] = {}
        unknown = set()
        for type_ in sorted(self._types):
            before, after = self.before.counts[type_], now.counts[type_]
            if now.defective(type_) and not self.before.defective(type_):
                unknown.add(type_)
                continue
            if SATURATED in (before, after):
                unknown.add(type_)
            gone = before + self._others.get(type_, 0) - after
            if gone > 0:
                out[type_] = gone
        return out, frozenset(unknown)
