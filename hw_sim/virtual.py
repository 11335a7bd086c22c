"""A simulated machine in virtual time: the same daemon, cut only at its `Edge`."""

import random

from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import ByteDevice, MemoryLine, MemoryPorts
from hw_sim.inline_journal import InlineJournal
from hw_sim.pins import WorldFactory
from hw_sim.till import CCTALK, MDB, Plug
from hw_sim.virtual_life import VirtualLife
from hw_sim.world import World
from vendd.config import Config
from vendd.daemon import Edge


class VirtualMachine(VirtualLife):
    """At wire depth: real drivers over the pins and serial lines of a `World`.

    `recorded`: with its flight recorder, which costs a tenth of the speed.
    """

    def __init__(
        self, config: Config, seed: int, world: World | None = None, *, recorded: bool = False
    ) -> None:
        super().__init__(config, seed)
        self._recorded = recorded
        loop = self.loop
        self.world = world or World(self.config, loop, seed)
        self.cabinet = self.world.cabinet
        self.till = self.world.till
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
        self._factory: WorldFactory | None = None

    def attach(self, port: str, device: ByteDevice) -> MemoryLine:
        """Something hangs on one more serial port."""
        line = MemoryLine(self.loop, device, rng=random.Random(f"{self._seed}/line/{port}"))
        self.lines_of[port] = line
        self._ports.add(port, line)
        return line

    @property
    def changer(self) -> CoinChanger:
        """Of a machine that has one."""
        return self.world.changer

    @property
    def line(self) -> MemoryLine:
        """The MDB adapter's."""
        return self.lines_of[MDB]

    # --- lives ----------------------------------------------------------------------

    def _forsake(self, *, power: bool) -> None:
        if self._factory is not None:
            self._factory.cut()
        for line in self.lines_of.values():
            line.abandon()
        if power:
            self.cabinet.header.power_off()

    def _edge(self) -> Edge:
        self._factory = None
        return Edge(
            open_wire=self._ports,
            pin_factory=self._new_factory,
            display=lambda _loop, _sink: self.screen,
            open_broker=self.cluster.connect,
            writer=self._new_writer,
            wall=self.wall,
            chance=self._chance("daemon"),
            boot_id=self._boot_id(),
            host=lambda _folder: self.host,
            synchronous="OFF",
            journal=(lambda _loop, ring: InlineJournal(ring)) if self._recorded else None,
        )

    def _new_factory(self) -> WorldFactory:
        self._factory = WorldFactory(self.cabinet.header, self.clock)
        return self._factory
