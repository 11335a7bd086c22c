"""pigpiod's I2C commands, passed on to device models by address."""

import struct
from collections.abc import Callable, Hashable

from hw_sim.lcd import I2cDevice

NO_HANDLE = -24
BAD_HANDLE = -25
BAD_I2C_BUS = -74
BAD_I2C_ADDR = -75
WRITE_FAILED = -82
READ_FAILED = -83

MAX_HANDLES = 512  # pigpio's PI_I2C_SLOTS

_OPEN, _CLOSE = 54, 55
_QUICK, _WRITE_BYTE, _READ_BYTE = 58, 60, 59
_WRITE_REG, _READ_REG, _WRITE_WORD, _READ_WORD = 62, 61, 64, 63
_READ_DEVICE, _WRITE_DEVICE, _READ_BLOCK, _WRITE_BLOCK = 56, 57, 67, 68


class I2cCommands:
    """Bus 1. A missing or silent device fails the transfer; opening never probes."""

    def __init__(self, devices: dict[int, I2cDevice]) -> None:
        self.devices = devices
        self._handles: dict[int, tuple[Hashable, int]] = {}  # handle -> (owner, address)
        self._transfers: dict[int, Callable[[I2cDevice, int, bytes], bytes]] = {
            _QUICK: lambda device, _n, _more: _sent(device, b""),
            _WRITE_BYTE: lambda device, value, _more: _sent(device, bytes([value & 0xFF])),
            _READ_BYTE: lambda device, _n, _more: device.read(1),
            _WRITE_REG: lambda device, reg, more: _sent(device, bytes([reg & 0xFF]) + more[:1]),
            _READ_REG: lambda device, reg, _more: _asked(device, reg, 1),
            _WRITE_WORD: lambda device, reg, more: _sent(device, bytes([reg & 0xFF]) + more[:2]),
            _READ_WORD: lambda device, reg, _more: _asked(device, reg, 2),
            _READ_DEVICE: lambda device, count, _more: device.read(count),
            _WRITE_DEVICE: lambda device, _n, more: _sent(device, more),
            _READ_BLOCK: lambda device, reg, more: _asked(device, reg, _count(more)),
            _WRITE_BLOCK: lambda device, reg, more: _sent(device, bytes([reg & 0xFF]) + more),
        }
        self.commands = frozenset({_OPEN, _CLOSE, *self._transfers})

    def release(self, owner: Hashable) -> None:
        """The owner's connection is gone."""
        self._handles = {h: v for h, v in self._handles.items() if v[0] is not owner}

    def run(
        self, owner: Hashable, command: int, p1: int, p2: int, more: bytes
    ) -> tuple[int, bytes]:
        """(result, data that follows the answer)."""
        if command == _OPEN:
            return self._open(owner, p1, p2), b""
        if p1 not in self._handles:
            return BAD_HANDLE, b""
        if command == _CLOSE:
            del self._handles[p1]
            return 0, b""
        return self._transfer(self._handles[p1][1], command, p2, more)

    def _open(self, owner: Hashable, bus: int, address: int) -> int:
        if bus != 1:
            return BAD_I2C_BUS
        if address > 0x7F:
            return BAD_I2C_ADDR
        for handle in range(MAX_HANDLES):
            if handle not in self._handles:
                self._handles[handle] = (owner, address)
                return handle
        return NO_HANDLE

    def _transfer(self, address: int, command: int, p2: int, more: bytes) -> tuple[int, bytes]:
        reads = command in (_READ_BYTE, _READ_REG, _READ_WORD, _READ_DEVICE, _READ_BLOCK)
        failed = READ_FAILED if reads else WRITE_FAILED
        device = self.devices.get(address)
        if device is None:
            return failed, b""
        try:
            data = self._transfers[command](device, p2, more)
        except OSError:
            return failed, b""
        if command in (_READ_BYTE, _READ_REG, _READ_WORD):
            return int.from_bytes(data, "little"), b""
        return len(data), data


def _sent(device: I2cDevice, data: bytes) -> bytes:
    device.write(data)
    return b""


def _asked(device: I2cDevice, register: int, count: int) -> bytes:
    device.write(bytes([register & 0xFF]))
    return device.read(count)


def _count(more: bytes) -> int:
    return min(32, int(struct.unpack("<I", more)[0])) if len(more) == 4 else 0
