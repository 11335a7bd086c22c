"""The Qibixx MDB-USB / Pi HAT adapter as a raw bus master: ASCII lines here, MDB there.

Host side: 115200 8N1, lines ending in ``\\n``. ``V`` asks for the version, ``M,0|1`` switches
the master off and on, ``R,<hex>`` sends one block (address and data, commas allowed in
between, no CHK), ``R,RESET`` holds the bus in reset. One answer line per command; what the
adapter does not understand it does not answer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

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

MAX_LINE = 96  # characters: 35 bytes in hex, "R," and a comma leave room to spare
MAX_WAITING = 8  # commands that wait while the bus is in use; more are dropped
VERSION_TAKES_S = 0.0002
BUS_RESET_S = 0.1


@dataclass(frozen=True)
class Dialect:
    """How the answer to a raw request is spelt: prefix, then data or one of these words."""

    prefix: str
    ack: str = "ACK"
    nak: str = "NAK"
    timeout: str = "TIMEOUT"
    bad_chk: str = "ERR,CHK"
    needs_master: bool = False  # silent bus until M,1, and again after each power-up


DETAILED = Dialect("r")  # tells apart why there is no data
# as the vendor's page on the generic master has it (docs.qibixx.com, "API Generic Master")
GENERIC_MASTER = Dialect("p", nak="NACK", timeout="NACK", bad_chk="NACK", needs_master=True)


class QibixxAdapter:
    """One adapter with its bus. A byte-stream device: `connect` it to a line, feed `received`.

    Timing is real: each byte takes 11 bits at 9600 bit/s, a silent peripheral costs
    `response_s`, one exchange at a time. It ACKs data with a right CHK, NAKs the rest.
    Is NOT responsible for polling, retries or what any byte means.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        peripherals: Iterable[Peripheral],
        *,
        dialect: Dialect = DETAILED,
        version: str = "4.0.2.0,4d4442000001",
        response_s: float = RESPONSE_S,
    ) -> None:
        self._loop = loop
        self._bus = {peripheral.address: peripheral for peripheral in peripherals}
        self._dialect = dialect
        self._version = version
        self._response_s = response_s
        self._transmit: Callable[[bytes], None] = _nowhere
        self._partial = bytearray()
        self._too_long = False
        self._waiting: deque[bytes] = deque()
        self._busy = False
        self._master = not dialect.needs_master
        self.exchanges = 0
        self.lines_dropped = 0  # overlong, not understood, or too many at once

    def connect(self, transmit: Callable[[bytes], None]) -> None:
        """Where the adapter's own bytes go."""
        self._transmit = transmit

    def power_on(self) -> None:
        """Freshly plugged in: half a line and waiting commands are forgotten."""
        self._partial.clear()
        self._too_long = False
        self._waiting.clear()
        self._master = not self._dialect.needs_master

    def received(self, data: bytes) -> None:
        """Bytes from the host, in any pieces."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._collect(data[start:end])
            self._line_ended()
            start = end + 1
        self._collect(data[start:])

    def _collect(self, piece: bytes) -> None:
        if len(self._partial) + len(piece) > MAX_LINE:
            self._too_long = True
            self._partial.clear()
        elif not self._too_long:
            self._partial += piece

    def _line_ended(self) -> None:
        line = bytes(self._partial).rstrip(b"\r")
        too_long, self._too_long = self._too_long, False
        self._partial.clear()
        if too_long or len(self._waiting) >= MAX_WAITING:
            self.lines_dropped += 1
        elif self._busy:
            self._waiting.append(line)
        else:
            self._obey(line)

    def _obey(self, line: bytes) -> None:
        if line[:2] == b"R,":
            self._request(line[2:])
        elif line == b"V":
            self._answer_later(VERSION_TAKES_S, f"v,{self._version}")
        elif line in (b"M,1", b"M,0"):
            self._master = line == b"M,1" or not self._dialect.needs_master
            self._answer_later(VERSION_TAKES_S, "m,ACK")
        elif line:
            self.lines_dropped += 1

    def _request(self, text: bytes) -> None:
        if text == b"RESET":
            for peripheral in self._bus.values():
                peripheral.bus_reset()
            self._answer_later(BUS_RESET_S, f"{self._dialect.prefix},{self._dialect.ack}")
            return
        try:
            data = bytes.fromhex(text.replace(b",", b"").decode("ascii"))
        except ValueError:  # covers UnicodeDecodeError
            data = b""
        if not 0 < len(data) < MAX_BLOCK:
            self.lines_dropped += 1
            return
        self._exchange(data)

    def _exchange(self, data: bytes) -> None:
        """One block on the bus; the peripheral's view of it is settled at once, its time later."""
        self.exchanges += 1
        block = bytes([*data, checksum(data)])
        peripheral = self._bus.get(data[0] & ADDRESS_BITS) if self._master else None
        answer = peripheral.receive(block) if peripheral is not None else None
        self._busy = True
        took = len(block) * BYTE_S
        if peripheral is None or answer is None or answer.delay_s > self._response_s:
            self._loop.call_later(took + self._response_s, self._done, self._dialect.timeout)
            return
        took += answer.delay_s + len(answer.wire) * BYTE_S
        self._loop.call_later(took, self._heard, peripheral, answer.wire)

    def _heard(self, peripheral: Peripheral, wire: bytes) -> None:
        dialect = self._dialect
        if not peripheral.powered:
            self._done(dialect.bad_chk)
        elif len(wire) == 1:
            words = {ACK: dialect.ack, NAK: dialect.nak}
            self._done(words.get(wire[0], dialect.bad_chk))
        elif len(wire) > MAX_BLOCK or checksum(wire[:-1]) != wire[-1]:
            self._done(dialect.bad_chk)  # the master NAKs it; the peripheral keeps its data
        else:
            peripheral.acknowledged()
            self._done(wire[:-1].hex().upper())

    def _done(self, word: str) -> None:
        self._send(f"{self._dialect.prefix},{word}")

    def _answer_later(self, delay_s: float, line: str) -> None:
        self._busy = True
        self._loop.call_later(delay_s, self._send, line)

    def _send(self, line: str) -> None:
        self._transmit(line.encode("ascii") + b"\n")
        self._busy = False
        while self._waiting and not self._busy:
            self._obey(self._waiting.popleft())


def _nowhere(data: bytes) -> None:
    """Nothing is connected."""
