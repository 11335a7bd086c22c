"""Serial lines between the daemon and a byte-stream device: in memory, or on a pty."""

import asyncio
import contextvars
import errno
import itertools
import os
import random
import tty
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from zlib import crc32

from vendd.ports import Wire, WireLost

BITS_PER_BYTE = 10  # 8N1
MAX_PIECES = 4
READ_SIZE = 4096


class ByteDevice(Protocol):
    """What hangs on the far end of a serial line."""

    def connect(self, transmit: Callable[[bytes], None]) -> None: ...

    def received(self, data: bytes) -> None: ...

    def power_on(self) -> None: ...


class MemoryLine:
    """A serial line for virtual time; `open` is a `ports.WireOpener`.

    Bytes arrive when their last bit has passed at the baud rate, plus `latency_s` (what USB
    and the kernel add); with `torn` > 0 that share of transmissions arrives in pieces. The
    device's side runs in the context the line was made in, the host's in that of `open`, so
    that the death of the host's life leaves the device alone.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        device: ByteDevice,
        *,
        rng: random.Random | None = None,
        torn: float = 0.0,
        latency_s: float = 0.001,
    ) -> None:
        self._loop = loop
        self._device = device
        self._rng = rng or random.Random(0)
        self._torn = torn
        self._latency_s = latency_s
        self._context = contextvars.copy_context()
        self._wire: _MemoryWire | None = None
        self._plugged = True
        self._to_device_free = 0.0
        self._to_host_free = 0.0
        self.digest = 0  # of every byte that went over it, either way
        device.connect(self._to_host)

    def open(
        self,
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire:
        """One host at a time, else EBUSY; ENOENT while unplugged (both as `WireLost`)."""
        if not self._plugged:
            raise WireLost(errno.ENOENT, "no such port", port)
        if self._wire is not None:
            raise WireLost(errno.EBUSY, "port is in use", port)
        self._wire = _MemoryWire(self, baud, received, lost)
        return self._wire

    def unplug(self) -> None:
        """The USB plug is pulled: the host is told, bytes under way are gone."""
        self._plugged = False
        wire = self.abandon()
        if wire is not None:
            lost = WireLost(errno.EIO, "the line was unplugged")
            self._loop.call_soon(wire.lost, lost, context=wire.context)

    def replug(self) -> None:
        self._plugged = True
        self._device.power_on()

    def abandon(self) -> "_MemoryWire | None":
        """The host's end is closed without a word, as when its process dies."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.open = False
        return wire

    def to_device(self, wire: "_MemoryWire", data: bytes) -> None:
        """The host wrote `data`; for the wire's use."""
        self.digest = crc32(data, self.digest)
        start = max(self._loop.time(), self._to_device_free)
        for piece in self._pieces(data):
            start += len(piece) * BITS_PER_BYTE / wire.baud
            self._loop.call_at(
                start + self._latency_s, self._at_device, piece, context=self._context
            )
        self._to_device_free = start

    def _at_device(self, data: bytes) -> None:
        if self._plugged:
            self._device.received(data)

    def _to_host(self, data: bytes) -> None:
        wire = self._wire
        if wire is None:
            return  # nobody has the port open: the bytes are gone
        self.digest = crc32(data, self.digest)
        start = max(self._loop.time(), self._to_host_free)
        for piece in self._pieces(data):
            start += len(piece) * BITS_PER_BYTE / wire.baud
            self._loop.call_at(start + self._latency_s, wire.deliver, piece, context=wire.context)
        self._to_host_free = start

    def _pieces(self, data: bytes) -> list[bytes]:
        if self._torn == 0.0 or len(data) < 2 or self._rng.random() >= self._torn:
            return [data] if data else []
        cuts = {self._rng.randrange(1, len(data)) for _ in range(MAX_PIECES - 1)}
        edges = [0, *sorted(cuts), len(data)]
        return [data[a:b] for a, b in itertools.pairwise(edges)]

    def noise(self, data: bytes) -> None:
        """Bytes that no device sent, on their way to whoever has the line open."""
        self._to_host(data)


class _MemoryWire:
    """The host's end of a `MemoryLine`."""

    def __init__(
        self,
        line: MemoryLine,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> None:
        self._line = line
        self._received = received
        self.baud = baud
        self.lost = lost
        self.open = True
        self.context = contextvars.copy_context()

    def write(self, data: bytes) -> None:
        if not self.open:
            raise WireLost(errno.EIO, "the line is closed")
        self._line.to_device(self, bytes(data))

    def close(self) -> None:
        if self.open:
            self._line.abandon()

    def deliver(self, data: bytes) -> None:
        """Bytes that arrive at the host; none after it closed."""
        if self.open:
            self._received(data)


class MemoryPorts:
    """A `ports.WireOpener` for several lines, by the port name of the config."""

    def __init__(self, lines: Mapping[str, MemoryLine]) -> None:
        self._lines = dict(lines)

    def add(self, port: str, line: MemoryLine) -> None:
        """One more port."""
        self._lines[port] = line

    def __call__(
        self,
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire:
        if port not in self._lines:
            raise WireLost(errno.ENOENT, "no such port", port)
        return self._lines[port].open(port, baud, received, lost)


class PtyLine:
    """Serves a device on a pseudo-terminal, under a symbolic link that goes into the config.

    The simulator keeps a descriptor of the far end, so the daemon may close, die and open it
    again. Bytes that nobody reads are lost when the kernel's buffer is full, as on a UART.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, device: ByteDevice, link: Path) -> None:
        self._loop = loop
        self._device = device
        self._link = link
        self._ends: tuple[int, int] | None = None
        self.bytes_lost = 0
        device.connect(self._to_host)
        self.replug()

    def replug(self) -> None:
        """A fresh pty behind the same link; nothing if it is plugged in already."""
        if self._ends is not None:
            return
        ours, theirs = os.openpty()
        tty.setraw(ours)
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = (ours, theirs)
        fresh = self._link.with_name(self._link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(theirs))
        fresh.replace(self._link)
        self._device.power_on()
        self._loop.add_reader(ours, self._readable, ours)

    def unplug(self) -> None:
        """The USB plug is pulled: whoever has the port open gets EIO, the link is gone."""
        if self._ends is None:
            return
        ours, theirs = self._ends
        self._ends = None
        self._loop.remove_reader(ours)
        self._link.unlink(missing_ok=True)
        os.close(theirs)
        os.close(ours)

    close = unplug

    def _readable(self, ours: int) -> None:
        try:
            data = os.read(ours, READ_SIZE)
        except BlockingIOError:
            return
        self._device.received(data)

    def _to_host(self, data: bytes) -> None:
        if self._ends is None:
            return
        try:
            sent = os.write(self._ends[0], data)
        except BlockingIOError:
            sent = 0
        self.bytes_lost += len(data) - sent
