"""The lives of one daemon in virtual time, whatever stands behind its `Edge`: start and death."""

import asyncio
import random
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from hw_sim.clock import WorldClock
from hw_sim.inline_writer import InlineWriter
from hw_sim.loop import VirtualLoop
from hw_sim.model_broker import ModelCluster
from hw_sim.received import Received
from hw_sim.screen import VirtualScreen
from hw_sim.wall import VirtualWall
from vendd.config import Config
from vendd.daemon import Daemon, Edge
from vendd.daemon.host import HostState
from vendd.store import Database

READY_S = 30.0


class _Screen(VirtualScreen):
    """The daemon's handle on the glass; the glass stays when the daemon goes."""

    def start(self) -> None:
        return

    async def close(self) -> None:
        return


class VirtualLife(ABC):
    """Make it inside a running `VirtualLoop`, outside any life. Everything comes from `seed`.
    `books_in`: where the folder of the books is made, None for the usual place."""

    def __init__(self, config: Config, seed: int, books_in: Path | None = None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = self._loop = loop
        self._folder = tempfile.TemporaryDirectory(prefix="vendd-virtual-", dir=books_in)
        self._books = Path(self._folder.name) / "state"
        store = config.store.model_copy(update={"path": str(self._books)})
        self.config = config.model_copy(update={"store": store})
        self.clock = WorldClock(loop)
        self.screen = _Screen(self.clock, config.display.columns, config.display.rows)
        self.wall = VirtualWall(self.clock)
        self.cluster = ModelCluster(random.Random(f"{seed}/cluster"))
        self.host = HostState(disk_free=8 << 30, cpu_temp=48.5, under_voltage=False)
        self._seed = seed
        self._boots = 0
        self._lives = 0
        self._life: int | None = None
        self._running: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None
        self.daemon: Daemon | None = None
        self.writer: InlineWriter | None = None

    @property
    def running(self) -> bool:
        return self._running is not None

    # --- the front -----------------------------------------------------------------

    def lines(self) -> tuple[str, ...]:
        return self.screen.lines

    async def until(self, wanted: Callable[[str], bool], seconds: float) -> str:
        try:
            text = await self.screen.until(lambda t: wanted(t.replace("\n", "|")), seconds)
        except TimeoutError:
            text = "\n".join(self.lines())
        if self._running is not None and self._running.done():
            await self._running  # the daemon failed: say how
        return text.replace("\n", "|")

    def books(self) -> Path:
        return self._books

    async def events(self) -> list[Received]:
        return [Received.of(m) for log in self.cluster.topics.values() for m in log]

    # --- lives ----------------------------------------------------------------------

    def launch(self) -> None:
        """A life begins; it need not become READY."""
        assert self._running is None, "a daemon runs already"
        self._lives += 1
        self.writer = None
        with self._loop.life() as self._life:
            self._stop = asyncio.Event()
            self.daemon = Daemon(self.config, self._edge())
            self._running = self._loop.create_task(self.daemon.run(self._stop), name="daemon")

    async def start(self) -> None:
        self.launch()
        assert self.daemon is not None
        assert self._running is not None
        with self._loop.life(self._life):
            ready = self._loop.create_task(self.daemon.ready.wait())
        async with asyncio.timeout(READY_S):
            await asyncio.wait({self._running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            running, self._running = self._running, None
            ready.cancel()
            await running  # raises what went wrong
            raise RuntimeError("the daemon ended before it was ready")

    async def stop(self) -> None:
        assert self._running is not None
        assert self._stop is not None
        self._stop.set()
        running, self._running = self._running, None
        await running

    async def kill(self) -> None:
        self.cut()

    def cut(self, *, power: bool = False, in_flight_lands: bool = False) -> None:
        """SIGKILL, or with `power` the whole controller: pins fall, the next boot is another.

        `in_flight_lands`: the commit under way became durable, but nobody was told.
        """
        assert self._life is not None
        self._forsake(power=power)
        if self.writer is not None:
            self.writer.power_cut(in_flight_lands=in_flight_lands)
        self.cluster.drop_connections()
        self._loop.abandon(self._life)
        self._running = None
        if power:
            self.screen.show(())
            self._boots += 1

    @abstractmethod
    def _forsake(self, *, power: bool) -> None:
        """The daemon is about to be gone: nothing of it touches the world any more."""

    @abstractmethod
    def _edge(self) -> Edge:
        """For one life; its chance comes from `_chance`."""

    def _chance(self, part: str) -> random.Random:
        """Of one part in one life."""
        return random.Random(f"{self._seed}/{self._lives}/{part}")

    def _boot_id(self) -> str:
        return f"boot-{self._boots}"

    def _new_writer(self, loop: asyncio.AbstractEventLoop, database: Database) -> InlineWriter:
        self.writer = InlineWriter(loop, database, self._chance("writer"))
        return self.writer

    def close(self) -> None:
        """Remove the books."""
        self._folder.cleanup()
