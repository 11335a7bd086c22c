"""The devices of one life at port depth: what `vendd.daemon.edge.Fittings` asks for."""

import asyncio

from hw_sim.ports.cabinet import PortCabinet
from hw_sim.ports.till import PortTill
from vendd.config import Config
from vendd.daemon.media import MediaSink
from vendd.daemon.tenders import Ground, Kept
from vendd.ports import Motors
from vendd.services.payment import Devices


class PortFittings:
    """Made for each life over a world that stays."""

    def __init__(
        self, config: Config, ground: Ground, _kept: Kept, cabinet: PortCabinet, till: PortTill
    ) -> None:
        self._door = config.door is not None
        self._sink = ground.sink
        self._cards = MediaSink(ground.sink, ground.media_key)
        self._cabinet = cabinet
        self._till = till
        self._alive = ground.alive
        self.buzzer = None
        cabinet.motors.begin(ground.sink)

    @property
    def motors(self) -> Motors:
        return self._cabinet.motors

    @property
    def devices(self) -> Devices:
        return self._till.ports

    def start(self) -> None:
        self._cabinet.begin(self._sink, door=self._door)
        self._till.begin(self._sink, self._cards)

    async def watch_pins(self) -> None:
        await asyncio.Event().wait()

    def close(self) -> None:
        self._cabinet.motors.close()
        self._cabinet.forsake()
        self._till.forsake()
