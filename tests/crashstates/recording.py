"""A short day of the real daemon under strace: what it did to its files, and what was true.

Customers buy at the simulated machine; the daemon is killed in the middle of a vend, comes back,
stops in order, and comes back again. Everything is kept in one file that can be looked at again.
"""

import asyncio
import pickle
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hw_sim.cut import Cut
from hw_sim.machines import FULL
from hw_sim.opening import HURRIED, SAMPLE, in_real_time
from hw_sim.process import ProcessMachine
from hw_sim.shop import Shop, settled
from hw_sim.signs import Sign, sign
from hw_sim.stored import Stored
from hw_sim.witness import Turn, Witness
from tests.crashstates import calls
from tests.crashstates.operations import Operation, Operations
from vendd.config import Config

LOOK_S: Final = 0.01
GRACE_S: Final = 3.0  # what was seen earlier than this before the cut must be on record
TRACED_S: Final = 20.0  # until strace has written what it saw
OFF_S: Final = 0.7
UNDER_WAY_S: Final = 15.0  # a customer who has started no motor by then is cut all the same


class CannotTrace(Exception):
    """strace is there and may not trace."""


@dataclass(frozen=True, slots=True)
class Coins:
    """Where they really were from `at` on, loop seconds. `tubes`: value -> count."""

    at: float
    tubes: Mapping[int, int]
    box: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What the simulator saw; times in the loop's seconds, `ahead_s` behind strace's."""

    ahead_s: float
    lives: tuple[float, ...]  # when each began
    turns: tuple[Turn, ...]
    drops: tuple[float, ...]
    coins: tuple[Coins, ...]

    def cut(self, stored: Stored, at: float) -> Cut:
        """A power cut at `at` (seconds since 1970) that left these books."""
        moment = at - self.ahead_s
        began = self.lives[max(0, stored.boot - 1)]
        coins = next(c for c in reversed(self.coins) if c.at <= max(moment, self.coins[0].at))
        return Cut(
            how="power cut",
            began=began,
            at=moment,
            stored=stored,
            turns=tuple(turn for turn in self.turns if began <= turn.begin <= moment),
            drops=tuple(drop for drop in self.drops if began <= drop <= moment),
            in_tubes=sum(value * count for value, count in coins.tubes.items()),
            tube_counts=coins.tubes,
            in_box=coins.box,
            grace_s=GRACE_S,
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """`purchases`: customers who came."""

    config: Config
    operations: tuple[Operation, ...]
    truth: Truth
    purchases: int

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> "Recording":
        """Only of a file that this program wrote: it is a pickle."""
        loaded = pickle.loads(path.read_bytes())
        assert isinstance(loaded, Recording)
        return loaded


def record(purchases: int, seed: int) -> Recording:
    """In real time. Raises `CannotTrace`, or RuntimeError for a daemon that does not run."""
    return asyncio.run(_day(purchases, seed))


async def _day(purchases: int, seed: int) -> Recording:
    with tempfile.TemporaryDirectory(prefix="vendd-traced-") as traces:
        async with in_real_time(SAMPLE, seed, sale=HURRIED, machine=FULL) as machine:
            day = _Day(machine, Path(traces), seed)
            async with day.watching():
                await day.sell(purchases)
            return day.recording(purchases)


class _Day:
    """Three lives: one that is killed in mid-sale, one that stops in order, one that is killed."""

    def __init__(self, machine: ProcessMachine, traces: Path, seed: int) -> None:
        self._machine = machine
        self._traces = traces
        self._chance = random.Random(f"{seed}/recorded")
        self._witness = Witness(machine.cabinet)
        self._shop = Shop(machine, seed, patient=False, say=lambda _: None)
        self._marks = traces / "marks"
        self._lives: list[float] = []
        self._coins: list[Coins] = []

    async def sell(self, purchases: int) -> None:
        first, second = purchases // 2, purchases * 4 // 5
        await self._start()
        for number in range(1, first):
            await self._shop.serve(number)
        await self._serve_cut_short(first)
        for number in range(first + 1, second + 1):
            await self._shop.serve(number)
        await settled(self._machine)
        await self._machine.stop()
        await self._traced()
        await self._start()
        for number in range(second + 1, purchases + 1):
            await self._shop.serve(number)
        await self._machine.kill()
        await self._traced()

    async def _serve_cut_short(self, number: int) -> None:
        """A customer during whose vend the daemon is killed; the next life goes on with it."""
        going = asyncio.create_task(self._shop.serve(number))
        end = self._machine.loop.time() + UNDER_WAY_S
        while not self._machine.cabinet.currents.flowing():
            await asyncio.sleep(LOOK_S)
            if self._machine.loop.time() > end:
                break
        await asyncio.sleep(self._chance.uniform(0.0, 2.0))
        await self._machine.kill()
        await self._traced()
        await asyncio.sleep(OFF_S)
        await self._start()
        await going

    async def _start(self) -> None:
        """A life under strace, until it invites customers."""
        machine = self._machine
        self._lives.append(machine.loop.time())
        machine.command = (
            *calls.command(str(self._trace(len(self._lives)))),
            *(sys.executable, "-m", "tests.crashstates.recorded", str(self._marks)),
        )
        try:
            await machine.start()
        except RuntimeError as error:
            if "ptrace" in str(error):
                raise CannotTrace(str(error)) from error
            raise
        if len(self._lives) == 1:
            await machine.until(lambda t: sign(t) is Sign.IDLE, 30.0)

    def _trace(self, life: int) -> Path:
        return self._traces / f"life-{life}"

    async def _traced(self) -> None:
        """The daemon has ended: wait until strace has, too. Its last line is the end."""
        path, end = self._trace(len(self._lives)), self._machine.loop.time() + TRACED_S
        before = -1
        while before != path.stat().st_size:
            if self._machine.loop.time() > end:
                raise RuntimeError("strace does not end")
            before = path.stat().st_size
            await asyncio.sleep(0.5)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Keep note of where the coins are while the context lasts."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        truth = self._machine.changer.truth
        while True:
            seen = Coins(self._machine.loop.time(), truth.counts(), truth.box_total())
            last = self._coins[-1] if self._coins else None
            if last is None or (last.tubes, last.box) != (seen.tubes, seen.box):
                self._coins.append(seen)
            await asyncio.sleep(LOOK_S)

    def recording(self, purchases: int) -> Recording:
        """Once the last life is over."""
        reader = Operations(self._machine.books(), self._marks)
        operations: list[Operation] = []
        for life in range(1, len(self._lives) + 1):
            with self._trace(life).open() as lines:
                operations += reader.of_life(calls.read(lines))
        truth = Truth(
            ahead_s=time.time() - self._machine.loop.time(),  # noqa: TID251  # strace's clock
            lives=tuple(self._lives),
            turns=tuple(self._witness.turns()),
            drops=tuple(self._witness.drops),
            coins=tuple(self._coins),
        )
        return Recording(self._machine.config, tuple(operations), truth, purchases)
