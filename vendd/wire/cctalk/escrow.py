"""The one bill that a validator holds, and what has been ordered for it.

ccTalk 4.7, part 2, header 154: an order answers at once with ACK, 254 (escrow empty) or 255
(failed), and its end is an event. An order whose answer was lost is not sent again before the
validator said that a bill still waits (extending the time-out of an empty escrow fails).
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from math import inf
from typing import Final

from vendd.wire.cctalk.exchange import Reply
from vendd.wire.cctalk.news import BillKind

EXTEND_S: Final = 5.0  # a held bill is held on; by itself it goes back after some 30 s
LOOK_S: Final = 2.0  # the answer to an order was lost: time for its event
SETTLED_S: Final = 30.0  # of contact, until an order or an interruption must have its end
ORDERS: Final = 3
_EMPTY: Final = b"\xfe"
_FAILED: Final = b"\xff"


class Route(IntEnum):
    """Data of header 154."""

    RETURN = 0
    STACK = 1
    EXTEND = 255


class Turn(Enum):
    """What an answer changed."""

    WAITS = "waits"  # the bill is still there: decide (again)
    FAILED = "failed"  # as WAITS, and the validator said that it could not
    UNCLEAR = "unclear"  # nobody knows where it is


@dataclass(frozen=True, slots=True)
class Bill:
    """`number` counts the bills seen in escrow, from 1."""

    number: int
    kind: BillKind


class Escrow:
    """Times are seconds on the caller's clock. `order`: what is to become of the bill."""

    def __init__(self) -> None:
        self.bill: Bill | None = None
        self.order: Route | None = None
        self.interrupted = False
        self._seen = 0
        self._at = inf
        self._deadline = inf
        self._look = False  # ask whether it is still there, before anything else
        self._sent = 0

    @property
    def phase(self) -> str:
        if self.order is None:
            return "escrow"
        return "stacking" if self.order is Route.STACK else "returning"

    def arrived(self, kind: BillKind, now: float) -> Bill:
        """A bill is in escrow; one that was there before is gone."""
        self.left()
        self._seen += 1
        self.bill = Bill(self._seen, kind)
        self._at = now + EXTEND_S
        return self.bill

    def decide(self, route: Route, now: float) -> None:
        """Stack or return the bill that is there."""
        self.order = route
        self._look = False
        self._sent = 0
        self._at = now
        self._deadline = inf  # set when it is sent

    def left(self) -> Bill | None:
        """The bill is gone; which one it was."""
        bill, self.bill = self.bill, None
        self.order = None
        self.interrupted = self._look = False
        self._at = self._deadline = inf
        return bill

    def interrupt(self) -> None:
        """The validator was lost or lost its power with the bill inside."""
        self.interrupted = True
        self._at = self._deadline = inf

    def resume(self, now: float) -> None:
        """It is back: is the bill still there?"""
        if self.bill is not None:
            self._look = True
            self._at = now + LOOK_S
            self._deadline = now + SETTLED_S

    def due(self, now: float) -> Route | None:
        """The route to send now."""
        if self.bill is None or now < self._at:
            return None
        return Route.EXTEND if self._look or self.order is None else self.order

    def overdue(self, now: float) -> bool:
        """Time is over without any event."""
        return self.bill is not None and now >= self._deadline + LOOK_S

    def routed(self, sent: Route, reply: Reply, now: float) -> Turn | None:
        """The answer to `due`."""
        taken = reply.valid and not reply.data
        if sent is not Route.EXTEND:
            return self._ordered(reply, now, taken=taken)
        if not self._look:
            self._at = now + EXTEND_S
            if reply.valid and reply.data == _EMPTY:  # its event is late, or lost
                self._look = True
                self._deadline = min(self._deadline, now + LOOK_S)
            return None
        self._at = now + LOOK_S
        if taken:
            return self._still_there(now)
        return Turn.UNCLEAR if now >= self._deadline else None

    def _ordered(self, reply: Reply, now: float, *, taken: bool) -> Turn | None:
        self._sent += 1
        if self._deadline == inf:
            self._deadline = now + SETTLED_S
        if reply.valid and reply.data == _FAILED:
            self._wait_again(now)
            return Turn.FAILED
        self._look = True
        self._at = self._deadline if taken else now + LOOK_S
        return None

    def _still_there(self, now: float) -> Turn | None:
        self._look = False
        again = self.order is not None and not self.interrupted
        if again and now < self._deadline and self._sent < ORDERS:
            self._at = now
            return None
        if self.order is None and not self.interrupted:
            self._deadline = inf
            return None
        self._wait_again(now)
        return Turn.WAITS

    def _wait_again(self, now: float) -> None:
        self.order = None
        self.interrupted = self._look = False
        self._at = now + EXTEND_S
        self._deadline = inf
