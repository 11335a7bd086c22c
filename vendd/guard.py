"""Guarded calls to devices and networks: timeout, circuit breaker, fallback, and retry where safe.

One `Guard` per dependency, on the loop's clock, its jitter from an injected
random source, so that the same code runs in virtual time. A call has 3 s to be
*accepted*; repeats happen only when the caller declares the act repeatable
(never a motor, a payout, a stacking or an authorisation).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Breaker(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerOpen(Exception):
    """The dependency failed repeatedly; it was not asked this time. Nothing was done."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts. `deadline` bounds all attempts and waits together."""

    timeout: float = 3.0
    attempts: int = 3
    first_wait: float = 0.2
    longest_wait: float = 2.0
    deadline: float = 10.0
    failures_to_open: int = 3
    open_for: float = 10.0


class Guard:
    """Guards one dependency. `failures` are the exceptions that mean *it* failed;
    anything else is the caller's own error and passes through uncounted."""

    def __init__(
        self,
        name: str,
        loop: asyncio.AbstractEventLoop,
        chance: random.Random,
        failures: tuple[type[Exception], ...],
        limits: Limits | None = None,
    ) -> None:
        self.name = name
        self.limits = limits or Limits()
        self.failed = 0
        self.opened = 0
        self._loop = loop
        self._chance = chance
        self._failures: tuple[type[Exception], ...] = (*failures, TimeoutError)
        self._answered_by_fallback: tuple[type[Exception], ...] = (*self._failures, BreakerOpen)
        self._in_a_row = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def breaker(self) -> Breaker:
        """Closed, open, or half-open once the open time is over."""
        if self._open_until is None:
            return Breaker.CLOSED
        return Breaker.OPEN if self._loop.time() < self._open_until else Breaker.HALF_OPEN

    async def call(
        self,
        act: Callable[[], Awaitable[T]],
        *,
        repeatable: bool,
        fallback: Callable[[Exception], T] | None = None,
    ) -> T:
        """Perform `act`. Raises the last failure, or `BreakerOpen`, unless a fallback answers."""
        try:
            return await self._attempts(act, self.limits.attempts if repeatable else 1)
        except self._answered_by_fallback as failure:
            if fallback is None:
                raise
            return fallback(failure)

    async def _attempts(self, act: Callable[[], Awaitable[T]], attempts: int) -> T:
        end = self._loop.time() + self.limits.deadline
        attempt = 1
        while True:
            self._admit()
            try:
                async with asyncio.timeout(min(self.limits.timeout, end - self._loop.time())):
                    result = await act()
            except self._failures:
                self._count_failure()
                wait = self._wait(attempt)
                if attempt >= attempts or self._loop.time() + wait >= end:
                    raise
                await asyncio.sleep(wait)
                attempt += 1
            else:
                self._in_a_row = 0
                self._open_until = None
                return result
            finally:
                self._probing = False

    def _admit(self) -> None:
        """One probe at a time while half-open, none while open."""
        state = self.breaker
        if state is Breaker.OPEN or (state is Breaker.HALF_OPEN and self._probing):
            raise BreakerOpen(f"{self.name} failed {self._in_a_row} times in a row")
        self._probing = state is Breaker.HALF_OPEN

    def _count_failure(self) -> None:
        self.failed += 1
        self._in_a_row += 1
        if self._in_a_row >= self.limits.failures_to_open:
            self.opened += self._open_until is None
            self._open_until = self._loop.time() + self.limits.open_for

    def _wait(self, attempt: int) -> float:
        """Exponential, with full jitter over its upper half."""
        step = float(min(self.limits.first_wait * 2 ** (attempt - 1), self.limits.longest_wait))
        return step * (0.5 + 0.5 * self._chance.random())
