"""The master of one multi-drop bus behind an adapter: one exchange at a time, for all devices.

Owns the serial line (opening, reopening with back-off), the order of the devices
and the deadline of each exchange. Is NOT responsible for what any command means:
each device's machine decides that (`BusDevice`).

An exchange that goes unanswered is never simply given up: the adapter answers in
order, so its version is asked for (the fence), and what comes before the version
is still the late answer to the exchange.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final, Protocol

from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.ports import Sink, Wire, WireLost, WireOpener
from vendd.wire.mdb.exchange import ACKED, LOST, SILENT, Answer, Reply
from vendd.wire.qibixx import QibixxCodec, Version

ANSWER_S: Final = 0.08  # command 8 ms, t-response 5 ms, 36 bytes 41 ms, their line 7 ms, USB
FENCE_S: Final = 0.3  # for the adapter to tell its version
FENCES: Final = 4  # questions for the version, before the port is opened once more
REOPEN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
CROWDED_S: Final = 0.05
TRACE: Final = 256
FAULT_AFTER: Final = 2  # failed openings or fences before people are told
FAULT: Final = ("bus_lost", "mdb")


class BusDevice(Protocol):
    """One peripheral's machine as the bus sees it. Times are `loop.time()` seconds."""

    @property
    def wake_at(self) -> float:
        """When `next` has a command; infinite while its answer is due."""

    def next(self, now: float) -> bytes | None: ...

    def answered(self, reply: Reply, now: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of the trace: idle POLLs are left out."""

    at: float
    command: bytes
    reply: Reply


@dataclass(slots=True)
class BusCounters:
    """Since start. `late`: past the usual time; `stray`: answers nobody waited for."""

    exchanges: int = 0
    silences: int = 0
    late: int = 0
    stray: int = 0
    reopened: int = 0


class Link(Enum):
    """Where the way to the bus stands."""

    CLOSED = "closed"  # no port; tried again with back-off
    GREETED = "greeted"  # open; answers that come before the version are of an earlier life
    UP = "up"
    DOUBTED = "doubted"  # an answer is overdue; nothing is sent until the version came


@dataclass(slots=True)
class _Flight:
    """The exchange under way. `sent` False: there was no way to send it."""

    device: BusDevice
    command: bytes
    sent: bool = False
    reply: Reply | None = None  # came late, waits for the fence


class MdbBus:
    """See the module. All methods on the loop's thread; `kick` after a new order to a device.

    `alive` is called after every exchange, answered or not (for the watchdog).
    """

    def __init__(
        self,
        opener: WireOpener,
        port: str,
        baud: int,
        sink: Sink,
        *,
        codec: QibixxCodec | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._opener = opener
        self._port = port
        self._baud = baud
        self._sink = sink
        self._alive = alive
        self._loop: asyncio.AbstractEventLoop | None = None
        self._devices: list[BusDevice] = []
        self._wire: Wire | None = None
        self._flight: _Flight | None = None
        self._timer: asyncio.TimerHandle | None = None  # a device's turn, or an answer's deadline
        self._link_timer: asyncio.TimerHandle | None = (
            None  # opening again, or the fence's deadline
        )
        self._questions = 0  # for the version, since the last answer
        self._failures = 0
        self._faulty = False
        self.codec = codec or QibixxCodec()
        self.link = Link.CLOSED
        self.counters = BusCounters()
        self.trace: deque[Exchange] = deque(maxlen=TRACE)

    def attach(self, device: BusDevice) -> None:
        """Before `start`."""
        self._devices.append(device)

    def start(self) -> None:
        """Open the line and begin polling. Never raises: a missing port is tried again."""
        self._loop = asyncio.get_running_loop()
        self._open()  # devices get their turn when the way is open, or found closed

    def close(self) -> None:
        """Stop at once; nothing more is sent or reported."""
        self._loop = None
        self._flight = None
        for timer in (self._timer, self._link_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._link_timer = None
        self._drop_wire()

    def kick(self) -> None:
        """A device may want its turn earlier than it said."""
        if self._flight is None:
            self._schedule()

    # --- exchanges ------------------------------------------------------------------

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = inf
        for device in self._devices:  # on the way of every exchange: no generator, no lambda
            wake_at = device.wake_at
            at = min(at, wake_at)
        loop = self._loop
        if loop is not None and at != inf:
            now = loop.time()
            self._timer = loop.call_at(max(now, at), self._turn)

    def _turn(self) -> None:
        """The device that waits longest sends its command."""
        loop = self._loop
        if loop is None or self._flight is not None:
            return
        now = loop.time()
        if self._sink.crowded():
            self._alive()  # to wait for the inbox is no hang of the bus
            self._timer = loop.call_at(now + CROWDED_S, self._turn)
            return
        device = self._devices[0]
        for other in self._devices:
            if other.wake_at < device.wake_at:
                device = other
        command = device.next(now)
        if command is None:
            self._schedule()
            return
        flight = self._flight = _Flight(device, command)
        self._timer = loop.call_at(now + ANSWER_S, self._overdue)
        if self.link is Link.UP and self._wire is not None:
            flight.sent = True
            self._write(self.codec.request(command))

    def _overdue(self) -> None:
        """No answer in time. Without a way to the bus that is the answer; else ask where it is."""
        flight = self._flight
        if flight is None:
            return
        if not flight.sent:
            self._finish(SILENT)
        elif self.link is Link.UP:
            self.counters.late += 1
            self._questions = 0
            self._ask_version(Link.DOUBTED)

    def _finish(self, reply: Reply) -> None:
        flight, loop = self._flight, self._loop
        if flight is None or loop is None:
            return
        self._flight = None
        now = loop.time()
        self.counters.exchanges += 1
        self.counters.silences += reply.answer is Answer.SILENCE
        if reply is not ACKED or len(flight.command) > 1:
            self.trace.append(Exchange(now, flight.command, reply))
        flight.device.answered(reply, now)
        self._alive()
        if self._flight is None:
            self._schedule()

    def _received(self, data: bytes) -> None:
        for item in self.codec.feed(data):
            flight = self._flight
            if isinstance(item, Version):
                self._version_came()
            elif flight is None or not flight.sent or flight.reply is not None:
                self.counters.stray += 1
            elif self.link is Link.DOUBTED:
                flight.reply = item
            else:
                self._finish(item)

    # --- the way to the bus ------------------------------------------------------------

    def _open(self) -> None:
        self._link_timer = None
        self.codec.restart()
        try:
            self._wire = self._opener(self._port, self._baud, self._received, self._wire_lost)
        except WireLost as error:
            self._link_failed(str(error))
            return
        self._questions = 0
        self._ask_version(Link.GREETED)

    def _ask_version(self, link: Link) -> None:
        self.link = link
        self._questions += 1
        self._set_link_timer(FENCE_S, self._no_version)
        self._write(self.codec.greeting if link is Link.GREETED else self.codec.fence)

    def _version_came(self) -> None:
        if self.link not in (Link.GREETED, Link.DOUBTED):
            return
        self._set_link_timer(None)
        self.link = Link.UP
        self._failures = 0
        if self._faulty:
            self._faulty = False
            self._sink.put(FaultEnded(*FAULT))
        flight = self._flight
        if flight is not None and flight.sent:
            self._finish(flight.reply or LOST)
        else:
            self.kick()

    def _no_version(self) -> None:
        if self._questions < FENCES:
            self._ask_version(self.link)
        else:
            self._link_failed("the adapter does not answer")

    def _wire_lost(self, error: Exception) -> None:
        self._wire = None
        self._link_failed(str(error))

    def _link_failed(self, why: str) -> None:
        """No way to the bus: close, tell when it lasts, try again later."""
        if self._loop is None:
            return
        self._drop_wire()
        delay = REOPEN_S[min(self._failures, len(REOPEN_S) - 1)]
        self._failures += 1
        self.counters.reopened += 1
        self._set_link_timer(delay, self._open)
        if self._failures >= FAULT_AFTER and not self._faulty:
            self._faulty = True
            self._sink.put(FaultStarted(*FAULT, detail=why))
        flight = self._flight
        if flight is not None and flight.sent:
            self._finish(flight.reply or LOST)
        else:
            self.kick()

    def _drop_wire(self) -> None:
        wire, self._wire = self._wire, None
        self.link = Link.CLOSED
        if wire is not None:
            wire.close()

    def _write(self, data: bytes) -> None:
        assert self._wire is not None
        try:
            self._wire.write(data)
        except WireLost as error:
            self._wire_lost(error)

    def _set_link_timer(self, delay: float | None, then: Callable[[], None] = lambda: None) -> None:
        if self._link_timer is not None:
            self._link_timer.cancel()
        loop = self._loop
        self._link_timer = None if delay is None or loop is None else loop.call_later(delay, then)
