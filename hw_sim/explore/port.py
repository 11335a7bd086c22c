"""The port depth: `PortMachine` with everything that a history may do to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hw_sim.explore.hurt import HurtLife
from hw_sim.opening import SAMPLE, described
from hw_sim.ports.machine import PortMachine


class PortSite(HurtLife, PortMachine):
    """Implements `explore.site.Site`."""

    def darken(self) -> None:
        for plug in self.till.plugs.values():
            plug.pull()

    def lighten(self) -> None:
        for plug in self.till.plugs.values():
            plug.plug()

    def unrecorded(self, began: float, died: float, grace_s: float) -> list[str]:
        """Nobody watches pins here: the wire depth does."""
        return []

    def trace(self) -> str:
        """Nothing goes over lines here; the history of events says it all."""
        return ""


@asynccontextmanager
async def open_site(machine: str, seed: int, customers: int) -> AsyncIterator[PortSite]:
    """Inside a running `VirtualLoop`. What a machine's adapters are is of no matter here."""
    site = PortSite(described(SAMPLE, customers, machine), seed)
    try:
        yield site
    finally:
        site.close()
