"""Figures of the flight recorder: what one report costs, beside the commit that it may lead to.

The reports are those of some customers at the simulated machine, decided once more: the same
lines are made and written as in the field, but one after the other and not on a thread of their
own, so that the time is theirs alone.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Final

from hw_sim.loop import run_virtual
from hw_sim.opening import SAMPLE
from hw_sim.replay.flight_file import Decided, Opening, read
from hw_sim.shop import Shop
from hw_sim.virtual import VirtualMachine
from tests.bench import bare
from tests.bench.fsyncs import Watch
from tests.bench.table import Goal, Row
from vendd.config import load
from vendd.services.deciding import Decision, decide
from vendd.services.flight import Flight
from vendd.services.inbox import Received
from vendd.services.memory import Memory
from vendd.store.ring import FOLDER, Ring, lines

CUSTOMERS: Final = 6
ROUNDS: Final = 15
_WHERE: Final = (
    "Every report of six customers, decided or not; a line takes no fsync and no time of the loop"
    " but for handing it over: it is made and written on a thread. Best of rounds."
)
Put = Callable[[Callable[[], bytes], Callable[[], bytes]], None]
_Case = tuple[Received, Decision, Memory]


class _Hands:
    """A `services.flight.Journal` that does with a line what a test wants."""

    def __init__(self, put: Put) -> None:
        self.put = put

    async def close(self) -> None:
        return


def recorded() -> tuple[Opening, list[_Case]]:
    """Reports as they came, with what was decided on them."""
    tape = run_virtual(_day())
    first, cases = None, []
    memory, snapshot = Memory(), None
    for line in read(tape):
        match line:
            case Opening():
                first = first or line
                memory, snapshot = line.memory, line.snapshot
            case Decided():
                assert snapshot is not None
                it = decide(memory, snapshot, line.report, line.moment)
                cases.append((Received(line.report, line.at), it, memory))
                memory, snapshot = it.memory, it.after
    assert first is not None
    return first, cases


async def _day() -> list[bytes]:
    machine = VirtualMachine(load(SAMPLE), 1, recorded=True)
    try:
        shop = Shop(machine, 1, patient=True, say=lambda _: None)
        await shop.open()
        for number in range(1, CUSTOMERS + 1):
            await shop.serve(number)
        await machine.stop()
        return list(lines(machine.books() / FOLDER))
    finally:
        machine.close()


def cost(first: Opening, cases: list[_Case], put: Put) -> float:
    """Microseconds per report; the best round, for noise only adds."""
    best = float("inf")
    for _ in range(ROUNDS):
        flight = Flight(_Hands(put), first.life)
        began = time.perf_counter()
        for received, it, before in cases:
            flight.decided(received, it, before, it.world)
        best = min(best, time.perf_counter() - began)
    return best / len(cases) * 1e6


def figures(folder: Path, watch: Watch, commits: int = 60) -> list[Row]:
    """Both sides of the hand-over, and bytes."""
    first, cases = recorded()
    bare_us = median(asyncio.run(bare.measured(folder, watch, commits))) * 1000
    ring = Ring(folder / FOLDER, 64 << 20)
    sizes: list[int] = []
    loop = cost(first, cases, lambda _line, _opening: None)
    whole = cost(first, cases, lambda line, opening: ring.append(line(), opening))
    cost(first, cases, lambda line, _opening: sizes.append(len(line())))
    ring.close()
    n = f"n={len(cases)}"
    return [
        Row(
            f"flight recorder, one report on the loop, {n}",
            loop,
            "us",
            bare_us,
            "bare FULL commit",
            Goal("<=", 0.05, "ratio"),
            _WHERE,
        ),
        Row(
            f"flight recorder, one report made and written, {n}",
            whole,
            "us",
            bare_us,
            "bare FULL commit",
            Goal("<=", 0.25, "ratio"),
            _WHERE,
        ),
        Row(f"flight recorder, bytes per report, {n}", mean(sizes)),
    ]
