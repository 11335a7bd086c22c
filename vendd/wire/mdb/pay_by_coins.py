"""Payout coin by coin, for changers of any level (NAMA MDB/ICP 4.2, 5.3, command 0D)."""

from enum import Enum
from typing import Final

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_data import TubeLevels
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.payout import PER_COIN_S, Coins, Outcome, Step, Stuck, Watched, as_coins
from vendd.wire.mdb.tubes import TubeReader

SETTLE_S: Final = 0.3  # between two readings that should differ


class CoinPhase(Enum):
    BASELINE = "baseline"
    DISPENSE = "dispense"
    SETTLING = "settling"
    CHECK = "check"


class ByCoins(Watched):
    """One DISPENSE per coin: POLL until no longer busy, then the tube must hold one less."""

    def __init__(self, id_: str, coins: Coins, reader: TubeReader, known: TubeLevels) -> None:
        super().__init__(id_, coins, reader, known)
        self._queue = [t for t, n in coins for _ in range(n)]
        self.phase = CoinPhase.BASELINE
        self._checks = 0
        self._resends = 0
        self._odd: TubeLevels | None = None  # a reading too strange to believe once

    def next(self, now: float) -> bytes:
        if self.phase is CoinPhase.DISPENSE:
            self._start(now)
            self._checks = 0
            return cd.dispense(self._queue[0])
        return cd.POLL if self.phase is CoinPhase.SETTLING else cd.TUBE_STATUS

    def answered(self, reply: Reply, now: float) -> Step:
        self.wait_s = None
        match self.phase:
            case CoinPhase.BASELINE:
                refused = self._baseline(reply)
                if self._evidence.before is not None:
                    self._dispense()
                return refused
            case CoinPhase.DISPENSE:
                self.taken = self.taken or reply.valid
                self._doubt = not reply.valid
                self.phase = CoinPhase.SETTLING
                return None
            case CoinPhase.SETTLING:
                if reply.valid and not (reply.answer is Answer.DATA and self._busy):
                    self.phase = CoinPhase.CHECK
                    self.wait_s = 0.0
                    self._tries = 0
                elif self._overdue(now, PER_COIN_S):
                    return Stuck.OVERDUE
                return None
            case CoinPhase.CHECK:
                return self._check(reply)

    def _dispense(self) -> None:
        self.phase = CoinPhase.DISPENSE
        self.wait_s = 0.0

    def after_reset(self, levels: TubeLevels, why: str) -> Outcome:
        left, _ = self._evidence.left(levels)  # since the last coin that is proven
        self._add(left)
        return Outcome(as_coins(self._paid), certain=False, why=why)

    def _check(self, reply: Reply) -> Step:
        levels = self._reader.take(reply)
        if levels is None:
            return None if self._ask_again() else Stuck.UNCLEAR
        left, unknown = self._evidence.left(levels)
        type_ = self._queue[0]
        # A saturated tube shows no difference; then the changer's word has to do.
        blind = type_ in unknown and not levels.defective(type_)
        if blind and not left and not self._doubt and not self._jammed:
            left = {type_: 1}
        if not left:
            return self._coin_stayed(levels, blind)
        strange = left != {type_: 1} or self._evidence.rose(levels)
        if strange and levels != self._odd:
            self._odd = levels
            self.wait_s = SETTLE_S
            return None
        return self._coin_left(levels, left)

    def _add(self, left: dict[int, int]) -> None:
        for type_, coins in left.items():
            self._paid[type_] = self._paid.get(type_, 0) + coins

    def _coin_left(self, levels: TubeLevels, left: dict[int, int]) -> Step:
        self.taken = True
        self._add(left)
        for type_, coins in left.items():
            for _ in range(min(coins, self._queue.count(type_))):
                self._queue.remove(type_)
        self._evidence.start(levels)
        self._resends = 0
        strange = not self._paid.keys() <= {t for t, _ in self._coins}
        if not self._queue or self._jammed or strange:
            return self._ended(missing=bool(self._queue))
        self._dispense()
        return None

    def _coin_stayed(self, levels: TubeLevels, blind: bool) -> Step:
        self._checks += 1
        if self._checks < 3:  # counts may follow late
            self.wait_s = SETTLE_S
            return None
        if blind:
            return Stuck.UNCLEAR
        if self._doubt and self._resends < 2:
            # The tube holds what it held: the lost command was not carried out.
            self._resends += 1
            self._evidence.start(levels)
            self._dispense()
            return None
        return self._ended(missing=True)

    def _ended(self, *, missing: bool) -> Outcome:
        moved = self.taken or bool(self._paid)
        return Outcome(as_coins(self._paid), True, self._why(missing), moved=moved)
