"""Serial lines through pyserial: a `ports.WireOpener` for real ports and ptys.

The file descriptor is non-blocking and watched by the loop, so nothing here
waits. Is NOT responsible for opening again, for framing or for retries: whoever
opened the wire decides what a lost line means.
"""

import asyncio
import errno
import os
import termios
from collections.abc import Callable
from typing import Final

import serial

from vendd.ports import Wire, WireLost

READ_SIZE: Final = 4096
MAX_QUEUED: Final = 64 * 1024  # bytes that a stuck line may hold back before it counts as lost


class SerialWire:
    """One open line, 8N1. After `close` or a loss no callback runs any more."""

    def __init__(
        self,
        port: serial.Serial,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._port = port
        self._fd: int = port.fileno()
        self._received = received
        self._lost = lost
        self._queue = bytearray()
        self._open = True
        os.set_blocking(self._fd, False)
        self._loop.add_reader(self._fd, self._readable)

    def write(self, data: bytes) -> None:
        """Queue bytes, in order. Raises `WireLost` when the line is gone."""
        if not self._open:
            raise WireLost(errno.EIO, "serial line is closed")
        if self._queue:
            self._queue += data
        else:
            self._send(data)
        if len(self._queue) > MAX_QUEUED:
            self._fail(WireLost(errno.EIO, "serial line takes no more bytes"))

    def close(self) -> None:
        """Idempotent; queued bytes are dropped."""
        if not self._open:
            return
        self._open = False
        self._queue.clear()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._port.close()

    def _send(self, data: bytes) -> None:
        try:
            sent = os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._fail(error)
            return
        if sent < len(data):
            self._queue += data[sent:]
            self._loop.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        self._loop.remove_writer(self._fd)
        waiting = bytes(self._queue)
        self._queue.clear()
        self._send(waiting)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        if data:
            self._received(data)
        else:  # end of file: the other side hung up
            self._fail(WireLost(errno.EIO, "serial line hung up"))

    def _fail(self, error: OSError) -> None:
        """Tell once, never from inside a caller's `write`."""
        if not self._open:
            return
        self.close()
        gone = error if isinstance(error, WireLost) else WireLost(error.errno, str(error))
        self._loop.call_soon(self._lost, gone)


def open_serial(
    port: str,
    baud: int,
    received: Callable[[bytes], None],
    lost: Callable[[Exception], None],
) -> Wire:
    """Open `port` exclusively, 8N1, no flow control. Raises `WireLost` when it can't be opened."""
    try:
        line = serial.Serial(port, baud, timeout=0, write_timeout=0, exclusive=True)
    except (serial.SerialException, OSError, ValueError, termios.error) as error:
        number = getattr(error, "errno", None) or errno.ENODEV
        raise WireLost(number, f"can't open {port}: {error}") from error
    return SerialWire(line, received, lost)
