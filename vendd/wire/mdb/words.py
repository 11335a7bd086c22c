"""An exchange on the multi-drop bus as a sentence.

``CHANGER POLL -> coin type 3 (0.50) to tube, 12 in tube``. The sentences are for people;
nothing reads them. One `BusWords` per bus: what devices said of themselves earlier makes
later sentences say more, and every exchange has a sentence without it, whatever its bytes.
"""

from typing import Final, Protocol

from vendd.wire.mdb.bill_validator_words import BillWords
from vendd.wire.mdb.cashless_data import SECOND_DEVICE
from vendd.wire.mdb.cashless_words import CashlessWords
from vendd.wire.mdb.changer_words import ChangerWords
from vendd.wire.mdb.exchange import Reply
from vendd.wire.mdb.phrases import hexed, plain

ADDRESS: Final = 0xF8  # of the first byte; the rest is the command
CHANGER, READER_1, BILLS, READER_2 = 0x08, 0x10, 0x30, 0x60
NAMES: Final = {
    CHANGER: "CHANGER",
    READER_1: "READER 1",
    BILLS: "BILLS",
    READER_2: "READER 2",
    0x18: "GATEWAY",
    0x20: "DISPLAY",
    0x40: "USD 1",
    0x48: "USD 2",
    0x50: "USD 3",
    0x58: "COIN HOPPER 1",
    0x68: "AGE DEVICE",
    0x70: "COIN HOPPER 2",
}
POLLS: Final = frozenset((b"\x0b", b"\x12", b"\x33", b"\x62"))


class _Device(Protocol):
    def learn(self, command: bytes, reply: Reply) -> None: ...

    def command(self, command: bytes) -> str: ...

    def answer(self, command: bytes, reply: Reply) -> str: ...


def device_name(address: int) -> str:
    """The trade's word for who listens at an address."""
    return NAMES.get(address & ADDRESS) or f"DEVICE {address & ADDRESS:02X}"


class BusWords:
    """See the module."""

    def __init__(self) -> None:
        self.readers = {READER_1: CashlessWords(), READER_2: CashlessWords()}
        self._devices: dict[int, _Device] = {
            CHANGER: ChangerWords(),
            BILLS: BillWords(),
            **self.readers,
        }

    def learn(self, command: bytes, reply: Reply) -> None:
        """Call it once per exchange, before or after its sentence."""
        device = self._device(command)
        if device is not None:
            device.learn(_as_first(command), reply)

    def command(self, command: bytes) -> str:
        """The master's half: ``CHANGER POLL``."""
        device = self._device(command)
        if device is None:
            return f"{device_name(command[0])} {hexed(command)}" if command else "nothing"
        return f"{device_name(command[0])} {device.command(_as_first(command))}"

    def answer(self, command: bytes, reply: Reply) -> str:
        """The device's half."""
        device = self._device(command)
        return plain(reply) if device is None else device.answer(_as_first(command), reply)

    def sentence(self, command: bytes, reply: Reply) -> str:
        """Both halves."""
        return f"{self.command(command)} -> {self.answer(command, reply)}"

    def _device(self, command: bytes) -> _Device | None:
        return self._devices.get(command[0] & ADDRESS) if command else None


def _as_first(command: bytes) -> bytes:
    """Commands of the second cashless device as the first's: one vocabulary for both."""
    if command[0] & ADDRESS != READER_2:
        return command
    return bytes((command[0] - SECOND_DEVICE,)) + command[1:]
