"""Buffered events of coin acceptors (229) and bill validators (159): which ones are new.

ccTalk 4.7, part 2, 3.27: byte 0 counts events, 1 to 255 and then 1 again; 0 stands for a
power-up or reset. Five pairs follow, newest first. A reading that does not fit the one
before it must come twice before it is believed: eight bits of checksum are not enough
to make money.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

KEPT: Final = 5  # events the device remembers
LENGTH: Final = 1 + 2 * KEPT
COUNTER_MAX: Final = 255

Pair = tuple[int, int]


class BadReading(ValueError):
    """No buffer at all; ask again."""


@dataclass(frozen=True, slots=True)
class Events:
    """`new` events, oldest first; `lost` more happened that nobody can name. `restarted`: the
    device lost power or was reset, and with it what it had not told yet. `counter`: after all
    of them."""

    new: tuple[Pair, ...] = ()
    lost: int = 0
    restarted: bool = False
    counter: int = field(default=0, compare=False)

    def numbered(self) -> Iterator[tuple[Pair, int]]:
        """Each new event with the counter as it stood after it."""
        for later, event in zip(range(len(self.new) - 1, -1, -1), self.new, strict=True):
            yield event, preceding(self.counter, later)


NOTHING: Final = Events()


def advanced(last: int, counter: int) -> int:
    """How many events lie between two counters (0..254); `counter` is not 0, which is no count."""
    return counter - last if counter >= last else counter + COUNTER_MAX - last


def following(counter: int) -> int:
    """The counter after one more event."""
    return 1 if counter == COUNTER_MAX else counter + 1


def preceding(counter: int, events: int) -> int:
    """The counter that many events ago; 0, a power-up, is before all."""
    if counter > events or counter == 0:
        return max(0, counter - events)
    return counter - events + COUNTER_MAX


class EventLog:
    """`last`: the counter up to which everything was told, from an earlier life if it is known;
    otherwise the first reading is taken as told."""

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self._pairs: tuple[Pair, ...] | None = None
        self._suspect = b""

    def read(self, data: bytes) -> Events | None:
        """What is new; None: ask again at once. Raises `BadReading`."""
        if len(data) != LENGTH:
            raise BadReading(f"{len(data)} bytes instead of {LENGTH}")
        counter = data[0]
        pairs = tuple((data[at], data[at + 1]) for at in range(1, LENGTH, 2))
        events = self._compare(counter, pairs)
        if events is None and data != self._suspect:
            self._suspect = data
            return None
        self._suspect = b""
        if events is None:
            events = self._believe(counter, pairs)
        self.last, self._pairs = counter, pairs
        return events

    def _compare(self, counter: int, pairs: tuple[Pair, ...]) -> Events | None:
        """The plain cases; None for what has to be seen twice."""
        if self.last is None:
            return NOTHING
        if counter == self.last:
            return NOTHING if counter == 0 or self._pairs in (None, pairs) else None
        if counter == 0 or self._began_again(counter, pairs):
            return None
        new = advanced(self.last, counter)
        if new > KEPT or not self._goes_on(new, pairs):
            return None
        return Events(pairs[:new][::-1], counter=counter)

    def _believe(self, counter: int, pairs: tuple[Pair, ...]) -> Events:
        """It came twice, so it is so."""
        if self.last is None:
            return NOTHING
        if counter == 0 or self._began_again(counter, pairs):
            return Events(pairs[:counter][::-1], restarted=True, counter=counter)
        if counter == self.last:
            return NOTHING
        new = advanced(self.last, counter)
        return Events(pairs[:new][::-1], lost=max(0, new - KEPT), counter=counter)

    def _began_again(self, counter: int, pairs: tuple[Pair, ...]) -> bool:
        """It was 0 in between: a counter that only wrapped would stand over a full buffer, one
        that went on over what was read before."""
        assert self.last is not None
        if counter >= KEPT or any(map(any, pairs[counter:])):
            return False
        return counter < self.last or not self._goes_on(counter - self.last, pairs)

    def _goes_on(self, new: int, pairs: tuple[Pair, ...]) -> bool:
        """Behind the new events lie those of the reading before."""
        return self._pairs is None or pairs[new:] == self._pairs[: KEPT - new]
