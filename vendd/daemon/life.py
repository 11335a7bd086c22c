"""One life of the daemon: open, load, recover, run, stop in order.

Start: books -> hardware (all motor lines off) -> `Started` with the home
switches' evidence -> devices report -> READY. Stop: motors off, devices closed,
events under way given a moment, books marked clean.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from vendd import __version__
from vendd.config import Config
from vendd.core.planogram import Slot
from vendd.core.sale.reports import Started
from vendd.core.sale.states import Paying
from vendd.core.snapshot import Moment
from vendd.daemon.audit_desk import AuditDesk, serve_handhelds
from vendd.daemon.beginning import first_snapshot
from vendd.daemon.edge import Edge, Fittings, RunningDisplay, StoreWriter
from vendd.daemon.front_desk import Window, sending_again, serve
from vendd.daemon.housekeeping import FULL, Housekeeping, keeping
from vendd.daemon.media import media_key
from vendd.daemon.patience import Patience, StartRefused
from vendd.daemon.pulse import beat
from vendd.daemon.recording import flight_of, journal_of
from vendd.daemon.stream import Stream, Telling
from vendd.daemon.tenders import Ground, Kept, on_bus
from vendd.daemon.tracing import Tracing
from vendd.daemon.versions import Versions
from vendd.daemon.vitals import Vitals
from vendd.drivers.pins import PinTrouble
from vendd.events.context import Context
from vendd.health import Supervisor
from vendd.links.budget import Budget
from vendd.links.forwarder import Forwarder
from vendd.ports import Loaded, StoreFailed
from vendd.services import memory
from vendd.services.desk import Desk
from vendd.services.dispensing import Dispensing
from vendd.services.inbox import Inbox
from vendd.services.memory import Memory
from vendd.services.notification import SETTING as FAULTS
from vendd.services.notification import Notification
from vendd.services.payment import Payment
from vendd.services.telemetry import SETTING as TELEMETRY
from vendd.services.telemetry import Telemetry
from vendd.services.transaction import Crew, Engine
from vendd.store import Database, SqliteBooks, SqliteOutbox, SqliteRecords

FINISH_S: Final = 20.0  # TimeoutStopSec of the unit is longer
_log = structlog.get_logger()


@dataclass(slots=True)
class _Open:
    """What a life holds open, in the order it was opened."""

    writer: StoreWriter
    books: SqliteBooks
    house: Housekeeping
    stream: Stream
    display: RunningDisplay
    hardware: Fittings
    engine: Engine
    forwarder: Forwarder | None
    dispensing: Dispensing


class Daemon:
    """`run` is one life, until `stop` is set or a task fails."""

    def __init__(self, config: Config, edge: Edge, supervisor: Supervisor | None = None) -> None:
        self._config = config
        self._edge = edge
        self._supervisor = supervisor or Supervisor("")
        self._folder = Path(config.store.path)
        self._loop = asyncio.get_running_loop()
        self._born = self._loop.time()
        self._vitals = Vitals(config, self._loop)
        self._inbox = Inbox(self._loop)
        self.ready = asyncio.Event()
        self.tracing = Tracing(config, self._loop, edge.wall)
        self.engine: Engine | None = None
        self.desk = Desk(self._loop, self._inbox.put)
        self.writer: StoreWriter | None = None
        self.forwarder: Forwarder | None = None
        self.hardware: Fittings | None = None
        self._journal = journal_of(config, edge, self._loop)

    async def run(self, stop: asyncio.Event) -> None:
        """Raises `StartRefused` when it can't begin."""
        display = self._edge.display(self._loop, self._inbox)
        display.start()
        patience = Patience(self._config, display, self._supervisor, stop)
        clean = False
        try:
            self.writer = await patience.until_done(self._open_writer)
            await self._live(display, patience, stop)
            clean = True
        finally:
            patience.over()
            await self._end(display, clean=clean)

    async def _open_writer(self) -> StoreWriter:
        database = Database.open(
            self._folder,
            max_mib=self._config.store.max_mib,
            synchronous=self._edge.synchronous,
        )
        return self._edge.writer(self._loop, database)

    # --- start -----------------------------------------------------------------------

    async def _live(self, display: RunningDisplay, patience: Patience, stop: asyncio.Event) -> None:
        assert self.writer is not None
        books = SqliteBooks(self.writer)
        loaded = await patience.until_done(
            lambda: books.load(self._config.first_levels(), self._config.file_prices())
        )
        self.tracing.boot = loaded.boot_count
        stored = self._stored(loaded)
        versions = Versions.of(self._config, loaded, self._edge.boot_id)
        try:
            kept = self._kept(loaded, stored)
            self.hardware = self._edge.fittings(self._config, self._ground(), kept)
        except PinTrouble as trouble:
            raise StartRefused(f"GPIO: {trouble}") from trouble
        opened = self._compose(books, display, loaded, stored, versions)
        await patience.until_done(
            lambda: books.commit(None, versions.rows, self._context(versions, loaded, self._now()))
        )
        patience.over()
        # First: what devices said of themselves meanwhile is news of this life.
        self._inbox.put_first(await self._started(loaded, stored, versions, opened.dispensing))
        await self._run_tasks(opened, stop)

    def _ground(self) -> Ground:
        return Ground(
            loop=self._loop,
            open_pins=self._edge.pin_factory,
            open_wire=self.tracing.through(self._edge.open_wire),
            sink=self._inbox,
            alive=self._vitals.bus_moved,
            wall=self._edge.wall,
            media_key=media_key(Path(self._config.store.path), self._edge.chance),
        )

    def _kept(self, loaded: Loaded, stored: Memory) -> Kept:
        phase = stored.sale.phase
        payout = phase.payout if isinstance(phase, Paying) else None
        return Kept(loaded.settings, loaded.tubes, self._inbox.note, payout)

    def _stored(self, loaded: Loaded) -> Memory:
        """What was in flight; refused when the configuration no longer knows its slot."""
        try:
            stored = memory.load(loaded.state)
        except ValueError as error:
            raise StartRefused(str(error)) from error
        sale = stored.sale.sale
        if sale is not None and sale.selection not in self._config.slots():
            raise StartRefused(
                f"a sale of slot {sale.selection} is in flight but the configuration has no such"
                " slot: put it back, start once, then remove it"
            )
        kept = replace(stored.kept, doubts=max(stored.kept.doubts, loaded.operator.doubts_ever))
        stored = replace(stored, kept=kept)
        if self._config.door is None:  # the switch was taken out while it said open
            stored = replace(stored, service=replace(stored.service, door_open=False))
        return stored

    def _compose(
        self,
        books: SqliteBooks,
        display: RunningDisplay,
        loaded: Loaded,
        stored: Memory,
        versions: Versions,
    ) -> _Open:
        assert self.writer is not None
        assert self.hardware is not None
        stream, house = self._stream(loaded, stored, versions)
        notification = Notification(loaded.settings.get(FAULTS), on_bus(self._config))
        dispensing = Dispensing(self.hardware.motors, self._inbox, self._loop)
        crew = Crew(
            books=books,
            payment=self._payment(),
            dispensing=dispensing,
            notification=notification,
            display=display,
            events=stream,
            buzzer=self.hardware.buzzer,
            telemetry=Telemetry(
                loaded.settings.get(TELEMETRY), loaded.claims_open, notification.open_faults
            ),
            flight=flight_of(self._journal, self._config, self._edge.boot_id, loaded, versions),
            desk=self.desk,
        )
        self.engine = Engine(
            self._loop,
            self._inbox,
            crew,
            first_snapshot(self._config, loaded, versions.price),
            stored,
            self._moment,
            lambda moment, actor: self._context(versions, loaded, moment, actor),
        )
        self.desk.look = Window(
            self.engine,
            lambda: self._context(versions, loaded, self._now()),
            notification.faults,
            stream.load,
        ).look
        forwarder = self.forwarder
        self.desk.send_again = sending_again(forwarder)
        return _Open(
            self.writer, books, house, stream, display, self.hardware, self.engine, forwarder,
            dispensing,
        )  # fmt: skip

    def _payment(self) -> Payment:
        assert self.hardware is not None
        return Payment(self.hardware.devices, self._inbox, self._loop, self._edge.chance)

    def _stream(
        self, loaded: Loaded, stored: Memory, versions: Versions
    ) -> tuple[Stream, Housekeeping]:
        """The way of committed events out of the machine, and who keeps it within bounds."""
        assert self.writer is not None

        def context() -> Context:
            return self._context(versions, loaded, self._now())

        outbox = SqliteOutbox(self.writer, context)
        if self._edge.open_broker is not None:
            self.forwarder = Forwarder(
                outbox,
                self._edge.open_broker,
                self._edge.chance,
                self._config.kafka.topic_prefix,
                loaded.last_seq,
                Budget(self._config.kafka.budget_mib_per_day, lambda: self._edge.wall.now()[:10]),
                Telling(self._inbox.put),
            )
        stream = Stream(loaded.last_seq, self.forwarder)
        house = keeping(
            self._config,
            self._edge,
            self.writer,
            outbox,
            stream,
            context,
            self._inbox.put,
            full=FULL in stored.service.reasons,
        )
        return stream, house

    async def _started(
        self, loaded: Loaded, stored: Memory, versions: Versions, dispensing: Dispensing
    ) -> Started:
        """The first report, with the evidence that a power cut left at the motors."""
        sale = stored.sale.sale
        motors = self._config.slots()[sale.selection].motors if sale is not None else ()
        return Started(
            cause=_cause(loaded, versions, self._edge.boot_id),
            homes=await dispensing.homes(motors),
            off_time_s=self._off_time(loaded),
            clean=loaded.clean_shutdown,
            software=__version__,
            software_old=versions.software_before,
            controller_serial=self._edge.host(self._folder).controller_serial,
        )

    def _off_time(self, loaded: Loaded) -> int | None:
        if loaded.last_commit_at is None or not self._edge.wall.synchronised():
            return None
        now = datetime.fromisoformat(self._edge.wall.now())
        gap = (now - datetime.fromisoformat(loaded.last_commit_at)).total_seconds()
        return int(gap) if gap >= 0 else None

    # --- life ------------------------------------------------------------------------

    async def _run_tasks(self, opened: _Open, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(opened.engine.run(), name="engine")]
            if opened.forwarder is not None:
                tasks.append(group.create_task(opened.forwarder.run(), name="forwarder"))
            tasks.append(group.create_task(opened.house.run(), name="housekeeping"))
            pulse = beat(self._inbox.put, opened.stream, self._edge, self._folder)
            tasks.append(group.create_task(pulse, name="pulse"))
            tasks.append(group.create_task(opened.hardware.watch_pins(), name="pins"))
            watching = self._vitals.watch(
                self._supervisor, opened.engine, opened.writer, self._inbox
            )
            tasks.append(group.create_task(watching, name="watchdog"))
            if self._edge.local_socket:
                serving = serve(
                    self._config, self.desk, SqliteRecords(opened.writer), self._inbox.put
                )
                tasks.append(group.create_task(serving, name="local socket"))
            reading = serve_handhelds(self._audit_desk(opened), self._edge, self._inbox)
            tasks.append(group.create_task(reading, name="dex"))
            opened.hardware.start()
            self.ready.set()
            self._supervisor.tell(f"READY=1\nSTATUS=selling as {self._config.machine.id}")
            _log.info("started", machine=self._config.machine.id, software=__version__)
            await stop.wait()
            self._supervisor.tell("STOPPING=1")
            opened.engine.close_tenders()
            await self._finish_sale(opened.engine)
            opened.hardware.motors.stop()
            for task in tasks:
                task.cancel()

    def _audit_desk(self, opened: _Open) -> AuditDesk:
        def slots() -> Mapping[str, Slot]:
            return {name: view.slot for name, view in opened.engine.snapshot.slots.items()}

        return AuditDesk(self._config, opened.books, self._edge.wall, slots)

    async def _finish_sale(self, engine: Engine) -> None:
        """An orderly stop cuts no vend and no payout short, if they end in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await engine.at_rest.wait()

    # --- end --------------------------------------------------------------------------

    async def _end(self, display: RunningDisplay, *, clean: bool) -> None:
        if self.hardware is not None:
            self.hardware.close()
        display.show(("OUT OF SERVICE", self._config.sale.support_line))  # the glass keeps it
        await display.close()
        if self._journal is not None:
            await self._journal.close()
        if self.writer is None:
            return
        if clean:
            try:
                await SqliteBooks(self.writer).close(clean=True)
            except StoreFailed as failure:
                _log.error("clean_end_not_recorded", why=str(failure))
        await self.writer.close()
        _log.info("stopped", clean=clean)

    # --- moments and context ------------------------------------------------------------

    def _now(self) -> Moment:
        return self._moment(self._loop.time())

    def _moment(self, at: float) -> Moment:
        return Moment(int((at - self._born) * 1000), self._edge.wall.now())

    def _context(
        self, versions: Versions, loaded: Loaded, moment: Moment, actor: str = "system"
    ) -> Context:
        return Context(
            machine=self._config.machine.id,
            boot_id=self._edge.boot_id,
            boot_count=loaded.boot_count,
            uptime_ms=moment.uptime_ms,
            time=moment.wall,
            clocksync=self._edge.wall.synchronised(),
            currency=self._config.machine.currency,
            exponent=self._config.currency().exponent,
            software=__version__,
            config_hash=versions.config_hash,
            planogram_ver=versions.planogram,
            price_ver=versions.price,
            actor_kind=actor,
        )


def _cause(loaded: Loaded, versions: Versions, boot_id: str) -> str:
    """Why the daemon starts: what the books and the kernel's boot id tell."""
    if loaded.clean_shutdown or loaded.boot_count == 1:
        updated = versions.software_before not in (None, __version__)
        return "update" if updated else "planned"
    return "crash" if versions.boot_id_before == boot_id else "power_loss"
