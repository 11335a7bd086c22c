"""Audit reports of this machine: its configuration and its books, brought together."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from vendd import __version__
from vendd.cli.audit import NoReport
from vendd.config import Config
from vendd.core.audit.figures import Figures
from vendd.core.planogram import Slot
from vendd.core.rows import AuditRead
from vendd.daemon.beginning import priced
from vendd.daemon.edge import Edge
from vendd.drivers.dex import Audit, DexPort
from vendd.ports import Sink, StoreFailed, WallClock
from vendd.services.audit_report import Plate, Readout, segments
from vendd.store import Database, DatabaseInUse
from vendd.store.counters import figures
from vendd.store.opening import FILE
from vendd.store.operator_tables import prices_set
from vendd.wire.evadts.dex import DexResponder
from vendd.wire.evadts.report import write

TERMINAL: Final = "vendd"
"""Who reads where no handheld does."""


class Books(Protocol):
    """Of the audit: see `vendd.store.SqliteBooks`."""

    async def read_out(self) -> Figures: ...

    async def note_read(self, read: AuditRead, at: str) -> None: ...


@dataclass(frozen=True)
class AuditDesk:
    """Reads the running machine out. Errors: `StoreFailed`."""

    config: Config
    books: Books
    wall: WallClock
    slots: Callable[[], Mapping[str, Slot]]

    async def read_out(self, terminal: str) -> bytes:
        """The report as it stands; `ended` says that it has arrived."""
        shown = await self.books.read_out()
        return report(self.config, self.slots(), shown, Readout(self.wall.now(), terminal))

    async def ended(self, terminal: str, *, reset: bool) -> None:
        """It has arrived. `reset`: what it showed is taken off the interval counters."""
        await self.books.note_read(AuditRead(terminal, reset), self.wall.now())


async def serve_handhelds(desk: AuditDesk, edge: Edge, sink: Sink) -> None:
    """The DEX port, until cancelled; without one there is nothing to do."""
    config = desk.config
    if config.dex is None:
        return
    reset = config.dex.reset
    audit = Audit(desk.read_out, lambda terminal: desk.ended(terminal, reset=reset))
    machine = DexResponder(config.audit.communication_id)
    port = DexPort(edge.open_wire, config.dex.port, sink, machine, audit)
    port.start()
    try:
        await asyncio.Event().wait()
    finally:
        port.close()


def report(config: Config, slots: Mapping[str, Slot], shown: Figures, readout: Readout) -> bytes:
    """The report of these figures, as a file. `slots` as they are sold now."""
    audit = config.audit
    plate = Plate(
        serial=audit.serial or config.machine.id,
        software=__version__,
        currency=config.currency(),
        model=audit.model,
        location=audit.location,
        asset_no=audit.asset_no or config.machine.id,
    )
    return write(audit.communication_id, segments(plate, slots, shown, readout))


def export(config: Config) -> bytes:
    """The report of a machine whose daemon does not run. It is no read-out: nothing is counted
    or reset. Raises `NoReport`."""
    folder = Path(config.store.path)
    if not (folder / FILE).exists():
        raise NoReport(f"{folder}: there are no books; store.path says where they are looked for")
    try:
        database = Database.open(folder)
    except DatabaseInUse as error:
        raise NoReport(f"{folder}: the books are in use; stop the daemon first") from error
    except StoreFailed as error:
        raise NoReport(f"{folder}: the books can't be opened: {error}") from error
    try:
        shown = figures(database.connection)
        slots = priced(config, prices_set(database.connection))
    finally:
        database.close()
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return report(config, slots, shown, Readout(now, TERMINAL))
