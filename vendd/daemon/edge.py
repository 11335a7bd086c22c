"""Where time, chance and hardware come in: exactly these cuts, and nothing else differs.

`production` fills them for a Raspberry Pi. A simulator fills them with its own
and runs the same `Daemon`.
"""

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import structlog

from vendd.config import Config
from vendd.config.kafka import Kafka
from vendd.daemon import host
from vendd.daemon.hardware import Hardware
from vendd.daemon.host import HostState
from vendd.daemon.system_clock import SystemClock
from vendd.daemon.tenders import Ground, Kept
from vendd.drivers.display import DisplaySetup, LcdDisplay
from vendd.drivers.lcd import kernel_bus, pigpiod_bus
from vendd.drivers.pins import PinFactory, open_pin_factory
from vendd.drivers.serial_wire import open_serial
from vendd.links.kafka import LibrdkafkaBroker
from vendd.links.kafka_security import Security
from vendd.ports import Broker, Display, Motors, Sink, WallClock, WireOpener, Writer
from vendd.services.flight import Journal
from vendd.services.payment import Devices
from vendd.services.transaction import Buzzer
from vendd.store import Database, Ring, ThreadJournal, ThreadWriter
from vendd.store.writer import Counts

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SAID: Final = 50  # different things that one connection may say
_METERED: Final = {
    "statistics.interval.ms": "10000",
    "topic.metadata.refresh.interval.ms": "1800000",
    "socket.keepalive.enable": "false",
    "reconnect.backoff.max.ms": "30000",  # every attempt costs
    "socket.connection.setup.timeout.ms": "30000",  # these links are the slow ones, too
    "socket.timeout.ms": "60000",
}
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


class Fittings(Protocol):
    """All devices of one machine as their owner sees them. Once made, no motor line is active."""

    @property
    def motors(self) -> Motors: ...

    @property
    def buzzer(self) -> Buzzer | None: ...

    @property
    def devices(self) -> Devices:
        """Those that take and give money."""

    def start(self) -> None:
        """From here on reports come in."""

    async def watch_pins(self) -> None:
        """Raises `PinTrouble` once no edge can ever come again; otherwise it never ends."""

    def close(self) -> None:
        """Motors off first, then everything released."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The cuts between the daemon and the world. `fittings` makes the devices of one life, from
    drivers over `open_wire` and `pin_factory`; a simulator may give devices of its own that hold
    the same ports."""

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
    journal: Callable[[asyncio.AbstractEventLoop, Ring], Journal] | None = None  # None: no recorder
    local_socket: bool = False  # people at the machine are served on a unix socket
    fittings: Callable[[Config, Ground, Kept], Fittings] = Hardware


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
        journal=ThreadJournal,
        local_socket=config.api.enabled,
    )


def _librdkafka(config: Config) -> Callable[[], Broker]:
    """A new connection each time, with the secrets as they are then."""
    kafka = config.kafka
    security = _security(kafka)
    compression, linger_ms = kafka.batching()
    batching = {"compression.type": compression, "linger.ms": str(linger_ms)}
    if kafka.budget_mib_per_day is not None:
        batching |= _METERED

    def open_broker() -> Broker:
        options = {**batching, **security.options()}
        return LibrdkafkaBroker(kafka.bootstrap, config.machine.id, options, said=_Said())

    return open_broker


def _security(kafka: Kafka) -> Security:
    tls, sasl = kafka.tls, kafka.sasl
    security = Security(tls=tls is not None)
    if tls is not None:
        security = replace(
            security, ca=tls.ca_file, certificate=tls.certificate_file, key=tls.key_from
        )
    if sasl is not None:
        security = replace(
            security,
            mechanism=sasl.mechanism,
            username=sasl.username,
            password=sasl.password_from,
        )
    return security


class _Said:
    """What the client says, each thing once per connection: an outage repeats itself for months."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, level: int, text: str) -> None:
        kind = re.sub(r"[0-9]+", "#", text)[:120]
        if kind not in self._known and len(self._known) < _SAID:
            self._known.add(kind)
            _log.info("kafka_client_said", level=level, text=text)


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"
