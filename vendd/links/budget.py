"""How much of the link's daily budget is used up: metered SIM cards cost by the megabyte (L4).

The client counts what went over the wire, but only now and then; until it does, what was sent is
estimated by its size and by what such sizes came to before.
"""

from collections.abc import Callable
from typing import Final

_MIB: Final = 1 << 20
_USUAL: Final = 0.4  # of its size is what an event costs, compressed and with its answers
_SURE: Final = 20_000  # bytes of estimate that make a measured ratio worth believing


class Budget:
    """`mib_per_day` None: no limit, only counted. `today` names the day, in any notation.

    A day begins when its name changes, also when a clock is set back.
    """

    def __init__(self, mib_per_day: int | None, today: Callable[[], str]) -> None:
        self._limit = None if mib_per_day is None else mib_per_day * _MIB
        self._today = today
        self._day = today()
        self._measured = 0
        self._estimated = 0.0
        self._ratio = _USUAL
        self._size = 0  # of what was sent since the last count

    def resume(self, day: str, measured: int) -> None:
        """What an earlier life knew."""
        if day == self._day:
            self._measured += measured

    def sent(self, size: int) -> None:
        """A message of that many bytes, headers and all, was handed to the client."""
        self._roll()
        self._size += size
        self._estimated += size * self._ratio

    def carried(self, count: int) -> tuple[str, int]:
        """The client counted. The day and what it carried, to be remembered."""
        self._roll()
        if self._size >= _SURE:
            self._ratio = min(1.5, max(0.05, count / self._size))
        self._measured += count
        self._size, self._estimated = 0, 0.0
        return self._day, self._measured

    @property
    def limited(self) -> bool:
        """Whether sizes have to be told; without a limit what the client counts is enough."""
        return self._limit is not None

    @property
    def spent(self) -> int:
        """Bytes of today."""
        self._roll()
        return self._measured + round(self._estimated)

    @property
    def left(self) -> bool:
        """Whether telemetry may still be sent today."""
        return self._limit is None or self.spent < self._limit

    def _roll(self) -> None:
        today = self._today()
        if today != self._day:
            self._day = today
            self._measured, self._size, self._estimated = 0, 0, 0.0
