"""`ports.Writer` on a thread of its own, so that no fsync ever stalls the loop (L3).

Works that arrive while a commit runs share the next one. The thread waits for nothing
but work; every timer is the loop's.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final, TypeVar

from vendd.ports import StoreFailed
from vendd.store.database import PUT_OFF, Database, Work

T = TypeVar("T")

_BATCH: Final = 64
"""Works per commit: a long queue must not make the first one wait for the last."""


@dataclass(slots=True)
class Counts:
    """What the writer did so far; latencies in seconds from `run` to durable."""

    commits: int = 0  # that changed something: each cost an fsync
    works: int = 0
    failed: int = 0
    later_dropped: int = 0
    checkpoints: int = 0
    last_latency: float = 0.0
    max_latency: float = 0.0


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    answer: asyncio.Future[Any]
    since: float


class ThreadWriter:
    """Owns the database and its thread from construction to `close`.

    `run`, `later` and `close` belong to the loop's thread. `capacity` bounds the queue (L4):
    beyond it works fail at once with `StoreFailed`. `later_after`: seconds a `later` work
    waits for somebody else's commit; long, because only the delivery watermark travels that
    way, and losing it costs duplicates that every consumer drops anyway, while a commit of
    its own costs an fsync per sale. `idle_after`: quiet seconds before a checkpoint.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        database: Database,
        *,
        capacity: int = 1_000,
        later_after: float = 600.0,
        idle_after: float = 2.0,
    ) -> None:
        self._loop = loop
        self._database = database
        self._capacity = capacity
        self._later_after = later_after
        self._idle_after = idle_after
        self.counts = Counts()
        self.last_commit = loop.time()
        self._wake = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._laters: deque[Work] = deque()
        self._flush = self._checkpoint = self._closing = False
        self._in_hand: tuple[_Job, ...] = ()
        self._later_timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._ended = loop.create_future()
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    # --- the loop's side

    def run(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """See `ports.Writer`. The work is done even when its caller stops waiting."""
        answer: asyncio.Future[T] = self._loop.create_future()
        job = _Job(work, answer, self._loop.time())
        with self._wake:
            refused = self._refusal()
            if refused is None:
                self._jobs.append(job)
                self._wake.notify()
        if refused is not None:
            answer.set_exception(refused)
        self._database.hurry()
        return answer

    def _refusal(self) -> StoreFailed | None:
        if self._closing or self._ended.done():
            return StoreFailed("the store is closed")
        if len(self._jobs) >= self._capacity:
            return StoreFailed(f"{len(self._jobs)} works are waiting already")
        return None

    def later(self, work: Callable[[Connection], None]) -> None:
        """See `ports.Writer`. When commits fail the work is kept for the next, as far as
        `capacity` allows; the oldest goes first and is counted."""
        with self._wake:
            self._keep([work])
        if self._later_timer is None:
            self._later_timer = self._loop.call_later(self._later_after, self._flush_later)

    def _flush_later(self) -> None:
        self._later_timer = None
        with self._wake:
            if self._laters:
                self._flush = True
                self._wake.notify()

    def _keep(self, works: list[Work]) -> None:
        self._laters.extend(works)
        while len(self._laters) > self._capacity:
            self._laters.popleft()
            self.counts.later_dropped += 1

    def oldest_wait(self) -> float:
        """Seconds that the oldest work without an answer has been waiting; 0 when none is."""
        with self._wake:
            waiting = [*self._in_hand[:1], *list(self._jobs)[:1]]
        return self._loop.time() - waiting[0].since if waiting else 0.0

    def healthy(self, stall_s: float = 20.0) -> bool:
        """For the watchdog: the thread lives and nothing waits longer than `stall_s`."""
        return self._thread.is_alive() and self.oldest_wait() < stall_s

    def _deliver(self, jobs: tuple[_Job, ...], results: list[Any]) -> None:
        now = self._loop.time()
        failed = sum(isinstance(result, Exception) for result in results)
        self.counts.failed += failed
        if failed < len(jobs):
            self.last_commit = now
        for job, result in zip(jobs, results, strict=True):
            self.counts.last_latency = now - job.since
            self.counts.max_latency = max(self.counts.max_latency, now - job.since)
            if job.answer.done():  # nobody waits any more
                continue
            if isinstance(result, Exception):
                job.answer.set_exception(result)
            else:
                job.answer.set_result(result)
        if self._laters and self._later_timer is None:  # kept from a failed commit
            self._later_timer = self._loop.call_later(self._later_after, self._flush_later)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = self._loop.call_later(self._idle_after, self._quiet)

    def _quiet(self) -> None:
        """Nothing was committed for a while: a good moment for a checkpoint."""
        self._idle_timer = None
        with self._wake:
            self._checkpoint = True
            self._wake.notify()

    async def close(self) -> None:
        """Finish what was asked for, `later` works too, then close the database. Idempotent."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.shield(self._ended)
        for timer in (self._later_timer, self._idle_timer):
            if timer is not None:
                timer.cancel()

    def _end(self) -> None:
        """On the loop: the thread is done, orderly or not; nobody may wait for it for ever."""
        for job in (*self._in_hand, *self._jobs):
            if not job.answer.done():
                job.answer.set_exception(StoreFailed("the store's thread has ended"))
        if not self._ended.done():
            self._ended.set_result(None)

    # --- the thread's side

    def _serve(self) -> None:
        try:
            while self._await_work():
                self._commit()
                if self._database.wants_checkpoint(idle=False):
                    self._fold(yielding=False)
            self._database.close()
        finally:
            self._cross(self._end)

    def _await_work(self) -> bool:
        """Sleep until there is something to commit; False when there is nothing left to do."""
        while True:
            with self._wake:
                while not (self._jobs or self._flush or self._closing or self._checkpoint):
                    self._wake.wait()
                if self._jobs or self._flush:
                    return True
                if self._closing:
                    return bool(self._laters)
                self._checkpoint = False
            if self._database.wants_checkpoint(idle=True):
                self._fold(yielding=True)

    def _fold(self, *, yielding: bool) -> None:
        self.counts.checkpoints += self._database.checkpoint(yielding=yielding)

    def _commit(self) -> None:
        with self._wake:
            jobs = tuple(self._jobs.popleft() for _ in range(min(len(self._jobs), _BATCH)))
            laters = list(self._laters)
            self._laters.clear()
            self._flush = self._checkpoint = False
            self._in_hand = jobs
        changes = self._database.changes
        results = self._database.transact([job.work for job in jobs], laters)
        self.counts.commits += self._database.changes != changes
        self.counts.works += len(jobs)
        failed = [w for w, r in zip(laters, results[len(jobs) :], strict=True) if _again(r)]
        with self._wake:
            self._in_hand = ()
            if not self._closing:
                self._keep(failed)
        self._cross(self._deliver, jobs, results[: len(jobs)])

    def _cross(self, callback: Callable[..., object], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:  # the loop was closed without us: nobody is left to tell
            self._closing = True


def _again(result: Any) -> bool:
    """A `later` work whose commit failed or changed nothing is kept; a wrong one is not."""
    return result is PUT_OFF or type(result) is StoreFailed
