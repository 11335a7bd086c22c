"""A ccTalk hopper at byte level: coins, motor, exit sensor, and a memory that survives power."""

import asyncio
from collections.abc import Callable

from hw_sim.devices.cctalk_device import CcTalkDevice
from hw_sim.devices.cctalk_link import ACK, NAK, Said

COIN_S = 0.2
EMPTY_S = 3.0  # no coin at the exit for so long: the payout times out
KEY = bytes.fromhex("1122334455667788")

# bits of the three registers of header 163
OVER_CURRENT, TIMEOUT, POWER_UP, DISABLED = 0x01, 0x02, 0x40, 0x80
OPTO_BLOCKED_IDLE = 0x08
POWER_DOWN, KEY_WRONG = 0x01, 0x08
LATCHING_1, LATCHING_2, LATCHING_3 = 0x39, 0x39, 0x0F


class CcTalkHopper(CcTalkDevice):
    """`coins` lie in it; paid ones land in `cup` as (time, value). `security`: ``serial``,
    ``cipher`` (every byte of the key inverted) or ``plain``. `counts`: it knows header 168."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        address: int = 3,
        value: int = 100,
        coins: int = 50,
        security: str = "serial",
        counts: bool = True,
        crc: bool = False,
        serial: int = 4711,
    ) -> None:
        super().__init__(loop, address, "Payout", crc=crc, serial=serial, product="SCH2")
        self.value = value
        self.coins = coins
        self.cup: list[tuple[float, int]] = []
        self.on_coin: Callable[[int], None] = lambda value: None
        self.jam_after: int | None = None  # over-current after so many coins
        self.cut_after: int | None = None  # power goes for a second after so many coins
        self._security = security
        self._serial = serial.to_bytes(3, "little")
        self._timer: asyncio.TimerHandle | None = None
        self.counter = 0
        self.remaining = 0
        self.last = (0, 0)  # paid, unpaid: kept without power
        self.dispensed = 1000  # in its life: kept without power
        self.registers = [POWER_UP | DISABLED, 0, 0]
        self.commands |= {
            163: lambda _: Said(data=bytes(self.registers)),
            164: self._enable,
            161: lambda data: ACK if len(data) == 8 else None,
            160: lambda _: Said(data=KEY) if security == "cipher" else None,
            166: lambda _: Said(data=bytes([self.counter, self.remaining, *self.last])),
            167: self._dispense,
            172: lambda _: self._emergency_stop(),
        }
        if counts:
            self.commands[168] = lambda _: Said(
                data=(self.dispensed & 0xFFFFFF).to_bytes(3, "little")
            )

    def fill(self, count: int) -> None:
        self.coins += count

    def paid(self) -> int:
        """Value that ever came out."""
        return sum(value for _, value in self.cup)

    @property
    def jammed(self) -> bool:
        return bool(self.registers[0] & OVER_CURRENT)

    def clear_jam(self) -> None:
        """A technician frees the motor and switches it off and on."""
        self.registers[0] &= ~OVER_CURRENT
        self.power_cycle()

    def stopped(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.remaining:
            self.registers[2] |= POWER_DOWN
        self.remaining = 0

    def started(self, *, power_up: bool) -> None:
        self.counter = 0
        self.registers[0] |= DISABLED
        if power_up:
            self.registers[0] |= POWER_UP
        else:
            self.registers[0] &= ~(LATCHING_1 | POWER_UP | TIMEOUT)
            self.registers[1] &= ~LATCHING_2
            self.registers[2] &= ~LATCHING_3

    def _enable(self, data: bytes) -> Said | None:
        if len(data) != 1:
            return None
        if data[0] == 0xA5:
            self.registers[0] &= ~DISABLED
        else:
            self.registers[0] |= DISABLED
        return ACK

    def _blocked(self) -> bool:
        one, two, three = self.registers
        latched = one & LATCHING_1 or two & LATCHING_2 or three & LATCHING_3
        return bool(latched or one & DISABLED or self.remaining)

    def _dispense(self, data: bytes) -> Said:
        expected = {
            "serial": self._serial,
            "cipher": bytes(byte ^ 0xFF for byte in KEY),
            "plain": data[:-1],
        }
        code: bytes = expected[self._security]
        if data[:-1] != code:
            self.registers[2] |= KEY_WRONG
            return NAK
        if self._blocked() or not data[-1]:
            return NAK
        self.counter = self.counter % 255 + 1
        self.remaining = data[-1]
        self.last = (0, data[-1])
        self.registers[0] &= ~TIMEOUT
        self._next()
        return ACK if self._security == "serial" else Said(data=bytes([self.counter]))

    def _next(self) -> None:
        if self.remaining == 0:
            self._timer = None
        elif self.jam_after == 0:
            self._fail(OVER_CURRENT)
        elif self.cut_after == 0:
            self.cut_after = None
            self.power_cycle()
        elif self.coins == 0:
            self._timer = self.loop.call_later(EMPTY_S, self._fail, TIMEOUT)
        else:
            self._timer = self.loop.call_later(COIN_S, self._coin)

    def _coin(self) -> None:
        self.coins -= 1
        self.cup.append((self.loop.time(), self.value))
        self.on_coin(self.value)
        self.dispensed += 1
        self.remaining -= 1
        self.last = (self.last[0] + 1, self.last[1] - 1)
        for name in ("jam_after", "cut_after"):
            left: int | None = getattr(self, name)
            if left:
                setattr(self, name, left - 1)
        self._next()

    def _fail(self, flag: int) -> None:
        self._timer = None
        self.jam_after = None
        self.registers[0] |= flag
        self.remaining = 0

    def _emergency_stop(self) -> Said:
        left = self.remaining
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.remaining = 0
        return Said(data=bytes([left]))


def inverted(key: bytes) -> bytes:
    """The answer that a simulated hopper with ``cipher`` wants."""
    return bytes(byte ^ 0xFF for byte in key)
