"""Alternative payout of a level 3 changer (NAMA MDB/ICP 4.2, 5.5, commands 0F 02, 03 and 04).

PAYOUT, then PAYOUT VALUE POLL until it is answered by an ACK, then PAYOUT STATUS,
then the tubes.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_data import TubeLevels
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.payout import PER_COIN_S, Coins, Outcome, Step, Stuck, Watched, as_coins
from vendd.wire.mdb.tubes import TubeReader

MAX_UNITS: Final = 255  # one byte of value


class ValuePhase(Enum):
    BASELINE = "baseline"
    COMMAND = "command"
    WORKING = "working"
    STATUS = "status"
    CLOSING = "closing"
    LOOKING = "looking"  # a POLL: what it has to tell explains why less came out, or other coins


class ByValue(Watched):
    """The changer chooses the coins; more than 255 units go in several parts."""

    def __init__(
        self,
        id_: str,
        coins: Coins,
        units: Sequence[int],
        reader: TubeReader,
        known: TubeLevels,
    ) -> None:
        super().__init__(id_, coins, reader, known)
        self._credits = units
        self._parts = _parts(coins, units)
        self.phase = ValuePhase.BASELINE
        self._polled = 0  # units by PAYOUT VALUE POLL
        self._part_polled = 0
        self._status_lost = False
        self._looked = False
        self._asked = b""
        self._questions = 0

    def next(self, now: float) -> bytes:
        if self.phase in (ValuePhase.BASELINE, ValuePhase.CLOSING):
            self._asked = cd.TUBE_STATUS
        elif self.phase is ValuePhase.COMMAND:
            self._start(now)
            self._part_polled = 0
            self._asked = cd.payout(self._parts[0])
        elif self.phase is ValuePhase.STATUS:
            self._asked = cd.PAYOUT_STATUS
        else:
            # Every fourth question is a plain POLL: only that tells of a jam or a reset.
            self._questions += 1
            poll = self._questions % 4 == 0 or self.phase is ValuePhase.LOOKING
            self._asked = cd.POLL if poll else cd.PAYOUT_VALUE_POLL
        return self._asked

    def answered(self, reply: Reply, now: float) -> Step:
        self.wait_s = None
        match self.phase:
            case ValuePhase.BASELINE:
                refused = self._baseline(reply)
                if self._evidence.before is not None:
                    self.phase = ValuePhase.COMMAND
                return refused
            case ValuePhase.COMMAND:
                self.taken = self.taken or reply.valid
                self._doubt = not reply.valid
                self.phase = ValuePhase.WORKING
                return None
            case ValuePhase.WORKING:
                return self._working(reply, now)
            case ValuePhase.STATUS:
                return self._status(reply, now)
            case ValuePhase.CLOSING:
                return self._closing(reply)
            case ValuePhase.LOOKING:
                self._enter(ValuePhase.CLOSING)
                return None

    def _working(self, reply: Reply, now: float) -> Step:
        if self._asked == cd.PAYOUT_VALUE_POLL:
            if reply.answer is Answer.ACK:
                self._enter(ValuePhase.STATUS)
                return None
            if reply.answer is Answer.DATA and reply.data:
                self.taken = True
                self._polled += reply.data[0]
                self._part_polled += reply.data[0]
                # More than was asked for is no progress (a changer that never says "finished").
                if reply.data[0] > 0 and self._part_polled <= self._parts[0]:
                    self._progress_at = now
        return Stuck.OVERDUE if self._overdue(now, 2 * PER_COIN_S) else None

    def _status(self, reply: Reply, now: float) -> Step:
        if reply.answer is Answer.ACK:  # still busy, says the standard
            return Stuck.OVERDUE if self._overdue(now, 2 * PER_COIN_S) else None
        if reply.answer is not Answer.DATA:
            # It clears its report once our ACK is out, so a second answer may lack what is lost.
            self._status_lost = True
            if not self._ask_again():
                self._enter(ValuePhase.CLOSING)
            return None
        units = 0
        for type_, count in enumerate(reply.data[: cd.TYPES]):
            self._paid[type_] = self._paid.get(type_, 0) + count
            units += count * self._credits[type_]
        part = self._parts.pop(0)
        more = bool(self._parts) and units >= part and not self._status_lost and not self._doubt
        self._enter(ValuePhase.COMMAND if more else ValuePhase.CLOSING)
        return None

    def _enter(self, phase: ValuePhase) -> None:
        self.phase = phase
        self.wait_s = 0.0
        self._tries = 0

    def _closing(self, reply: Reply) -> Step:
        levels = self._reader.take(reply)
        if levels is None and self._ask_again():
            return None
        left, unknown = ({}, True) if levels is None else self._evidence.left(levels)
        exact = not unknown
        reported = {t: n for t, n in self._paid.items() if n}
        units = self._units(reported)
        agree = levels is not None and left == reported
        if levels is not None and not self._looked and (self._missing(reported) or not agree):
            self._looked = True
            self._enter(ValuePhase.LOOKING)
            return None
        proven = units == self._polled or agree or (not exact and units > self._polled)
        if proven and not self._doubt and not self._status_lost:
            return self._ended(reported)
        if exact:
            return self._ended(left)
        return self._ended(reported) if agree and not self._status_lost else Stuck.UNCLEAR

    def _ended(self, paid: dict[int, int]) -> Outcome:
        moved = self.taken or any(paid.values())
        return Outcome(as_coins(paid), True, self._why(self._missing(paid)), moved=moved)

    def _missing(self, paid: dict[int, int]) -> bool:
        return self._units(paid) < sum(n * self._credits[t] for t, n in self._coins)

    def _units(self, coins: dict[int, int]) -> int:
        return sum(n * self._credits[t] for t, n in coins.items())


def _parts(coins: Coins, units: Sequence[int]) -> list[int]:
    """The value in scaling units, cut into parts of whole coins and at most 255 units."""
    parts = [0]
    for type_, count in coins:
        for _ in range(count):
            if parts[-1] + units[type_] > MAX_UNITS:
                parts.append(0)
            parts[-1] += units[type_]
    return parts
