"""Once a minute the engine is told what only the daemon can read; the wall clock is watched too."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from vendd.core.facts import ClockSet
from vendd.core.sale.reports import Report
from vendd.daemon.edge import Edge
from vendd.daemon.stream import Stream
from vendd.ports import WallClock
from vendd.services.telemetry import Pulse

CLOCK_S: Final = 10.0
PULSE_EVERY: Final = 6  # looks at the clock
_STEP_MS: Final = 2_000
"""A clock that is slewed loses or gains 5 ms in 10 s; more than this was set."""


class ClockWatch:
    """Notices when the wall clock becomes trustworthy or jumps, against the loop's clock.

    `newest`: the last seq committed, now.
    """

    def __init__(self, wall: WallClock, newest: Callable[[], int]) -> None:
        self._wall = wall
        self._newest = newest
        self._loop = asyncio.get_running_loop()
        self._synchronised = wall.synchronised()
        self._at, self._said = self._loop.time(), self._now_ms()
        self._seq = self._first = newest()

    def look(self) -> ClockSet | None:
        """What happened since the last look, if anything."""
        at, said = self._loop.time(), self._now_ms()
        offset = said - self._said - round((at - self._at) * 1000)
        since = self._seq
        self._at, self._said, self._seq = at, said, self._newest()
        if self._wall.synchronised() and not self._synchronised:
            self._synchronised = True
            return ClockSet(offset, "synchronised", self._first + 1)
        if abs(offset) < _STEP_MS:
            return None
        return ClockSet(offset, "jump", since + 1)

    def _now_ms(self) -> int:
        return round(datetime.fromisoformat(self._wall.now()).timestamp() * 1000)


async def beat(put: Callable[[Report], None], stream: Stream, edge: Edge, folder: Path) -> None:
    """For ever: a look at the clock every `CLOCK_S`, a `Pulse` with every sixth.

    `folder` is where the books are.
    """
    clock = ClockWatch(edge.wall, lambda: stream.newest)
    looks = 0
    while True:
        await asyncio.sleep(CLOCK_S)
        moved = clock.look()
        looks += 1
        if moved is not None or looks % PULSE_EVERY == 0:
            now = edge.host(folder)
            put(
                Pulse(
                    outbox=stream.load(),
                    synchronised=edge.wall.synchronised(),
                    disk_free=now.disk_free,
                    cpu_temp=now.cpu_temp,
                    under_voltage=now.under_voltage,
                    signal=now.signal,
                    clock_set=moved,
                )
            )
