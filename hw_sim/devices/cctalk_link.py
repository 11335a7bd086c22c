"""The single wire of a ccTalk bus as its devices live it (generic specification 4.7, part 1).

Everything that is said on the wire is heard by everybody, so the host gets its own bytes back
before any answer. Devices never talk unasked; what they don't understand they don't answer.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

HOST = 1
GAP_S = 0.05  # a pause inside a message ends it
ACK_HEADER, NAK_HEADER, BUSY_HEADER = 0, 5, 6


class WireFault(StrEnum):
    """What goes wrong between host and device; each message of the host is one opportunity."""

    ECHO_MISSING = "echo_missing"
    ECHO_HALF = "echo_half"  # the second half of the echo does not come back
    REQUEST_LOST = "request_lost"  # not heard by the device, not carried out
    REPLY_LOST = "reply_lost"  # carried out, the answer does not arrive
    REPLY_GARBLED = "reply_garbled"  # one bit of the answer is wrong
    REPLY_TRUNCATED = "reply_truncated"
    REPLY_LATE = "reply_late"  # arrives when nobody waits for it any more
    REPLY_PAUSED = "reply_paused"  # 80 ms pause in the middle
    NAK = "nak"  # refused, not carried out
    BUSY = "busy"  # not carried out
    NOISE = "noise"  # bytes that nobody sent, after the answer


class Said(NamedTuple):
    """A device's answer, and how long after the request it begins."""

    header: int = ACK_HEADER
    data: bytes = b""
    delay_s: float = 0.004


ACK = Said()
NAK = Said(NAK_HEADER)


class Slave(Protocol):
    """A device on the wire. `crc`: it speaks with CRC-CCITT instead of the 8-bit sum."""

    address: int
    crc: bool

    def asked(self, header: int, data: bytes) -> Said | None:
        """One message for it; None is silence."""


def sum_of(data: bytes) -> int:
    """What makes the bytes add up to a multiple of 256."""
    return (256 - sum(data) % 256) % 256


def crc_of(data: bytes) -> int:
    """CRC-CCITT by shifting bits, as a device without a table does it."""
    crc = 0
    for byte in data:
        for bit in range(7, -1, -1):
            top = crc >> 15 & 1
            crc = crc << 1 & 0xFFFF
            if top ^ (byte >> bit & 1):
                crc ^= 0x1021
    return crc


def message(dest: int, source: int, header: int, data: bytes, *, crc: bool) -> bytes:
    """The bytes on the wire."""
    if crc:
        word = crc_of(bytes([dest, len(data), header, *data]))
        return bytes([dest, len(data), word & 255, header, *data, word >> 8])
    plain = bytes([dest, len(data), source, header, *data])
    return bytes([*plain, sum_of(plain)])


def is_sound(raw: bytes, *, crc: bool) -> bool:
    """The checksum fits."""
    if not crc:
        return sum(raw) % 256 == 0
    word = crc_of(bytes([raw[0], raw[1], raw[3], *raw[4:-1]]))
    return raw[2] == word & 255 and raw[-1] == word >> 8


@dataclass
class _Armed:
    fault: WireFault
    times: int
    after: int
    header: int | None


@dataclass
class WireFaults:
    """`arm(fault, times, after, header)`: skip `after` opportunities, then hit `times`; only
    messages with that header, if one is given. `rate`: each is hit with that probability."""

    rng: random.Random
    hits: dict[WireFault, int] = field(default_factory=dict)
    _armed: list[_Armed] = field(default_factory=list)
    _rates: dict[WireFault, float] = field(default_factory=dict)

    def arm(self, fault: str, times: int = 1, after: int = 0, header: int | None = None) -> None:
        self._armed.append(_Armed(WireFault(fault), times, after, header))

    def rate(self, fault: str, probability: float) -> None:
        self._rates[WireFault(fault)] = probability

    def clear(self) -> None:
        self._armed.clear()
        self._rates.clear()

    def of(self, header: int) -> set[WireFault]:
        """The faults that hit this message."""
        found = {f for f, p in self._rates.items() if self.rng.random() < p}
        for armed in tuple(self._armed):
            if armed.header is not None and armed.header != header:
                continue
            if armed.after > 0:
                armed.after -= 1
                continue
            found.add(armed.fault)
            armed.times -= 1
            if armed.times <= 0:
                self._armed.remove(armed)
        for fault in found:
            self.hits[fault] = self.hits.get(fault, 0) + 1
        return found


