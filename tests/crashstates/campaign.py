"""Every cut point of a recording, several crash states at each, until enough different ones are
seen. Is NOT responsible for what is right (`verdict`) or possible (`disk`)."""

import hashlib
import multiprocessing
import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.crashstates.choices import Image, images
from tests.crashstates.disk import Disk
from tests.crashstates.operations import Marked, Operation
from tests.crashstates.recording import Recording
from tests.crashstates.verdict import Examiner, Promises
from vendd.daemon import media

ROUNDS: Final = 12  # over all cut points; a short recording has not that many states
LEAST: Final = 4  # states drawn at a cut point in one round
PROCESSES: Final = 2
SHOWN: Final = 10
MEMORY: Final = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Violation:
    """`number`: of the operation after which the power went; `round`: which draw it was."""

    number: int
    round: int
    findings: tuple[str, ...]


@dataclass(slots=True)
class Result:
    """`drawn` states at `cuts` cut points, `states` different ones as digests of everything."""

    cuts: int = 0
    drawn: int = 0
    states: set[bytes] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        self.cuts += other.cuts
        self.drawn += other.drawn
        self.states |= other.states
        self.violations += other.violations


@dataclass(frozen=True, slots=True)
class Share:
    """Cut points `first` to before `behind`. `wanted`: different states to look at; `syncs` False:
    the disk ignores every fsync. `most`: violations after which it is enough."""

    recording: Path
    seed: int
    first: int
    behind: int
    wanted: int
    syncs: bool = True
    most: int = 1_000_000


def campaign(
    recording: Path, operations: int, seed: int, wanted: int, *, syncs: bool = True
) -> Result:
    """All cut points, by two processes."""
    bounds = [operations * n // PROCESSES for n in range(PROCESSES + 1)]
    shares = [
        Share(recording, seed, first, behind, -(-wanted // PROCESSES), syncs)
        for first, behind in pairwise(bounds)
    ]
    total = Result()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        for result in pool.map(look, shares):
            total.add(result)
    return total


def look(share: Share) -> Result:
    """One process's part."""
    recording = Recording.load(share.recording)
    memory = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="vendd-crash-", dir=memory) as folder:
        examiner = Examiner(recording.config, recording.truth, Path(folder))
        result = Result()
        for turn in range(ROUNDS):
            _Round(share, turn, examiner, result).over(recording.operations)
            if len(result.states) >= share.wanted or len(result.violations) >= share.most:
                break
    return result


class _Round:
    """Once through the recording."""

    def __init__(self, share: Share, turn: int, examiner: Examiner, result: Result) -> None:
        self._share, self._turn = share, turn
        self._examiner, self._result = examiner, result
        self._disk = Disk(share.syncs)
        per_cut = -(-share.wanted // max(1, share.behind - share.first))
        self._count = max(LEAST, per_cut + per_cut // 2)

    def over(self, operations: Sequence[Operation]) -> None:
        promises = Promises.of(operations)
        for number, operation in enumerate(operations[: self._share.behind]):
            if isinstance(operation, Marked):
                promises.heard(operation)
                if operation.text.startswith("commit"):
                    _remember_key(self._disk, promises)
            changed = self._disk.apply(number, operation)
            if number >= self._share.first and changed:
                self._cut(number, promises, operation.at)
            if len(self._result.violations) >= self._share.most:
                return

    def _cut(self, number: int, promises: Promises, at: float) -> None:
        result = self._result
        result.cuts += self._turn == 0
        chance = random.Random(f"{self._share.seed}/{self._turn}/{number}")
        for image in images(self._disk, chance, self._count):
            result.drawn += 1
            state = _digest(image, promises)
            if state in result.states:
                continue
            result.states.add(state)
            findings = self._examiner.examine(image, promises, at)
            if findings:
                result.violations.append(Violation(number, self._turn, tuple(findings)))


def _remember_key(disk: Disk, promises: Promises) -> None:
    """With the first event that is committed, cards may be known by their hash."""
    file = disk.names[-1].get(media.FILE)
    if promises.media_key is None and file is not None:
        promises.media_key = bytes(disk.files[file].current)


def _digest(image: Image, promises: Promises) -> bytes:
    """Of a state and of what was promised by then; the same state may break a later promise."""
    state = hashlib.blake2b(f"{promises.returned}/{len(promises.sent)}".encode(), digest_size=12)
    for name in sorted(image):
        state.update(f"\0{name}\0{len(image[name])}\0".encode())
        state.update(image[name])
    return state.digest()
