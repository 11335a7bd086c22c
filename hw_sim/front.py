"""What a customer, a technician and an auditor can touch and see, the same in both modes."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from hw_sim.devices.mechs import BillMech, CardMech, CoinMech
from hw_sim.motor import Motor
from hw_sim.received import Received
from hw_sim.spiral import Beam, Fallen, Spiral
from hw_sim.supply import CurrentLog
from hw_sim.till import Plug
from vendd.config import Config


class Cupboard(Protocol):
    """The machine around the money."""

    tray: list[Fallen]
    currents: CurrentLog
    beam: Beam

    def press(self, key: str, hold_ms: int = 120) -> None: ...

    def motor(self, name: str) -> Motor: ...

    def slot(self, selection: str) -> Spiral: ...

    @property
    def door_open(self) -> bool: ...

    def set_door(self, *, is_open: bool) -> None: ...

    def quiet(self) -> bool:
        """No motor turns or has current."""


class Purses(Protocol):
    """Everything that takes or gives money. `plugs`: by device. `troubles`: by the kind of device
    (changer, bills, cards), the faults that a good machine gets over."""

    plugs: dict[str, Plug]
    troubles: Mapping[str, tuple[str, ...]]

    @property
    def coins(self) -> CoinMech: ...

    @property
    def bills(self) -> BillMech | None: ...

    @property
    def readers(self) -> Mapping[int, CardMech]: ...

    @property
    def busy(self) -> bool:
        """A payment is not settled, or money moves."""


class Front(Protocol):
    """A simulated machine with its daemon. `loop` is virtual or real; nothing else differs."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    @property
    def config(self) -> Config: ...

    @property
    def cabinet(self) -> Cupboard: ...

    @property
    def till(self) -> Purses: ...

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
