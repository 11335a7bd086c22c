"""The guard: 3 s to accept, repeats only where declared safe, breaker, fallback, total deadline."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from hw_sim.loop import run_virtual
from vendd.guard import Breaker, BreakerOpen, Guard, Limits


class Trouble(Exception):
    pass


class Dependency:
    """Answers from a list: an exception, a number of seconds to take, or a result."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[float] = []

    async def __call__(self) -> str:
        self.asked.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if self.answers else "fine"
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            await asyncio.sleep(answer)
        return "fine"


def guarded(test: Callable[[Guard], Awaitable[None]], limits: Limits | None = None) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        await test(Guard("changer", loop, random.Random(1), (Trouble,), limits))

    run_virtual(run())


def test_a_repeatable_act_is_tried_three_times_with_growing_waits() -> None:
    async def test(guard: Guard) -> None:
        act = Dependency(Trouble(), Trouble(), "fine")
        assert await guard.call(act, repeatable=True) == "fine"
        first, second, third = act.asked
        assert 0.1 <= second - first <= 0.2
        assert 0.2 <= third - second <= 0.4

    guarded(test)


def test_a_fourth_attempt_is_never_made() -> None:
    async def test(guard: Guard) -> None:
        act = Dependency(*[Trouble() for _ in range(9)])
        with pytest.raises(Trouble):
            await guard.call(act, repeatable=True)
        assert len(act.asked) == 3

    guarded(test)


def test_an_act_that_is_not_repeatable_is_asked_once() -> None:
    async def test(guard: Guard) -> None:
        act = Dependency(Trouble())
        with pytest.raises(Trouble):
            await guard.call(act, repeatable=False)
        assert len(act.asked) == 1

    guarded(test)


def test_silence_ends_after_three_seconds() -> None:
    async def test(guard: Guard) -> None:
        act = Dependency(60.0)
        before = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await guard.call(act, repeatable=False)
        assert asyncio.get_running_loop().time() - before == pytest.approx(3.0)

    guarded(test)


def test_all_attempts_together_keep_the_deadline() -> None:
    async def test(guard: Guard) -> None:
        before = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await guard.call(Dependency(60.0, 60.0, 60.0), repeatable=True)
        assert asyncio.get_running_loop().time() - before <= 5.0

    guarded(test, Limits(deadline=5.0))


def test_the_breaker_opens_probes_once_and_closes() -> None:
    async def test(guard: Guard) -> None:
        for _ in range(3):
            with pytest.raises(Trouble):
                await guard.call(Dependency(Trouble()), repeatable=False)
        assert guard.breaker is Breaker.OPEN
        unasked = Dependency()
        with pytest.raises(BreakerOpen):
            await guard.call(unasked, repeatable=False)
        assert unasked.asked == []
        await asyncio.sleep(10.0)
        assert guard.breaker is Breaker.HALF_OPEN
        slow = asyncio.ensure_future(guard.call(Dependency(1.0), repeatable=False))
        await asyncio.sleep(0.5)
        with pytest.raises(BreakerOpen):  # one probe at a time
            await guard.call(Dependency(), repeatable=False)
        assert await slow == "fine"
        assert guard.breaker is Breaker.CLOSED

    guarded(test)


def test_a_failed_probe_opens_the_breaker_again() -> None:
    async def test(guard: Guard) -> None:
        for _ in range(3):
            with pytest.raises(Trouble):
                await guard.call(Dependency(Trouble()), repeatable=False)
        await asyncio.sleep(10.0)
        with pytest.raises(Trouble):
            await guard.call(Dependency(Trouble()), repeatable=False)
        assert guard.breaker is Breaker.OPEN
        assert guard.opened == 1

    guarded(test)


def test_the_named_fallback_answers_for_a_failure_and_for_an_open_breaker() -> None:
    async def test(guard: Guard) -> None:
        for _ in range(4):
            answer = await guard.call(
                Dependency(Trouble()), repeatable=False, fallback=lambda _: "cash only"
            )
            assert answer == "cash only"
        assert guard.breaker is Breaker.OPEN

    guarded(test)


def test_the_callers_own_error_is_not_the_dependencys_failure() -> None:
    async def test(guard: Guard) -> None:
        for _ in range(5):
            with pytest.raises(KeyError):
                await guard.call(Dependency(KeyError()), repeatable=True)
        assert guard.breaker is Breaker.CLOSED
        assert guard.failed == 0

    guarded(test)
