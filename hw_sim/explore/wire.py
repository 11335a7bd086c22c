"""The wire depth: `VirtualMachine` with everything that a history may do to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hw_sim.cut import take, unrecorded
from hw_sim.explore.hurt import HurtLife
from hw_sim.opening import SAMPLE, described
from hw_sim.virtual import VirtualMachine
from hw_sim.witness import Witness
from vendd.config import Config


class WireSite(HurtLife, VirtualMachine):
    """Implements `explore.site.Site`."""

    def __init__(self, config: Config, seed: int) -> None:
        super().__init__(config, seed)
        self._witness = Witness(self.cabinet)

    def darken(self) -> None:
        for plug in self.till.plugs.values():
            plug.pull()

    def lighten(self) -> None:
        for plug in self.till.plugs.values():
            plug.plug()

    def unrecorded(self, began: float, died: float, grace_s: float) -> list[str]:
        lived = (began, died)
        cut = take("death", self.books(), self._witness, self.till.coins, lived, grace_s)
        return unrecorded(cut, self.config)

    def trace(self) -> str:
        return "-".join(f"{line.digest:08x}" for line in self.lines_of.values())


@asynccontextmanager
async def open_site(machine: str, seed: int, customers: int) -> AsyncIterator[WireSite]:
    """Inside a running `VirtualLoop`."""
    site = WireSite(described(SAMPLE, customers, machine), seed)
    try:
        yield site
    finally:
        site.close()
