"""``python -m hw_sim section9``: cut every sale at every instant, and compare the tables.

Each story is cut on a grid of instants and on both sides of every commit, in four ways: the
process killed, the same with the commit under way durable, the controller dark, everything dark.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from hw_sim.cuts.run import HOWS, How, Seen, cut, landings
from hw_sim.cuts.stories import STORIES, Story
from hw_sim.cuts.table import Table, placed, rows
from vendd import log

_BESIDE_S: Final = 0.001  # before a commit is durable: it is under way
_CHUNK: Final = 8


@dataclass(frozen=True, slots=True)
class Case:
    story: int  # of STORIES: a story itself does not travel between processes
    how: How
    at: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", type=float, default=0.25, metavar="S", help="seconds between cuts; default 0.25"
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes; default 2")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the table into FILE, too")


def main(options: argparse.Namespace) -> int:
    """0: the table is the one that is kept and every promise was; 1 otherwise."""
    log.configure(level="critical")
    began, table, kept = time.monotonic(), Table(), rows()
    for seen in _all(options.every, options.jobs):
        table.add(seen)
    print("SIMULATED. " + "\n".join(table.lines(kept)) + "\n")
    for finding in table.findings:
        print(f"BROKEN: {finding}")
    differences = list(table.differences(kept))
    for difference in differences:
        print(f"DIFFERS: {difference}")
    took = time.monotonic() - began
    print(f"{table.cuts} cuts of {len(STORIES)} sales in {took:.0f} s, {len(kept)} rows:", end=" ")
    print("as the table says" if not differences else f"{len(differences)} differences")
    if options.readme is not None:
        text = options.readme.read_text(encoding="utf-8")
        options.readme.write_text(placed(text, kept), encoding="utf-8")
    return int(bool(differences or table.findings))


def cases(number: int, every: float) -> Iterator[Case]:
    """All cuts of one story."""
    story = STORIES[number]
    commits = [at for at in landings(story) if at - _BESIDE_S > story.first_s]
    grid = _grid(story, every)
    for how in HOWS:
        beside = [at - _BESIDE_S for at in commits] + ([] if how.lands else commits)
        yield from (Case(number, how, at) for at in sorted((*grid, *beside)))


def _grid(story: Story, every: float) -> list[float]:
    count = int((story.span_s - story.first_s) / every) + 1
    return [story.first_s + every * n for n in range(count)]


def one(case: Case) -> Seen:
    return cut(STORIES[case.story], case.how, case.at)


def _of_story(every: float, number: int) -> list[Case]:
    log.configure(level="critical")
    return list(cases(number, every))


def _one(case: Case) -> Seen:
    log.configure(level="critical")
    return one(case)


def _all(every: float, jobs: int) -> Iterator[Seen]:
    numbers: Sequence[int] = range(len(STORIES))
    if jobs == 1:
        yield from (one(case) for number in numbers for case in cases(number, every))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        planned = [case for found in pool.map(partial(_of_story, every), numbers) for case in found]
        yield from pool.map(_one, planned, chunksize=_CHUNK)
