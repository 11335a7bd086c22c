"""A bounded, seeded campaign: batches of cases for each target in turn, until the time is over.

A batch is drawn from seed, target and number alone, so that one command repeats it. What fails
is made as small as it gets within `SHRINK_S`, and told. Is NOT responsible for what is drawn and
what must hold (`targets`).
"""

import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from tests.fuzz.counts import Counts
from tests.fuzz.targets import Target

CASE_S = 5.0  # of processor time; a case that takes longer hangs
SHRINK_S = 15.0
SETTINGS: dict[str, Any] = {
    "database": None,
    "deadline": None,
    "phases": (Phase.generate, Phase.shrink),
    "suppress_health_check": list(HealthCheck),
    "verbosity": Verbosity.quiet,
    "report_multiple_bugs": False,
}


class Hung(Exception):
    """A case used more processor time than any case needs."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`case`: the smallest input that was found to fail; `where`: innermost frame last."""

    target: str
    batch: int
    case: Any
    error: BaseException
    where: tuple[str, ...] = ()


@dataclass(slots=True)
class Result:
    """Of one target."""

    target: Target
    counts: Counts = field(default_factory=Counts)
    batches: int = 0
    failure: Failure | None = None


def campaign(
    targets: Sequence[Target],
    seed: int,
    seconds: float,
    *,
    first: int = 0,
    batches: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Result]:
    """Batches `first`, `first` + 1, ... of each target in turn. Every target has one at least;
    one that failed has no more. `batches` limits their number, `seconds` the time."""
    results = [Result(target) for target in targets]
    end = clock() + seconds
    number = first
    while batches is None or number < first + batches:
        for result in results:
            if result.failure is None and (number == first or clock() < end):
                result.failure = run_batch(result.target, seed, number, result.counts, clock)
                result.batches += 1
        number += 1
        if clock() >= end or all(result.failure for result in results):
            break
    return results


def run_batch(
    target: Target, seed: int, number: int, counts: Counts, clock: Callable[[], float]
) -> Failure | None:
    """One batch; None when nothing failed."""
    body = _Body(target, counts, clock)
    drawn = random.Random(f"{seed}/{target.name}/{number}").getrandbits(64)
    settings = hypothesis.settings(max_examples=target.batch, **SETTINGS)

    def one(case: Any) -> None:
        body.run(case)

    test = hypothesis.seed(drawn)(settings(hypothesis.given(case=target.cases)(one)))
    try:
        test()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or not body.failed:
            raise
        return Failure(target.name, number, body.smallest, error, _where(error))
    return None


class _Body:
    """Runs cases and counts them; once shrinking takes too long, only what failed before runs."""

    def __init__(self, target: Target, counts: Counts, clock: Callable[[], float]) -> None:
        self._target = target
        self._counts = counts
        self._clock = clock
        self._until = float("inf")
        self.failed: set[str] = set()
        self.smallest: Any = None

    def run(self, case: Any) -> None:
        if self.failed and self._clock() > self._until and repr(case) not in self.failed:
            return
        counts = Counts(cases=1)
        try:
            with limited(CASE_S):
                self._target.run(case, counts)
        except Exception:  # whatever it is, it is what we look for
            if not self.failed:
                self._until = self._clock() + SHRINK_S
            self.failed.add(repr(case))
            self.smallest = case
            raise
        if not self.failed:
            self._counts.add(counts)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `Hung` in the main thread after so much processor time, however busy the machine."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hung(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _where(error: BaseException) -> tuple[str, ...]:
    """The frames of this project, those of hypothesis left out."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "hypothesis" not in f.filename and "campaign.py" not in f.filename]
    return tuple(f"{f.filename}:{f.lineno} in {f.name}: {f.line}" for f in own[-6:])