class CcTalkWire:
    """A byte-stream device: `connect` it to a line, feed `received`. `echo` False: an interface
    that swallows the host's own bytes. `log` keeps (header, carried out) per message."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        slaves: Iterable[Slave],
        *,
        echo: bool = True,
        rng: random.Random | None = None,
    ) -> None:
        self._loop = loop
        self._slaves = {slave.address: slave for slave in slaves}
        self._echo = echo
        self._transmit: Callable[[bytes], None] = lambda data: None
        self._heard = bytearray()
        self._last = 0.0
        self.faults = WireFaults(rng or random.Random(0))
        self.log: list[tuple[int, bool]] = []

    def connect(self, transmit: Callable[[bytes], None]) -> None:
        """Where the bytes go that the host hears."""
        self._transmit = transmit

    def power_on(self) -> None:
        """The plug of the interface is back: half a message is forgotten."""
        self._heard.clear()

    def received(self, data: bytes) -> None:
        """Bytes from the host, in any pieces."""
        now = self._loop.time()
        if now - self._last > GAP_S:
            self._heard.clear()
        self._last = now
        self._heard += data
        whole = 5 + self._heard[1] if len(self._heard) > 1 else 0
        complete = bool(whole) and len(self._heard) >= whole
        faults = self.faults.of(self._heard[3]) if complete else set()
        self._send_echo(data, faults)
        if complete:
            raw = bytes(self._heard[:whole])
            self._heard.clear()
            self._deliver(raw, faults)

    def _send_echo(self, data: bytes, faults: set[WireFault]) -> None:
        if not self._echo or WireFault.ECHO_MISSING in faults:
            return
        self._transmit(data[: len(data) // 2] if WireFault.ECHO_HALF in faults else data)

    def _deliver(self, raw: bytes, faults: set[WireFault]) -> None:
        slave = self._slaves.get(raw[0])
        lost = WireFault.REQUEST_LOST in faults
        if slave is None or lost or not is_sound(raw, crc=slave.crc):
            self.log.append((raw[3], False))
            return
        refused = {WireFault.NAK: NAK_HEADER, WireFault.BUSY: BUSY_HEADER}
        for fault, header in refused.items():
            if fault in faults:
                self.log.append((raw[3], False))
                self._answer(slave, Said(header), faults)
                return
        self.log.append((raw[3], True))
        said = slave.asked(raw[3], raw[4:-1])
        if said is not None:
            self._answer(slave, said, faults)

    def _answer(self, slave: Slave, said: Said, faults: set[WireFault]) -> None:
        raw = message(HOST, slave.address, said.header, said.data, crc=slave.crc)
        delay = said.delay_s
        if WireFault.REPLY_LOST in faults:
            return
        if WireFault.REPLY_GARBLED in faults:
            at = self.faults.rng.randrange(len(raw))
            wrong = raw[at] ^ 1 << self.faults.rng.randrange(8)
            raw = raw[:at] + bytes([wrong]) + raw[at + 1 :]
        if WireFault.REPLY_TRUNCATED in faults:
            raw = raw[:-2]
        if WireFault.REPLY_LATE in faults:
            delay += 3.0
        if WireFault.NOISE in faults:
            raw += bytes(self.faults.rng.randrange(256) for _ in range(3))
        if WireFault.REPLY_PAUSED in faults:
            self._loop.call_later(delay, self._transmit, raw[:3])
            self._loop.call_later(delay + 0.08, self._transmit, raw[3:])
            return
        self._loop.call_later(delay, self._transmit, raw)
