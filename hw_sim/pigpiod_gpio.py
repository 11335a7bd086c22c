"""pigpiod's GPIO commands on a header: modes, levels, pulls, filters, watchdogs, PWM as far
as a level goes. Numbers and meanings from the pigpio manual."""

import asyncio
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from hw_sim.header import PINS

if TYPE_CHECKING:
    from hw_sim.pigpiod import PigpioServer

BAD_USER_GPIO = -2
BAD_GPIO = -3
BAD_MODE = -4
BAD_LEVEL = -5
BAD_PUD = -6
BAD_DUTYCYCLE = -8
BAD_WDOG_TIMEOUT = -15
BAD_DUTYRANGE = -21
BAD_PULSELEN = -46
NOT_PWM_GPIO = -92
BAD_FILTER = -125

HARDWARE = 0xA02082  # a Pi 3B
VERSION = 79
_WDOG_FLAG = 1 << 5
_GPIOS, _USER_GPIOS = 54, 32

Command = Callable[[int, int, bytes], int]


class GpioCommands:
    """State that pigpiod adds to the header: filters, watchdogs, PWM settings."""

    def __init__(self, server: "PigpioServer") -> None:
        self._server, self._header, self._clock = server, server.header, server.clock
        self._modes = dict.fromkeys(range(_GPIOS), 0)
        self._steady: dict[int, float] = {}  # glitch filters, seconds
        self._waiting: dict[int, asyncio.TimerHandle] = {}
        self._watchdogs: dict[int, tuple[float, asyncio.TimerHandle]] = {}
        self._duty: dict[int, int] = {}
        self._range: dict[int, int] = {}
        self._frequency: dict[int, int] = {}
        self._levels = 0
        for pin in range(PINS):
            self._levels |= self._header.level(pin) << pin
        self.commands: dict[int, Command] = {
            0: self._modes_set,
            1: lambda gpio, _b, _m: self._modes.get(gpio, BAD_GPIO),
            2: self._pull,
            3: self._read,
            4: self._write,
            5: self._pwm,
            6: self._pwm_range,
            7: self._pwm_frequency,
            9: self._watchdog,
            10: lambda _a, _b, _m: self._bank(),
            11: lambda _a, _b, _m: 0,
            12: lambda bits, _b, _m: self._set_bank(bits, 0),
            14: lambda bits, _b, _m: self._set_bank(bits, 1),
            16: lambda _a, _b, _m: self._server.tick(),
            17: lambda _a, _b, _m: HARDWARE,
            22: lambda gpio, _b, _m: self._range.get(gpio, 255),
            23: lambda gpio, _b, _m: self._frequency.get(gpio, 800),
            24: lambda gpio, _b, _m: self._range.get(gpio, 250),
            26: lambda _a, _b, _m: VERSION,
            37: self._trigger,
            83: lambda gpio, _b, _m: self._duty.get(gpio, NOT_PWM_GPIO),
            97: self._glitch_filter,
            98: self._noise_filter,
        }

    def levels(self) -> int:
        """What reports say: levels after the filters, GPIO 0-31."""
        return self._levels

    def edge(self, pin: int, level: int, _when: float) -> None:
        """A net moved."""
        steady = self._steady.get(pin)
        if steady is None:
            self._tell(pin, level)
            return
        if pin in self._waiting:
            self._waiting.pop(pin).cancel()
        self._waiting[pin] = self._clock.later(steady, self._settled, pin)

    def _settled(self, pin: int) -> None:
        del self._waiting[pin]
        level = self._header.level(pin)
        if level != self._levels >> pin & 1:
            self._tell(pin, level)

    def _tell(self, pin: int, level: int) -> None:
        self._levels = self._levels & ~(1 << pin) | level << pin
        if pin in self._watchdogs:
            self._arm(pin, self._watchdogs[pin][0])
        self._server.report(1 << pin)

    # --- modes and levels ----------------------------------------------------------

    def _modes_set(self, gpio: int, mode: int, _more: bytes) -> int:
        if gpio >= _GPIOS:
            return BAD_GPIO
        if mode > 7:
            return BAD_MODE
        self._modes[gpio] = mode
        if gpio < PINS:
            if mode == 1:
                self._header.set_output(gpio)
            else:
                self._header.set_input(gpio)
        return 0

    def _pull(self, gpio: int, pud: int, _more: bytes) -> int:
        if gpio >= _GPIOS:
            return BAD_GPIO
        if pud > 2:
            return BAD_PUD
        if gpio < PINS:
            self._header.set_pull(gpio, ("floating", "down", "up")[pud])
        return 0

    def _read(self, gpio: int, _p2: int, _more: bytes) -> int:
        if gpio >= _GPIOS:
            return BAD_GPIO
        return self._header.level(gpio) if gpio < PINS else 0

    def _write(self, gpio: int, level: int, _more: bytes) -> int:
        """Makes the GPIO an output, as pigpio does."""
        if gpio >= _GPIOS:
            return BAD_GPIO
        if level > 1:
            return BAD_LEVEL
        if gpio < PINS and self._server.gate(gpio, level):
            self._modes[gpio] = 1
            self._header.set_output(gpio, level)
            self._server.wrote(gpio, level)
        return 0

    def _bank(self) -> int:
        return sum(self._header.level(pin) << pin for pin in range(PINS))

    def _set_bank(self, bits: int, level: int) -> int:
        for pin in range(PINS):
            if bits >> pin & 1:
                self._write(pin, level, b"")
        return 0

    def _trigger(self, gpio: int, length_us: int, more: bytes) -> int:
        if gpio >= _USER_GPIOS:
            return BAD_USER_GPIO
        if not 1 <= length_us <= 100:
            return BAD_PULSELEN
        level = struct.unpack("<I", more)[0] if len(more) == 4 else 2
        if level > 1:
            return BAD_LEVEL
        self._write(gpio, level, b"")
        self._clock.later(length_us / 1e6, self._write, gpio, 1 - level, b"")
        return 0

    # --- filters and watchdogs --------------------------------------------------------

    def _glitch_filter(self, gpio: int, steady_us: int, _more: bytes) -> int:
        if gpio >= _USER_GPIOS:
            return BAD_USER_GPIO
        if steady_us > 300_000:
            return BAD_FILTER
        if steady_us:
            self._steady[gpio] = steady_us / 1e6
        else:
            self._steady.pop(gpio, None)
        return 0

    def _noise_filter(self, gpio: int, steady_us: int, more: bytes) -> int:
        """Only its first half: a level counts once it was steady."""
        if len(more) != 4 or struct.unpack("<I", more)[0] > 1_000_000:
            return BAD_FILTER
        return self._glitch_filter(gpio, steady_us, b"")

    def _watchdog(self, gpio: int, timeout_ms: int, _more: bytes) -> int:
        if gpio >= _USER_GPIOS:
            return BAD_USER_GPIO
        if timeout_ms > 60_000:
            return BAD_WDOG_TIMEOUT
        if gpio in self._watchdogs:
            self._watchdogs.pop(gpio)[1].cancel()
        if timeout_ms:
            self._watchdogs[gpio] = (timeout_ms / 1000, self._clock.later(0, int))
            self._arm(gpio, timeout_ms / 1000)
        return 0

    def _arm(self, gpio: int, seconds: float) -> None:
        self._watchdogs[gpio][1].cancel()
        self._watchdogs[gpio] = (seconds, self._clock.later(seconds, self._bark, gpio))

    def _bark(self, gpio: int) -> None:
        self._server.report(1 << gpio, _WDOG_FLAG | gpio)
        self._arm(gpio, self._watchdogs[gpio][0])

    # --- PWM: any duty above 0 counts as on ---------------------------------------------

    def _pwm(self, gpio: int, duty: int, _more: bytes) -> int:
        if gpio >= _USER_GPIOS:
            return BAD_USER_GPIO
        if duty > self._range.get(gpio, 255):
            return BAD_DUTYCYCLE
        self._duty[gpio] = duty
        return self._write(gpio, int(duty > 0), b"")

    def _pwm_range(self, gpio: int, full: int, _more: bytes) -> int:
        if gpio >= _USER_GPIOS:
            return BAD_USER_GPIO
        if not 25 <= full <= 40_000:
            return BAD_DUTYRANGE
        self._range[gpio] = full
        return full

    def _pwm_frequency(self, gpio: int, hertz: int, _more: bytes) -> int:
        if gpio >= _USER_GPIOS:
            return BAD_USER_GPIO
        self._frequency[gpio] = hertz
        return hertz
