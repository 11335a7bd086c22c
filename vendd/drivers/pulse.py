"""A coin acceptor that sends pulses: `ports.Changer` over one input line.

The coin types are numbered 0, 1, ... by rising number of pulses. Coins fall into the box;
nothing is ever paid. One line enables all coins or none, so it takes coins only while all
of its types are wanted. Is NOT responsible for what a train means (`vendd.wire.pulse`).
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    DeviceIdentity,
    FaultEnded,
    FaultStarted,
    TubesRead,
)
from vendd.drivers.pins import Input, Output, OutputLine, Pin, PinFactory, PinTrouble, try_each
from vendd.ports import Refused, Sink
from vendd.wire.pulse import Coins, Freed, PulseNews, PulseParser, PulseRules, Rejected, Stuck, Why

DEVICE: Final = "coin_acceptor"
STUCK: Final = "stuck_line"
BAD_TRAIN: Final = "pulse_train"
LATE_S: Final = 0.02  # edges may still be on their way from a foreign thread
APART_S: Final = 1.0  # edges further apart than this need no exact distance


class StampedInput(Input):
    """An input whose edges carry the time that the kernel or the pigpio daemon saw them at.

    The factory's clock is another one than the loop's. Distances between edges are taken from
    it, so a busy loop or thread does not stretch a pulse.
    """

    def __init__(
        self,
        factory: PinFactory,
        pin: Pin,
        loop: asyncio.AbstractEventLoop,
        moved: Callable[[bool, float], None],
        *,
        active_low: bool = False,
    ) -> None:
        super().__init__(factory, pin, loop, active_low=active_low)
        self._active_low = active_low
        self._moved: Callable[[bool, float], None] | None = moved
        self._difference: Callable[[Any, Any], float] = getattr(factory, "ticks_diff")  # noqa: B009
        self._newest: tuple[Any, float] | None = None  # ticks and loop time of the newest edge
        self._owner = copy_context()
        self._device.pin.when_changed = self._changed_at

    def close(self) -> None:
        self._moved = None
        super().close()

    def _changed_at(self, ticks: Any, state: Any) -> None:
        """On a foreign thread."""
        if self._loop.is_closed():
            return
        active = bool(state) != self._active_low
        heard = self._loop.time()
        self._loop.call_soon_threadsafe(
            self._stamped, active, ticks, heard, context=self._owner.copy()
        )

    def _stamped(self, active: bool, ticks: Any, heard: float) -> None:
        at = heard
        if self._newest is not None:
            before, then = self._newest
            apart = self._difference(ticks, before)
            if 0 <= apart < APART_S:
                at = then + apart
        self._newest = (ticks, at)
        if self._moved is not None:  # closed while the edge was on its way
            self._moved(active, at)


@dataclass(frozen=True, slots=True)
class PulseSetup:
    """`enable`: active = coins are taken, so for the usual inhibit input (high = refuse) it is
    active low; None: they can't be refused."""

    pin: Pin
    rules: PulseRules
    active_low: bool = True
    enable: OutputLine | None = None
    device: str = DEVICE  # its name in faults


class PulseAcceptor:
    """A `ports.Changer`; see the module. Raises `PinTrouble` when a line can't be opened."""

    def __init__(
        self,
        setup: PulseSetup,
        factory: PinFactory,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
    ) -> None:
        self._loop = loop
        self._sink = sink
        self._device = setup.device
        self._parser = PulseParser(setup.rules)
        self._coins = {
            pulses: Coin(type_, value, to_tube=False)
            for type_, (pulses, value) in enumerate(sorted(setup.rules.coins.items()))
        }
        self._timer: asyncio.TimerHandle | None = None
        self._faults: set[str] = set()
        self._wanted = False
        self._input = StampedInput(
            factory, setup.pin, loop, self._edge, active_low=setup.active_low
        )
        self._enable = None if setup.enable is None else Output(factory, setup.enable)

    def start(self) -> None:
        """Reports `ChangerReady`, or a line that is stuck already after `stuck_ms`."""
        self._apply()
        self._parser.start(self._input.active(), self._loop.time())
        self._schedule()
        self._ready()

    def close(self) -> None:
        """Coins are refused from now on."""
        if self._timer is not None:
            self._timer.cancel()
        try_each(device.close for device in (self._input, self._enable) if device is not None)

    # --- ports.Changer -------------------------------------------------------------------

    def accept(self, coin_types: frozenset[int]) -> None:
        """See `ports.Changer`; all of its coins, or none."""
        self._wanted = all(coin.type in coin_types for coin in self._coins.values())
        self._apply()

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        """See `ports.Changer`; always refused."""
        raise Refused("a pulse acceptor pays nothing")

    async def read_tubes(self) -> None:
        """See `ports.Changer`; it has none."""
        self._sink.put(TubesRead(()))

    def _apply(self) -> None:
        if self._enable is None:
            return
        take = self._wanted and STUCK not in self._faults
        try:
            if take != self._enable.on:
                self._enable.write(take)
        except PinTrouble as error:
            self._begin("gpio", str(error))
        else:
            self._end("gpio")

    # --- the line --------------------------------------------------------------------------

    def _edge(self, active: bool, at: float) -> None:
        self._tell(self._parser.edge(active, at))

    def _tick(self) -> None:
        self._timer = None
        self._tell(self._parser.tick(self._loop.time()))

    def _tell(self, news: list[PulseNews]) -> None:
        for one in news:
            match one:
                case Coins(pulses):
                    self._credit(pulses)
                case Rejected(Why.SPURIOUS):
                    pass
                case Rejected(why, count):
                    self._sink.put(CoinRejected("lost"))
                    self._begin(BAD_TRAIN, f"{why.value}, {count} pulses")
                case Stuck():
                    self._begin(STUCK)
                    self._apply()
                    self._sink.put(ChangerLost(STUCK))
                case Freed():
                    self._end(STUCK)
                    self._apply()
                    self._ready()
        self._schedule()

    def _credit(self, pulses: tuple[int, ...]) -> None:
        for count in pulses:
            coin = self._coins[count]
            self._sink.put(CoinAccepted(coin.type, coin.value, CoinPath.BOX, 0))
        self._end(BAD_TRAIN)

    def _ready(self) -> None:
        coins = tuple(self._coins.values())
        self._sink.put(ChangerReady(DeviceIdentity(model="pulse"), coins, ()))

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = self._parser.wake_at
        self._timer = None if at == inf else self._loop.call_at(at + LATE_S, self._tick)

    def _begin(self, code: str, detail: str = "") -> None:
        if code not in self._faults:
            self._faults.add(code)
            self._sink.put(FaultStarted(code, self._device, detail))

    def _end(self, code: str) -> None:
        if code in self._faults:
            self._faults.remove(code)
            self._sink.put(FaultEnded(code, self._device))
