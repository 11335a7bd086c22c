"""The virtual-time loop: order, jumps, refusals, dead-lock, lives."""

import asyncio
import gc
import threading
import time

import pytest

from hw_sim.loop import VirtualLoop, run_virtual


def test_time_jumps_without_waiting() -> None:
    async def sleep_a_day() -> float:
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(86_400 * 3)
        return asyncio.get_running_loop().time() - before

    began = time.perf_counter()
    assert run_virtual(sleep_a_day()) == 86_400 * 3
    assert time.perf_counter() - began < 1


def test_timers_of_one_instant_run_in_the_order_they_were_made() -> None:
    loop = VirtualLoop()
    seen: list[int] = []
    for n in range(50):
        loop.call_at(2_000.0, seen.append, n)
    loop.call_at(1_500.0, seen.append, -1)
    loop.run_for(1_000)
    loop.close()
    assert seen == [-1, *range(50)]


def test_timeout_and_cancelled_timers() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        for _ in range(5_000):
            loop.call_later(60, print, "never").cancel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        return loop.time()

    assert run_virtual(main(), start=0.0) == 3.0


def test_dead_lock_is_named() -> None:
    async def main() -> None:
        asyncio.current_task().set_name("customer")  # type: ignore[union-attr]
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match=r"dead-lock.*customer"):
        run_virtual(main())


def test_threads_and_descriptors_are_refused() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="no threads"):
            await asyncio.to_thread(print)
        with pytest.raises(RuntimeError, match="no file descriptors"):
            loop.add_reader(0, print)
        refused: list[RuntimeError] = []

        def intrude() -> None:
            try:
                loop.call_soon_threadsafe(print)
            except RuntimeError as error:
                refused.append(error)

        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()
        assert "another thread" in str(refused[0])
        woken = asyncio.Event()
        loop.call_soon_threadsafe(woken.set)
        await woken.wait()

    run_virtual(main())


def test_an_abandoned_life_does_nothing_more() -> None:
    ended: list[str] = []
    ticks: list[float] = []

    async def daemon() -> None:
        loop = asyncio.get_running_loop()

        def tick() -> None:
            ticks.append(loop.time())
            loop.call_later(1, tick)

        tick()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("finally")

    loop = VirtualLoop(start=0.0)
    with loop.life() as life:
        task = loop.create_task(daemon())
    loop.run_for(2.5)
    loop.abandon(life)
    loop.run_for(100)
    assert ticks == [0, 1, 2]
    assert ended == []
    assert not task.done()
    loop.close()
    del task
    gc.collect()
    assert ended == []


def test_a_life_can_be_entered_again() -> None:
    loop = VirtualLoop()
    seen: list[str] = []
    with loop.life() as life:
        loop.call_later(1, seen.append, "first")
    with loop.life() as other:
        loop.call_later(1, seen.append, "other")
    with loop.life(life):
        loop.call_later(1, seen.append, "first again")
    loop.call_later(1, seen.append, "world")
    loop.abandon(life)
    loop.run_for(2)
    assert seen == ["other", "world"]
    assert other != life
    loop.close()
