"""The desk: where people's orders come in, wait for the engine and get their answers.

Is NOT responsible for what an order means (`core.operator.decide`) or who a person is (the link).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from vendd.core.operator.decide import LONGEST_WHY
from vendd.core.operator.orders import Knock, Order, Ordered
from vendd.core.operator.people import Person
from vendd.core.operator.sight import Sight
from vendd.core.operator.verdicts import Decided, Refused, Why
from vendd.core.sale.reports import Report

PATIENCE_S: Final = 10.0
"""For the engine to begin with an order: a commit on a bad card takes seconds, not longer."""
BUSY: Final = 16
"""Orders that wait at most."""
TOLD_PER_HOUR: Final = 6
"""Refused strangers per uid that reach the journal; whoever knocks on is only turned away."""
_HOUR_S: Final = 3_600.0
_UIDS: Final = 64

Answer = Decided | Refused


@dataclass(slots=True)
class _Waiting:
    answer: asyncio.Future[Answer]
    begun: bool = False


@dataclass(slots=True)
class Desk:
    """Implements `ports.desk.Desk`. `look` shows the machine, `put` hands a report to the engine;
    without them nobody asks."""

    loop: asyncio.AbstractEventLoop | None = None
    put: Callable[[Report], None] | None = None
    look: Callable[[], Sight] | None = None
    send_again: Callable[[int, int], Awaitable[int | None]] | None = None
    _numbers: int = 0
    _waiting: dict[int, _Waiting] = field(default_factory=dict)
    _knocked: dict[int, list[float]] = field(default_factory=dict)

    # --- for the links ----------------------------------------------------------------

    def sight(self) -> Sight:
        """See `ports.desk.Desk`."""
        assert self.look is not None
        return self.look()

    async def order(
        self, person: Person, order: Order, why: str = "", *, preview: bool = False
    ) -> Answer:
        """See `ports.desk.Desk`."""
        assert self.loop is not None
        assert self.put is not None
        if len(self._waiting) >= BUSY:
            return Refused(Why.STATE, f"{BUSY} orders are waiting already", "try again in a while")
        self._numbers += 1
        number = self._numbers
        faults = tuple(fault.id for fault in self.sight().faults)
        waiting = self._waiting[number] = _Waiting(self.loop.create_future())
        self.put(Ordered(number, person, order, why[:LONGEST_WHY], preview, faults))
        try:
            return await self._answer(waiting)
        finally:
            del self._waiting[number]

    async def _answer(self, waiting: _Waiting) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.shield(waiting.answer)
        except TimeoutError:
            if not waiting.begun:
                raise
        return await waiting.answer  # it is being done: what comes of it, comes

    async def replay(self, from_seq: int, to_seq: int) -> int | None:
        """See `ports.desk.Desk`."""
        return None if self.send_again is None else await self.send_again(from_seq, to_seq)

    def turn_away(self, person: Person, action: str) -> None:
        """See `ports.desk.Desk`."""
        assert self.loop is not None
        assert self.put is not None
        now = self.loop.time()
        if person.uid not in self._knocked and len(self._knocked) >= _UIDS:
            return
        recent = [t for t in self._knocked.get(person.uid, []) if now - t < _HOUR_S]
        if len(recent) < TOLD_PER_HOUR:
            self._knocked[person.uid] = [*recent, now]
            self.put(Ordered(0, person, Knock(action)))

    # --- for the engine ---------------------------------------------------------------

    def begin(self, ordered: Ordered) -> bool:
        """False when whoever asked has gone: then nothing is to happen."""
        if isinstance(ordered.order, Knock):
            return True
        waiting = self._waiting.get(ordered.number)
        if waiting is None or waiting.answer.cancelled():
            return False
        waiting.begun = True
        return True

    def answer(self, number: int, answer: Answer) -> None:
        """Tell whoever gave the order of that number."""
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(answer)
