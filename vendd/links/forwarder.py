"""Carries the outbox to Kafka: at least once, in order, for as long as it takes (E1, E2).

The outbox is the buffer; memory and librdkafka only hold what is on its way.
While the forwarder keeps up, events come straight from the commit and nothing
is read back; when it fell behind, batches are read in `seq` order. The
watermark moves only over events whose delivery is reported.

How a failed delivery ends:

    transient   wait (capped exponential, jitter), send again from the watermark
    permanent   send again one by one from the watermark, because a refused batch
                takes its neighbours with it; what is refused alone is buried
    fatal       close the broker, wait, open a new one

It is NOT responsible for pruning the outbox, for thinning, or for what a dead
letter's operator does with it.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from vendd.events.stored import StoredEvent
from vendd.links.message import dead_letter, message
from vendd.ports import Broker, DeliveryFailed, Outbox, StoreFailed

READ_BATCH: Final = 500
MAX_READY: Final = 500  # events kept in memory while the broker is slow; beyond that the outbox
MAX_IN_FLIGHT: Final = 4500  # a little below what librdkafka takes: it never has to refuse
MAX_MARKS: Final = 1000
SENDS_PER_TURN: Final = 25  # then the loop gets its turn: a Pi needs 0.1 ms per message
QUEUE_FULL_WAIT_S: Final = 1.0
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 60.0

State = Literal["starting", "caught_up", "sending", "waiting", "stopped"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the forwarder does, for health and metrics.

    `depth`: events committed and not delivered. `lag_s`: how long the oldest of
    them has waited, since the start of the daemon at most. `taken`: the last seq that is on its
    way or kept to be sent next.
    """

    state: State
    depth: int
    lag_s: float
    watermark: int
    last_error: str | None
    reopened: int
    buried: int
    taken: int = 0
    bytes_today: int = 0


@dataclass(slots=True, eq=False)
class _Flight:
    """One event handed to the broker. Only its number: the broker has a copy, the outbox has it."""

    seq: int
    alone: bool
    delivered: bool = False


