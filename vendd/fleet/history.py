"""What is known of one machine's numbering: its lives, and the epochs they form.

A *life* is one run of the daemon: `bootid` and `bootcount` name it. An *epoch* is
a row of lives whose numbers go on from each other. A machine restored from an old
backup counts again from where the backup stood: its new life claims a `bootcount`
or a `seq` that another life has used, so it can't belong to the same epoch and
opens the next one. Nothing of two epochs is ever merged.

Everything here is a function of the set of events, not of the order in which they
came, except that epochs are numbered by the first arrival of their lives.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vendd.fleet.spans import Spans


@dataclass(slots=True)
class Life:
    """One run of the daemon. `first_ms`: when its first event arrived; `seen`: numbers whose
    events are projected; `low` to `high` also covers those known only from dead letters."""

    number: int
    bootid: str
    bootcount: int
    first_ms: int
    last_ms: int
    low: int
    high: int
    epoch: int = 0
    seen: Spans = field(default_factory=Spans)
    stored: frozenset[tuple[int, int]] = frozenset()  # the ranges as the database has them
    dirty: bool = False

    def note(self, seq: int, arrived_ms: int) -> None:
        """`seq` belongs to this life."""
        self.dirty = True
        if seq > self.high:
            self.high = seq
        elif seq < self.low:
            self.low = seq
        if arrived_ms > self.last_ms:
            self.last_ms = arrived_ms
        elif arrived_ms < self.first_ms:
            self.first_ms = arrived_ms


@dataclass(slots=True)
class History:
    """All lives of one machine. `version` tells a cached copy from a stale one."""

    machine: str
    version: int = 0
    lives: dict[tuple[str, int], Life] = field(default_factory=dict)
    duplicates: int = 0  # not yet stored
    conflicts: int = 0  # not yet stored
    last_ms: int = 0

    def life(self, bootid: str, bootcount: int, seq: int, arrived_ms: int) -> Life:
        """The life that a record names, with `seq` noted in it; a new one if it is unknown."""
        key = (bootid, bootcount)
        life = self.lives.get(key)
        if life is None:
            number = len(self.lives) + 1
            life = Life(number, bootid, bootcount, arrived_ms, arrived_ms, seq, seq)
            self.lives[key] = life
        life.note(seq, arrived_ms)
        return life

    def settle(self) -> None:
        """Put the lives that were noted into epochs; numbers them anew where one doesn't fit."""
        noted = [life for life in self.lives.values() if life.dirty]
        if all(life.epoch and fits(life, self._peers(life)) for life in noted):
            return
        for number, epoch in epochs(self.lives.values()).items():
            life = next(each for each in self.lives.values() if each.number == number)
            if life.epoch != epoch:
                life.epoch = epoch
                life.dirty = True

    def _peers(self, life: Life) -> Iterator[Life]:
        return (other for other in self.lives.values() if other.epoch == life.epoch)


def fits(life: Life, members: Iterable[Life]) -> bool:
    """Whether `life` can be of one row with `members`: later runs have later numbers."""
    for other in members:
        if other is life:
            continue
        if other.bootcount < life.bootcount and other.high < life.low:
            continue
        if other.bootcount > life.bootcount and other.low > life.high:
            continue
        return False
    return True


def epochs(lives: Iterable[Life]) -> dict[int, int]:
    """The epoch of each life, by its number. The newest epoch that a life fits into takes it."""
    rows: list[list[Life]] = []
    placed: dict[int, int] = {}
    for life in sorted(lives, key=lambda each: (each.first_ms, each.bootcount, each.bootid)):
        for place in range(len(rows) - 1, -1, -1):
            if fits(life, rows[place]):
                rows[place].append(life)
                placed[life.number] = place + 1
                break
        else:
            rows.append([life])
            placed[life.number] = len(rows)
    return placed
