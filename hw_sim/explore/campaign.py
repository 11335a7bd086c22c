"""``python -m hw_sim explore``: many seeds, each a whole history; what fails is made short."""

import argparse
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Final

from hw_sim.explore.history import History, Level, machine_of
from hw_sim.explore.shrink import Shrinker
from hw_sim.explore.site import DEPTHS
from hw_sim.explore.stage import Played, play
from hw_sim.machines import MACHINES
from vendd import log

_SELDOM: Final = (100_000, 20, 100)


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for. `machine` "": each kind has its turn."""

    seeds: range
    hours: float
    level: Level
    depth: str
    machine: str
    jobs: int
    kept: frozenset[str] | None
    shrinks: bool

    def history(self, seed: int) -> History:
        machine = self.machine or machine_of(seed)
        return History(seed, machine, self.hours, self.level, self.kept)


def add_arguments(explore: argparse.ArgumentParser) -> None:
    explore.add_argument(
        "--seeds", type=_range, required=True, metavar="A:B", help="from A below B"
    )
    explore.add_argument("--hours", type=float, default=1.0, metavar="H", help="of each; default 1")
    explore.add_argument("--faults", type=Level, choices=list(Level), default=Level.ALL)
    explore.add_argument("--depth", choices=DEPTHS, default="wire")
    explore.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, default 1")
    explore.add_argument("--machine", choices=MACHINES, default="", help="default: by seed")
    explore.add_argument("--keep", type=_names, metavar="NAMES", help="only these entries")
    explore.add_argument("--no-shrink", action="store_true", help="leave failing ones as long")


def _range(text: str) -> range:
    first, _, end = text.partition(":")
    return range(int(first), int(end) if end else int(first) + 1)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


def main(options: argparse.Namespace) -> int:
    """0: every promise kept in every history; 1 otherwise."""
    order = Order(
        seeds=options.seeds,
        hours=options.hours,
        level=options.faults,
        depth=options.depth,
        machine=options.machine,
        jobs=options.jobs,
        kept=options.keep,
        shrinks=not options.no_shrink,
    )
    began = time.monotonic()
    totals = _Totals()
    for played, shortest in _all(order):
        totals.add(played)
        print(_line(played), flush=True)
        if order.kept is not None:
            print("\n".join(played.lines))
        if shortest is not None:
            print(failure(played, shortest, order), flush=True)
    print(totals.text(time.monotonic() - began))
    return int(totals.failed > 0)


def _all(order: Order) -> Iterator[tuple[Played, Played | None]]:
    one = partial(_one, order)
    if order.jobs == 1:
        yield from map(one, order.seeds)
        return
    with ProcessPoolExecutor(order.jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(one, order.seeds)


def _one(order: Order, seed: int) -> tuple[Played, Played | None]:
    log.configure(level="critical")
    gc.freeze()  # what is there now stays; a history makes much, and hardly any of it in circles
    gc.set_threshold(*_SELDOM)
    history = order.history(seed)
    played = play(history, order.depth)
    if not played.broken or not order.shrinks or order.kept is not None:
        return played, played if played.broken else None
    shrinker = Shrinker(played, lambda kept: play(replace(history, kept=kept), order.depth))
    return played, shrinker.shrink()


# --- words ---------------------------------------------------------------------------------


def _line(played: Played) -> str:
    what = "kept" if not played.broken else f"{len(played.broken)} PROMISES BROKEN"
    history = played.history
    return (
        f"seed {history.seed} ({history.machine}): {played.guests} customers, {played.sold} sold,"
        f" {played.mishaps} mishaps, {played.deaths} deaths, {played.seconds / 3600:.2f} h,"
        f" trace {played.trace}: {what}"
    )


def failure(played: Played, shortest: Played, order: Order) -> str:
    """The broken promises, the shortest history, and the command that plays it."""
    history = played.history
    lines = [f"  BROKEN: {finding}" for finding in played.broken]
    if shortest is not played:
        lines += [f"  of it, in the shortest history: {finding}" for finding in shortest.broken]
    if order.kept is None:
        lines += [f"    {line}" for line in shortest.lines] if shortest is not played else []
        lines.append(f"  replay: {command(history, shortest, order)}")
    return "\n".join(lines)


def command(history: History, shortest: Played, order: Order) -> str:
    kept = ",".join(sorted(shortest.names, key=lambda name: [int(n) for n in name.split(".")]))
    keep = f" --keep {kept}" if shortest.history.kept is not None else ""
    return (
        f"python -m hw_sim explore --seeds {history.seed} --hours {order.hours:g}"
        f" --faults {history.level} --depth {order.depth} --machine {history.machine}{keep}"
    )


class _Totals:
    def __init__(self) -> None:
        self.failed = self.seeds = self.guests = self.sold = self.mishaps = self.deaths = 0
        self.seconds = self.cpu_s = 0.0

    def add(self, played: Played) -> None:
        self.seeds += 1
        self.failed += bool(played.broken)
        self.guests += played.guests
        self.sold += played.sold
        self.mishaps += played.mishaps
        self.deaths += played.deaths
        self.seconds += played.seconds
        self.cpu_s += played.cpu_s

    def text(self, took_s: float) -> str:
        """Rates are per second of processor time: other programs on the machine do not count."""
        cpu_s = max(self.cpu_s, 1e-9)
        return (
            f"SIMULATED. {self.seeds} histories, {self.guests} purchases ({self.sold} sold),"
            f" {self.mishaps} mishaps, {self.deaths} deaths, {self.seconds / 3600:.1f} h;"
            f" {cpu_s:.0f} s of processor time in {took_s:.0f} s.\n"
            f"Per core: {self.guests / cpu_s:.1f} purchases/s, {self.seconds / cpu_s:.0f} times"
            f" real time.\n"
            f"{self.failed} histories broke a promise."
        )
