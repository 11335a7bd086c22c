"""The flight recorder's journal on a thread of its own: making a line and writing it keep nobody
waiting. The port is `services.flight.Journal`."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from vendd.store.ring import Ring

CAPACITY: Final = 2_000
"""Lines that wait for a disk that hangs; beyond it they are lost, and the next segment tells
how many reports there were."""

CLOSE_S: Final = 2.0
_log = structlog.get_logger()
Make = Callable[[], bytes]
_Job = tuple[Make, Make, bool]  # line, opening, whether lines before it were lost


class ThreadJournal:
    """Owns the ring from construction to `close`. `put` and `close` on the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Ring) -> None:
        self._loop = loop
        self._ring = ring
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._ended = loop.create_future()
        self._gap = False
        self._failing = False  # said once
        self._thread = threading.Thread(target=self._serve, name="flight-recorder", daemon=True)
        self._thread.start()

    def put(self, line: Make, opening: Make) -> None:
        """See the port."""
        if self._waiting.qsize() >= CAPACITY:
            self._gap = True
        else:
            self._waiting.put((line, opening, self._gap))
            self._gap = False

    async def close(self) -> None:
        """See the port."""
        self._waiting.put(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._ended

    # --- the thread's side

    def _serve(self) -> None:
        while (job := self._waiting.get()) is not None:
            line, opening, gap = job
            if gap:  # what follows needs a beginning of its own
                self._ring.close()
            self._append(line, opening)
        self._ring.close()
        with suppress(RuntimeError):  # the loop may be gone
            self._loop.call_soon_threadsafe(self._over)

    def _append(self, line: Make, opening: Make) -> None:
        try:
            self._ring.append(line(), opening)
        except OSError as error:  # the next line tries to begin anew
            if not self._failing:
                _log.warning("flight_not_recorded", why=str(error))
            self._failing = True
        else:
            self._failing = False

    def _over(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
