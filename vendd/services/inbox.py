"""Where every report waits for its turn, in order, none dropped (L4)."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from vendd.core.sale.reports import Report

CROWDED: Final = 64
"""Reports waiting; from here on pollers slow down until the engine has caught up."""


@dataclass(frozen=True, slots=True)
class Received:
    """A report and the loop time at which it came in. `token` names one arming of a timer."""

    report: Report
    at: float
    token: object | None = None


class Inbox:
    """Implements `ports.Sink`. One reader (the engine), any number of writers on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Received] = deque()
        self._arrived = asyncio.Event()

    def put(self, report: Report, token: object | None = None) -> None:
        """See `ports.Sink`."""
        self._waiting.append(Received(report, self._loop.time(), token))
        self._arrived.set()

    def put_first(self, report: Report) -> None:
        """Before everything that waits already: what a start found out."""
        self._waiting.appendleft(Received(report, self._loop.time()))
        self._arrived.set()

    def crowded(self) -> bool:
        """See `ports.Sink`."""
        return len(self._waiting) >= CROWDED

    def __len__(self) -> int:
        return len(self._waiting)

    async def next(self) -> Received:
        """The oldest report; waits for one."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()
