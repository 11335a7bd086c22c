"""The wall clock in virtual time: it can jump, and it can be unsynchronised."""

from datetime import UTC, datetime, timedelta

from hw_sim.clock import WorldClock


class VirtualWall:
    """Implements `ports.WallClock`. Starts at `start` (RFC 3339) and runs with the loop."""

    def __init__(
        self, clock: WorldClock, start: str = "2026-03-02T08:00:00Z", *, synchronised: bool = True
    ) -> None:
        self._clock = clock
        self._synchronised = synchronised
        self._zero = datetime.fromisoformat(start).astimezone(UTC)
        self._from = clock.now()

    def now(self) -> str:
        moment = self._zero + timedelta(seconds=self._clock.now() - self._from)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def synchronised(self) -> bool:
        return self._synchronised

    def jump(self, seconds: float) -> None:
        """Somebody (NTP, a user, a dead battery) sets the clock by that much."""
        self._zero += timedelta(seconds=seconds)

    def set_synchronised(self, synchronised: bool) -> None:
        self._synchronised = synchronised
