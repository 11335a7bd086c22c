"""What a machine's surroundings do to its daemon in a campaign, other than killing it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from typing import Final

from hw_sim.chaos_plan import Phase


class Harm(StrEnum):
    """Its kinds, in the words of the closing table."""

    STOPPED = "stopped (SIGSTOP) for 2 s"
    STALL = "every fsync 100 ms slower"
    LONG_STALL = "every fsync 1 s slower"
    FULL = "state directory full (ENOSPC)"
    LINE = "serial line dead (EIO), then back"
    BROKER = "broker gone: connections reset and refused"
    CLOCK_ON = "wall clock set an hour forward"
    CLOCK_BACK = "wall clock set a day back"


@dataclass(frozen=True, slots=True)
class Blow:
    """`delay_s` after the begin of `phase`, for `for_s`."""

    harm: Harm
    phase: Phase
    delay_s: float
    for_s: float


_HOW_LONG_S: Final = {
    Harm.STOPPED: (2.0, 2.0),
    Harm.STALL: (4.0, 8.0),
    Harm.LONG_STALL: (4.0, 8.0),
    Harm.FULL: (1.0, 4.0),
    Harm.LINE: (0.3, 3.0),
    Harm.BROKER: (3.0, 8.0),
    Harm.CLOCK_ON: (0.5, 2.0),
    Harm.CLOCK_BACK: (0.5, 2.0),
}
_WHEN: Final = (
    (Phase.CREDIT, 0.8),
    (Phase.TURNING, 2.0),
    (Phase.RELEASED, 0.5),
    (Phase.STARTED, 0.1),
    (Phase.ARRIVED, 1.0),
    (Phase.PAYOUT, 0.6),
    (Phase.DROPPED, 0.4),
)
CLOCK_MS: Final = {Harm.CLOCK_ON: 3_600_000, Harm.CLOCK_BACK: -86_400_000}


def blows(number: int, seed: int) -> list[Blow]:
    """That many, every kind in turn."""
    chance = random.Random(f"{seed}/harm")
    return [_blow(harm, chance) for harm, _ in zip(_kinds(chance), range(number), strict=False)]


def _kinds(chance: random.Random) -> Iterator[Harm]:
    kinds = list(Harm)
    chance.shuffle(kinds)
    return cycle(kinds)


def _blow(harm: Harm, chance: random.Random) -> Blow:
    phase, span = chance.choice(_WHEN)
    return Blow(harm, phase, chance.uniform(0, span), chance.uniform(*_HOW_LONG_S[harm]))
