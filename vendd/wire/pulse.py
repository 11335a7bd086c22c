"""Coins as trains of pulses on one line: what a train means, and when it means nothing.

Such acceptors (CH-926 and its kin) send n pulses per coin and nothing else: no checksum, no
counter. Two coins in quick succession run into one train. So a train counts only when every
way to make it up from coins is worth the same; otherwise it is rejected, and said so.

Sans-IO. Times are seconds on the caller's clock, of the edges and not of their handling.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import inf
from typing import Final

MAX_PULSES: Final = 200
_EVEN: Final = 0.25  # share of the median distance that pulses of one coin may differ by
_EVEN_S: Final = 0.003
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class PulseRules:
    """`coins`: pulses -> minor units. Milliseconds: pulses of `min_ms` to `max_ms`, gaps of at
    least `min_gap_ms`, shorter than `glitch_ms` is noise, and a gap of `end_ms` ends the train.
    A line active for `stuck_ms` is stuck. A lone pulse within `settle_ms` of the start is the
    acceptor waking up. `even_counts`: where a train could be two coins as well, believe that
    three or more evenly spaced pulses are one; without it such a train is always rejected.

    Raises ValueError for what can't work, in words for the operator.
    """

    coins: Mapping[int, int]
    min_ms: float = 15
    max_ms: float = 130
    min_gap_ms: float = 15
    glitch_ms: float = 3
    end_ms: float = 300
    stuck_ms: float = 2_000
    settle_ms: float = 1_500
    max_pulses: int = 60
    even_counts: bool = False

    def __post_init__(self) -> None:
        if not self.coins:
            raise ValueError("no coin has a number of pulses")
        if not 1 <= self.max_pulses <= MAX_PULSES:
            raise ValueError(f"a train has 1 to {MAX_PULSES} pulses, not {self.max_pulses}")
        for pulses, value in self.coins.items():
            if not 1 <= pulses <= self.max_pulses or value <= 0:
                raise ValueError(f"{pulses} pulses for {value}: no coin")
        if not 0 <= self.glitch_ms <= min(self.min_ms, self.min_gap_ms):
            raise ValueError("noise must be shorter than any pulse and any gap")
        if not self.min_ms < self.max_ms < self.stuck_ms:
            raise ValueError("pulses: min_ms < max_ms < stuck_ms")
        if not self.min_gap_ms < self.end_ms:
            raise ValueError("gaps: min_gap_ms < end_ms")

    def conflicts(self) -> tuple[int, ...]:
        """Coins whose train could also be several others, worth something else: without
        `even_counts` none of them is ever credited. A good configuration has none."""
        sums = Sums(self)
        return tuple(n for n in sorted(self.coins) if not sums.clear(n))


class Sums:
    """Which coins a number of pulses can be made of."""

    def __init__(self, rules: PulseRules) -> None:
        size = rules.max_pulses + 1
        self._low: list[int | None] = [0] + [None] * (size - 1)  # least value of all ways
        self._high: list[int | None] = [0] + [None] * (size - 1)
        self._fewest: list[tuple[int, ...] | None] = [(), *[None] * (size - 1)]
        coins = sorted(rules.coins.items(), reverse=True)
        for n in range(1, size):
            for pulses, value in coins:
                if pulses <= n:
                    self._extend(n, pulses, value)

    def _extend(self, n: int, pulses: int, value: int) -> None:
        low, high = self._low[n - pulses], self._high[n - pulses]
        rest = self._fewest[n - pulses]
        if low is None or high is None or rest is None:
            return
        known_low, known_high, known = self._low[n], self._high[n], self._fewest[n]
        self._low[n] = low + value if known_low is None else min(known_low, low + value)
        self._high[n] = high + value if known_high is None else max(known_high, high + value)
        if known is None or len(rest) + 1 < len(known):
            self._fewest[n] = (pulses, *rest)

    def clear(self, n: int) -> bool:
        """Every way to make it up is worth the same."""
        return self._low[n] is not None and self._low[n] == self._high[n]

    def coins(self, n: int) -> tuple[int, ...] | None:
        """The fewest coins, as their numbers of pulses; None: no coins make that many."""
        return self._fewest[n]


class Why(Enum):
    """Why a train is no credit."""

    AMBIGUOUS = "ambiguous"  # could be different coins, worth different amounts
    UNKNOWN = "unknown"  # no coins make that many pulses
    SHORT_PULSE = "short_pulse"
    LONG_PULSE = "long_pulse"  # two pulses on top of each other
    SHORT_GAP = "short_gap"
    ENDLESS = "endless"  # more pulses than any coins make
    SPURIOUS = "spurious"  # the acceptor woke up; no coin


@dataclass(frozen=True, slots=True)
class Coins:
    """Credit: each coin as its number of pulses."""

    pulses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A train of `count` pulses that is no credit. But for `SPURIOUS`, a coin is probably in."""

    why: Why
    count: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """The line is active and stays so."""


