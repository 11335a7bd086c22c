"""Telemetry that waits because today's budget is used up, while money goes on.

Order is promised within a topic. So telemetry waits only as long as nothing of money comes behind
it in its topic; then it is dropped, and a record names it (E3). On the next day what still waits
is sent, before anything newer of its topic.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from vendd.links.flight import Flight
from vendd.ports import Outbox, StoredEvent

MOST: Final = 2_000
"""Events that wait at most; beyond that the oldest topics' are dropped."""


class Saving:
    """Keeps the flights that are not under way. `settled` is told when some were dropped."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._held: dict[str, list[Flight]] = {}

    def __len__(self) -> int:
        return sum(len(flights) for flights in self._held.values())

    def clear(self) -> None:
        """Forget: everything is read from the outbox again."""
        self._held.clear()

    def hold(self, event: StoredEvent) -> Flight:
        """It waits; its flight takes part in the watermark like any other."""
        flight = Flight(event.seq)
        self._held.setdefault(event.topic, []).append(flight)
        return flight

    def stands_before(self, event: StoredEvent) -> bool:
        """Whether telemetry of the same topic waits in front of it."""
        return event.topic in self._held

    async def drop(self, topic: str | None = None) -> list[StoredEvent]:
        """Give up what waits in a topic, or everywhere. The record about it, to be sent.

        Raises `StoreFailed`; then all of it still waits.
        """
        topics = list(self._held) if topic is None else [topic]
        flights = [flight for name in topics for flight in self._held[name]]
        records = await self._outbox.thin([flight.seq for flight in flights])
        for name in topics:
            del self._held[name]
        for flight in flights:
            flight.delivered = True
        return records

    async def release(self, send: Callable[[StoredEvent, Flight], Awaitable[None]]) -> None:
        """A new day: send what waits, oldest first. What is gone from the outbox is settled."""
        waiting = sorted(
            (flight for flights in self._held.values() for flight in flights),
            key=lambda flight: flight.seq,
        )
        for flight in waiting:
            found = await self._outbox.read(flight.seq - 1, 1)
            if found and found[0].seq == flight.seq:
                await send(found[0], flight)
            else:
                flight.delivered = True
        self._held.clear()
