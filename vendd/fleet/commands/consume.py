"""The consumers as processes: put together, run until told to stop."""

import gc
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Final

from vendd.events import TOPICS
from vendd.events.kinds import ALERTS, MACHINE
from vendd.fleet.alarms.handler import Alarming
from vendd.fleet.alarms.sender import AppriseSender
from vendd.fleet.alarms.watch import Watch, Watching
from vendd.fleet.burial import Burial
from vendd.fleet.clock import Clock, WallClock
from vendd.fleet.contract import checks
from vendd.fleet.database import Database, migrate, open_database
from vendd.fleet.envelope import DLQ_SUFFIX, Record
from vendd.fleet.inventory import Inventory
from vendd.fleet.metrics import Metrics
from vendd.fleet.pump import Bury, Handler, Offsets, Pump
from vendd.fleet.service import Service
from vendd.fleet.settings import Settings
from vendd.fleet.stream import Stream

Said = Callable[[str], None]
INVENTORY: Final = "inventory"
NOTIFY: Final = "notify"
_TOPICS: Final = {
    INVENTORY: (*TOPICS, *(topic + DLQ_SUFFIX for topic in TOPICS)),
    NOTIFY: (ALERTS, MACHINE),
}
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000


def group(settings: Settings, role: str) -> str:
    return f"{settings.kafka.group}-{role}"


def inventory(settings: Settings, said: Said) -> int:
    """``vendd-fleet inventory``."""
    clock = WallClock()
    kafka = settings.kafka
    burial = Burial(
        kafka.bootstrap, kafka.topic_prefix, group(settings, INVENTORY), kafka.options, clock
    )

    def handler(database: Database, cluster: str) -> Handler:
        return Inventory(database, cluster, clock)

    try:
        _consume(settings, INVENTORY, handler, burial.bury, clock, said)
    finally:
        burial.close()
    return 0


def notify(settings: Settings, said: Said) -> int:
    """``vendd-fleet notify``."""
    clock = WallClock()
    if not settings.admin:
        said("no [[admin]] is configured: alarms are raised, and nobody is told")
    quiet_ms = settings.notify.quiet_min * _MINUTE_MS

    def handler(_database: Database, _cluster: str) -> Handler:
        return Alarming(group(settings, NOTIFY), settings.alarms, quiet_ms, clock)

    _consume(settings, NOTIFY, handler, _left_to_inventory, clock, said)
    return 0


def _left_to_inventory(_record: Record, _reason: str) -> bool:
    """Poison is put aside once, by the inventory consumer; here it is passed over."""
    return True


def _consume(
    settings: Settings,
    role: str,
    make: Callable[[Database, str], Handler],
    bury: Bury,
    clock: Clock,
    said: Said,
) -> None:
    kafka, name = settings.kafka, group(settings, role)
    stop = stopping()
    # Thousands of short-lived dicts per batch and no cycles: looking for some costs a fifth.
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
    database = open_database(settings.database)
    metrics = Metrics(database, clock)
    if settings.metrics.port:
        metrics.serve(settings.metrics.host, settings.metrics.port)
    topics: Sequence[str] = _TOPICS[role]
    stream = Stream(kafka.bootstrap, name, topics, kafka.topic_prefix, kafka.options, clock, said)

    def begin() -> Pump:
        migrate(database)
        cluster = stream.cluster()
        said(f"{name}: reading from {kafka.bootstrap}")
        handler, offsets = make(database, cluster), Offsets(name, cluster)
        return Pump(database, offsets, handler, checks(), bury, clock, _waiting(stop))

    turns = [metrics.look] if settings.metrics.port else []
    if role == NOTIFY:
        turns.append(_watch(settings, database, clock, said).turn)
    try:
        Service(stream, begin, clock, stop, said, metrics, turns).run()
    finally:
        stream.close()
        database.close()


def _watch(settings: Settings, database: Database, clock: Clock, said: Said) -> Watch:
    watching = Watching(
        group=group(settings, INVENTORY),
        limits=settings.alarms,
        sites=settings.sites(),
        admins=settings.admin,
        manners=settings.notify,
        every_ms=settings.every_s * 1000,
        inbox_ms=settings.inbox_days * _DAY_MS,
    )
    return Watch(database, watching, AppriseSender(), clock, said)


def _waiting(stop: threading.Event) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        stop.wait(seconds)

    return wait


def stopping() -> threading.Event:
    """Set by SIGTERM and SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
