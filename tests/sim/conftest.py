"""The same board behind two pin factories: in virtual time, and over pigpiod's socket."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from gpiozero.pins.pigpio import PiGPIOFactory

from hw_sim.cabinet import Cabinet
from hw_sim.header import Header
from hw_sim.lcd import Lcd
from hw_sim.loop import VirtualLoop
from hw_sim.pigpiod import PigpioServer
from hw_sim.pins import WorldFactory
from hw_sim.plan import sample_plan


class Rig(Protocol):
    factory: Any

    def on_board(self, act: Callable[[Header], Any]) -> Any:
        """Do something on the board's side, on the world's thread."""

    def until(self, reached: Callable[[], bool]) -> bool:
        """Let time pass until it is so; False when it doesn't come."""

    def kill_client(self) -> None:
        """The process with the pins dies."""


class VirtualRig:
    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.cabinet = Cabinet(sample_plan(), self.loop, seed=1)
        self.factory = WorldFactory(self.cabinet.header, self.cabinet.clock)

    def on_board(self, act: Callable[[Header], Any]) -> Any:
        return act(self.cabinet.header)

    def until(self, reached: Callable[[], bool]) -> bool:
        for _ in range(200):
            if reached():
                return True
            self.loop.run_for(0.01)
        return reached()

    def kill_client(self) -> None:
        self.factory.cut()

    def close(self) -> None:
        self.factory.close()
        self.loop.close()


class PigpiodRig:
    """The world runs on its own thread, as the other process would."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.lcd = Lcd(16, 2)
        self.port = self._in_loop(self._start())
        self.factory = PiGPIOFactory("127.0.0.1", self.port)

    async def _start(self) -> int:
        self.cabinet = Cabinet(sample_plan(), self.loop, seed=1)
        self.server = PigpioServer(self.cabinet.header, self.cabinet.clock, {0x27: self.lcd})
        return await self.server.start()

    def _in_loop(self, coro: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coro, self.loop).result(5)

    def on_board(self, act: Callable[[Header], Any]) -> Any:
        async def acting() -> Any:
            return act(self.cabinet.header)

        return self._in_loop(acting())

    def until(self, reached: Callable[[], bool]) -> bool:
        pause = threading.Event()
        for _ in range(1_000):
            if reached():
                return True
            pause.wait(0.002)
        return reached()

    def kill_client(self) -> None:
        """Both sockets break from the client's side."""
        connection = self.factory.connection
        self.factory.close = lambda: None
        connection.stop()
        assert self.until(lambda: self.server.clients == 0)

    def close(self) -> None:
        self.factory.close()
        self._in_loop(self.server.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


@pytest.fixture
def pigpiod() -> Iterator[PigpiodRig]:
    rig = PigpiodRig()
    yield rig
    rig.close()


@pytest.fixture(params=[VirtualRig, PigpiodRig])
def rig(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = request.param()
    yield made
    made.close()
