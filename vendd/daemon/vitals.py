"""The signs of life that the watchdog is fed on: engine, buses and writer make progress."""

import asyncio

from vendd.config import Config
from vendd.core.sale.reports import Report
from vendd.daemon.edge import StoreWriter
from vendd.health import Supervisor, watch
from vendd.services.inbox import Inbox
from vendd.services.transaction import Engine


class Nudge(Report):
    """Means nothing to anyone: that it is handled is the engine's sign of life."""


class Vitals:
    """When each bus moved on last, and the watch over all of it."""

    def __init__(self, config: Config, loop: asyncio.AbstractEventLoop) -> None:
        self._health = config.health
        self._loop = loop
        fitted = {"mdb": config.mdb, "cctalk": config.cctalk}
        self._moved_at = {bus: loop.time() for bus, section in fitted.items() if section}

    def bus_moved(self, bus: str) -> None:
        """That bus ended an exchange, answered or not."""
        self._moved_at[bus] = self._loop.time()

    def buses_move(self, within_s: float) -> bool:
        """Every bus did lately; true on a machine without one."""
        now = self._loop.time()
        return all(now - at < within_s for at in self._moved_at.values())

    async def watch(
        self, supervisor: Supervisor, engine: Engine, writer: StoreWriter, inbox: Inbox
    ) -> None:
        """For ever; a quiet engine is given something to handle."""
        stalled_s = self._health.stalled_ms / 1000
        checks = {
            "engine": lambda: self._loop.time() - engine.progress_at < stalled_s,
            "bus": lambda: self.buses_move(stalled_s),
            "writer": lambda: writer.healthy(stalled_s),
        }
        await watch(
            supervisor,
            checks if self._health.watchdog else {},  # the unit's own clock still runs
            lambda: None if len(inbox) else inbox.put(Nudge()),
        )
