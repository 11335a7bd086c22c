"""What a customer, a technician and an auditor can touch and see, the same in both modes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hw_sim.cabinet import Cabinet
from hw_sim.received import Received
from hw_sim.till import Till
from vendd.config import Config


class Front(Protocol):
    """A simulated machine with its daemon. `loop` is virtual or real; nothing else differs."""

    loop: asyncio.AbstractEventLoop
    config: Config
    cabinet: Cabinet
    till: Till

    def lines(self) -> tuple[str, ...]:
        """The display's text now."""

    async def until(self, wanted: Callable[[str], bool], seconds: float) -> str:
        """Wait until ``line 1|line 2`` is as wanted; gives it, or the last text in vain."""

    async def start(self) -> None:
        """The daemon begins a life and is READY."""

    async def stop(self) -> None:
        """An orderly stop."""

    async def kill(self) -> None:
        """The daemon is gone at this instant; the world goes on."""

    async def events(self) -> list[Received]:
        """What a separate consumer of all topics sees so far, duplicates included."""

    def books(self) -> Path:
        """The daemon's database directory; read it only while no daemon runs."""
