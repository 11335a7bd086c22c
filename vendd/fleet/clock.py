"""The time of day, so that tests can set it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """ms since 1970."""


class WallClock:
    """The computer's own: a server, whose clock is kept by NTP."""

    def now_ms(self) -> int:
        return int(datetime.now(UTC).timestamp() * 1000)
