"""What all simulated ccTalk devices have in common: power, identity, event buffer."""

import asyncio
from collections.abc import Callable

from hw_sim.devices.cctalk_link import ACK, Said

BOOT_S = 0.5
POLLED_WITHIN_S = 2.0  # a device that is not polled inhibits itself


class CcTalkDevice:
    """`power_off` and `power_on` play the power supply; unpowered it is silent.

    Subclasses answer in `commands[header]`; what is not there is not known to the device.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: int,
        category: str,
        *,
        crc: bool = False,
        serial: int = 12345678,
        product: str = "SIM1",
    ) -> None:
        self.loop = loop
        self.address = address
        self.crc = crc
        self.powered = True
        self._awake = True
        self._boots = 0
        texts = {246: "Simulated", 245: category, 244: product, 241: "SIM-V1.00", 192: "STD"}
        number = serial.to_bytes(3, "little")
        self.commands: dict[int, Callable[[bytes], Said | None]] = {
            254: lambda _: ACK,
            1: lambda _: self._reset_command(),
            242: lambda _: Said(data=number),
        }
        for header, text in texts.items():
            self.commands[header] = lambda _, text=text: Said(data=text.encode("ascii"))  # type: ignore[misc]

    def asked(self, header: int, data: bytes) -> Said | None:
        """One message; None is silence."""
        if not self._awake:
            return None
        command = self.commands.get(header)
        return None if command is None else command(data)

    def power_off(self) -> None:
        self.powered = self._awake = False
        self._boots += 1
        self.stopped()

    def power_on(self) -> None:
        if not self.powered:
            self.powered = True
            self._boot()

    def power_cycle(self, seconds: float = 1.0) -> None:
        self.power_off()
        self.loop.call_later(seconds, self.power_on)

    def stopped(self) -> None:
        """The program ends, whatever it was doing."""

    def started(self, *, power_up: bool) -> None:
        """The program begins."""

    def _boot(self) -> None:
        self._boots += 1
        self.loop.call_later(BOOT_S, self._booted, self._boots)

    def _booted(self, boot: int) -> None:
        if boot == self._boots and self.powered:
            self._awake = True
            self.started(power_up=True)

    def _reset_command(self) -> Said:
        """ACK, then a software reset."""
        self.stopped()
        self._awake = False
        self._boots += 1
        self.loop.call_later(BOOT_S / 2, self._was_reset, self._boots)
        return ACK

    def _was_reset(self, boot: int) -> None:
        if boot == self._boots and self.powered:
            self._awake = True
            self.started(power_up=False)


class EventBuffer:
    """A counter from 1 to 255 and around, 0 after a start, and the five newest pairs."""

    def __init__(self) -> None:
        self.counter = 0
        self.pairs: list[tuple[int, int]] = [(0, 0)] * 5

    def clear(self) -> None:
        self.counter = 0
        self.pairs = [(0, 0)] * 5

    def add(self, first: int, second: int) -> None:
        self.counter = self.counter % 255 + 1
        self.pairs = [(first, second), *self.pairs[:4]]

    def to_bytes(self) -> bytes:
        return bytes([self.counter, *(byte for pair in self.pairs for byte in pair)])


class Polled(CcTalkDevice):
    """A device with inhibits and an event buffer that wants to be polled."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: int,
        category: str,
        *,
        poll_header: int,
        crc: bool = False,
    ) -> None:
        super().__init__(loop, address, category, crc=crc)
        self.events = EventBuffer()
        self.mask = 0
        self.master = True
        self._polled_at = -1e9
        self._told = 0  # the event counter in the newest answer to a poll
        self.commands |= {
            poll_header: self._poll,
            231: self._set_mask,
            230: lambda _: Said(data=self.mask.to_bytes(2, "little")),
            228: self._set_master,
            227: lambda _: Said(data=bytes([self.master])),
        }

    def taking(self, position: int) -> bool:
        """Would this coin or bill be accepted now?"""
        polled = self.loop.time() - self._polled_at <= POLLED_WITHIN_S
        return self._awake and polled and self.master and bool(self.mask >> position - 1 & 1)

    @property
    def unread(self) -> bool:
        """Events that no poll has asked for yet."""
        return self.events.counter != self._told

    def started(self, *, power_up: bool) -> None:
        self.events.clear()
        self._told = 0
        self.mask = 0
        self.master = True

    def _poll(self, data: bytes) -> Said:
        self._polled_at = self.loop.time()
        self._told = self.events.counter
        return Said(data=self.events.to_bytes())

    def _set_mask(self, data: bytes) -> Said | None:
        if len(data) < 2:
            return None
        self.mask = data[0] + 256 * data[1]
        return ACK

    def _set_master(self, data: bytes) -> Said | None:
        if len(data) != 1:
            return None
        self.master = bool(data[0] & 1)
        return ACK