@dataclass(frozen=True, slots=True)
class Freed:
    """The stuck line is idle again."""


PulseNews = Coins | Rejected | Stuck | Freed


class PulseParser:
    """Edges in, coins out. `wake_at`: when `tick` has to be called if no edge comes before."""

    def __init__(self, rules: PulseRules) -> None:
        self._rules = rules
        self._sums = Sums(rules)
        self.wake_at = inf
        self._started_at = -inf
        self._active_since: float | None = None
        self._idle_since = -inf
        self._starts: list[float] = []  # of the pulses of the train so far
        self._count = 0
        self._bad: Why | None = None
        self._stuck = False
        self._last = -inf

    def start(self, active: bool, now: float) -> None:
        """The line as it is found; what was before does not count."""
        self._started_at = self._last = now
        self._forget()
        self._stuck = False
        self._active_since = now if active else None
        self.wake_at = now + self._rules.stuck_ms / 1000 if active else inf

    def edge(self, active: bool, at: float) -> list[PulseNews]:
        """The line became active or idle; an edge that changes nothing is ignored."""
        at = self._last = max(at, self._last)
        if active == (self._active_since is not None):
            return []
        return self._rise(at) if active else self._fall(at)

    def tick(self, now: float) -> list[PulseNews]:
        """Time has passed."""
        if self._active_since is not None:
            return self._jam() if now >= self._active_since + self._rules.stuck_ms / 1000 else []
        if self._count and now >= self._idle_since + self._rules.end_ms / 1000:
            return self._finish()
        return []

    # --- edges ---------------------------------------------------------------------------

    def _rise(self, at: float) -> list[PulseNews]:
        rules, news = self._rules, []
        gap_ms = (at - self._idle_since) * 1000 + _ROUNDING
        if self._count and gap_ms >= rules.end_ms:
            news = self._finish()  # the caller was too busy to tick
        self._active_since = at
        if self._count and gap_ms < rules.glitch_ms:
            self._active_since = self._starts.pop()  # a bounce inside one pulse
            self._count -= 1
        elif self._count and gap_ms < rules.min_gap_ms:
            self._bad = self._bad or Why.SHORT_GAP
        self.wake_at = self._active_since + rules.stuck_ms / 1000
        return news

    def _fall(self, at: float) -> list[PulseNews]:
        assert self._active_since is not None
        rules, since = self._rules, self._active_since
        self._active_since = None
        self.wake_at = inf
        width_ms = (at - since) * 1000 + _ROUNDING
        if self._stuck or width_ms >= rules.stuck_ms:
            news = self._jam()
            self._stuck = False
            self._idle_since = at
            return [*news, Freed()]
        if width_ms >= rules.glitch_ms:
            self._pulse(since, at, width_ms)
        if self._count:
            self.wake_at = self._idle_since + rules.end_ms / 1000
        return []

    def _pulse(self, since: float, at: float, width_ms: float) -> None:
        rules = self._rules
        if width_ms < rules.min_ms:
            self._bad = self._bad or Why.SHORT_PULSE
        elif width_ms > rules.max_ms:
            self._bad = self._bad or Why.LONG_PULSE
        self._count += 1
        self._idle_since = at
        if self._count > rules.max_pulses:
            self._bad = Why.ENDLESS
            del self._starts[1:]  # nothing is kept of what can't be credited
        self._starts.append(since)

    # --- meaning ---------------------------------------------------------------------------

    def _jam(self) -> list[PulseNews]:
        """A line that stays active says nothing, and neither does what came before."""
        if self._stuck:
            return []
        self._stuck = True
        news: list[PulseNews] = [Stuck()]
        if self._count:
            news.insert(0, Rejected(Why.LONG_PULSE, self._count + 1))
        self._forget()
        return news

    def _finish(self) -> list[PulseNews]:
        count, bad, even = self._count, self._bad, self._even()
        alone = count == 1 and self._starts[0] < self._started_at + self._rules.settle_ms / 1000
        self._forget()
        if bad is not None:
            return [Rejected(bad, count)]
        if alone:
            return [Rejected(Why.SPURIOUS, count)]
        coins = self._sums.coins(count)
        if coins is None:
            return [Rejected(Why.UNKNOWN, count)]
        if self._sums.clear(count):
            return [Coins(coins)]
        if self._rules.even_counts and even and count in self._rules.coins:
            return [Coins((count,))]
        return [Rejected(Why.AMBIGUOUS, count)]

    def _even(self) -> bool:
        """All pulses follow each other at the same distance; two have none to compare."""
        starts = self._starts
        if len(starts) < 3:
            return False
        steps = sorted(b - a for a, b in pairwise(starts))
        median = steps[len(steps) // 2]
        return steps[-1] - steps[0] <= median * _EVEN + _EVEN_S

    def _forget(self) -> None:
        self._starts.clear()
        self._count = 0
        self._bad = None
        self.wake_at = inf
