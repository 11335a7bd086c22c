"""The desk of one life: who may come to it, and what they see there."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from vendd.config import Config
from vendd.core.facts import OutboxLoad
from vendd.core.operator.sight import Identity, OpenFault, Sight
from vendd.core.sale.reports import FaultStarted, Report
from vendd.events.context import Context
from vendd.links.forwarder import Forwarder
from vendd.links.local.peers import Groups
from vendd.links.local.server import LocalServer, Place, SocketFailed
from vendd.ports.desk import Desk, Records
from vendd.services.transaction import Engine

_FAULT = ("socket_failed", "api")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Window:
    """What `Desk.look` looks through. `context`: of an event that happened now."""

    engine: Engine
    context: Callable[[], Context]
    faults: Callable[[], tuple[OpenFault, ...]]
    outbox: Callable[[], OutboxLoad]

    def look(self) -> Sight:
        engine, now = self.engine, self.context()
        return Sight(
            identity=Identity(now.machine, now.software, now.config_hash, now.boot_count),
            now=now.time,
            uptime_ms=now.uptime_ms,
            synchronised=now.clocksync,
            state=engine.memory.sale,
            world=engine.snapshot,
            kept=engine.memory.kept,
            faults=self.faults(),
            outbox=self.outbox(),
            failing=engine.failing,
        )


def sending_again(forwarder: Forwarder | None) -> Callable[[int, int], Awaitable[int | None]]:
    """What `Desk.send_again` does: nothing, where nobody collects events."""

    async def ask(from_seq: int, to_seq: int) -> int | None:
        replay = None if forwarder is None else await forwarder.replay(from_seq, to_seq)
        return None if replay is None else replay.events

    return ask


async def serve(
    config: Config, desk: Desk, records: Records, put: Callable[[Report], None]
) -> None:
    """For ever. A socket that can't be made is a fault; the machine sells without it."""
    api = config.api
    groups = Groups(api.technicians, api.owners)
    place = Place(Path(api.socket), int(api.mode, 8), groups)
    try:
        await LocalServer(place, desk, records).run()
    except SocketFailed as failure:
        _log.error("local_socket_failed", why=str(failure))
        put(FaultStarted(*_FAULT, detail=str(failure)))
        await asyncio.Event().wait()
