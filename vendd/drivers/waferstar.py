"""The bus behind a Waferstar adapter: `MdbBus` on a line that knows when it is quiet.

That adapter has no version to ask for, so the bus's fence is time: nothing for
`QUIET_S` means that no answer will come any more. Is NOT responsible for the protocol
(`vendd.wire.waferstar`) or for opening again (`MdbBus`).
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Sink, Wire, WireOpener
from vendd.wire.qibixx import QibixxCodec
from vendd.wire.waferstar import BAUD, QUIET, WaferstarCodec

# The longest answer is 36 bytes on the bus (41 ms) and 110 characters at 9600 (115 ms);
# the bus waits FENCE_S for a fence, so this has to be less.
QUIET_S: Final = 0.25


class QuietWire:
    """Between bus and line: sends commands on, keeps `QUIET` back and gives it after a pause."""

    def __init__(self, codec: WaferstarCodec, received: Callable[[bytes], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._codec = codec
        self._received = received
        self._timer: asyncio.TimerHandle | None = None
        self._open = True
        self.line: Wire | None = None

    def write(self, data: bytes) -> None:
        """Raises `WireLost` when the line is gone."""
        if data == QUIET:
            self._stop()
            self._timer = self._loop.call_later(QUIET_S, self._quiet)
        elif data:
            assert self.line is not None
            self.line.write(data)
        else:  # the answer is known without the line
            self._loop.call_soon(self.deliver, b"")

    def close(self) -> None:
        self._open = False
        self._stop()
        if self.line is not None:
            self.line.close()

    def deliver(self, data: bytes) -> None:
        """Bytes of the line. An answer that was waited for ends the waiting."""
        if not self._open:
            return
        answers = self._codec.answers
        self._received(data.replace(QUIET, b""))
        if self._timer is not None and self._codec.answers > answers:
            self._quiet()

    def _quiet(self) -> None:
        self._stop()
        self._received(QUIET)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def quiet_opener(opener: WireOpener, codec: WaferstarCodec) -> WireOpener:
    """`opener`, its wires made to tell when they are quiet."""

    def open_(
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire:
        wire = QuietWire(codec, received)
        wire.line = opener(port, baud, wire.deliver, lost)
        return wire

    return open_


def waferstar_bus(
    opener: WireOpener, port: str, sink: Sink, *, alive: Callable[[], None] = lambda: None
) -> MdbBus:
    """A bus behind this adapter; devices attach to it as to any other."""
    codec = WaferstarCodec()
    # Both codecs have one face; the bus names the first one for want of a Protocol.
    face = cast(QibixxCodec, codec)
    return MdbBus(quiet_opener(opener, codec), port, BAUD, sink, codec=face, alive=alive)
