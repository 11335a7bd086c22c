"""The world's own timers, on any asyncio loop.

They always run in the context in which the world was made. A daemon that moves
a pin and dies takes its own callbacks along, never the world's
(`hw_sim.loop.VirtualLoop.abandon`): make the world outside any life.
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVarTuple

Ts = TypeVarTuple("Ts")


class WorldClock:
    """`now` in seconds of the loop; `later` sets a timer that belongs to the world."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._context = copy_context()

    def now(self) -> float:
        return self.loop.time()

    def later(self, delay: float, act: Callable[[*Ts], object], *args: *Ts) -> asyncio.TimerHandle:
        return self.loop.call_later(delay, act, *args, context=self._context)
