"""Faulty serial lines: wrap a device in one of these, and hang the result on a line.

Each transmission in either direction suffers with probability `share`; `on` switches the
fault off and on. They nest.
"""

import asyncio
import random
from collections.abc import Callable

from hw_sim.devices.line import ByteDevice


class Mangled:
    """A line that does no harm; subclasses say what becomes of a transmission."""

    def __init__(
        self,
        device: ByteDevice,
        rng: random.Random,
        share: float = 0.01,
    ) -> None:
        self._device = device
        self._rng = rng
        self._share = share
        self.on = True
        self.hits = 0

    def connect(self, transmit: Callable[[bytes], None]) -> None:
        self._device.connect(lambda data: self._pass(data, transmit))

    def received(self, data: bytes) -> None:
        self._pass(data, self._device.received)

    def power_on(self) -> None:
        self._device.power_on()

    def mangle(self, data: bytes) -> list[bytes]:
        return [data]

    def _pass(self, data: bytes, onward: Callable[[bytes], None]) -> None:
        if self.on and data and self._rng.random() < self._share:
            self.hits += 1
            self.forward(self.mangle(data), onward)
        else:
            onward(data)

    def forward(self, pieces: list[bytes], onward: Callable[[bytes], None]) -> None:
        for piece in pieces:
            onward(piece)


class DropsBytes(Mangled):
    """One byte is missing."""

    def mangle(self, data: bytes) -> list[bytes]:
        at = self._rng.randrange(len(data))
        return [data[:at] + data[at + 1 :]]


class DropsAll(Mangled):
    """The transmission does not arrive."""

    def mangle(self, data: bytes) -> list[bytes]:
        return []


class InsertsNoise(Mangled):
    """Random bytes somewhere, line ends among them."""

    def mangle(self, data: bytes) -> list[bytes]:
        noise = bytes(self._rng.randrange(256) for _ in range(self._rng.randint(1, 12)))
        at = self._rng.randint(0, len(data))
        return [data[:at] + noise + data[at:]]


class FlipsBits(Mangled):
    """One bit is wrong."""

    def mangle(self, data: bytes) -> list[bytes]:
        at = self._rng.randrange(len(data))
        wrong = data[at] ^ (1 << self._rng.randrange(8))
        return [data[:at] + bytes([wrong]) + data[at + 1 :]]


class Truncates(Mangled):
    """The end is missing, and with it the line end."""

    def mangle(self, data: bytes) -> list[bytes]:
        return [data[: self._rng.randrange(len(data))]]


class Duplicates(Mangled):
    """Everything arrives twice."""

    def mangle(self, data: bytes) -> list[bytes]:
        return [data, data]


class Delays(Mangled):
    """A transmission arrives late; what follows may overtake it."""

    def __init__(
        self,
        device: ByteDevice,
        rng: random.Random,
        share: float = 0.01,
        *,
        loop: asyncio.AbstractEventLoop,
        late_s: tuple[float, float] = (0.02, 0.5),
    ) -> None:
        super().__init__(device, rng, share)
        self._loop = loop
        self._late_s = late_s

    def forward(self, pieces: list[bytes], onward: Callable[[bytes], None]) -> None:
        for piece in pieces:
            self._loop.call_later(self._rng.uniform(*self._late_s), onward, piece)
