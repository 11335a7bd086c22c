"""`auto`: the adapter is found by asking, whenever it comes, and found anew when it is another."""

import asyncio
import errno
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mdb_rig import EUR, FILL, Inbox

from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx import DETAILED, GENERIC_MASTER, QibixxAdapter
from hw_sim.devices.waferstar import WaferstarAdapter
from hw_sim.loop import run_virtual
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    FaultEnded,
    FaultStarted,
)
from vendd.drivers.adapter_search import Adapter, AutoBus
from vendd.drivers.changer import MdbChanger
from vendd.ports import Wire, WireLost


class _Garbling:
    """A wire at the wrong speed: bytes arrive, but not those that were sent."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def write(self, data: bytes) -> None:
        self._wire.write(bytes(b ^ 0x55 for b in data))

    def close(self) -> None:
        self._wire.close()


class Port:
    """A USB port into which one adapter or another is plugged."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._line: MemoryLine | None = None
        self._baud = 0
        self.opened: list[int] = []
        loop = asyncio.get_running_loop()
        self.changer = CoinChanger(loop, random.Random(seed))
        for value, count in FILL.items():
            self.changer.fill_tube(value, count)

    def plug(self, adapter: Any, baud: int) -> None:
        self._baud = baud
        rng = random.Random(self._seed)
        self._line = MemoryLine(asyncio.get_running_loop(), adapter, rng=rng, torn=0.3)

    def pull(self) -> None:
        assert self._line is not None
        self._line.unplug()
        self._line = None

    def open(
        self,
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire:
        self.opened.append(baud)
        if self._line is None:
            raise WireLost(errno.ENOENT, "no such port")
        if baud == self._baud:
            return self._line.open(port, baud, received, lost)
        garble: Callable[[bytes], None] = lambda data: received(bytes(b ^ 0x55 for b in data))  # noqa: E731
        return _Garbling(self._line.open(port, baud, garble, lost))

    def qibixx(self, dialect: Any = GENERIC_MASTER) -> None:
        loop = asyncio.get_running_loop()
        self.plug(QibixxAdapter(loop, [self.changer], dialect=dialect), 115200)

    def waferstar(self, *, enables: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self.plug(WaferstarAdapter(loop, [self.changer], enables=enables), 9600)


def searching(test: Callable[[Port, AutoBus, Inbox], Awaitable[None]], seed: int = 1) -> None:
    async def run() -> None:
        port, inbox = Port(seed), Inbox()
        bus = AutoBus(port.open, "virtual", inbox)
        changer = MdbChanger(bus, inbox, EUR)
        changer.accept(frozenset(range(16)))
        await test(port, bus, inbox)
        bus.close()

    run_virtual(run())


@pytest.mark.parametrize("dialect", [DETAILED, GENERIC_MASTER], ids=["detailed", "plain"])
def test_a_qibixx_is_known_by_its_version(dialect: Any) -> None:
    async def test(port: Port, bus: AutoBus, inbox: Inbox) -> None:
        port.qibixx(dialect)
        bus.start()
        await inbox.until(ChangerReady)
        assert bus.adapter is Adapter.QIBIXX
        assert set(port.opened) == {115200}
        port.changer.insert_coin(50)
        assert (await inbox.until(CoinAccepted)).value == 50
        assert inbox.of(FaultStarted) == []

    searching(test)


@pytest.mark.parametrize("enables", [False, True], ids=["starts disabled", "starts enabled"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_waferstar_is_known_by_its_hex(enables: bool, seed: int) -> None:
    async def test(port: Port, bus: AutoBus, inbox: Inbox) -> None:
        port.waferstar(enables=enables)
        bus.start()
        await inbox.until(ChangerReady)
        assert bus.adapter is Adapter.WAFERSTAR
        port.changer.insert_coin(50)
        assert (await inbox.until(CoinAccepted)).value == 50

    searching(test, seed)


def test_an_adapter_that_is_plugged_in_late_is_found() -> None:
    async def test(port: Port, bus: AutoBus, inbox: Inbox) -> None:
        bus.start()
        await asyncio.sleep(120)
        assert [f.code for f in inbox.of(FaultStarted)] == ["bus_lost"]
        assert len(inbox.of(ChangerLost)) == 1
        assert len(port.opened) < 40, "it is looked for with patience"
        port.qibixx()
        await inbox.until(ChangerReady)
        assert [f.code for f in inbox.of(FaultEnded)] == ["bus_lost"]

    searching(test)


def test_another_adapter_in_the_same_port_is_found_anew() -> None:
    async def test(port: Port, bus: AutoBus, inbox: Inbox) -> None:
        port.qibixx()
        bus.start()
        await inbox.until(ChangerReady)
        port.pull()
        await inbox.until(ChangerLost)
        inbox.clear()
        port.waferstar()
        await inbox.until(ChangerReady, 60)
        assert bus.adapter is Adapter.WAFERSTAR

    searching(test)


def test_a_deaf_port_is_no_adapter_and_closing_ends_the_search() -> None:
    class Deaf:
        def connect(self, transmit: Callable[[bytes], None]) -> None: ...
        def received(self, data: bytes) -> None: ...
        def power_on(self) -> None: ...

    async def test(port: Port, bus: AutoBus, inbox: Inbox) -> None:
        port.plug(Deaf(), 9600)
        bus.start()
        await asyncio.sleep(10)
        assert bus.adapter is None
        (fault,) = inbox.of(FaultStarted)
        assert fault.detail == "no adapter answers"
        bus.close()
        opened = len(port.opened)
        await asyncio.sleep(60)
        assert len(port.opened) == opened

    searching(test)


def test_noise_is_no_answer() -> None:
    class Babble:
        """Sends text that is neither."""

        def connect(self, transmit: Callable[[bytes], None]) -> None:
            self.transmit = transmit

        def received(self, data: bytes) -> None:
            self.transmit(b"\xff\x00 vw,1\r\nGPS $GPGGA,123519,4807.038\r\n" + bytes(range(256)))

        def power_on(self) -> None: ...

    async def test(port: Port, bus: AutoBus, inbox: Inbox) -> None:
        port.plug(Babble(), 9600)
        bus.start()
        await asyncio.sleep(30)
        assert bus.adapter is None

    searching(test)
