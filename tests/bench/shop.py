"""A machine whose daemon is watched: marks where a sale passes, and every fsync."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hw_sim.process import ProcessMachine
from tests.bench.child import Marks
from tests.bench.customers import Bought, Customers, NotMeasured, machine_with
from tests.bench.fsyncs import Fsync, Watch, between


@dataclass(frozen=True, slots=True)
class Setup:
    """What differs from one measured machine to the next."""

    delay_ms: int = 0  # added to every fsync
    kafka: bool = True
    telemetry: float = 0.0  # events per second beside the sales


@dataclass(frozen=True, slots=True)
class Sold:
    """One sale between the second key and the start of the motor."""

    from_contact_ms: float  # the key's contact closed
    from_key_ms: float  # the daemon recognised the key
    commits: int  # decisions, since the key was recognised
    fsyncs: int  # of the whole process, since the key was recognised


class Shop:
    """One machine that runs."""

    def __init__(self, machine: ProcessMachine, watch: Watch) -> None:
        self.machine = machine
        self.marks = Marks(machine.folder / "marks")
        self.fsync_log = machine.folder / "fsyncs"
        self.customers = Customers(machine)
        self._watch = watch

    def fsyncs(self) -> list[Fsync]:
        """Of the daemon, so far."""
        return self._watch.read(self.fsync_log)

    async def sell(self) -> Sold:
        """One customer. Raises `NotMeasured` when the sale doesn't go as it should."""
        return self._sold(await self.customers.buy())

    def _sold(self, bought: Bought) -> Sold:
        marks = [mark for mark in self.marks.read() if bought.pressed <= mark.at <= bought.current]
        keys = [mark for mark in marks if mark.what == "key"]
        turns = [mark for mark in marks if mark.what == "turn"]
        if len(keys) != 1 or len(turns) != 1:
            raise NotMeasured(f"between key and motor: {len(keys)} keys, {len(turns)} turns")
        recognised = keys[0].at
        return Sold(
            from_contact_ms=(bought.current - bought.pressed) * 1000,
            from_key_ms=(bought.current - recognised) * 1000,
            commits=turns[0].commits - keys[0].commits,
            fsyncs=between(self.fsyncs(), recognised, bought.current),
        )


@asynccontextmanager
async def shop(setup: Setup, bootstrap: str, watch: Watch) -> AsyncIterator[Shop]:
    """A shop that takes money."""
    async with machine_with(bootstrap, kafka=setup.kafka) as machine:
        opened = Shop(machine, watch)
        settings = (f"BENCH_MARKS={opened.marks.path}", f"BENCH_TELEMETRY={setup.telemetry}")
        child = ("env", *settings, sys.executable, "-m", "tests.bench.child")
        machine.command = watch.command(child, opened.fsync_log, setup.delay_ms)
        await machine.start()
        await opened.customers.wait_for_opening()
        yield opened
