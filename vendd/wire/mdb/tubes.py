"""Reading tube counts so that they can serve as evidence (NAMA MDB/ICP 4.2, 5.3 TUBE STATUS)."""

from typing import Final

from vendd.wire.mdb.changer_data import TYPES, TubeLevels
from vendd.wire.mdb.exchange import Answer, Reply

SATURATED: Final = 255  # a count that says "this many or more"


class TubeReader:
    """Decides which TUBE STATUS answers to believe.

    Changers may leave out trailing zeros, and a flaky one may cut an answer anywhere with
    a right CHK. So an answer that ends before the highest tube is believed only when the
    next one says the same.
    """

    def __init__(self, highest_type: int) -> None:
        self._needed = 2 + highest_type + 1
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

    def __init__(self) -> None:
        self.before: TubeLevels | None = None
        self._others: dict[int, int] = {}

    def start(self, levels: TubeLevels) -> None:
        self.before = levels
        self._others.clear()

    def moved(self, type_: int, coins: int) -> None:
        """Coins of `type_` came in (positive) or left by hand (negative) meanwhile."""
        self._others[type_] = self._others.get(type_, 0) + coins

    def left(self, now: TubeLevels) -> tuple[dict[int, int], bool]:
        """Coins per type that left, and whether the counts can say so exactly."""
        if self.before is None:
            return {}, False
        out: dict[int, int] = {}
        exact = True
        for type_ in range(TYPES):
            before, after = self.before.counts[type_], now.counts[type_]
            if SATURATED in (before, after) or now.defective(type_) > self.before.defective(type_):
                exact = False
            gone = before + self._others.get(type_, 0) - after
            if gone > 0:
                out[type_] = gone
        return out, exact
