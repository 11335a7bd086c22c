"""Paying coins out of a changer, and finding out what really left it.

What both ways share (NAMA MDB/ICP 4.2, 5.3 and 5.5): `pay_by_value` lets the
changer choose coins, `pay_by_coins` gives one DISPENSE per coin. Both read the
tubes before and after.

A DISPENSE or PAYOUT whose answer was lost is never sent again on suspicion: the
changer is asked what happened, and only tubes that did not change allow another
attempt. Neither way is responsible for pace, silence of the whole device, or
recovery: `vendd.wire.mdb.changer` is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_data import Activity, Deposit, Dispensed, Status, TubeLevels
from vendd.wire.mdb.exchange import Reply
from vendd.wire.mdb.tubes import TubeEvidence, TubeReader

PER_COIN_S: Final = 5.0  # without any progress
OVERALL_BASE_S: Final = 10.0
OVERALL_PER_COIN_S: Final = 3.0
OVERALL_MAX_S: Final = 75.0  # within the sale's own deadline for a payout
ATTEMPTS: Final = 5  # for questions, which may be repeated

Coins = tuple[tuple[int, int], ...]  # (type, count)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a payout ended. `moved` False: the changer certainly did nothing.

    `certain` False: `paid` is what is known at least.
    """

    paid: Coins
    certain: bool
    why: str = ""
    moved: bool = True


class Stuck(Enum):
    """The payout does not come to an end by itself: the changer must be reset."""

    OVERDUE = "overdue"
    UNCLEAR = "unclear"


Step = Outcome | Stuck | None


class Payout(Protocol):
    """One payout under way. `wait_s`: pause before `next`, None for the usual poll interval."""

    id: str
    taken: bool
    wait_s: float | None

    @property
    def committed(self) -> bool:
        """A command that may have moved coins was sent."""

    def next(self, now: float) -> bytes: ...

    def saw(self, happened: Iterable[Activity]) -> None:
        """Activities of a POLL that this payout asked for or that came in between."""

    def answered(self, reply: Reply, now: float) -> Step: ...

    def at_least(self, why: str) -> Outcome:
        """The changer is gone."""

    def after_reset(self, levels: TubeLevels, why: str) -> Outcome:
        """The changer started anew: what its tubes say, which is never certain."""


def as_coins(paid: dict[int, int]) -> Coins:
    return tuple(sorted((t, n) for t, n in paid.items() if n))


def overall_s(coins: Sequence[tuple[int, int]]) -> float:
    """The longest a payout of `coins` may take."""
    count = sum(n for _, n in coins)
    return min(OVERALL_MAX_S, OVERALL_BASE_S + OVERALL_PER_COIN_S * count)


class Watched:
    """What both ways share: evidence, deadlines, what was seen on the way."""

    def __init__(self, id_: str, coins: Coins, reader: TubeReader, known: TubeLevels) -> None:
        self.id = id_
        self.taken = False
        self.wait_s: float | None = 0.0
        self._coins = coins
        self._reader = reader
        self._known = known  # what the tubes should hold
        self._evidence = TubeEvidence(reader.types)
        self._paid: dict[int, int] = {}
        self._doubt = False  # was the newest command taken up?
        self._busy = False
        self._jammed = False
        self._tries = 0
        self._deadline: float | None = None
        self._progress_at = 0.0

    @property
    def committed(self) -> bool:
        return self._deadline is not None

    def saw(self, happened: Iterable[Activity]) -> None:
        self._busy = False
        for one in happened:
            match one:
                case Status(cd.PAYOUT_BUSY):
                    self._busy = True
                    if self.committed:  # nothing else makes it pay
                        self.taken = True
                        self._doubt = False
                case Status(cd.BUSY):
                    self._busy = True
                case Status(cd.TUBE_JAM | cd.TUBE_SENSOR):
                    self._jammed = True
                case Deposit(type_, cd.TUBE, _):
                    self._evidence.moved(type_, 1)
                case Dispensed(type_, coins, _):
                    self._evidence.moved(type_, -coins)
                case _:
                    pass

    def at_least(self, why: str) -> Outcome:
        return Outcome(as_coins(self._paid), certain=False, why=why)

    def after_reset(self, levels: TubeLevels, why: str) -> Outcome:
        left, _ = self._evidence.left(levels)
        for type_, known in self._paid.items():
            left[type_] = max(left.get(type_, 0), known)
        return Outcome(as_coins(left), certain=False, why=why)

    def _start(self, now: float) -> None:
        """A command that moves coins goes out now."""
        self._progress_at = now
        self._tries = 0
        if self._deadline is None:
            self._deadline = now + overall_s(self._coins)

    def _overdue(self, now: float, allowed_s: float) -> bool:
        late = self._deadline is not None and now > self._deadline
        return late or now > self._progress_at + allowed_s

    def _ask_again(self) -> bool:
        """One more failed question: may it be asked again?"""
        self._tries += 1
        return self._tries < ATTEMPTS

    def _why(self, missing: bool) -> str:
        if not missing:
            return ""
        return "tube_jam" if self._jammed else "short"

    def _baseline(self, reply: Reply) -> Outcome | None:
        """The reading before anything moves. Without it, nothing does; a surprising one, twice."""
        levels = self._reader.take(reply)
        if levels is None or levels != self._known:
            self._known = levels or self._known
            return None if self._ask_again() else Outcome((), True, "no_tube_status", moved=False)
        self._evidence.start(levels)
        self.wait_s = 0.0
        return None
