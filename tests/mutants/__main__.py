"""``make mutants``: known bugs are planted one by one, and each has to be caught.

``python -m tests.mutants [--only WORD] [--trust-nets]``. Every bug of ``bugs.toml`` is planted in a
copy of the tree and its nets are tried until one fails. Before that every net has to pass in the
sound tree (`--trust-nets` leaves that out). Exit code 1 when a bug got away, when the source no
longer says what a bug is to replace, or when a net does not work.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from tests.mutants.nets import NetTorn, catches
from tests.mutants.planting import ROOT, Bug, Stale, bugs, copy_tree, planted

PROCESSES = 2
Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Caught:
    """`net` None: it got away."""

    bug: Bug
    net: str | None
    said: str
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help="bugs whose name has it")
    parser.add_argument("--trust-nets", action="store_true", help="don't try the sound tree first")
    args = parser.parse_args(argv)
    began = time.perf_counter()
    chosen = [bug for bug in bugs() if args.only in bug.name]
    try:
        for bug in chosen:
            bug.planted_in((ROOT / bug.file).read_text())
        if not args.trust_nets:
            holes = _holes(dict.fromkeys(net for bug in chosen for net in bug.nets))
            if holes:
                print(*holes, sep="\n")
                return 1
        results = _run(_catch, chosen)
    except (Stale, NetTorn) as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 1
    away = [result for result in results if result.net is None]
    print(
        f"\n{len(results) - len(away)}/{len(results)} caught, {time.perf_counter() - began:.0f} s"
    )
    return int(bool(away) or not results)


def _holes(nets: Iterable[str]) -> list[str]:
    """Nets that fail in the sound tree: what they catch proves nothing."""

    def look(net: str, tree: Path) -> str:
        said = catches(net, tree)
        return "" if said is None else f"mutants: {net} fails in the sound tree: {said}"

    return [line for line in _run(look, list(nets)) if line]


def _catch(bug: Bug, tree: Path) -> Caught:
    began = time.perf_counter()
    with planted(bug, tree):
        for net in bug.nets:
            said = catches(net, tree)
            if said is not None:
                return _told(Caught(bug, net, said, time.perf_counter() - began))
    return _told(Caught(bug, None, "", time.perf_counter() - began))


def _told(result: Caught) -> Caught:
    bug = result.bug
    by = result.net or "NOT CAUGHT"
    print(f"{bug.promise:<10} {bug.name:<62} {result.seconds:>5.0f} s  {by}", flush=True)
    if result.said:
        print(f"{'':<11}{result.said[:130]}", flush=True)
    return result


def _run(job: Callable[[Work, Path], Result], works: Sequence[Work]) -> list[Result]:
    """`job` for each of them, two at a time, each in a tree of its own."""
    with tempfile.TemporaryDirectory(prefix="vendd-mutants-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(PROCESSES):
            trees.put(copy_tree(Path(folder) / str(number)))

        def one(work: Work) -> Result:
            tree = trees.get()
            try:
                return job(work, tree)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(PROCESSES) as pool:
            return list(pool.map(one, works))


if __name__ == "__main__":
    sys.exit(main())
