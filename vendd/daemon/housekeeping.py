"""What the daemon does for its books beside selling: periods, pruning, room (L4, E3)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from vendd.config import Config
from vendd.core.sale.reports import FaultEnded, FaultStarted, Report, ServiceChanged
from vendd.daemon.edge import Edge
from vendd.daemon.stream import Stream
from vendd.events.context import Context
from vendd.ports import StoreFailed, WallClock, Writer
from vendd.store import Archive, Bounds, SqliteOutbox

ROOM_S: Final = 60.0
TIDY_EVERY: Final = 360  # looks at the room: every six hours
FULL: Final = "outbox_full"
FAULT: Final = (FULL, "outbox")
_MIB: Final = 1 << 20
_log = structlog.get_logger()


def keeping(
    config: Config,
    edge: Edge,
    writer: Writer,
    outbox: SqliteOutbox,
    stream: Stream,
    context: Callable[[], Context],
    put: Callable[[Report], None],
    *,
    full: bool,
) -> "Housekeeping":
    """Put together for one life. `full`: see `Housekeeping`."""
    folder = Path(config.store.path)
    wanted = edge.open_broker is not None
    bounds = Bounds(
        writer,
        outbox,
        context,
        lambda: edge.host(folder).disk_free,
        stream.committed,
        wanted=wanted,
    )
    return Housekeeping(
        edge.wall,
        outbox,
        bounds,
        Archive(writer),
        config.store.keep_days,
        put,
        stream.on_its_way,
        wanted=wanted,
        full=full,
    )


@dataclass(slots=True)
class Housekeeping:
    """`put` takes reports for the engine, `taken` says which seq is on its way already.

    `wanted`: Kafka is switched on. `full`: the machine stands still for want of room, as the
    books have it at the start.
    """

    wall: WallClock
    outbox: SqliteOutbox
    bounds: Bounds
    archive: Archive
    keep_days: int
    put: Callable[[Report], None]
    taken: Callable[[], int]
    wanted: bool
    full: bool = False
    told: bool = False

    async def run(self) -> None:
        """For ever. A store that fails is asked again at the next look."""
        announced = not self.wanted
        looks = 0
        while True:
            try:
                if not announced:
                    await self.bounds.announce()
                    announced = True
                await self._make_room()
                if looks % TIDY_EVERY == TIDY_EVERY - 1 and self.wall.synchronised():
                    await self._tidy(self.wall.now())
            except StoreFailed as failure:
                _log.warning("housekeeping_failed", why=str(failure))
            looks += 1
            await asyncio.sleep(ROOM_S)

    async def _tidy(self, now: str) -> None:
        """By age: only while the clock can be believed."""
        await self.archive.close_period(now)
        await self.archive.prune(self.keep_days, now)
        await self.archive.prune_journal(wanted=self.wanted)
        if self.wanted:
            await self.outbox.prune(self.keep_days, now)
        else:
            gone = await self.bounds.discard(self.keep_days, now)
            if gone:
                _log.info("events_discarded", count=gone, why="kafka.enabled is false")

    async def _make_room(self) -> None:
        relief = await self.bounds.relieve(self.wall.now(), self.taken())
        free = relief.room.free // _MIB
        if relief.pruned or relief.thinned:
            _log.warning(
                "outbox_relieved", pruned=relief.pruned, thinned=relief.thinned, free_mib=free
            )
        if relief.full and not (self.full and self.told):  # a restart ended the fault of before
            _log.error("outbox_full", free_mib=free, limit_mib=relief.room.limit // _MIB)
            self.put(FaultStarted(*FAULT, detail=f"{free} MiB left for events of money"))
            self.put(ServiceChanged(FULL, active=True))
        elif self.full and not relief.full:
            _log.warning("outbox_has_room_again", free_mib=free)
            self.put(ServiceChanged(FULL, active=False))
            self.put(FaultEnded(*FAULT))
        self.full, self.told = relief.full, True