class Forwarder:
    """Implements `ports.Events`; `run` is its task.

    `open_broker` makes a new connection and raises `DeliveryFailed` when it
    can't; `chance` seeds the jitter, `last_seq` is the newest event of an earlier life.
    """

    def __init__(
        self,
        outbox: Outbox,
        open_broker: Callable[[], Broker],
        chance: random.Random,
        topic_prefix: str = "",
        last_seq: int = 0,
    ) -> None:
        self._outbox = outbox
        self._open_broker = open_broker
        self._chance = chance
        self._prefix = topic_prefix
        self._wake = asyncio.Event()
        self._ready: deque[StoredEvent] = deque()
        self._flights: deque[_Flight] = deque()
        self._failures: list[tuple[_Flight, DeliveryFailed]] = []
        self._marks: deque[tuple[int, float]] = deque()  # (newest seq, when it was committed)
        self._watermark = 0
        self._queued = 0  # the last seq taken from a commit or the outbox
        self._newest = last_seq  # the last seq known to be committed
        self._behind = True  # the next events have to be read from the outbox
        self._pending = 0  # flights without a report
        self._careful_until = 0  # one at a time up to this seq
        self._generation = 0  # reports of an earlier one are void
        self._advancing = False
        self._resumed = False  # the watermark of the earlier life is known
        self._failed_in_a_row = 0
        self._state: State = "starting"
        self._last_error: str | None = None
        self._reopened = 0
        self._buried = 0

    # --- told from outside ------------------------------------------------

    def committed(self, events: Iterable[StoredEvent]) -> None:
        """Events that just became durable, in seq order. Never blocks, keeps a bounded number."""
        for event in events:
            if event.seq <= self._queued:
                continue  # a read saw it before this call
            self._newest = max(self._newest, event.seq)
            follows = not self._behind and event.seq == self._queued + 1
            if follows and len(self._ready) < MAX_READY:
                self._ready.append(event)
                self._queued = event.seq
            else:
                self._behind = True
        self._mark()
        self._wake.set()

    def standing(self) -> Standing:
        depth = max(0, self._newest - self._watermark)
        since = self._marks[0][1] if self._marks else None
        lag = 0.0 if since is None else asyncio.get_running_loop().time() - since
        return Standing(
            state=self._state,
            depth=depth,
            lag_s=lag,
            watermark=self._watermark,
            last_error=self._last_error,
            reopened=self._reopened,
            buried=self._buried,
            taken=self._queued,
        )

    async def run(self) -> None:
        """Forward until cancelled; then what is on its way gets a moment to arrive."""
        try:
            while True:
                try:
                    await self._forward()
                except (DeliveryFailed, StoreFailed) as failure:
                    self._last_error = str(failure)
                await self._wait_before_retry()
                self._reopened += 1
        finally:
            self._state = "stopped"

    # --- one broker's life ------------------------------------------------

    async def _forward(self) -> None:
        """Use one broker until it is fatal, which is raised."""
        if not self._resumed:
            self._watermark = await self._outbox.watermark()
            self._resumed = True
            self._newest = max(self._newest, self._watermark)
            self._mark()
        broker = self._open_broker()
        try:
            self._rewind()
            while True:
                await self._step(broker)
        finally:
            await broker.close()
            self._advance()  # what was reported while closing

    async def _step(self, broker: Broker) -> None:
        if self._failures:
            while self._pending:
                await self._woken()
            await self._recover(broker)
        elif self._ready and self._may_send():
            await self._send_some(broker)
        elif self._behind and not self._ready:
            await self._read_more()
        else:
            self._state = "sending" if self._ready or self._flights else "caught_up"
            await self._woken()

    def _may_send(self) -> bool:
        if not self._flights:
            return True
        if self._flights[-1].alone or self._ready[0].seq <= self._careful_until:
            return False
        return len(self._flights) < MAX_IN_FLIGHT

    async def _send_some(self, broker: Broker) -> None:
        self._state = "sending"
        for _ in range(SENDS_PER_TURN):
            if not self._ready or not self._may_send() or self._failures:
                return
            event = self._ready[0]
            flight = _Flight(event.seq, alone=event.seq <= self._careful_until)
            done = partial(self._reported, self._generation, flight)
            if not broker.send(message(event, self._prefix), done):
                await self._woken(QUEUE_FULL_WAIT_S)
                return
            self._ready.popleft()
            self._flights.append(flight)
            self._pending += 1
        await asyncio.sleep(0)

    async def _read_more(self) -> None:
        known = self._newest
        try:
            events = await self._outbox.read(self._queued, READ_BATCH)
        except StoreFailed as failure:
            self._last_error = str(failure)
            await self._wait_before_retry()
            return
        self._ready.extend(events)
        last = events[-1].seq if events else known
        self._queued = max(self._queued, last)
        self._newest = max(self._newest, self._queued)
        self._behind = len(events) == READ_BATCH or self._queued < self._newest
        self._mark()

    # --- delivery reports -------------------------------------------------

    def _reported(self, generation: int, flight: _Flight, failure: DeliveryFailed | None) -> None:
        if generation != self._generation:
            return
        self._pending -= 1
        if failure is not None:
            self._failures.append((flight, failure))
            self._last_error = str(failure)
        else:
            flight.delivered = True
            self._failed_in_a_row = 0
        if not self._advancing:  # reports come in bunches: one move and one wake for all of them
            self._advancing = True
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        """Move the watermark over everything delivered without a gap; something was reported."""
        self._advancing = False
        before = self._watermark
        while self._flights and self._flights[0].delivered:
            self._watermark = self._flights.popleft().seq
        while self._marks and self._marks[0][0] <= self._watermark:
            self._marks.popleft()
        if self._watermark > before:
            self._outbox.delivered(self._watermark)
        self._wake.set()

    async def _recover(self, broker: Broker) -> None:
        """After failures, with nothing on its way any more."""
        self._advance()
        failures, self._failures = self._failures, []
        fatal = next((failure for _, failure in failures if failure.fatal), None)
        if fatal is not None:
            raise fatal
        if not all(failure.permanent for _, failure in failures):
            await self._wait_before_retry()
            self._rewind()
        elif failures[0][0].alone:
            await self._bury(broker, *failures[0])
        else:
            self._careful_until = max(flight.seq for flight, _ in failures)
            self._rewind()

    async def _bury(self, broker: Broker, flight: _Flight, failure: DeliveryFailed) -> None:
        """Put one event aside: its record goes to the dead-letter topic and into the store."""
        reason = str(failure)
        try:
            (event,) = await self._outbox.read(flight.seq - 1, 1)
            refusal = await self._report_dead(broker, event, reason)
            if refusal is not None:
                reason = f"{reason}; not on the dead-letter topic: {refusal}"
            await self._outbox.bury(event, reason)
        except StoreFailed as failed:
            self._last_error = str(failed)
            await self._wait_before_retry()
            self._rewind()
            return
        self._buried += 1
        flight.delivered = True
        self._advance()

    async def _report_dead(
        self, broker: Broker, event: StoredEvent, reason: str
    ) -> DeliveryFailed | None:
        """Tell the fleet which seq not to wait for; a missing topic doesn't hold up the rest."""
        reported: asyncio.Future[DeliveryFailed | None] = asyncio.Future()
        letter = dead_letter(event, reason, self._prefix)
        while not broker.send(letter, partial(_resolve, reported)):
            await self._woken(QUEUE_FULL_WAIT_S)
        failure = await reported
        if failure is not None and failure.fatal:
            raise failure
        return failure

    # --- going back and waiting ---------------------------------------------

    def _rewind(self) -> None:
        """Start again behind the watermark; the outbox still has everything."""
        self._generation += 1
        self._pending = 0
        self._flights.clear()
        self._failures.clear()
        self._ready.clear()
        self._queued = self._watermark
        self._behind = True

    async def _wait_before_retry(self) -> None:
        self._state = "waiting"
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**self._failed_in_a_row)
        self._failed_in_a_row = min(self._failed_in_a_row + 1, 16)
        await asyncio.sleep(longest * (0.5 + self._chance.random() / 2))

    async def _woken(self, timeout_s: float | None = None) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _mark(self) -> None:
        if self._newest > self._watermark and len(self._marks) < MAX_MARKS:
            self._marks.append((self._newest, asyncio.get_running_loop().time()))


def _resolve(
    future: "asyncio.Future[DeliveryFailed | None]", failure: DeliveryFailed | None
) -> None:
    if not future.done():
        future.set_result(failure)
