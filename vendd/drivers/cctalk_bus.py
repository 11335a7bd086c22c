"""The host of one ccTalk bus: one exchange at a time, for all devices on the wire.

Owns the serial line (opening, reopening with back-off), the order of the devices, the
deadline of each exchange, and repeating what may be repeated. Is NOT responsible for what
any request means: each device's machine decides that (`CcTalkDevice`).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.ports import Sink, Wire, WireLost, WireOpener
from vendd.wire.cctalk.codes import BILL_EVENTS, COIN_EVENTS
from vendd.wire.cctalk.exchange import SILENT, Answer, Reply, Request
from vendd.wire.cctalk.frame import Checksum, Frame
from vendd.wire.cctalk.half_duplex import HalfDuplex

BAUD: Final = 9600
ATTEMPTS: Final = 3  # of one request (part 1, section 12.1)
REOPEN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
CROWDED_S: Final = 0.05
NOISY_S: Final = 1.0  # the wire is never quiet: speak all the same
DEAF: Final = 20  # attempts in a row without a sound echo: open the port anew
TRACE: Final = 256
FAULT_AFTER: Final = 2  # failed openings before people are told
FAULT: Final = ("bus_lost", "cctalk")


class CcTalkDevice(Protocol):
    """One device's machine as the bus sees it. Times are `loop.time()` seconds."""

    @property
    def address(self) -> int: ...

    @property
    def checksum(self) -> Checksum: ...

    @property
    def wake_at(self) -> float:
        """When `next` has a request; infinite while its answer is due."""

    def next(self, now: float) -> Request | None: ...

    def answered(self, reply: Reply, now: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of the trace: event polls that went well are left out."""

    at: float
    address: int
    request: Request
    reply: Reply
    attempts: int


@dataclass(slots=True)
class BusCounters:
    """Since start."""

    exchanges: int = 0
    repeats: int = 0
    silences: int = 0
    garbled: int = 0
    reopened: int = 0


@dataclass(slots=True)
class _Flight:
    """The exchange under way. `attempts` 0: there was no way to send it."""

    device: CcTalkDevice
    request: Request
    attempts: int = 0


class CcTalkBus:
    """See the module. All methods on the loop's thread; `kick` after a new order to a device.

    `alive` is called after every exchange, answered or not (for the watchdog).
    """

    def __init__(
        self,
        opener: WireOpener,
        port: str,
        sink: Sink,
        *,
        baud: int = BAUD,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._opener = opener
        self._port = port
        self._baud = baud
        self._sink = sink
        self._alive = alive
        self._loop: asyncio.AbstractEventLoop | None = None
        self._devices: list[CcTalkDevice] = []
        self._wire: Wire | None = None
        self._flight: _Flight | None = None
        self._timer: asyncio.TimerHandle | None = None  # a device's turn, or a deadline
        self._open_timer: asyncio.TimerHandle | None = None
        self._failures = 0
        self._deaf = 0
        self._noisy_since: float | None = None
        self._faulty = False
        self.line = HalfDuplex(baud)
        self.counters = BusCounters()
        self.trace: deque[Exchange] = deque(maxlen=TRACE)

    def attach(self, device: CcTalkDevice) -> None:
        """Before `start`. Raises ValueError for an address that is taken."""
        if any(other.address == device.address for other in self._devices):
            raise ValueError(f"two devices at address {device.address}")
        self._devices.append(device)

    def start(self) -> None:
        """Open the line and begin polling. Never raises: a missing port is tried again."""
        self._loop = asyncio.get_running_loop()
        self._open()
        self.kick()

    def close(self) -> None:
        """Stop at once; nothing more is sent or reported."""
        self._loop = None
        self._flight = None
        for timer in (self._timer, self._open_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._open_timer = None
        self._drop_wire()

    def kick(self) -> None:
        """A device may want its turn earlier than it said."""
        if self._flight is None:
            self._schedule()

    # --- exchanges ---------------------------------------------------------------

    def _set_timer(self, at: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = self._loop
        self._timer = None if loop is None or at == inf else loop.call_at(at, then)

    def _schedule(self) -> None:
        if self._loop is not None:
            at = min((device.wake_at for device in self._devices), default=inf)
            self._set_timer(max(at, self._loop.time()), self._turn)

    def _turn(self) -> None:
        """The device that waits longest sends its request."""
        loop = self._loop
        if loop is None or self._flight is not None:
            return
        now = loop.time()
        if self._sink.crowded():
            self._alive()  # to wait for the inbox is no hang of the bus
            self._set_timer(now + CROWDED_S, self._turn)
            return
        if not self._quiet(now):
            self._set_timer(self.line.quiet_at, self._turn)
            return
        device = min(self._devices, key=lambda d: d.wake_at)
        request = device.next(now)
        if request is None:
            self._schedule()
            return
        self._flight = _Flight(device, request)
        self._send()

    def _quiet(self, now: float) -> bool:
        """May something be sent? Noise that never ends is no excuse for silence."""
        if now >= self.line.quiet_at:
            self._noisy_since = None
            return True
        if self._noisy_since is None:
            self._noisy_since = now
        return now - self._noisy_since > NOISY_S

    def _send(self) -> None:
        flight, loop = self._flight, self._loop
        if flight is None or loop is None:
            return
        now = loop.time()
        if self._wire is None:
            self._set_timer(now + flight.request.reply_s, self._unsent)
            return
        if not self._quiet(now):
            self._set_timer(self.line.quiet_at, self._send)
            return
        flight.attempts += 1
        frame = Frame(flight.device.address, flight.request.header, flight.request.data)
        raw = self.line.begin(frame, flight.device.checksum, flight.request.reply_s, now)
        self._set_timer(self.line.deadline, self._overdue)
        try:
            self._wire.write(raw)
        except WireLost as error:
            self._wire_lost(error)

    def _unsent(self) -> None:
        self._finish(SILENT)

    def _overdue(self) -> None:
        """No answer, or none that can be read."""
        flight, loop = self._flight, self._loop
        if flight is None or loop is None:
            return
        if loop.time() < self.line.deadline:
            self._set_timer(self.line.deadline, self._overdue)
            return
        reply = self.line.expire()
        self.counters.silences += reply.answer is Answer.SILENCE
        self.counters.garbled += reply.answer is Answer.GARBLED
        self._listen(reply)
        if self._flight is not flight:
            return  # the port was given up
        if flight.request.repeat and flight.attempts < ATTEMPTS:
            self.counters.repeats += 1
            self._send()
        else:
            self._finish(reply)

    def _listen(self, reply: Reply) -> None:
        """Not even our own bytes come back as they were sent: perhaps it is the port."""
        unheard = reply.answer in (Answer.NO_ECHO, Answer.GARBLED)
        self._deaf = self._deaf + 1 if unheard else 0
        if self._deaf >= DEAF:
            self._deaf = 0
            self._link_failed("no echo on the wire")

    def _finish(self, reply: Reply) -> None:
        flight, loop = self._flight, self._loop
        if flight is None or loop is None:
            return
        self._flight = None
        now = loop.time()
        self.counters.exchanges += 1
        if not reply.valid or flight.request.header not in (COIN_EVENTS, BILL_EVENTS):
            address, attempts = flight.device.address, flight.attempts
            self.trace.append(Exchange(now, address, flight.request, reply, attempts))
        flight.device.answered(reply, now)
        self._alive()
        if self._flight is None:
            self._schedule()

    def _received(self, data: bytes) -> None:
        loop = self._loop
        if loop is None:
            return
        reply = self.line.feed(data, loop.time())
        if reply is None:
            return
        self._deaf = 0
        self._heal()
        self._finish(reply)

    # --- the port ----------------------------------------------------------------

    def _open(self) -> None:
        self._open_timer = None
        self.line.restart()
        try:
            self._wire = self._opener(self._port, self._baud, self._received, self._wire_lost)
        except WireLost as error:
            self._link_failed(str(error))

    def _wire_lost(self, error: Exception) -> None:
        self._wire = None
        self._link_failed(str(error))

    def _link_failed(self, why: str) -> None:
        """No way to the bus: close, tell when it lasts, try again later."""
        loop = self._loop
        if loop is None:
            return
        self._drop_wire()
        delay = REOPEN_S[min(self._failures, len(REOPEN_S) - 1)]
        self._failures += 1
        self.counters.reopened += 1
        if self._open_timer is not None:
            self._open_timer.cancel()
        self._open_timer = loop.call_later(delay, self._open)
        if self._failures >= FAULT_AFTER and not self._faulty:
            self._faulty = True
            self._sink.put(FaultStarted(*FAULT, detail=why))
        if self._flight is not None:
            self._finish(SILENT)

    def _heal(self) -> None:
        """Something answered, so the way to the bus is there."""
        self._failures = 0
        if self._faulty:
            self._faulty = False
            self._sink.put(FaultEnded(*FAULT))

    def _drop_wire(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
