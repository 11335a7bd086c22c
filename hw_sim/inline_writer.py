"""`ports.Writer` for virtual time: the real database, inline, with a latency from the seed.

The same group commit as the thread in production: what arrives while a commit is under way
shares the next one. A commit takes effect at the end of its latency, at the instant at
which its works are answered; until then a power cut undoes it.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final, TypeVar

from vendd.ports import StoreFailed
from vendd.store.database import Database, Work
from vendd.store.opening import files_of
from vendd.store.writer import Counts

T = TypeVar("T")

_BATCH: Final = 64
_CAPACITY: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    answer: asyncio.Future[Any]
    since: float


def sd_card(rng: random.Random) -> float:
    """Seconds of a FULL commit on a fair SD card: mostly a few ms, now and then a long one."""
    if rng.random() < 0.01:
        return rng.uniform(0.050, 0.250)
    return rng.uniform(0.003, 0.012)


class InlineWriter:
    """Make it inside the daemon's life. `disk_full` makes commits fail while it is set, and
    `fail_next(n)` the next n; nothing is changed by a commit that fails."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        database: Database,
        rng: random.Random,
        *,
        latency: Callable[[random.Random], float] = sd_card,
        later_after: float = 5.0,
    ) -> None:
        self.counts = Counts()
        self.disk_full = False
        self.last_commit = loop.time()
        self._loop, self._database, self._rng = loop, database, rng
        self._latency, self._later_after = latency, later_after
        self._jobs: deque[_Job] = deque()
        self._laters: deque[Work] = deque()
        self._in_hand: tuple[_Job, ...] = ()
        self._laters_in_hand: tuple[Work, ...] = ()
        self._commit: asyncio.TimerHandle | None = None
        self._later_timer: asyncio.TimerHandle | None = None
        self._failures = 0
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    # --- the port ------------------------------------------------------------

    def run(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """See `ports.Writer`."""
        answer: asyncio.Future[T] = self._loop.create_future()
        if self._closed or len(self._jobs) >= _CAPACITY:
            answer.set_exception(StoreFailed("closed" if self._closed else "queue is full"))
            return answer
        self._jobs.append(_Job(work, answer, self._loop.time()))
        self._begin()
        return answer

    def later(self, work: Callable[[Connection], None]) -> None:
        """See `ports.Writer`."""
        self._keep([work])
        if self._later_timer is None:
            self._later_timer = self._loop.call_later(self._later_after, self._flush)

    def oldest_wait(self) -> float:
        """Seconds that the oldest work without an answer has been waiting."""
        waiting = [*self._in_hand[:1], *list(self._jobs)[:1]]
        return self._loop.time() - waiting[0].since if waiting else 0.0

    def healthy(self, stall_s: float = 20.0) -> bool:
        return not self._closed and self.oldest_wait() < stall_s

    async def close(self) -> None:
        """Finish what was asked for, `later` works too, then close the database."""
        if self._closed:
            return
        self._closed = True
        if self._laters or self._jobs:
            self._begin()
        await self._idle.wait()
        self._stop_timers()
        self._database.close()

    # --- faults -----------------------------------------------------------------

    def fail_next(self, commits: int) -> None:
        """That many commits fail from now on, as if the disk were full; 0: it is over."""
        self._failures = commits

    def power_cut(self, *, in_flight_lands: bool = False) -> None:
        """Gone, now. Queued works never happen and are never answered.

        The commit under way is lost, or (`in_flight_lands`) durable without anybody having
        been told. The files stay as they are, log and all, and can be opened anew.
        """
        self._closed = True
        if in_flight_lands and self._commit is not None:
            works = [*(job.work for job in self._in_hand), *self._laters_in_hand]
            self._database.transact(works)
        self._stop_timers()
        self._jobs.clear()
        self._laters.clear()
        self._in_hand = ()
        left = {path: path.read_bytes() for path in files_of(self._database.directory)}
        self._database.connection.close()  # which folds the log, as nobody does who is killed
        for path, content in left.items():
            path.write_bytes(content)

    # --- commits -----------------------------------------------------------------

    def _flush(self) -> None:
        self._later_timer = None
        if self._laters:
            self._begin()

    def _begin(self) -> None:
        """Start a commit unless one is under way."""
        if self._commit is not None:
            return
        self._idle.clear()
        self._in_hand = tuple(self._jobs.popleft() for _ in range(min(len(self._jobs), _BATCH)))
        self._laters_in_hand = tuple(self._laters)
        self._laters.clear()
        self._commit = self._loop.call_later(self._latency(self._rng), self._land)

    def _land(self) -> None:
        self._commit = None
        jobs, laters = self._in_hand, self._laters_in_hand
        self._in_hand, self._laters_in_hand = (), ()
        results = self._transact([*(job.work for job in jobs), *laters])
        self.counts.commits += 1
        self.counts.works += len(results)
        if not self._closed:
            pairs = zip(laters, results[len(jobs) :], strict=True)
            self._keep([work for work, result in pairs if type(result) is StoreFailed])
            if self._laters and self._later_timer is None:
                self._later_timer = self._loop.call_later(self._later_after, self._flush)
        if self._jobs or (self._closed and self._laters):
            self._begin()
        else:
            self._idle.set()
        for job, result in zip(jobs, results, strict=False):
            self._answer(job, result)

    def _transact(self, works: list[Work]) -> list[Any]:
        if self.disk_full or self._failures > 0:
            self._failures = max(0, self._failures - 1)
            return [StoreFailed("database or disk is full") for _ in works]
        results = self._database.transact(works)
        self.last_commit = self._loop.time()
        if self._database.wants_checkpoint(idle=not self._jobs):
            self.counts.checkpoints += self._database.checkpoint(yielding=False)
        return results

    def _answer(self, job: _Job, result: Any) -> None:
        waited = self._loop.time() - job.since
        self.counts.last_latency = waited
        self.counts.max_latency = max(self.counts.max_latency, waited)
        self.counts.failed += isinstance(result, Exception)
        if job.answer.done():  # nobody waits any more
            return
        if isinstance(result, Exception):
            job.answer.set_exception(result)
        else:
            job.answer.set_result(result)

    def _keep(self, works: list[Work]) -> None:
        self._laters.extend(works)
        while len(self._laters) > _CAPACITY:
            self._laters.popleft()
            self.counts.later_dropped += 1

    def _stop_timers(self) -> None:
        for timer in (self._commit, self._later_timer):
            if timer is not None:
                timer.cancel()
        self._commit = self._later_timer = None
