"""Keeping the file below its limit: what goes first, and when the machine has to stop (E3).

In this order, each only while room is short: events that were delivered, the rows of closed and
acknowledged periods, telemetry that a later one replaces, other telemetry. Money events never
go. When they alone fill the file, the machine stops selling while there is still room for the
end of what is under way.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from sqlite3 import Connection
from typing import Final

from vendd.events.context import Context
from vendd.ports import StoredEvent, Writer
from vendd.store.archive import Archive
from vendd.store.outbox import SqliteOutbox, cutoff
from vendd.store.publishing import Publisher
from vendd.store.thinning import (
    PERIODIC,
    TELEMETRY,
    Record,
    announce,
    discard,
    recording,
    thin_window,
)

SHORT: Final = 4  # room is short below a quarter of the limit,
ENOUGH: Final = 3  # and enough again from a third on
FULL: Final = 16  # nothing is sold any more below a sixteenth,
SELLS: Final = 8  # and again from an eighth on
WAL_ROOM: Final = 40 << 20
"""Bytes of the disk that the write-ahead log may need beside the file."""


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes. `free`: what the file can still take, by its limit and by what the disk has left."""

    limit: int
    used: int
    free: int

    def below(self, share: int) -> bool:
        """Whether less than one `share`-th of the limit is free."""
        return self.free * share < self.limit


@dataclass(slots=True)
class Relief:
    """What was done for room. `events`: committed on the way, to be forwarded."""

    room: Room
    full: bool
    pruned: int = 0
    thinned: int = 0


class Bounds:
    """Asked once a minute. `disk_free`: bytes that the file system has left, None if unknown.

    `wanted`: somebody collects the events (Kafka is switched on); otherwise the oldest go,
    money too, as they also do by age. `published` gets events about thinning.
    """

    def __init__(
        self,
        writer: Writer,
        outbox: SqliteOutbox,
        context: Callable[[], Context],
        disk_free: Callable[[], int | None],
        published: Callable[[list[StoredEvent]], None],
        *,
        wanted: bool = True,
    ) -> None:
        self._writer = writer
        self._outbox = outbox
        self._archive = Archive(writer)
        self._context = context
        self._disk_free = disk_free
        self._published = published
        self._wanted = wanted
        self._full = False

    async def room(self) -> Room:
        return await self._writer.run(partial(_room, self._disk_free()))

    async def announce(self) -> None:
        """Tell once what was discarded in a time without Kafka. Raises `StoreFailed`."""
        self._published(await self._writer.run(partial(announce, self._record())))

    async def discard(self, keep_days: int, now: str) -> int:
        """Delete events older than that, delivered or not. How many. Raises `StoreFailed`."""
        limit, gone = cutoff(keep_days, now), 0
        while (piece := await self._writer.run(partial(discard, limit))) > 0:
            gone += piece
        return gone

    async def relieve(self, now: str, keep_after: int = 0) -> Relief:
        """Make room if it is short. Raises `StoreFailed`; what was done until then stays.

        `keep_after`: the last seq that is on its way already; only later ones are thinned.
        """
        relief = Relief(await self.room(), full=False)
        if relief.room.below(SHORT):
            await self._prune(relief, now)
            if self._wanted:
                await self._thin(relief, PERIODIC, keep_after)
                await self._thin(relief, TELEMETRY, keep_after)
        self._full = relief.room.below(SELLS if self._full else FULL)
        relief.full = self._full
        return relief

    async def _prune(self, relief: Relief, now: str) -> None:
        pieces: list[Callable[[], Awaitable[int]]] = [
            self._outbox.prune_piece,
            partial(self._archive.prune, 0, now),
        ]
        if not self._wanted:
            pieces.append(lambda: self._writer.run(partial(discard, "9999")))
        for piece in pieces:
            while relief.room.below(ENOUGH) and (gone := await piece()) > 0:
                relief.pruned += gone
                relief.room = await self.room()

    async def _thin(self, relief: Relief, types: tuple[str, ...], after: int) -> None:
        while relief.room.below(ENOUGH):
            after, events = await self._writer.run(
                partial(thin_window, after, types, self._record())
            )
            if not after:
                return
            self._published(events)
            relief.thinned += 1
            relief.room = await self.room()

    def _record(self) -> Record:
        return recording(Publisher(), self._context())


def _room(disk_free: int | None, connection: Connection) -> Room:
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (most,) = connection.execute("PRAGMA max_page_count").fetchone()
    (reusable,) = connection.execute("PRAGMA freelist_count").fetchone()
    growth = (most - pages) * size
    if disk_free is not None:
        growth = min(growth, max(0, disk_free - WAL_ROOM))
    return Room(most * size, (pages - reusable) * size, growth + reusable * size)
