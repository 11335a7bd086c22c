"""Where the coins of a changer really are, whatever the changer says.

Nothing here is visible to the daemon; auditors and tests look at it. Values are
int minor units, times are the loop's seconds.
"""

from collections import Counter, deque
from collections.abc import Iterable


class CoinTruth:
    """Every coin that ever came near the changer, by the place where it lies now.

    Is NOT responsible for deciding anything. Coins leave only through the return
    cup (`take_cup`), the box (`empty_box`) or a technician's hand (`take_tube`).
    """

    def __init__(self, tube_values: Iterable[int]) -> None:
        # a tube can hold a wrong coin, so it is a column of coins, bottom first
        self.tubes: dict[int, deque[int]] = {value: deque() for value in tube_values}
        self.box: Counter[int] = Counter()
        self.cup: list[tuple[float, int]] = []
        self.falling: Counter[int] = Counter()
        self.stuck: Counter[int] = Counter()
        self.inserted = 0  # all money customers ever put into the slot
        self.filled = 0  # all money technicians ever put into tubes
        self.removed = 0  # all money technicians ever took out of tubes and box
        self.returned = 0  # all money that ever reached the cup
        self.taken = 0  # all money taken out of the cup
        # value that ever moved per tube, by the tube's nominal value; coins at their own value
        self.into_tube: Counter[int] = Counter()  # customers' coins
        self.put_in_tube: Counter[int] = Counter()  # technicians' coins
        self.out_of_tube: Counter[int] = Counter()  # into the cup
        self.into_box = 0
        self.boxed: list[tuple[float, int]] = []  # coins that fell into the box: (time, value)

    def counts(self) -> dict[int, int]:
        """Coins per tube, by the tube's nominal value."""
        return {value: len(column) for value, column in self.tubes.items()}

    def tubes_total(self) -> int:
        """The money in all tubes, wrong coins at their own value."""
        return sum(sum(column) for column in self.tubes.values())

    def box_total(self) -> int:
        return sum(value * count for value, count in self.box.items())

    def cup_total(self) -> int:
        """The money that lies in the return cup now."""
        return sum(value for _, value in self.cup)

    def inside(self) -> int:
        """All money in the machine's hands, coins in flight and stuck ones included."""
        loose = self.falling + self.stuck
        return (
            self.tubes_total()
            + self.box_total()
            + sum(value * count for value, count in loose.items())
        )

    def conserved(self) -> bool:
        """No coin appeared or vanished since the beginning."""
        put_in = self.inserted + self.filled
        return put_in == self.inside() + self.cup_total() + self.taken + self.removed

    def insert(self, value: int) -> None:
        self.inserted += value
        self.falling[value] += 1

    def land_in_tube(self, value: int, tube: int) -> None:
        self._landed(value)
        self.tubes[tube].append(value)
        self.into_tube[tube] += value

    def land_in_box(self, value: int, at: float) -> None:
        self._landed(value)
        self.box[value] += 1
        self.into_box += value
        self.boxed.append((at, value))

    def land_in_cup(self, value: int, at: float) -> None:
        self._landed(value)
        self._drop(value, at)

    def get_stuck(self, value: int) -> None:
        self._landed(value)
        self.stuck[value] += 1

    def eject(self, tube: int, at: float) -> int | None:
        """The lowest coin of a tube falls into the cup; None when there is none."""
        column = self.tubes[tube]
        if not column:
            return None
        value = column.popleft()
        self.out_of_tube[tube] += value
        self._drop(value, at)
        return value

    def fill(self, tube: int, count: int) -> None:
        self.tubes[tube].extend([tube] * count)
        self.put_in_tube[tube] += tube * count
        self.filled += tube * count

    def take_tube(self, tube: int, count: int) -> list[int]:
        """A technician takes up to `count` coins out at the top."""
        column = self.tubes[tube]
        taken = [column.pop() for _ in range(min(count, len(column)))]
        self.removed += sum(taken)
        return taken

    def take_cup(self) -> list[tuple[float, int]]:
        """The customer takes everything out of the return cup: (time it fell, value)."""
        taken, self.cup = self.cup, []
        self.taken += sum(value for _, value in taken)
        return taken

    def empty_box(self) -> Counter[int]:
        taken, self.box = self.box, Counter()
        self.removed += sum(value * count for value, count in taken.items())
        return taken

    def free_stuck(self, at: float) -> None:
        """Someone cleared the coin path: what was stuck falls into the cup."""
        for value in self.stuck.elements():
            self._drop(value, at)
        self.stuck.clear()

    def _landed(self, value: int) -> None:
        self.falling[value] -= 1
        if self.falling[value] == 0:
            del self.falling[value]

    def _drop(self, value: int, at: float) -> None:
        self.cup.append((at, value))
        self.returned += value
