"""Which deaths a campaign wants, from its seed: half at random instants, half at seams."""

import random
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice
from typing import Final

from hw_sim.seam_board import Kind, When


class Phase(StrEnum):
    """Where in a running sale; each begins with something that can be seen from outside."""

    ARRIVED = "before the coin"
    CREDIT = "coins and keys"
    KEYED = "first key pressed"
    STARTED = "motor on, cam at home"
    TURNING = "cam has left home"
    RELEASED = "spiral let go"
    WAITING = "home again, product hangs"
    DROPPED = "product fell"
    PAYOUT = "coins go out"


@dataclass(frozen=True, slots=True)
class Seam:
    """Before or after the `ahead`-th of a kind from the phase's begin, hung for `stall_ms`."""

    kind: Kind
    when: When
    ahead: int
    stall_ms: int = 0

    def name(self, number: int) -> str:
        return f"{self.when.name.lower()} {self.kind.name.lower()} {number}"


@dataclass(frozen=True, slots=True)
class Death:
    """`delay_s` after the begin of `phase`, or at `seam`. Down for `off_s`; `again_s`: killed once
    more that long after the next start began."""

    number: int
    phase: Phase
    delay_s: float
    seam: Seam | None
    off_s: float
    again_s: float | None = None


# How long after the begin of a phase it may strike, seconds.
_INSTANTS: Final = (
    (Phase.CREDIT, 0.9),
    (Phase.STARTED, 0.1),
    (Phase.TURNING, 2.2),
    (Phase.RELEASED, 0.6),
    (Phase.WAITING, 0.3),
    (Phase.DROPPED, 0.4),
    (Phase.PAYOUT, 0.8),
)
# Where a seam is armed, and how many of its kind may pass from there within the sale.
_SEAMS: Final = (
    (Kind.COMMIT, Phase.ARRIVED, 7),
    (Kind.GPIO, Phase.TURNING, 15),
    (Kind.PTY, Phase.CREDIT, 12),
    (Kind.COMMIT, Phase.KEYED, 1),
    (Kind.GPIO, Phase.CREDIT, 8),
    (Kind.PTY, Phase.PAYOUT, 5),
    (Kind.COMMIT, Phase.TURNING, 2),
    (Kind.GPIO, Phase.STARTED, 3),
    (Kind.PTY, Phase.TURNING, 20),
    (Kind.COMMIT, Phase.PAYOUT, 1),
)
_OFF_S: Final = (0.2, 1.2)
_AGAIN: Final = 0.12  # share of deaths that the next start doesn't survive either
_AGAIN_S: Final = (0.1, 1.6)


def plan(deaths: int, seed: int) -> list[Death]:
    """That many, alternating between instants and seams; one killed start counts as one more."""
    chance = random.Random(f"{seed}/chaos")
    instants = cycle(_INSTANTS)
    both = cycle([(seam, when) for seam in _SEAMS for when in When])
    seams = islice(both, chance.randrange(len(_SEAMS)), None)
    planned: list[Death] = []
    left = deaths
    while left > 0:
        again = chance.uniform(*_AGAIN_S) if left > 1 and chance.random() < _AGAIN else None
        off_s = chance.uniform(*_OFF_S)
        number = deaths - left + 1
        if len(planned) % 2 == 0:
            phase, span = next(instants)
            planned.append(Death(number, phase, chance.uniform(0, span), None, off_s, again))
        else:
            (kind, phase, most), when = next(seams)
            seam = Seam(kind, when, chance.randint(1, most))
            planned.append(Death(number, phase, 0.0, seam, off_s, again))
        left -= 1 if again is None else 2
    return planned
