"""Where the bills really are, whatever the validator says.

Nothing here is visible to the daemon; auditors and tests look at it. Values are
int minor units, times are the loop's seconds.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum


class Place(StrEnum):
    """Where one bill in the bill path is."""

    ENTRY = "entry"  # between slot and escrow
    ESCROW = "escrow"
    MOVING = "moving"  # from escrow to its end
    STUCK = "stuck"


class BillTruth:
    """Every bill that ever came near the validator, by the place where it lies now.

    Is NOT responsible for deciding anything. Bills leave only into the customer's hand
    (returned or paid) or through a technician's (`empty_stacker`, `take_recycler`).
    """

    def __init__(self, recycled_values: Iterable[int]) -> None:
        self.path: dict[Place, list[int]] = {place: [] for place in Place}
        self.stacker: Counter[int] = Counter()
        self.recycler: dict[int, int] = dict.fromkeys(recycled_values, 0)
        self.offered: list[int] = []  # sticks out of the exit, not yet taken
        self.hand: list[tuple[float, int]] = []  # back with the customer: (when, value)
        self.inserted = 0  # all money customers ever put into the slot
        self.returned = 0  # all of it that came back from the path, unused
        self.paid = 0  # all money customers took from the exit
        self.filled = 0  # all money technicians ever put in
        self.removed = 0  # all money technicians ever took out
        self.stolen = 0  # pulled out of the stacker on a string
        self.into_stacker = 0  # customers' money, and what the recycler gave up
        self.into_recycler = 0  # customers' money

    def stacker_total(self) -> int:
        return sum(value * count for value, count in self.stacker.items())

    def recycler_total(self) -> int:
        return sum(value * count for value, count in self.recycler.items())

    def in_path(self) -> int:
        return sum(sum(bills) for bills in self.path.values())

    def inside(self) -> int:
        """All money in the machine's hands."""
        return self.stacker_total() + self.recycler_total() + self.in_path() + sum(self.offered)

    def conserved(self) -> bool:
        """No bill appeared or vanished since the beginning."""
        out = self.returned + self.paid + self.removed + self.stolen
        return self.inserted + self.filled == self.inside() + out

    # --- movements --------------------------------------------------------------------

    def insert(self, value: int) -> None:
        self.inserted += value
        self.path[Place.ENTRY].append(value)

    def move(self, value: int, old: Place, new: Place) -> None:
        self.path[old].remove(value)
        self.path[new].append(value)

    def give_back(self, value: int, old: Place, at: float) -> None:
        self.path[old].remove(value)
        self.returned += value
        self.hand.append((at, value))

    def stack(self, value: int, old: Place) -> None:
        self.path[old].remove(value)
        self.stacker[value] += 1
        self.into_stacker += value

    def recycle(self, value: int, old: Place) -> None:
        self.path[old].remove(value)
        self.recycler[value] += 1
        self.into_recycler += value

    def offer(self, value: int) -> None:
        self.recycler[value] -= 1
        self.offered.append(value)

    def take_offered(self, at: float) -> None:
        """The customer takes what sticks out."""
        self.paid += sum(self.offered)
        self.hand += [(at, value) for value in self.offered]
        self.offered.clear()

    def take_hand(self) -> list[tuple[float, int]]:
        """What the validator gave to whoever stands there: (when, value)."""
        taken, self.hand = self.hand, []
        return taken

    def retract(self) -> int:
        """A bill nobody took is drawn in again, into the stacker."""
        value = self.offered.pop()
        self.stacker[value] += 1
        self.into_stacker += value
        return value

    def steal(self, value: int) -> None:
        self.stacker[value] -= 1
        self.stolen += value

    # --- technicians ------------------------------------------------------------------

    def fill(self, value: int, count: int) -> None:
        self.recycler[value] += count
        self.filled += value * count

    def empty_stacker(self) -> Counter[int]:
        taken, self.stacker = +self.stacker, Counter()
        self.removed += sum(value * count for value, count in taken.items())
        return taken

    def hand_back_stuck(self, at: float) -> None:
        """A technician takes a stuck bill out of the path, for the customer who waits for it."""
        for value in tuple(self.path[Place.STUCK]):
            self.give_back(value, Place.STUCK, at)

    def free_stuck(self) -> None:
        """A technician takes a stuck bill out of the path, and keeps it for the operator."""
        self.removed += sum(self.path[Place.STUCK])
        self.path[Place.STUCK].clear()
