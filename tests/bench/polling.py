"""Figures of the bus: the real daemon polls and takes coins on a pty, and a tap writes down when.

One machine sells as it is, another while every fsync takes 100 ms longer. Polls are judged beside
a bare timer that writes to a pty at the same time, seen by the same kind of tap.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hw_sim.lcd import Lcd
from hw_sim.process import ProcessMachine
from tests.bench import bare
from tests.bench.customers import Customers, NotMeasured, Paid, machine_with
from tests.bench.fsyncs import Watch
from tests.bench.metronome import beating
from tests.bench.table import Goal, Row, percentile
from tests.bench.tap import Heard, conversation, free_gaps, poll_gaps, tapped

STALL_MS: Final = 100
SMALL: Final = (20, 10, 5)  # many coins per sale
TELEMETRY: Final = 5.0  # events a second, committed and forwarded beside the sales
ENOUGH: Final = 100  # values for a p99
LATE_MS: Final = 10.0  # what p99 of a poll may be off more than a bare timer
CREDIT_MS: Final = 50.0  # what a coin may take more than its floor
GAP_MS: Final = 200.0  # MDB/ICP 4.2, section 2: a peripheral is polled every 25 to 200 ms
_LOAD: Final = (
    "While customers pay, press keys and get products, Kafka connected and"
    f" {TELEMETRY:g} telemetry events a second committed and forwarded beside. Bare: an asyncio"
    " timer that writes to a pty at the same time."
)
_WIRE: Final = (
    "From the last byte of the changer's answer on the pty to the first sight of the new credit"
    " on the simulated glass; the display's bytes go through a socket."
)
_FALLEN: Final = "The same from when the coin has fallen: until the next poll nobody can know."
_STALL: Final = "The same load. The tap sees every POLL of the changer, whatever came between."


@dataclass(frozen=True, slots=True)
class Coin:
    """Seconds of CLOCK_MONOTONIC."""

    fallen: float  # the changer knows
    on_wire: float  # its answer has passed
    shown: float  # the customer can read the new credit


@dataclass(frozen=True, slots=True)
class Run:
    """What one machine's tap and glass saw while it sold."""

    heard: tuple[Heard, ...]
    beats: tuple[Heard, ...]  # of the bare timer
    coins: tuple[Coin, ...]
    bare_ms: tuple[float, ...]  # commits of one row, under the same condition
    seconds: float
    poll_ms: float


class Glass:
    """Notes each text that stood on a display, and each coin that fell in a changer."""

    def __init__(self, machine: ProcessMachine) -> None:
        self._loop = machine.loop
        self._lcd: Lcd = machine.lcd
        self.texts: list[tuple[float, str]] = []
        self.fallen: list[float] = []
        patched: Any = self._lcd
        self._write, patched.write = self._lcd.write, self._written
        activity = machine.changer.memory.activity
        add = activity.add

        def noted(entry: bytes) -> None:
            if len(entry) == 2:  # a coin in tube or box
                self.fallen.append(self._loop.time())
            add(entry)

        patched = activity
        patched.add = noted

    def _written(self, data: bytes) -> None:
        self._write(data)
        text = "|".join(self._lcd.text())
        if not self.texts or self.texts[-1][1] != text:
            self.texts.append((self._loop.time(), text))


def coins(paid: Sequence[Paid], heard: Sequence[Heard], fallen: Sequence[float],
          texts: Sequence[tuple[float, str]]) -> list[Coin]:  # fmt: skip
    """Each coin's way. Raises `NotMeasured` when one was not seen everywhere."""
    found = []
    for coin in paid:
        fell = next((at for at in fallen if at > coin.inserted), None)
        wire = next((h.answered for h in heard if h.coin and h.answered > coin.inserted), None)
        shown = next((at for at, text in texts if wire and at > wire and coin.shows in text), None)
        if fell is None or wire is None or shown is None:
            raise NotMeasured(f"a coin for {coin.shows} was not seen on wire and display")
        found.append(Coin(fell, wire, shown))
    return found


@asynccontextmanager
async def counter(bootstrap: str, watch: Watch, delay_ms: int) -> AsyncIterator[ProcessMachine]:
    """A machine that runs with a tap on its line, logging to "tap" in its folder; beside it a
    bare timer at the same pace, logging to "beats"."""
    async with machine_with(bootstrap) as machine:
        folder = machine.folder
        override = folder / "vendd.toml.d" / "96-tap.toml"
        override.write_text(f'[mdb]\nport = "{folder / "tapped"}"\n')
        settings = (f"BENCH_MARKS={folder / 'marks'}", f"BENCH_TELEMETRY={TELEMETRY}")
        child = ("env", *settings, sys.executable, "-m", "tests.bench.child")
        machine.command = watch.command(child, folder / "fsyncs", delay_ms)
        async with (
            tapped(folder / "tap", folder / "tapped", folder / "mdb"),
            tapped(folder / "beats", folder / "bare"),
            beating(folder / "bare", poll_ms(machine) / 1000),
        ):
            await machine.start()
            try:
                yield machine
            finally:
                if machine.running:
                    await machine.stop()  # before its line is gone


