"""Two-level inputs with a meaning: the drop sensor's beam and the service door.

Times are those of the edges, not of their handling: a busy loop doesn't stretch a pulse.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from vendd.core.sale.reports import (
    DoorMoved,
    DropSeen,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
)
from vendd.drivers.pins import Input, Pin, PinFactory, PinTrouble
from vendd.ports import Sink

STALLED_S: Final = 0.25
"""A timer that comes so late comes after a stall."""

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class DropSensorSetup:
    """Active = beam interrupted. Milliseconds."""

    pin: Pin
    active_low: bool = True
    min_ms: int = 2  # shorter is electrical noise
    merge_ms: int = 30  # a tumbling product opens the beam for a moment: still one product
    blocked_ms: int = 2_000  # no product falls that slowly


class DropSensor:
    """Reports one `DropSeen` per product, at the end of its (first) interruption.

    At its end and not at its beginning, because an interruption that never ends is no product:
    it becomes `DropSensorChanged(blocked=True)` after `blocked_ms`, and so does a flicker that
    lasts as long. Free again counts when the beam was free for `merge_ms`.
    Is NOT responsible for which vend a drop belongs to.
    """

    def __init__(
        self,
        setup: DropSensorSetup,
        factory: PinFactory,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
    ) -> None:
        self._setup = setup
        self._loop = loop
        self._sink = sink
        self._chain_since: float | None = None  # first interruption of those merged
        self._since: float | None = None  # of the interruption going on
        self._free_since: float | None = None  # within a chain: its latest gap
        self._reported = False  # this chain gave its DropSeen
        self._blocked = False
        self._block_timer: asyncio.TimerHandle | None = None
        self._free_timer: asyncio.TimerHandle | None = None
        self._input = Input(factory, setup.pin, loop, self._edge, active_low=setup.active_low)

    def start(self) -> None:
        """A beam that is interrupted now: a product that was let go before a crash may just be
        falling, so it is judged like any other, from now on."""
        if self._input.active():
            self._interrupted(self._loop.time())

    def blocked(self) -> bool:
        """As last reported."""
        return self._blocked

    def close(self) -> None:
        self._cancel_timers()
        self._input.close()

    def _edge(self, interrupted: bool, at: float) -> None:
        if interrupted:
            self._interrupted(at)
        elif self._since is not None:
            self._free(at)

    def _interrupted(self, at: float) -> None:
        if self._since is not None:
            return
        merge_s = self._setup.merge_ms / 1000
        if self._free_since is not None and at - self._free_since >= merge_s:
            self._chain_over()  # the loop was too busy for the timer
        self._since = at
        self._free_since = None
        self._stop(self._free_timer)
        if self._chain_since is None:
            self._chain_since = at
            due = at + self._setup.blocked_ms / 1000
            self._block_timer = self._loop.call_at(due, self._too_long, due)

    def _too_long(self, due: float) -> None:
        """The beam should have been free by now. After a stall of the process the edge that
        says so may be on its way: it is waited for."""
        if self._loop.time() - due > STALLED_S:
            self._block_timer = self._loop.call_later(STALLED_S, self._set_blocked)
        else:
            self._set_blocked()

    def _free(self, at: float) -> None:
        assert self._since is not None
        lasted = at - self._since
        self._since = None
        self._free_since = at
        if lasted >= self._setup.blocked_ms / 1000:
            self._set_blocked()  # the loop was too busy for the timer
        elif lasted >= self._setup.min_ms / 1000 - _ROUNDING and not self._told():
            self._reported = True
            self._sink.put(DropSeen())
        self._free_timer = self._loop.call_at(at + self._setup.merge_ms / 1000, self._chain_over)

    def _told(self) -> bool:
        return self._reported or self._blocked

    def _chain_over(self) -> None:
        self._cancel_timers()
        self._chain_since = self._free_since = None
        self._reported = False
        if self._blocked:
            self._blocked = False
            self._sink.put(DropSensorChanged(blocked=False))

    def _set_blocked(self) -> None:
        if not self._blocked:
            self._blocked = True
            self._sink.put(DropSensorChanged(blocked=True))

    def _cancel_timers(self) -> None:
        self._stop(self._block_timer)
        self._stop(self._free_timer)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


@dataclass(frozen=True, slots=True)
class DoorSetup:
    """Active = open. Milliseconds."""

    pin: Pin
    active_low: bool = False
    settle_ms: int = 50


class Door:
    """Reports `DoorMoved` at the start and whenever the switch stood still in a new state."""

    def __init__(
        self,
        setup: DoorSetup,
        factory: PinFactory,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
    ) -> None:
        self._settle_s = setup.settle_ms / 1000
        self._loop = loop
        self._sink = sink
        self._open: bool | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._faulty = False
        self._input = Input(factory, setup.pin, loop, self._edge, active_low=setup.active_low)

    def start(self) -> None:
        self._look()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._input.close()

    def _edge(self, _level: bool, _at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._settle_s, self._look)

    def _look(self) -> None:
        """The level is read, not counted from edges: a chattering contact loses some."""
        try:
            now_open = self._input.active()
        except PinTrouble as error:
            if not self._faulty:
                self._faulty = True
                self._sink.put(FaultStarted("gpio", "door", str(error)))
            return
        if self._faulty:
            self._faulty = False
            self._sink.put(FaultEnded("gpio", "door"))
        if now_open != self._open:
            self._open = now_open
            self._sink.put(DoorMoved(open=now_open))
