"""The DEX port: a route driver's handheld is plugged in and reads the audit.

Owns the serial line (opening, reopening with back-off). Is NOT responsible for the conversation
(`vendd.wire.evadts.dex`) or for what stands in a report.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import structlog

from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.ports import Sink, StoreFailed, Wire, WireLost, WireOpener
from vendd.wire.evadts.dex import Delivered, DexNews, DexResponder, NotDelivered, ReportWanted
from vendd.wire.evadts.dex_frame import BAUD

REOPEN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
FAULT_AFTER: Final = 2  # failed openings before people are told
FAULT: Final = ("adapter_lost", "dex")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Audit:
    """Where reports come from. `read_out`: the report for this terminal; `ended`: that terminal
    has all of it. Both may raise `StoreFailed`."""

    read_out: Callable[[str], Awaitable[bytes]]
    ended: Callable[[str], Awaitable[None]]


class DexPort:
    """`start` and `close`; between them it serves whoever is plugged in."""

    def __init__(
        self, opener: WireOpener, port: str, sink: Sink, machine: DexResponder, audit: Audit
    ) -> None:
        self._opener = opener
        self._port = port
        self._sink = sink
        self._machine = machine
        self._audit = audit
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wire: Wire | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._faulty = False

    def start(self) -> None:
        """Open the line. Never raises: a missing port is tried again."""
        self._loop = asyncio.get_running_loop()
        self._open()

    def close(self) -> None:
        """Stop at once."""
        self._loop = None
        self._set_timer(inf)
        for task in self._tasks:
            task.cancel()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    # --- the line --------------------------------------------------------------------------

    def _open(self) -> None:
        if self._loop is None:
            return
        try:
            self._wire = self._opener(self._port, BAUD, self._received, self._lost)
        except WireLost as error:
            self._lost(error)
            return
        self._failures = 0
        if self._faulty:
            self._faulty = False
            self._sink.put(FaultEnded(*FAULT))

    def _received(self, data: bytes) -> None:
        if self._loop is not None:
            self._tell(self._machine.feed(data, self._loop.time()))
            self._turn()

    def _lost(self, error: Exception) -> None:
        loop, wire = self._loop, self._wire
        if loop is None:
            return
        self._wire = None
        if wire is not None:
            wire.close()
        self._tell(self._machine.closed(str(error)))
        delay = REOPEN_S[min(self._failures, len(REOPEN_S) - 1)]
        self._failures += 1
        if self._failures >= FAULT_AFTER and not self._faulty:
            self._faulty = True
            self._sink.put(FaultStarted(*FAULT, detail=str(error)))
        self._set_timer(loop.time() + delay, self._open)

    def _turn(self) -> None:
        """Whatever is due, and when to look again."""
        loop = self._loop
        if loop is None or self._wire is None:
            return
        now = loop.time()
        self._tell(self._machine.tick(now))
        data = self._machine.due(now)
        if data:
            try:
                self._wire.write(data)
            except WireLost as error:
                self._lost(error)
                return
        self._set_timer(self._machine.wake_at, self._turn)

    def _set_timer(self, at: float, then: Callable[[], None] = lambda: None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = self._loop
        self._timer = None if loop is None or at == inf else loop.call_at(at, then)

    # --- the report ------------------------------------------------------------------------

    def _tell(self, news: list[DexNews]) -> None:
        for one in news:
            match one:
                case ReportWanted(terminal):
                    self._spawn(self._fetch(terminal))
                case Delivered(terminal):
                    _log.info("audit_read", terminal=terminal)
                    self._spawn(self._note(terminal))
                case NotDelivered(terminal, why):
                    _log.warning("audit_not_read", terminal=terminal, why=why)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch(self, terminal: str) -> None:
        try:
            report = await self._audit.read_out(terminal)
        except StoreFailed as failure:
            _log.error("audit_not_made", terminal=terminal, why=str(failure))
            self._tell(self._machine.no_report(self._now()))
        else:
            self._machine.report(report, self._now())
        self._turn()

    async def _note(self, terminal: str) -> None:
        """The handheld has it whether this can be noted or not: then no counter is reset."""
        try:
            await self._audit.ended(terminal)
        except StoreFailed as failure:
            _log.error("audit_read_not_noted", terminal=terminal, why=str(failure))

    def _now(self) -> float:
        return 0.0 if self._loop is None else self._loop.time()
