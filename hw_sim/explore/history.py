"""What happens to one machine, as data from a seed: who comes, and what goes wrong meanwhile.

Every entry draws its details from a chance of its own (`chance_of`), so a history without
some of its entries is the same for the rest: that is how a failing one is made shorter.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hw_sim.machines import MACHINES
from hw_sim.trouble import SHARES


class Level(StrEnum):
    """What goes wrong beside the customers' own habits."""

    NONE = "none"
    DEVICES = "devices"  # what `hw_sim.trouble` knows, and a blocked drop sensor
    ALL = "all"  # and deaths, power, network, disk, clock, door


OTHERS: Final[Mapping[str, float]] = {
    "kill": 3.0,  # SIGKILL at some instant
    "kill at commit": 3.0,  # before a commit is durable, just after, or some callbacks later
    "power": 2.0,  # of the controller; devices keep theirs
    "mains": 2.0,  # of everything: somebody unplugs the machine
    "restart": 1.0,  # in order
    "network": 2.0,  # gone for seconds to hours
    "producer": 0.5,  # the client breaks, or throws away what it has
    "acknowledgements": 1.0,  # delivered, but the client is told otherwise
    "disk full": 1.0,
    "i/o errors": 1.5,  # some commits fail
    "clock": 1.0,  # jumps
    "door": 1.5,  # opened while somebody buys
}
BEAM: Final = "beam"  # a hand or a product blocks the drop sensor
_BEAM_SHARE: Final = 0.02
_DEVICES_AT_ONCE: Final = 0.35  # of customers who meet a fault of a device
_OTHERS_AT_ONCE: Final = 0.25
_MORE: Final = 0.2  # chance that another one comes together with the last
_LONG_GAP: Final = 0.005
_LONG_GAP_S: Final = (60.0, 600.0)
_GAP_S: Final = 3.0  # mean, otherwise


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that goes wrong while guest `number` is there. `name`: `7.0`, `7.1`, ..."""

    name: str
    kind: str

    @property
    def of_device(self) -> bool:
        return self.kind in SHARES


@dataclass(frozen=True, slots=True)
class Guest:
    """Comes `after_s` when the one before has left."""

    number: int
    after_s: float
    mishaps: tuple[Mishap, ...]

    def without(self, kept: frozenset[str]) -> "Guest":
        mishaps = tuple(m for m in self.mishaps if m.name in kept)
        return Guest(self.number, self.after_s, mishaps)


@dataclass(frozen=True, slots=True)
class History:
    """`hours`: for how long guests come (0: just the `kept` ones). `kept`: names of guests
    (`7`) and mishaps (`7.0`) that are left of it; None: everything."""

    seed: int
    machine: str
    hours: float
    level: Level
    kept: frozenset[str] | None = None

    def chance_of(self, part: object) -> random.Random:
        return random.Random(f"{self.seed}/history/{part}")

    def guests(self) -> Iterator[Guest]:
        """Without end, or the kept ones."""
        if self.kept is not None:
            for number in sorted(int(name) for name in self.kept if "." not in name):
                yield self._guest(number).without(self.kept)
            return
        number = 0
        while True:
            number += 1
            yield self._guest(number)

    def _guest(self, number: int) -> Guest:
        chance = self.chance_of(number)
        after_s = chance.expovariate(1 / _GAP_S)
        if chance.random() < _LONG_GAP:
            after_s = chance.uniform(*_LONG_GAP_S)
        kinds = []
        if self.level is not Level.NONE and chance.random() < _DEVICES_AT_ONCE:
            kinds += _some(chance, {**SHARES, BEAM: _BEAM_SHARE})
        if self.level is Level.ALL and chance.random() < _OTHERS_AT_ONCE:
            kinds += _some(chance, OTHERS)
        mishaps = (Mishap(f"{number}.{n}", kind) for n, kind in enumerate(kinds))
        return Guest(number, after_s, tuple(mishaps))


def _some(chance: random.Random, weights: Mapping[str, float]) -> list[str]:
    """One, and seldom more."""
    kinds = chance.choices(list(weights), list(weights.values()))
    while chance.random() < _MORE:
        kinds += chance.choices(list(weights), list(weights.values()))
    return list(dict.fromkeys(kinds))


def machine_of(seed: int) -> str:
    """Every kind of machine has its turn."""
    return list(MACHINES)[seed % len(MACHINES)]
