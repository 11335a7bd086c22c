"""A start whose books can't be opened or written: out of service, and tried again in place.

A full disk may be emptied, a predecessor may still be dying: a process that ended and was started
anew would be no better, and the display would say less. Damaged books, or books of a newer
version, are not tried again: a person has to decide about them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from vendd.config import Config
from vendd.health import Supervisor, watch
from vendd.ports import BooksRefused, Display, StoreFailed
from vendd.store import DatabaseDamaged, DatabaseTooNew

RETRY_S: Final = 5.0
_HOPELESS: Final = (DatabaseDamaged, DatabaseTooNew)
_log = structlog.get_logger()
T = TypeVar("T")


class StartRefused(Exception):
    """The daemon can't start as things are; the text says what to do. Nothing was moved."""


class Patience:
    """`until_done` for each thing that a start needs from the books, then `over`."""

    def __init__(
        self, config: Config, display: Display, supervisor: Supervisor, stop: asyncio.Event
    ) -> None:
        self._config = config
        self._display = display
        self._supervisor = supervisor
        self._stop = stop
        self._feeding: asyncio.Task[None] | None = None

    async def until_done(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, however long that takes. Raises `StartRefused` when the stop came
        first, and `BooksRefused` as it is: a mistake of ours."""
        while True:
            try:
                return await work()
            except StoreFailed as failure:
                if isinstance(failure, BooksRefused):
                    raise
                self._show(failure)
                wait_s = None if isinstance(failure, _HOPELESS) else RETRY_S
                if await self._stopped(wait_s):
                    path = self._config.store.path
                    why = f"the books at {path} can't be opened: {failure}"
                    raise StartRefused(why) from failure

    def over(self) -> None:
        """The books are there, or the life ends."""
        if self._feeding is not None:
            self._feeding.cancel()
            self._feeding = None

    def _show(self, failure: StoreFailed) -> None:
        """Motors are off, the files stay as they are, the display says so."""
        if self._feeding is not None:
            return
        _log.critical("books_not_opened", why=str(failure), path=self._config.store.path)
        self._display.show(("OUT OF SERVICE", self._config.sale.support_line))
        self._supervisor.tell(f"READY=1\nSTATUS=OUT OF SERVICE: {failure}")
        # It lives as well as it can: killed and started anew it would be no better.
        self._feeding = asyncio.ensure_future(watch(self._supervisor, {}, lambda: None))

    async def _stopped(self, wait_s: float | None) -> bool:
        try:
            async with asyncio.timeout(wait_s):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True
