"""A pigpio daemon for a cabinet: the socket protocol of pigpiod, served on asyncio.

Commands are 16 bytes (command, p1, p2, p3; little-endian u32), some with p3 bytes more;
the answer echoes them with the result in p3. A connection that asks NOIB gets 12-byte
reports (u16 sequence, u16 flags, u32 tick, u32 levels). Source: the pigpio manual,
"Socket interface" and "Notifications", and its public Python client 1.78.

When a client dies nothing moves: outputs keep their levels, as on a Pi.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping

from hw_sim.clock import WorldClock
from hw_sim.header import Header
from hw_sim.lcd import I2cDevice
from hw_sim.pigpiod_gpio import GpioCommands
from hw_sim.pigpiod_i2c import I2cCommands

UNKNOWN_COMMAND = -88
BAD_HANDLE = -25
NO_HANDLE = -24
MESSAGE_TOO_BIG = -103

MAX_EXTENSION = 65_536
MAX_BACKLOG = 1 << 20  # bytes of reports a stalled client may pile up before they are dropped
MAX_NOTIFY_HANDLES = 32  # pigpio has as many

_HEAD = struct.Struct("<IIII")
_REPORT = struct.Struct("<HHII")
_NB, _NC, _NP, _NOIB = 19, 21, 20, 99

# Commands that are followed by p3 bytes.
_EXTENDED = frozenset({37, 54, 57, 62, 64, 66, 67, 68, 69, 70, 92, 98})


class PigpioServer:
    """Serves one header (and one I2C bus) to any number of clients.

    `gate(pin, level)` is asked before a client's write takes effect; False drops the write
    (the client died before it). `wrote(pin, level)` is told afterwards. Both are seams for
    killing a client at an exact place.
    """

    def __init__(
        self, header: Header, clock: WorldClock, i2c: Mapping[int, I2cDevice] | None = None
    ) -> None:
        self.header, self.clock = header, clock
        self.gate: Callable[[int, int], bool] = lambda _pin, _level: True
        self.wrote: Callable[[int, int], None] = lambda _pin, _level: None
        self.listeners: dict[int, Connection] = {}  # notification handle -> its connection
        self.i2c = I2cCommands(dict(i2c or {}))
        self.gpio = GpioCommands(self)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        header.watch(self.gpio.edge)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; gives the port."""
        self._server = await self.clock.loop.create_server(lambda: Connection(self), host, port)
        address: tuple[str, int] = self._server.sockets[0].getsockname()
        return address[1]

    async def close(self) -> None:
        """Stop listening and drop everybody."""
        self.header.unwatch(self.gpio.edge)
        if self._server is not None:
            self._server.close()
        self.drop_clients()
        if self._server is not None:
            await self._server.wait_closed()

    def drop_clients(self) -> None:
        """The daemon dies: every connection breaks."""
        for connection in tuple(self._connections):
            connection.abort()

    @property
    def clients(self) -> int:
        return len(self._connections)

    def tick(self) -> int:
        """Microseconds, 32 bits, wrapping."""
        return int(self.clock.now() * 1_000_000) & 0xFFFFFFFF

    def report(self, bits: int, flags: int = 0) -> None:
        """A report to every listener that monitors one of `bits`."""
        tick, levels = self.tick(), self.gpio.levels()
        for connection in tuple(self.listeners.values()):
            if connection.monitored & bits:
                connection.send_report(flags, tick, levels)

    def opened(self, connection: "Connection") -> None:
        self._connections.add(connection)

    def gone(self, connection: "Connection") -> None:
        self._connections.discard(connection)
        self.listeners = {h: c for h, c in self.listeners.items() if c is not connection}
        self.i2c.release(connection)

    def run(self, connection: "Connection", frame: tuple[int, int, int], more: bytes) -> bytes:
        """One command; gives the answer's tail: result and data."""
        command, p1, p2 = frame
        data = b""
        if command in self.gpio.commands:
            result = self.gpio.commands[command](p1, p2, more)
        elif command in self.i2c.commands:
            result, data = self.i2c.run(connection, command, p1, p2, more)
        elif command in (_NOIB, _NB, _NP, _NC):
            result = self._notifications(connection, command, p1, p2)
        else:
            result = UNKNOWN_COMMAND
        return struct.pack("<I", result & 0xFFFFFFFF) + data

    def _notifications(self, connection: "Connection", command: int, p1: int, p2: int) -> int:
        if command == _NOIB:
            free = (h for h in range(MAX_NOTIFY_HANDLES) if h not in self.listeners)
            handle = next(free, NO_HANDLE)
            if handle >= 0:
                self.listeners[handle] = connection
            return handle
        if p1 not in self.listeners:
            return BAD_HANDLE
        if command == _NC:
            del self.listeners[p1]
        else:
            self._monitor(self.listeners[p1], p2 if command == _NB else 0)
        return 0

    def _monitor(self, listener: "Connection", bits: int) -> None:
        """Newly watched bits come with a report of the levels as they are.

        The client compares with the levels from when it connected: without this it would
        miss the first edge of a pin whose pull was set afterwards.
        """
        fresh = bits & ~listener.monitored
        listener.monitored = bits
        if fresh:
            listener.send_report(0, self.tick(), self.gpio.levels())


class Connection(asyncio.Protocol):
    """One client's socket."""

    def __init__(self, server: PigpioServer) -> None:
        self.monitored = 0
        self._server = server
        self._buffer = bytearray()
        self._sequence = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._server.gone(self)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _HEAD.size and self._transport is not None:
            command, p1, p2, p3 = _HEAD.unpack_from(self._buffer)
            extra = p3 if command in _EXTENDED else 0
            if extra > MAX_EXTENSION:
                self._answer(command, p1, p2, struct.pack("<i", MESSAGE_TOO_BIG))
                self._transport.close()
                return
            if len(self._buffer) < _HEAD.size + extra:
                return
            more = bytes(self._buffer[_HEAD.size : _HEAD.size + extra])
            del self._buffer[: _HEAD.size + extra]
            self._answer(command, p1, p2, self._server.run(self, (command, p1, p2), more))

    def _answer(self, command: int, p1: int, p2: int, tail: bytes) -> None:
        if self._transport is not None:
            self._transport.write(struct.pack("<III", command, p1, p2) + tail)

    def send_report(self, flags: int, tick: int, levels: int) -> None:
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size() < MAX_BACKLOG:
            transport.write(_REPORT.pack(self._sequence & 0xFFFF, flags, tick, levels))
            self._sequence += 1
