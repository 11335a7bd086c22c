"""``make crashstates``: every state that a power cut may leave of the books, reopened.

``python -m tests.crashstates [--states N] [--purchases N] [--seed S] [--recording FILE]``. The real
daemon sells under strace; then the power goes after each of its system calls, and what the disk may
hold then is opened by the real recovery. Exit code 1 when a promise is broken, or when a disk that
ignores every fsync is not found out. Without strace it is skipped, and says so.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.crashstates.campaign import SHOWN, Result, Share, campaign, look
from tests.crashstates.operations import Marked
from tests.crashstates.recording import CannotTrace, Recording, record

STATES = 20_000
PLANTED = 400


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crashstates", description=__doc__)
    parser.add_argument("--states", type=int, default=STATES, help=f"different ones ({STATES})")
    parser.add_argument("--purchases", type=int, default=12, help="customers who come (12)")
    parser.add_argument("--seed", type=int, default=1, help="of customers and draws (1)")
    parser.add_argument("--recording", type=Path, metavar="FILE", help="look at this one again")
    args = parser.parse_args(argv)
    if args.recording is not None:
        return _look_at(args.recording, args)
    if shutil.which("strace") is None:
        print("crashstates: SKIPPED: strace is not installed (apt-get install strace)")
        return 0
    began = time.perf_counter()
    print(f"SIMULATED machine under strace: {args.purchases} customers, seed {args.seed}.")
    try:
        recording = record(args.purchases, args.seed)
    except CannotTrace as error:
        print(f"crashstates: SKIPPED: strace may not trace here: {error}")
        return 0
    print(f"recorded in {time.perf_counter() - began:.0f} s.", flush=True)
    with tempfile.TemporaryDirectory(prefix="vendd-crashstates-") as folder:
        file = Path(folder) / "recording"
        recording.save(file)
        status = _look_at(file, args)
        if status:
            kept = Path(tempfile.mkdtemp(prefix="vendd-broken-")) / "recording"
            shutil.copy(file, kept)
            print(f"again: python -m tests.crashstates --recording {kept} --seed {args.seed}")
    print(f"{time.perf_counter() - began:.0f} s")
    return status


def _look_at(file: Path, args: argparse.Namespace) -> int:
    recording = Recording.load(file)
    _describe(recording)
    began = time.perf_counter()
    count = len(recording.operations)
    result = campaign(file, count, args.seed, args.states)
    print(
        f"{len(result.states)} different crash states of {result.drawn} drawn at {result.cuts}"
        f" cut points, {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    _tell(result, recording)
    planted = look(Share(file, args.seed, 0, count, PLANTED, syncs=False, most=1))
    caught = planted.violations
    print("planted disk without fsync:", f"caught ({_first(planted)})" if caught else "NOT CAUGHT")
    if len(result.states) < args.states:
        print(f"only {len(result.states)} states: more --purchases make more")
        return 1
    return int(bool(result.violations) or not caught)


def _describe(recording: Recording) -> None:
    calls = Counter(type(operation).__name__ for operation in recording.operations)
    marks = [o.text for o in recording.operations if isinstance(o, Marked)]
    said = Counter(mark.partition(" ")[0] for mark in marks)
    truth = recording.truth
    print(
        f"{recording.purchases} customers, {len(truth.lives)} lives, {said['commit']} commits,"
        f" {len(truth.turns)} motor turns, {said['sent']} events handed out"
    )
    print(", ".join(f"{count} {name}" for name, count in calls.items() if name != "Marked"))


def _tell(result: Result, recording: Recording) -> None:
    for violation in result.violations[:SHOWN]:
        operation = recording.operations[violation.number]
        what = f"{type(operation).__name__} {getattr(operation, 'name', '')}".strip()
        print(f"BROKEN: cut after operation {violation.number} ({what}), round {violation.round}:")
        print(*(f"    {finding}" for finding in violation.findings), sep="\n")
    if result.violations:
        print(f"{len(result.violations)} states break a promise")
    else:
        print("SIMULATED. Every promise was kept.")


def _first(result: Result) -> str:
    return result.violations[0].findings[0]


if __name__ == "__main__":
    sys.exit(main())
