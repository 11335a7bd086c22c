"""A simulated machine in virtual time: the same daemon, cut only at its `Edge`."""

import asyncio
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import MemoryLine, MemoryPorts
from hw_sim.front import Front
from hw_sim.inline_journal import InlineJournal
from hw_sim.inline_writer import InlineWriter
from hw_sim.loop import VirtualLoop
from hw_sim.model_broker import ModelCluster
from hw_sim.pins import WorldFactory
from hw_sim.received import Received
from hw_sim.screen import VirtualScreen
from hw_sim.till import CCTALK, MDB, Plug
from hw_sim.wall import VirtualWall
from hw_sim.world import World
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


class VirtualMachine(Front):
    """Make it inside a running `VirtualLoop`, outside any life. Everything comes from `seed`.

    `recorded`: with its flight recorder, which costs a tenth of the speed.
    """

    def __init__(
        self, config: Config, seed: int, world: World | None = None, *, recorded: bool = False
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = self._loop = loop
        self._folder = tempfile.TemporaryDirectory(prefix="vendd-virtual-")
        self._books = Path(self._folder.name) / "state"
        store = config.store.model_copy(update={"path": str(self._books)})
        self.config = config.model_copy(update={"store": store})
        self.world = world or World(self.config, loop, seed)
        self.cabinet = self.world.cabinet
        self.till = self.world.till
        self.clock = self.cabinet.clock
        self.screen = _Screen(self.clock, config.display.columns, config.display.rows)
        self.wall = VirtualWall(self.clock)
        self.cluster = ModelCluster(random.Random(f"{seed}/cluster"))
        self.lines_of = {
            bus: MemoryLine(loop, device, rng=random.Random(f"{seed}/line/{bus}"))
            for bus, device in self.till.ports.items()
        }
        sections = {MDB: config.mdb, CCTALK: config.cctalk}
        self._ports = MemoryPorts(
            {s.port: self.lines_of[bus] for bus, s in sections.items() if s is not None}
        )
        for bus, line in self.lines_of.items():
            self.till.plugs[f"{bus} adapter"] = Plug(line.unplug, line.replug)
        self.host = HostState(disk_free=8 << 30, cpu_temp=48.5, under_voltage=False)
        self._seed = seed
        self._recorded = recorded
        self._boots = 0
        self._lives = 0
        self._life: int | None = None
        self._running: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None
        self._factory: WorldFactory | None = None
        self.daemon: Daemon | None = None
        self.writer: InlineWriter | None = None

    @property
    def changer(self) -> CoinChanger:
        """Of a machine that has one."""
        return self.world.changer

    @property
    def line(self) -> MemoryLine:
        """The MDB adapter's."""
        return self.lines_of[MDB]

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
        self._factory = self.writer = None
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
        if self._factory is not None:
            self._factory.cut()
        if self.writer is not None:
            self.writer.power_cut(in_flight_lands=in_flight_lands)
        for line in self.lines_of.values():
            line.abandon()
        self.cluster.drop_connections()
        self._loop.abandon(self._life)
        self._running = None
        if power:
            self.cabinet.header.power_off()
            self.screen.show(())
            self._boots += 1

    def _edge(self) -> Edge:
        seed = f"{self._seed}/{self._lives}"
        return Edge(
            open_wire=self._ports,
            pin_factory=self._new_factory,
            display=lambda _loop, _sink: self.screen,
            open_broker=self.cluster.connect,
            writer=self._new_writer,
            wall=self.wall,
            chance=random.Random(f"{seed}/daemon"),
            boot_id=f"boot-{self._boots}",
            host=lambda _folder: self.host,
            synchronous="OFF",
            journal=(lambda _loop, ring: InlineJournal(ring)) if self._recorded else None,
        )

    def _new_factory(self) -> WorldFactory:
        self._factory = WorldFactory(self.cabinet.header, self.clock)
        return self._factory

    def _new_writer(self, loop: asyncio.AbstractEventLoop, database: Database) -> InlineWriter:
        chance = random.Random(f"{self._seed}/{self._lives}/writer")
        self.writer = InlineWriter(loop, database, chance)
        return self.writer

    def close(self) -> None:
        """Remove the books."""
        self._folder.cleanup()
