"""A display above RPLCD, for virtual time: it keeps what was shown."""

import asyncio
from collections import deque
from collections.abc import Callable

from hw_sim.clock import WorldClock

HISTORY = 1_000


class VirtualScreen:
    """Implements `ports.Display`. `history` keeps the latest changes as (loop time, lines).

    What doesn't fit is cut, as glass would, and counted in `overflows`.
    """

    def __init__(self, clock: WorldClock, columns: int = 16, rows: int = 2) -> None:
        self.columns, self.rows = columns, rows
        self.lines: tuple[str, ...] = ("",) * rows
        self.history: deque[tuple[float, tuple[str, ...]]] = deque(maxlen=HISTORY)
        self.blinks = 0
        self.overflows = 0
        self._clock = clock
        self._watchers: list[Callable[[tuple[str, ...]], None]] = []

    def show(self, lines: tuple[str, ...]) -> None:
        if len(lines) > self.rows or any(len(line) > self.columns for line in lines):
            self.overflows += 1
        filled = (*lines, *("",) * self.rows)[: self.rows]
        shown = tuple(line[: self.columns].rstrip() for line in filled)
        if shown == self.lines:
            return
        self.lines = shown
        self.history.append((self._clock.now(), shown))
        for watcher in tuple(self._watchers):
            watcher(shown)

    def blink(self) -> None:
        self.blinks += 1

    def watch(self, watcher: Callable[[tuple[str, ...]], None]) -> None:
        """`watcher(lines)` runs at each change, at once."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[tuple[str, ...]], None]) -> None:
        self._watchers.remove(watcher)

    async def until(self, wanted: Callable[[str], bool], seconds: float) -> str:
        """Wait until the text (lines joined by newlines) is as wanted; raises TimeoutError."""
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def look(lines: tuple[str, ...]) -> None:
            text = "\n".join(lines)
            if not found.done() and wanted(text):
                found.set_result(text)

        self.watch(look)
        try:
            look(self.lines)
            async with asyncio.timeout(seconds):
                return await found
        finally:
            self.unwatch(look)
