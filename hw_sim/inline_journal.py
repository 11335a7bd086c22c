"""`services.flight.Journal` for virtual time: the real ring, written at once."""

from collections.abc import Callable

from vendd.store.ring import Ring


class InlineJournal:
    """What was put is on disk when `put` returns, so a cut loses nothing of it."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def put(self, line: Callable[[], bytes], opening: Callable[[], bytes]) -> None:
        """See `services.flight.Journal`."""
        self._ring.append(line(), opening)

    async def close(self) -> None:
        self._ring.close()
