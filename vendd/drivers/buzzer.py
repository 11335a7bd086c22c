"""A buzzer on one output line: a short pulse that says a key was noticed (R9)."""

import asyncio
from dataclasses import dataclass

from vendd.drivers.pins import Output, OutputLine, Pin, PinFactory, PinTrouble


@dataclass(frozen=True, slots=True)
class BuzzerSetup:
    """`pulse_ms`: how long one beep lasts."""

    pin: Pin
    active_high: bool = True
    pulse_ms: int = 40


class Buzzer:
    """`beep` returns at once. A dead line is silent in every sense: nobody sells less for it."""

    def __init__(
        self, setup: BuzzerSetup, factory: PinFactory, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._pulse_s = setup.pulse_ms / 1000
        self._loop = loop
        self._line = Output(factory, OutputLine(setup.pin, setup.active_high))
        self._off: asyncio.TimerHandle | None = None

    def beep(self) -> None:
        """A second beep during the first makes it longer."""
        if self._off is not None:
            self._off.cancel()
        self._off = self._loop.call_later(self._pulse_s, self._write, False)
        self._write(True)

    def close(self) -> None:
        if self._off is not None:
            self._off.cancel()
        self._line.close()

    def _write(self, on: bool) -> None:
        try:
            self._line.write(on)
        except PinTrouble:
            return
