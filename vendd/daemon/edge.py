"""Where time, chance and hardware come in: exactly these cuts, and nothing else differs.

`production` fills them for a Raspberry Pi. A simulator fills them with its own
and runs the same `Daemon`.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import structlog

from vendd.config import Config
from vendd.daemon import host
from vendd.daemon.host import HostState
from vendd.drivers.display import DisplaySetup, LcdDisplay
from vendd.drivers.lcd import kernel_bus, pigpiod_bus
from vendd.drivers.pins import PinFactory, open_pin_factory
from vendd.drivers.serial_wire import open_serial
from vendd.links.kafka import LibrdkafkaBroker
from vendd.ports import Broker, Display, Sink, WallClock, WireOpener, Writer
from vendd.store import Database, ThreadWriter
from vendd.store.writer import Counts

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SYNCHRONISED: Final = Path("/run/systemd/timesync/synchronized")
_log = structlog.get_logger()


class StoreWriter(Writer, Protocol):
    """A writer as its owner sees it."""

    counts: Counts

    def healthy(self, stall_s: float = 20.0) -> bool: ...

    async def close(self) -> None: ...


class RunningDisplay(Display, Protocol):
    """A display as its owner sees it."""

    def start(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Edge:
    """The cuts between the daemon and the world."""

    open_wire: WireOpener
    pin_factory: Callable[[], PinFactory]
    display: Callable[[asyncio.AbstractEventLoop, Sink], RunningDisplay]
    open_broker: Callable[[], Broker] | None  # None: events stay in the outbox
    writer: Callable[[asyncio.AbstractEventLoop, Database], StoreWriter]
    wall: WallClock
    chance: random.Random
    boot_id: str  # of the kernel: the same after a crash of the daemon, another after a power cut
    synchronous: str = "FULL"
    host: Callable[[Path], HostState] = host.read


class SystemClock:
    """The Pi's wall clock; trusted only once systemd-timesyncd has set it (E4)."""

    def now(self) -> str:
        at = datetime.now(UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"

    def synchronised(self) -> bool:
        return _SYNCHRONISED.exists()


def production(config: Config) -> Edge:
    """A real Pi, as configured."""
    return Edge(
        open_wire=open_serial,
        pin_factory=lambda: open_pin_factory(
            config.gpio.factory, config.gpio.host, config.gpio.port
        ),
        display=lambda loop, sink: LcdDisplay(
            DisplaySetup(config.display.columns, config.display.rows, config.display.address),
            pigpiod_bus(config.gpio.host, config.gpio.port)
            if config.display.bus == "pigpiod"
            else kernel_bus(),
            loop,
            sink,
        ),
        open_broker=_librdkafka(config) if config.kafka.enabled else None,
        writer=ThreadWriter,
        wall=SystemClock(),
        chance=random.SystemRandom(),  # keys come from here, too
        boot_id=_boot_id(),
    )


def _librdkafka(config: Config) -> Callable[[], Broker]:
    def said(level: int, text: str) -> None:
        _log.info("kafka_client_said", level=level, text=text)

    return lambda: LibrdkafkaBroker(config.kafka.bootstrap, config.machine.id, said=said)


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"
