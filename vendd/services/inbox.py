"""Where every report waits for its turn, in order, none dropped (L4)."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from vendd.core.sale.reports import Report

CROWDED: Final = 64
"""Reports waiting; from here on pollers slow down until the engine has caught up."""


@dataclass(frozen=True, slots=True)
class Received:
    """A report and the loop time at which it came in. `token` names one arming of a timer;
    `notes` are settings that must become durable with what comes of the report, or later."""

    report: Report
    at: float
    token: object | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


class Inbox:
    """Implements `ports.Sink`. One reader (the engine), any number of writers on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Received] = deque()
        self._arrived = asyncio.Event()
        self._notes: dict[str, str] = {}

    def put(self, report: Report, token: object | None = None) -> None:
        """See `ports.Sink`."""
        notes, self._notes = self._notes, {}
        self._waiting.append(Received(report, self._loop.time(), token, notes))
        self._arrived.set()

    def note(self, name: str, value: str) -> None:
        """A setting (JSON) that belongs to the very next report: an event counter must be on
        record with the coin that moved it, neither before nor after."""
        self._notes[name] = value

    def put_first(self, report: Report) -> None:
        """Before everything that waits already: what a start found out."""
        self._waiting.appendleft(Received(report, self._loop.time()))
        self._arrived.set()

    def crowded(self) -> bool:
        """See `ports.Sink`."""
        return len(self._waiting) >= CROWDED

    def reports(self) -> Iterator[Report]:
        """What waits, oldest first."""
        return (received.report for received in self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    async def next(self) -> Received:
        """The oldest report; waits for one."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()
