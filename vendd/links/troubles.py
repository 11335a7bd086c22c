"""Which trouble there is with the broker, told once when it begins and once when it ends.

What a person has to mend is asked about ever more rarely: a wrong password a thousand times an
hour would lock an account, fill logs and cost the metered link more than the events do.
"""

import asyncio
import random
from collections.abc import Callable
from math import inf
from typing import Final

from vendd.ports import DeliveryFailed, Trouble

Told = Callable[[Trouble, str | None], None]
"""A trouble began, with what is known of it, or (None) it is over."""

FIRST_S: Final = 0.5
LONGEST_S: Final = 60.0
SLOW_FIRST_S: Final = 30.0
SLOW_LONGEST_S: Final = 900.0
OVERDUE_S: Final = 300.0
"""Events that wait this long without any answer: nobody is there."""

BY_HAND: Final = frozenset(
    {Trouble.AUTH_REFUSED, Trouble.TLS_REFUSED, Trouble.SECRET_MISSING, Trouble.NOT_ALLOWED}
)
"""Nothing heals these by itself; the connection is given up at once."""


class Troubles:
    """Transitions and waits. `chance` seeds the jitter."""

    def __init__(self, told: Told | None, chance: random.Random) -> None:
        self._told = told or (lambda _trouble, _detail: None)
        self._chance = chance
        self._in_a_row = 0
        self._overdue: asyncio.TimerHandle | None = None
        self._answered = -inf  # when the last answer came while more was on its way
        self.current: Trouble | None = None

    def failed(self, failure: DeliveryFailed) -> None:
        """Delivery failed for that reason. A connection that is away is no news before it is
        overdue; a message that is refused for good is its own trouble."""
        if not failure.permanent and failure.trouble is not Trouble.UNREACHABLE:
            self._change(failure.trouble, str(failure))

    def delivered(self, *, waiting: bool) -> None:
        """Something arrived, so all is well; `waiting`: more is on its way."""
        self._in_a_row = 0
        self._change(None, "")
        if waiting:  # the timer runs on and looks at this: one a message would cost a backlog dear
            self._answered = asyncio.get_running_loop().time()
            self.sent()
        else:
            self.stop()

    def sent(self) -> None:
        """Something is on its way: an answer is due."""
        if self._overdue is None:
            loop = asyncio.get_running_loop()
            self._overdue = loop.call_later(OVERDUE_S, self._no_answer)

    def stop(self) -> None:
        """Nothing is due any more."""
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def wait_s(self) -> float:
        """Seconds until the next attempt: exponential, capped, with jitter."""
        by_hand = self.current in BY_HAND
        first, longest = (SLOW_FIRST_S, SLOW_LONGEST_S) if by_hand else (FIRST_S, LONGEST_S)
        wait = min(longest, first * 2.0**self._in_a_row)
        self._in_a_row = min(self._in_a_row + 1, 16)
        return wait * (0.5 + self._chance.random() / 2)

    def _no_answer(self) -> None:
        self._overdue = None
        loop = asyncio.get_running_loop()
        left = self._answered + OVERDUE_S - loop.time()
        if left > 0:
            self._overdue = loop.call_later(left, self._no_answer)
        elif self.current is None:
            self._change(Trouble.UNREACHABLE, f"no answer for {OVERDUE_S:.0f} s")

    def _change(self, trouble: Trouble | None, detail: str) -> None:
        if trouble is self.current:
            return
        if self.current is not None:
            self._told(self.current, None)
        if trouble is not None:
            self._in_a_row = 0
            self._told(trouble, detail)
        self.current = trouble
