"""Reading what is in the stacker and in the recycler, and what their counts prove.

The middle of `vendd.wire.mdb.bill_validator.BillValidatorMachine`; not used alone.
"""

from typing import Final

from vendd.wire.mdb.bill_validator_data import RecyclerLevels, Stacker
from vendd.wire.mdb.bill_validator_news import (
    News,
    RecyclerLevel,
    RecyclerSeen,
    StackerEmptied,
    StackerSeen,
)
from vendd.wire.mdb.bill_validator_start import (
    ATTEMPTS,
    RESET_LOOP,
    STORM_S,
    BillRules,
    BillStartup,
    State,
)
from vendd.wire.mdb.exchange import Answer, Reply

STACKER_EVERY_S: Final = 60.0


class BillStores(BillStartup):
    """STACKER and DISPENSER STATUS in operation."""

    def __init__(self, rules: BillRules) -> None:
        super().__init__(rules)
        self._stacker_wanted = False
        self._stacker_at = 0.0
        self._recycler_wanted = False

    def _hear_stores(self, reply: Reply, now: float, news: list[News]) -> float | None:
        """STACKER, which also settles a bill whose time is over."""
        late = self.path.overdue(now)
        if reply.answer is Answer.DATA and len(reply.data) >= 2:
            self._read_stacker(Stacker.from_bytes(reply.data), now, news)
        elif not late:
            self._tries += 1
            if self._tries < ATTEMPTS:
                return None
            self._stacker_told(now)  # it does not know
        if late:
            news += self.path.give_up()
            self.state = State.RESETTING  # only a new start tells where the bill is
            self._reset_at = now
        return 0.0

    def _read_stacker(self, stacker: Stacker, now: float, news: list[News]) -> None:
        before = self.stacker.last
        self.stacker.read(stacker)
        news += self.faults.stacker(full=stacker.full)
        if self.stacker.emptied:
            news.append(StackerEmptied(self.stacker.emptied))
        if stacker != before or self._stacker_wanted:
            news.append(self._stacker_seen())
        self._stacker_told(now)
        if now - self._started_at > STORM_S:
            news += self.faults.end((RESET_LOOP,))

    def _stacker_told(self, now: float) -> None:
        self._tries = 0
        self._stacker_wanted = self.poll.stacker_doubtful = False
        self._stacker_at = now + STACKER_EVERY_S

    def _read_levels(self, reply: Reply, news: list[News]) -> None:
        self._recycler_wanted = False
        if reply.answer is Answer.DATA and len(reply.data) >= 2:
            self.levels = RecyclerLevels.from_bytes(reply.data)
            news.append(RecyclerSeen(self._levels()))

    def _stacker_seen(self) -> StackerSeen:
        capacity = 0 if self._setup is None else self._setup.capacity
        return StackerSeen(self.stacker.count, self.stacker.full, capacity)

    def _levels(self) -> tuple[RecyclerLevel, ...]:
        it = self.levels
        return tuple(
            RecyclerLevel(k.type, k.value, it.counts[k.type], it.is_full(k.type),
                          it.defective(k.type))
            for k in self._kinds
            if k.recycled
        )  # fmt: skip
