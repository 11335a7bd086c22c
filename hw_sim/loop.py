"""An asyncio event loop whose clock jumps: when nothing is ready, time moves to the next timer.

One thread, no file descriptors, no real waiting. The same callbacks in the same
order every time: timers that are due at the same instant run in the order in
which they were made (stock asyncio leaves that open).

`VirtualLoop.life` tags everything that is started inside it, so that a power cut
can be played: `abandon` drops the tagged callbacks and timers without telling
the tasks, exactly as a dead process runs no ``finally`` block.
"""

import asyncio
import threading
from asyncio import Handle, TimerHandle
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from heapq import heapify, heappop, heappush
from typing import Any, NoReturn, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LIFE: ContextVar[int] = ContextVar("hw_sim_life", default=0)
_GRAVES: list["asyncio.Task[Any]"] = []
_COMPACT_ABOVE = 1_000  # cancelled timers in the heap before it is rebuilt
_STILL_LIMIT = 1_000_000  # rounds of callbacks in one instant: something spins


class _Timer(TimerHandle):
    """asyncio's own, without what its debug mode asks for each time."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: "VirtualLoop",
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._loop._timer_handle_cancelled(self)
            self._callback = self._args = None  # type: ignore[assignment]


class VirtualLoop(asyncio.BaseEventLoop):
    """Seconds of `time()` are virtual and start at `start`. Is NOT responsible for real I/O:
    whatever needs a file descriptor or a thread is refused with a RuntimeError."""

    def __init__(self, start: float = 1_000.0) -> None:
        super().__init__()
        self._now = start
        self._timers: list[tuple[float, int, _Timer]] = []
        self._made = 0  # timers made so far: the tie-break
        self._cancelled_timers = 0
        self._still = 0
        self._lives = 0
        self._dead: set[int] = set()
        self._tasks_of: dict[int, list[asyncio.Task[Any]]] = {}

    # --- time ---------------------------------------------------------------

    def time(self) -> float:
        return self._now

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> TimerHandle:
        if self._closed:  # type: ignore[attr-defined]
            self._check_closed()  # type: ignore[attr-defined]
        timer = _Timer(when, callback, args, self, context)
        self._made += 1
        heappush(self._timers, (when, self._made, timer))
        return timer

    def run_for(self, seconds: float) -> None:
        """Run from outside for that much virtual time."""
        self.run_until_complete(asyncio.sleep(seconds))

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        self._cancelled_timers += 1
        if self._cancelled_timers > max(_COMPACT_ABOVE, len(self._timers) // 2):
            self._timers = [entry for entry in self._timers if not entry[2]._cancelled]
            heapify(self._timers)
            self._cancelled_timers = 0

    # --- the heart ------------------------------------------------------------

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heappop(timers)[2]._scheduled = False
            self._cancelled_timers -= 1
        if ready:
            self._still += 1
            if self._still > _STILL_LIMIT:
                self._still = 0
                raise RuntimeError(f"virtual time stands still at {self._now}: a task spins")
        elif timers:  # nothing is ready: move to the next timer
            self._still = 0
            self._now = max(self._now, timers[0][0])
        else:
            self._say_dead_lock()
        now = self._now
        while timers and timers[0][0] <= now:
            timer = heappop(timers)[2]
            timer._scheduled = False
            if timer._cancelled:
                self._cancelled_timers -= 1
            else:
                ready.append(timer)
        dead = self._dead
        for _ in range(len(ready)):
            handle: Handle = ready.popleft()
            if handle._cancelled or (dead and handle._context.get(_LIFE, 0) in dead):  # type: ignore[attr-defined]
                continue
            handle._run()

    def _say_dead_lock(self) -> None:
        """Nothing will ever happen any more."""
        if not self._stopping:  # type: ignore[attr-defined]
            waiting = sorted(task.get_name() for task in asyncio.all_tasks(self))
            raise RuntimeError(
                f"dead-lock at virtual time {self._now}: nothing is ready and no timer is "
                f"set; still waiting: {', '.join(waiting) or 'nobody'}"
            )

    # --- lives ------------------------------------------------------------------

    @contextmanager
    def life(self, number: int | None = None) -> Iterator[int]:
        """Everything started inside belongs to one life: a new one, or `number` again."""
        if number is None:
            self._lives += 1
            number = self._lives
        token = _LIFE.set(number)
        try:
            yield number
        finally:
            _LIFE.reset(token)

    def abandon(self, life: int) -> None:
        """The life is over, now: its callbacks, timers and tasks never run again.

        Fence its objects as well (pin factory, writer, wires): what a callback of somebody
        else still calls directly is not held back here. Its tasks are buried, not destroyed,
        because Python runs the ``finally`` blocks of a task that it collects.
        """
        self._dead.add(life)
        for task in self._tasks_of.pop(life, ()):
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _GRAVES.append(task)
                asyncio.tasks._unregister_task(task)  # nobody may wait for its end

    def create_task(  # type: ignore[override]
        self,
        coro: Any,
        *,
        name: str | None = None,
        context: Context | None = None,
        **more: Any,
    ) -> asyncio.Task[Any]:
        task = super().create_task(coro, name=name, context=context, **more)
        life = _LIFE.get() if context is None else context.get(_LIFE, 0)
        if life:
            tasks = self._tasks_of.setdefault(life, [])
            tasks.append(task)
            if len(tasks) % 256 == 0:
                tasks[:] = [kept for kept in tasks if not kept.done()]
        return task

    # --- what virtual time refuses ----------------------------------------------

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Handle:
        running_in: int | None = self._thread_id  # type: ignore[attr-defined]
        if running_in is not None and running_in != threading.get_ident():
            raise RuntimeError("another thread called into virtual time: not deterministic")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> NoReturn:  # type: ignore[override]
        raise RuntimeError(f"no threads in virtual time: {func!r}")

    def _no_descriptors(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("no file descriptors in virtual time")

    add_reader = _no_descriptors  # type: ignore[assignment]
    add_writer = _no_descriptors  # type: ignore[assignment]
    remove_reader = _no_descriptors
    remove_writer = _no_descriptors
    _add_reader = _no_descriptors
    _add_writer = _no_descriptors
    connect_read_pipe = _no_descriptors
    connect_write_pipe = _no_descriptors

    def _write_to_self(self) -> None:
        """Nothing sleeps, so nothing needs waking."""

    def _process_events(self, event_list: Any) -> None:
        """There are none."""


def empty_graves() -> None:
    """For those who live through many worlds: when a world is over for good, what its buried
    tasks do in their ``finally`` hurts nobody any more."""
    graves = _GRAVES.copy()
    _GRAVES.clear()
    for task in graves:
        with suppress(Exception):
            task.get_coro().close()


def run_virtual(coro: Coroutine[Any, Any, T], *, start: float = 1_000.0) -> T:
    """Like `asyncio.run`, on a fresh `VirtualLoop`."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(start)) as runner:
        return runner.run(coro)
