"""The Waferstar MDB-RS232 adapter: raw bytes from the host, hex text to it, its own polling.

9600 8N1. A pause ends the host's command; the answer is a line of hex pairs: ``00`` ACK,
``FF`` NAK, or data with CHK; nothing at all when the device is silent. Each known device is
polled every `poll_s`; activity is told unasked as the address and the data. After power-on
the devices are reset; the "3-LED" model enables them, too.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from hw_sim.devices.mdb_link import (
    ACK,
    ADDRESS_BITS,
    BYTE_S,
    MAX_BLOCK,
    NAK,
    RESPONSE_S,
    Peripheral,
    checksum,
)

PAUSE_S = 0.005  # without a byte: the command is complete
MAX_WAITING = 4
POLLS = {0x08: 0x0B, 0x10: 0x12, 0x30: 0x33, 0x60: 0x62}
RESETS = {0x08: b"\x08", 0x10: b"\x10", 0x30: b"\x30", 0x60: b"\x60"}
ENABLES = {0x08: b"\x0c\xff\xff\xff\xff", 0x30: b"\x34\xff\xff\x00\x00"}


class WaferstarAdapter:
    """One adapter with its bus. A byte-stream device: `connect` it to a line, feed `received`.

    Is NOT responsible for retries, or for what any byte means beyond "it is no ACK".
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        peripherals: Iterable[Peripheral],
        *,
        poll_s: float = 0.1,
        enables: bool = False,
    ) -> None:
        self._loop = loop
        self._bus = {peripheral.address: peripheral for peripheral in peripherals}
        self._poll_s = poll_s
        self._enables = enables
        self._transmit: Callable[[bytes], None] = _nowhere
        self._partial = bytearray()
        self._pause: asyncio.TimerHandle | None = None
        self._poller: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[bytes, bool]] = deque()  # command, asked by the host
        self._busy = False
        self.exchanges = 0
        self.dropped = 0  # commands too long, or too many at once

    def connect(self, transmit: Callable[[bytes], None]) -> None:
        """Where the adapter's own bytes go."""
        self._transmit = transmit
        self.power_on()

    def power_on(self) -> None:
        """Freshly powered: devices are reset, and enabled by the 3-LED model."""
        self._partial.clear()
        self._waiting.clear()
        for address in self._bus:
            self._waiting.append((RESETS[address], False))
            if self._enables and address in ENABLES:
                self._waiting.append((ENABLES[address], False))
        if self._poller is not None:
            self._poller.cancel()
        self._poller = self._loop.call_later(self._poll_s, self._poll)
        self._next()

    def received(self, data: bytes) -> None:
        """Bytes from the host, in any pieces."""
        self._partial += data
        if self._pause is not None:
            self._pause.cancel()
        self._pause = self._loop.call_later(PAUSE_S, self._command_ended)

    def _command_ended(self) -> None:
        command = bytes(self._partial)
        self._partial.clear()
        asked = sum(by_host for _, by_host in self._waiting)
        if not 0 < len(command) < MAX_BLOCK or asked >= MAX_WAITING:
            self.dropped += 1
            return
        self._waiting.append((command, True))
        self._next()

    def _poll(self) -> None:
        self._poller = self._loop.call_later(self._poll_s, self._poll)
        waiting = {command for command, by_host in self._waiting if not by_host}
        for address in self._bus:
            if bytes([POLLS[address]]) not in waiting:
                self._waiting.append((bytes([POLLS[address]]), False))
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        command, asked = self._waiting.popleft()
        self._busy = True
        self.exchanges += 1
        block = bytes([*command, checksum(command)])
        peripheral = self._bus.get(command[0] & ADDRESS_BITS)
        answer = peripheral.receive(block) if peripheral is not None else None
        took = len(block) * BYTE_S
        if peripheral is None or answer is None or answer.delay_s > RESPONSE_S:
            self._loop.call_later(took + RESPONSE_S, self._done, b"")
            return
        took += answer.delay_s + len(answer.wire) * BYTE_S
        self._loop.call_later(took, self._heard, peripheral, command, asked, answer.wire)

    def _heard(self, peripheral: Peripheral, command: bytes, asked: bool, wire: bytes) -> None:
        if not peripheral.powered:
            wire = b""  # broke off
        right = len(wire) > 1 and checksum(wire[:-1]) == wire[-1]
        if right:
            peripheral.acknowledged()
        if asked and (right or wire in (bytes([ACK]), bytes([NAK]))):
            self._done(wire)
        elif right and command[0] in POLLS.values():
            self._done(bytes([peripheral.address]) + wire[:-1])
        else:
            self._done(b"")

    def _done(self, says: bytes) -> None:
        self._busy = False
        if says:
            self._transmit(says.hex(" ").upper().encode("ascii") + b" \r\n")
        self._next()


def _nowhere(data: bytes) -> None:
    """Nothing is connected."""
