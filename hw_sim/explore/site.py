"""What a history does to a machine, whatever its depth: the seam between explorer and machine.

At *wire* depth every device is polled byte by byte (`hw_sim.explore.wire`), at *port* depth the
devices hold the daemon's own ports (`hw_sim.explore.port`). A depth is an `Opener` in `DEPTHS`.
"""

import importlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from hw_sim.front import Front

Struck = Callable[[], bool]
"""Called when a commit is about to become durable; True: it took the daemon's life."""


class Wall(Protocol):
    """The wall clock of the machine."""

    def jump(self, seconds: float) -> None: ...

    def set_synchronised(self, synchronised: bool) -> None: ...


class Cluster(Protocol):
    """Where events go."""

    fail_next: int

    def outage(self) -> None: ...

    def restore(self) -> None: ...

    def break_producers(self) -> None: ...

    def purge(self) -> None: ...


class Site(Front, Protocol):
    """A simulated machine in virtual time that can be hurt in every way there is. Made from a
    seed inside a running `VirtualLoop`; the same seed is the same machine."""

    wall: Wall
    cluster: Cluster

    @property
    def running(self) -> bool:
        """A daemon lives, ready or not."""

    async def failed(self) -> BaseException | None:
        """What ended the daemon although nobody had stopped or killed it."""

    def launch(self) -> None:
        """A life begins; it need not become READY."""

    async def ready(self, seconds: float) -> bool:
        """Wait until the life that began is READY; False when it is not by then, or ended."""

    def cut(self, *, power: bool = False, in_flight_lands: bool = False) -> None:
        """The daemon is gone. `power`: the controller lost it, the next boot is another.
        `in_flight_lands`: the commit under way became durable, and nobody was told."""

    def darken(self) -> None:
        """Every device loses its power too (the mains plug)."""

    def lighten(self) -> None:
        """It is back."""

    def strike_at_commit(self, struck: Struck | None) -> None:
        """Ask `struck` at each commit from now on, in this life and the next ones."""

    def fill_disk(self, *, full: bool) -> None:
        """While it is full every commit fails; also those of a life that begins meanwhile."""

    def fail_commits(self, number: int) -> None:
        """The next commits fail (an I/O error)."""

    def failing_since(self) -> float | None:
        """No commit has succeeded since then, and some have failed; None when the last did."""

    def unrecorded(self, began: float, died: float, grace_s: float) -> list[str]:
        """Of the life between these loop times, while no daemon runs: what moved without a
        committed decision, and what was seen `grace_s` before its end and is not on record."""

    async def pending(self) -> int:
        """Events that are committed and that no consumer has seen yet."""

    def trace(self) -> str:
        """A digest of all bytes that went over the lines."""


Opener = Callable[[str, int, int], AbstractAsyncContextManager[Site]]
"""(name of a machine in `MACHINES`, seed, customers at most) -> the machine, not started."""

DEPTHS: Final = {"wire": "hw_sim.explore.wire", "port": "hw_sim.explore.port"}
"""Depth -> the module whose `open_site` is its `Opener`."""


def opener(depth: str) -> Opener:
    """Raises KeyError for a depth that does not exist."""
    found: Opener = importlib.import_module(DEPTHS[depth]).open_site
    return found
