"""What a history may do to a machine of any depth: deaths at commits, a full disk, errors."""

import asyncio
from typing import Any

from hw_sim.explore.site import Struck
from hw_sim.inline_writer import InlineWriter
from hw_sim.virtual_life import VirtualLife
from vendd.ports import StoreFailed
from vendd.store import Database
from vendd.store.database import Work


class StruckWriter(InlineWriter):
    """Asks at each commit whether the daemon may live on. `struck`: of the site."""

    struck: Struck | None = None
    failing_since: float | None = None

    def _transact(self, works: list[Work]) -> list[Any]:
        results = super()._transact(works)
        if not any(isinstance(result, StoreFailed) for result in results):
            self.failing_since = None
        elif self.failing_since is None:
            self.failing_since = self._loop.time()
        return results

    def _land(self) -> None:
        if self.struck is None or not self.struck():
            super()._land()

    def last_seq(self) -> int:
        """Of all events that are committed."""
        (last,) = self._database.connection.execute("SELECT seq FROM meta").fetchone()
        return int(last)


class HurtLife(VirtualLife):
    """Of any depth: what `explore.site.Site` asks for beside the devices."""

    _struck: Struck | None = None
    _disk_full = False

    async def failed(self) -> BaseException | None:
        running = self._running
        if running is None or not running.done():
            return None
        (how,) = await asyncio.gather(running, return_exceptions=True)
        return how if isinstance(how, BaseException) else RuntimeError("the daemon ended")

    async def ready(self, seconds: float) -> bool:
        assert self.daemon is not None
        assert self._running is not None
        with self._loop.life(self._life):
            ready = self._loop.create_task(self.daemon.ready.wait())
        await asyncio.wait(
            {self._running, ready}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        ready.cancel()
        return self.daemon.ready.is_set()

    def strike_at_commit(self, struck: Struck | None) -> None:
        self._struck = struck
        if isinstance(self.writer, StruckWriter):
            self.writer.struck = struck

    def fill_disk(self, *, full: bool) -> None:
        self._disk_full = full
        if self.writer is not None:
            self.writer.disk_full = full

    def fail_commits(self, number: int) -> None:
        if self.writer is not None:
            self.writer.fail_next(number)

    def failing_since(self) -> float | None:
        return self.writer.failing_since if isinstance(self.writer, StruckWriter) else None

    async def pending(self) -> int:
        assert isinstance(self.writer, StruckWriter)
        last = self.writer.last_seq()
        seen = {event.seq for event in await self.events()}
        return sum(seq not in seen for seq in range(1, last + 1))

    def _new_writer(self, loop: asyncio.AbstractEventLoop, database: Database) -> InlineWriter:
        self.writer = writer = StruckWriter(loop, database, self._chance("writer"))
        writer.struck, writer.disk_full = self._struck, self._disk_full
        return writer