def poll_ms(machine: ProcessMachine) -> int:
    """As configured."""
    assert machine.config.mdb is not None
    return machine.config.mdb.poll_ms


async def run(bootstrap: str, watch: Watch, sales: int, delay_ms: int = 0) -> Run:
    """Sell, and read what was written down."""
    async with counter(bootstrap, watch, delay_ms) as machine:
        glass, customers = Glass(machine), Customers(machine, purse=SMALL)
        await customers.wait_for_opening()
        bare_ms = await bare.measured(machine.folder, watch, 2 * sales, delay_ms)
        began = machine.loop.time()
        for _ in range(sales):
            await customers.buy()
        ended = machine.loop.time()
        bare_ms += await bare.measured(machine.folder, watch, 2 * sales, delay_ms)
        heard, beats = (
            [h for h in _read(machine.folder / name) if began <= h.asked <= ended]
            for name in ("tap", "beats")
        )
        seen = coins(customers.coins, heard, glass.fallen, glass.texts)
        interval = float(poll_ms(machine))
    taken = tuple(bare_ms)
    return Run(tuple(heard), tuple(beats), tuple(seen), taken, ended - began, interval)


def _read(log: Path) -> list[Heard]:
    return conversation(log.read_text().splitlines())


async def figures(bootstrap: str, watch: Watch, sales: int, *, alone: bool = True) -> list[Row]:
    """Both machines, one after the other if `alone`."""
    loaded = asyncio.ensure_future(run(bootstrap, watch, sales))
    if alone:
        await loaded
    stalled = run(bootstrap, watch, (sales + 1) // 2, STALL_MS)
    quick, slow = await asyncio.gather(loaded, stalled)
    return [*jitter(quick), *credit(quick), longest_gap(slow), credit_stalled(slow)]


def jitter(quick: Run) -> list[Row]:
    """How far polls are off the clock."""
    off, beat_off = (_off(heard, quick.poll_ms) for heard in (quick.heard, quick.beats))
    worst = tail(len(off))
    return [
        Row(
            f"poll off its {quick.poll_ms:g} ms, p{share}, n={len(off)}",
            percentile(off, share),
            "ms",
            percentile(beat_off, share),
            "bare timer",
            Goal("<=", LATE_MS, "excess") if share == worst else None,
            _LOAD,
        )
        for share in (50, worst)
    ]


def tail(count: int) -> int:
    """The share of so many values that a goal is about: of few, the p99 is the worst hiccup."""
    return 99 if count >= ENOUGH else 90


def _off(heard: Sequence[Heard], interval_ms: float) -> list[float]:
    gaps = free_gaps(heard)
    if not gaps:
        raise NotMeasured("no two polls in a row were seen on the line")
    return [abs(gap * 1000 - interval_ms) for gap in gaps]


def credit(quick: Run) -> list[Row]:
    """From the coin to its credit, and the floor of both ways to look at it."""
    wire = [(coin.shown - coin.on_wire) * 1000 for coin in quick.coins]
    fallen = [(coin.shown - coin.fallen) * 1000 for coin in quick.coins]
    n, worst, goal = f"n={len(wire)}", tail(len(wire)), Goal("<=", CREDIT_MS, "excess")
    commit = {share: percentile(quick.bare_ms, share) for share in (50, worst)}
    rows = [
        Row(
            f"coin on the wire to credit on display, p{share}, {n}",
            percentile(wire, share),
            "ms",
            commit[share],
            "bare FULL commit",
            goal if share == worst else None,
            _WIRE,
        )
        for share in (50, worst)
    ]
    floor = quick.poll_ms + commit[worst]
    name = f"coin fallen to credit on display, p{worst}, {n}"
    took = percentile(fallen, worst)
    return [*rows, Row(name, took, "ms", floor, "poll interval + bare commit", goal, _FALLEN)]


def longest_gap(slow: Run) -> Row:
    """The poll that waited longest while fsyncs were slow."""
    return Row(
        f"longest gap between polls, +{STALL_MS} ms per fsync, over {slow.seconds:.0f} s",
        max(poll_gaps(slow.heard)) * 1000,
        "ms",
        max(poll_gaps(slow.beats)) * 1000,
        "bare timer",
        Goal("<=", GAP_MS),
        _STALL,
    )


def credit_stalled(slow: Run) -> Row:
    """For information: a coin may find somebody else's commit under way."""
    wire = [(coin.shown - coin.on_wire) * 1000 for coin in slow.coins]
    name = f"coin on the wire to credit on display, +{STALL_MS} ms per fsync, p50, n={len(wire)}"
    return Row(name, percentile(wire, 50), "ms", percentile(slow.bare_ms, 50), "bare FULL commit",
               note=_WIRE)  # fmt: skip
