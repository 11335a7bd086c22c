"""The consumers as processes: put together, run until told to stop."""

import signal
import threading
from collections.abc import Callable, Sequence
from typing import Final

from vendd.events import TOPICS
from vendd.fleet.burial import Burial
from vendd.fleet.clock import Clock, WallClock
from vendd.fleet.contract import checks
from vendd.fleet.database import Database, migrate, open_database
from vendd.fleet.envelope import DLQ_SUFFIX
from vendd.fleet.inventory import Inventory
from vendd.fleet.pump import Handled, Handler, Offsets, Pump
from vendd.fleet.service import Service
from vendd.fleet.settings import Settings
from vendd.fleet.stream import Stream

Said = Callable[[str], None]
_INVENTORY_TOPICS: Final = (*TOPICS, *(topic + DLQ_SUFFIX for topic in TOPICS))


def inventory(settings: Settings, said: Said) -> int:
    """``vendd-fleet inventory``."""
    clock = WallClock()
    database = open_database(settings.database)
    migrate(database)
    handler = Inventory(database, clock)
    _consume(settings, "inventory", _INVENTORY_TOPICS, database, handler, clock, said)
    return 0


def _consume(
    settings: Settings,
    role: str,
    topics: Sequence[str],
    database: Database,
    handler: Handler,
    clock: Clock,
    said: Said,
) -> None:
    kafka = settings.kafka
    group = f"{kafka.group}-{role}"
    stop = stopping()
    burial = Burial(kafka.bootstrap, kafka.topic_prefix, group, kafka.options, clock)
    stream = Stream(kafka.bootstrap, group, topics, kafka.topic_prefix, kafka.options, said)
    try:
        offsets = Offsets(group, stream.cluster())
        pump = Pump(database, offsets, handler, checks(), burial.bury, clock, _waiting(stop))
        said(f"{group}: reading from {kafka.bootstrap}")
        Service(stream, pump, clock, stop, said, _tell(said)).run()
    finally:
        stream.close()
        burial.close()
        database.close()


def _waiting(stop: threading.Event) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        stop.wait(seconds)

    return wait


def _tell(said: Said) -> Callable[[Handled, float], None]:
    def tell(handled: Handled, _seconds: float) -> None:
        for record, reason in handled.refused:
            said(f"{record.place}: put aside: {reason}")

    return tell


def stopping() -> threading.Event:
    """Set by SIGTERM and SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
