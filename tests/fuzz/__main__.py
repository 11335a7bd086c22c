"""``make fuzz``: arbitrary and damaged bytes for every decoder and every device's machine.

``python -m tests.fuzz [--seconds N] [--seed S] [--only TARGET] [--batch N]``. Nothing may raise,
hang, or make money out of what nobody sent. Exit code 1 when something did; what it was, its
smallest input and the command that repeats it are printed.
"""

import argparse
import random
import sys
from collections.abc import Sequence

from tests.fuzz.campaign import campaign
from tests.fuzz.targets import TARGETS
from tests.fuzz.telling import failure, table


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, help="what is drawn; another one each time without")
    parser.add_argument("--only", metavar="TARGET", choices=[target.name for target in TARGETS])
    parser.add_argument("--batch", type=int, metavar="N", help="only batch N of each target")
    args = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(1_000_000) if args.seed is None else args.seed
    targets = [target for target in TARGETS if args.only in (None, target.name)]
    print(f"fuzz: seed {seed}, {len(targets)} targets, {args.seconds:g} s", flush=True)
    results = campaign(
        targets,
        seed,
        args.seconds,
        first=args.batch or 0,
        batches=None if args.batch is None else 1,
    )
    print(*table(results), sep="\n")
    failures = [result.failure for result in results if result.failure is not None]
    for one in failures:
        print("", *failure(one, seed), sep="\n")
    print(
        f"fuzz: {len(failures)} of {len(targets)} targets failed" if failures else "fuzz: all held"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
