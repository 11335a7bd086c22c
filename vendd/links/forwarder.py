"""Carries the outbox to Kafka: at least once, in order, for as long as it takes (E1, E2).

The outbox is the buffer; memory and librdkafka only hold what is on its way.
While the forwarder keeps up, events come straight from the commit and nothing
is read back; when it fell behind, batches are read in `seq` order. The
watermark moves only over events whose delivery is reported.

How a failed delivery ends:

    transient   wait (capped exponential, jitter), send again from the watermark
    permanent   send again one by one from the watermark, because a refused batch
                takes its neighbours with it; what is refused alone is buried
    fatal       close the broker, wait, open a new one; so, too, when the client says
                that it can't log in: that is asked ever more rarely

When the day's budget is used up telemetry waits and money goes on (`links.saving`). Events that
a backend wants again come behind everything new (`links.replaying`).

It is NOT responsible for pruning the outbox, or for what a dead letter's operator does with it.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from vendd.events.stored import StoredEvent
from vendd.links.budget import Budget
from vendd.links.flight import Flight
from vendd.links.marks import Marks
from vendd.links.message import dead_letter, message
from vendd.links.replaying import Replaying
from vendd.links.saving import MOST, Saving
from vendd.links.standing import Standing, State
from vendd.links.troubles import BY_HAND, Told, Troubles
from vendd.ports import Broker, DeliveryFailed, Outbox, Replay, StoreFailed

T = TypeVar("T")

READ_BATCH: Final = 1000  # one read keeps a sale's commit waiting for some milliseconds
MAX_READY: Final = 500  # events kept in memory while the broker is slow; beyond that the outbox
MAX_IN_FLIGHT: Final = 4500  # a little below what librdkafka takes: it never has to refuse
MAX_FLIGHTS: Final = 20_000  # with what arrived behind telemetry that waits
SENDS_PER_TURN: Final = 25  # then the loop gets its turn: a Pi needs 0.1 ms per message
QUEUE_FULL_WAIT_S: Final = 1.0
NEW_DAY_LOOK_S: Final = 60.0


class Forwarder:
    """Implements `ports.Events`; `run` is its task.

    `open_broker` makes a new connection and raises `DeliveryFailed` when it
    can't; `chance` seeds the jitter, `last_seq` is the newest event of an earlier life. `told`
    hears of troubles, once when each begins and once when it is over.
    """

    def __init__(
        self,
        outbox: Outbox,
        open_broker: Callable[[], Broker],
        chance: random.Random,
        topic_prefix: str = "",
        last_seq: int = 0,
        budget: Budget | None = None,
        told: Told | None = None,
    ) -> None:
        self._outbox = outbox
        self._open_broker = open_broker
        self._prefix = topic_prefix
        self._budget = budget or Budget(None, str)
        self._troubles = Troubles(told, chance)
        self._saving = Saving(outbox)
        self._replaying = Replaying(outbox, topic_prefix)
        self._wake = asyncio.Event()
        self._ready: deque[StoredEvent] = deque()
        self._flights: deque[Flight] = deque()
        self._failures: list[tuple[Flight, DeliveryFailed]] = []
        self._marks = Marks()
        self._watermark = 0
        self._queued = 0  # the last seq taken from a commit or the outbox
        self._newest = last_seq  # the last seq known to be committed
        self._behind = True  # the next events have to be read from the outbox
        self._pending = 0  # flights without a report
        self._alone = False  # the flight under way travels alone
        self._careful_until = 0  # one at a time up to this seq
        self._generation = 0  # reports of an earlier one are void
        self._broken: asyncio.Future[DeliveryFailed] | None = None  # said by the broker itself
        self._advancing = False
        self._resumed = False  # what an earlier life left is known
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
        self._marks.note(self._newest, self._watermark)
        self._wake.set()

    async def replay(self, from_seq: int, to_seq: int) -> Replay | None:
        """Send delivered events again, behind everything new. What of them is kept; None when
        nothing is, or too many requests wait. Raises `StoreFailed`."""
        answer = await self._replaying.ask(from_seq, to_seq)
        self._wake.set()
        return answer

    def standing(self) -> Standing:
        return Standing(
            state=self._state,
            depth=max(0, self._newest - self._watermark),
            lag_s=self._marks.lag_s(),
            watermark=self._watermark,
            last_error=self._last_error,
            reopened=self._reopened,
            buried=self._buried,
            taken=self._queued,
            bytes_today=self._budget.spent,
            held=len(self._saving),
            trouble=self._troubles.current,
        )

    async def run(self) -> None:
        """Forward until cancelled; then what is on its way gets a moment to arrive."""
        try:
            while True:
                try:
                    await self._forward()
                except DeliveryFailed as failure:
                    self._last_error = str(failure)
                    self._troubles.failed(failure)
                except StoreFailed as failure:
                    self._last_error = str(failure)
                await self._wait_before_retry()
                self._reopened += 1
        finally:
            self._troubles.stop()
            self._state = "stopped"

    # --- one broker's life ------------------------------------------------

    async def _forward(self) -> None:
        """Use one broker until it is fatal, which is raised."""
        if not self._resumed:
            self._watermark = await self._outbox.watermark()
            self._budget.resume(*await self._outbox.carried())
            self._resumed = True
            self._newest = max(self._newest, self._watermark)
            self._marks.note(self._newest, self._watermark)
        broker = self._open_broker()
        broken = self._broken = asyncio.get_running_loop().create_future()
        broker.listen(partial(self._heard, broken), self._carried)
        try:
            self._rewind()
            while True:
                await self._step(broker)
        finally:
            self._troubles.stop()
            await broker.close()
            self._advance()  # what was reported while closing

    async def _step(self, broker: Broker) -> None:
        if self._broken is not None and self._broken.done():
            raise self._broken.result()
        if self._failures:
            while self._pending:
                await self._woken()
                if self._broken is not None and self._broken.done():
                    return
            await self._recover(broker)
        elif len(self._saving) and self._budget.left:  # a new day, before anything newer
            await self._saving.release(partial(self._send_held, broker))
            self._advance()
        elif self._ready and self._may_send():
            await self._send_some(broker)
        elif self._behind and not self._ready:
            await self._read_more()
        elif self._replaying.wanted and self._budget.left and not (self._ready or self._pending):
            self._budget.sent(await self._unless_broken(self._replaying.piece(broker)))
        else:
            self._state = self._resting_state()
            await self._woken(NEW_DAY_LOOK_S if len(self._saving) else None)

    def _resting_state(self) -> State:
        if self._ready or self._pending:
            return "sending"
        return "saving" if len(self._saving) else "caught_up"

    def _may_send(self) -> bool:
        if not self._pending:
            return True
        if self._alone or self._ready[0].seq <= self._careful_until:
            return False
        return self._pending < MAX_IN_FLIGHT

    async def _send_some(self, broker: Broker) -> None:
        self._state = "sending"
        for _ in range(SENDS_PER_TURN):
            if not self._ready or not self._may_send() or self._failures:
                return
            event = self._ready[0]
            if not event.money and not self._budget.left:
                self._flights.append(self._saving.hold(self._ready.popleft()))
                if len(self._saving) > MOST or len(self._flights) > MAX_FLIGHTS:
                    await self._drop_held(None)
                continue
            if self._saving.stands_before(event):
                if not self._budget.left:
                    await self._drop_held(event.topic)
                return
            flight = Flight(event.seq, alone=event.seq <= self._careful_until)
            if not self._hand_over(broker, event, flight):
                await self._woken(QUEUE_FULL_WAIT_S)
                return
            self._ready.popleft()
            self._flights.append(flight)
        await asyncio.sleep(0)

    def _hand_over(self, broker: Broker, event: StoredEvent, flight: Flight) -> bool:
        letter = message(event, self._prefix)
        if not broker.send(letter, partial(self._reported, self._generation, flight)):
            return False
        self._pending += 1
        self._alone = flight.alone
        self._troubles.sent()
        if self._budget.limited:
            self._budget.sent(letter.size())
        return True

    async def _send_held(self, broker: Broker, event: StoredEvent, flight: Flight) -> None:
        while not self._hand_over(broker, event, flight):
            await self._unless_broken(self._woken(QUEUE_FULL_WAIT_S))

    async def _drop_held(self, topic: str | None) -> None:
        """The budget is used up and money has to pass: the record goes the usual way."""
        records = await self._saving.drop(topic)
        self.committed(records)
        self._advance()

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
        self._marks.note(self._newest, self._watermark)

    # --- what the broker says ---------------------------------------------

    def _heard(self, broken: "asyncio.Future[DeliveryFailed]", failure: DeliveryFailed) -> None:
        self._last_error = str(failure)
        if (failure.fatal or failure.trouble in BY_HAND) and not broken.done():
            broken.set_result(failure)
            self._wake.set()

    def _carried(self, count: int) -> None:
        self._outbox.carry(*self._budget.carried(count))

    def _reported(self, generation: int, flight: Flight, failure: DeliveryFailed | None) -> None:
        if generation != self._generation:
            return
        self._pending -= 1
        if failure is not None:
            self._failures.append((flight, failure))
            self._last_error = str(failure)
            self._troubles.failed(failure)
        else:
            flight.delivered = True
            self._troubles.delivered(waiting=self._pending > 0)
        if not self._advancing:  # reports come in bunches: one move and one wake for all of them
            self._advancing = True
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        """Move the watermark over everything delivered without a gap; something was reported."""
        self._advancing = False
        before = self._watermark
        while self._flights and self._flights[0].delivered:
            self._watermark = self._flights.popleft().seq
        self._marks.passed(self._watermark)
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

    async def _bury(self, broker: Broker, flight: Flight, failure: DeliveryFailed) -> None:
        """Put one event aside: its record goes to the dead-letter topic and into the store."""
        reason = str(failure)
        try:
            found = await self._outbox.read(flight.seq - 1, 1)
            if found and found[0].seq == flight.seq:  # else it was thinned meanwhile
                refusal = await self._report_dead(broker, found[0], reason)
                if refusal is not None:
                    reason = f"{reason}; not on the dead-letter topic: {refusal}"
                await self._outbox.bury(found[0], reason)
                self._buried += 1
        except StoreFailed as failed:
            self._last_error = str(failed)
            await self._wait_before_retry()
            self._rewind()
            return
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
        failure = await self._unless_broken(reported)
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
        self._saving.clear()
        self._queued = self._watermark
        self._behind = True

    async def _wait_before_retry(self) -> None:
        self._state = "waiting"
        await asyncio.sleep(self._troubles.wait_s())

    async def _unless_broken(self, work: Awaitable[T]) -> T:
        """The result, or the broker's own failure when that comes first."""
        assert self._broken is not None
        task = asyncio.ensure_future(work)
        either: set[asyncio.Future[Any]] = {task, self._broken}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise self._broken.result()
            return task.result()
        finally:
            task.cancel()

    async def _woken(self, timeout_s: float | None = None) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()


def _resolve(
    future: "asyncio.Future[DeliveryFailed | None]", failure: DeliveryFailed | None
) -> None:
    if not future.done():
        future.set_result(failure)
