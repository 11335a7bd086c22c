"""The wire depth: `VirtualMachine` with everything that a history may do to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hw_sim.explore.hurt import HurtLife
from hw_sim.opening import SAMPLE, described
from hw_sim.virtual import VirtualMachine


class WireSite(HurtLife, VirtualMachine):
    """Implements `explore.site.Site`."""

    def darken(self) -> None:
        for plug in self.till.plugs.values():
            plug.pull()

    def lighten(self) -> None:
        for plug in self.till.plugs.values():
            plug.plug()

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
