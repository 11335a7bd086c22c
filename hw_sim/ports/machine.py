"""A simulated machine at port depth: the whole daemon but for its drivers, in virtual time."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hw_sim.plan_config import plan_from_config
from hw_sim.ports.cabinet import PortCabinet
from hw_sim.ports.fittings import PortFittings
from hw_sim.ports.till import PortTill
from hw_sim.virtual_life import VirtualLife
from vendd.config import Config
from vendd.daemon import Edge
from vendd.daemon.tenders import Ground, Kept
from vendd.drivers.pins import PinFactory
from vendd.hardware import turn_limits
from vendd.ports import Wire, WireLost

_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder with a random name is made in it


class PortMachine(VirtualLife):
    """The books lie in memory where there is such a place: what a power cut leaves is decided by
    `InlineWriter`, not by a file system."""

    def __init__(self, config: Config, seed: int) -> None:
        super().__init__(config, seed, _MEMORY if _MEMORY.is_dir() else None)
        self.cabinet = PortCabinet(
            plan_from_config(config), self.clock, seed, turn_limits(config), config.keypad.clear
        )
        self.till = PortTill(config, self.clock, seed)

    # --- lives ----------------------------------------------------------------------

    def _forsake(self, *, power: bool) -> None:
        self.cabinet.motors.forsake(power=power)
        self.cabinet.forsake()
        self.till.forsake()

    def _edge(self) -> Edge:
        return Edge(
            open_wire=_no_wire,
            pin_factory=_no_pins,
            display=lambda _loop, _sink: self.screen,
            open_broker=self.cluster.connect,
            writer=self._new_writer,
            wall=self.wall,
            chance=self._chance("daemon"),
            boot_id=self._boot_id(),
            host=lambda _folder: self.host,
            synchronous="OFF",
            fittings=self._fit,
        )

    def _fit(self, config: Config, ground: Ground, kept: Kept) -> PortFittings:
        return PortFittings(config, ground, kept, self.cabinet, self.till)


def _no_pins() -> PinFactory:
    raise AssertionError("nothing has pins at this depth")


def _no_wire(
    port: str,
    baud: int,
    received: Callable[[bytes], None],
    lost: Callable[[Exception], None],
) -> Wire:
    raise WireLost(f"{port}: nothing has wires at this depth")
