"""The purchase machine's timers on the loop's clock.

A fired timer goes through the inbox like any report; if it was disarmed or
restarted while it waited there, its token is void and it is never delivered.

After a stall of the whole process, what devices saw meanwhile is still on its way
to the inbox: it is heard before anything that ran out. A product that fell in its
drop window is not turned out a second time.
"""

import asyncio
from typing import Final

from vendd.core.sale.reports import Timer, TimerFired
from vendd.services.inbox import Inbox

STALLED_S: Final = 0.25
"""A timer that comes so late comes after a stall, and waits as long once more."""


class Timers:
    def __init__(self, loop: asyncio.AbstractEventLoop, inbox: Inbox) -> None:
        self._loop = loop
        self._inbox = inbox
        self._armed: dict[Timer, asyncio.TimerHandle] = {}
        self._tokens: dict[Timer, object] = {}

    def arm(self, timer: Timer, ms: int) -> None:
        """Start, or start anew."""
        self.disarm(timer)
        token = object()
        self._tokens[timer] = token
        due = self._loop.time() + ms / 1000
        self._armed[timer] = self._loop.call_at(due, self._fire, timer, token, due)

    def _fire(self, timer: Timer, token: object, due: float) -> None:
        if self._loop.time() - due > STALLED_S:
            self._armed[timer] = self._loop.call_later(
                STALLED_S, self._inbox.put, TimerFired(timer), token
            )
        else:
            self._inbox.put(TimerFired(timer), token)

    def disarm(self, timer: Timer) -> None:
        self._tokens.pop(timer, None)
        handle = self._armed.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def valid(self, timer: Timer, token: object | None) -> bool:
        """Whether this firing still counts; asking uses it up."""
        if token is None or self._tokens.get(timer) is not token:
            return False
        del self._tokens[timer]
        self._armed.pop(timer, None)
        return True

    def close(self) -> None:
        for timer in list(self._armed):
            self.disarm(timer)
