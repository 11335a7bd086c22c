"""Seeing and slowing the fsyncs of a child process.

Three ways, the most honest that this machine offers: a preloaded library (every fsync of the
process, whoever calls it), strace (the same, but its stops cost time of their own), or a seam
in the child's own code (commits of the store only). The table says which one was used.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

_SOURCE: Final = Path(__file__).with_name("fsync_shim.c")
_TRIED_S: Final = 20
_TRIAL: Final = "import os, sys; os.fsync(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))"

Way = Literal["preload", "strace", "seam"]


@dataclass(frozen=True, slots=True)
class Fsync:
    """One call: begin and end in seconds of CLOCK_MONOTONIC, delay included."""

    begin: float
    end: float
    path: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """How fsyncs are watched here; `find` tries the ways in order."""

    way: Way
    library: Path | None = None
    bpf: bool = False  # strace stops for the traced calls alone, not for every one

    @classmethod
    def find(cls, folder: Path) -> "Watch":
        """`folder` keeps what is compiled."""
        library = _compile(folder)
        ways = (cls("preload", library), cls("strace", bpf=True), cls("strace"))
        for watch in ways:
            if watch._works(folder / f"trial-{ways.index(watch)}"):
                return watch
        return cls("seam")

    def command(self, command: Sequence[str], log: Path, delay_ms: int = 0) -> tuple[str, ...]:
        """`command`, watched: its process id stays its own. The seam is for the command to obey:
        it finds BENCH_SEAM_LOG and BENCH_SEAM_DELAY_MS in its environment."""
        if self.way == "preload":
            settings = (f"LD_PRELOAD={self.library}", f"BENCH_FSYNC_LOG={log}")
            return ("env", *settings, f"BENCH_FSYNC_DELAY_US={delay_ms * 1000}", *command)
        if self.way == "strace":
            calls = "fsync,fdatasync"
            slow = ("-e", f"inject={calls}:delay_exit={delay_ms * 1000}") if delay_ms else ()
            only = ("--seccomp-bpf",) if self.bpf else ()
            options = (*only, "-D", "-f", "-qq", "-ttt", "-T", "-y", "-e", f"trace={calls}", *slow)
            return ("strace", *options, "-o", str(log), *command)
        return ("env", f"BENCH_SEAM_LOG={log}", f"BENCH_SEAM_DELAY_MS={delay_ms}", *command)

    def read(self, log: Path) -> list[Fsync]:
        """What happened so far, in order."""
        if not log.exists():
            return []
        lines = log.read_text().splitlines()
        return list(_of_strace(lines) if self.way == "strace" else _of_log(lines))

    def _works(self, log: Path) -> bool:
        if self.way == "preload" and self.library is None:
            return False
        if self.way == "strace" and shutil.which("strace") is None:
            return False
        trial = (sys.executable, "-c", _TRIAL, str(log.with_suffix(".file")))
        ran = subprocess.run(
            self.command(trial, log, 1), capture_output=True, timeout=_TRIED_S, check=False
        )
        return ran.returncode == 0 and len(self.read(log)) == 1


def _compile(folder: Path) -> Path | None:
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        return None
    library = folder / "fsync_shim.so"
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE)],
        capture_output=True,
        timeout=_TRIED_S,
        check=False,
    )
    return library if made.returncode == 0 else None


def _of_log(lines: Iterable[str]) -> Iterable[Fsync]:
    for line in lines:
        begin, end, path = line.split(" ", 2)
        yield Fsync(float(begin), float(end), path)


_CALL: Final = re.compile(
    r"(?:\d+ +)?(?P<at>\d+\.\d+) (?:f(?:data)?sync\(\d+(?:<(?P<path>[^>]*)>)?|"
    r"<\.\.\. f(?:data)?sync (?P<resumed>resumed)>).*= -?\d+.* <(?P<took>\d+\.\d+)>"
)


def _of_strace(lines: Iterable[str]) -> Iterable[Fsync]:
    """``PID 1700000000.123456 fdatasync(5</path>) = 0 (DELAYED) <0.026>``; the wall clock is
    brought to the loop's clock."""
    offset = time.time() - time.monotonic()  # noqa: TID251  # two clocks are compared
    for call in filter(None, map(_CALL.fullmatch, lines)):
        at, took = float(call["at"]) - offset, float(call["took"])
        begin = at - took if call["resumed"] else at
        yield Fsync(begin, begin + took, call["path"] or "")


def between(seen: Iterable[Fsync], begin: float, end: float) -> int:
    """How many ended in this span."""
    return sum(begin <= fsync.end <= end for fsync in seen)


def note(fsync: Fsync, log: str) -> None:
    """One line, as the preloaded library writes it: for the seam."""
    with open(log, "a") as file:
        file.write(f"{fsync.begin:.6f} {fsync.end:.6f} {fsync.path}\n")


def seam() -> tuple[str | None, float]:
    """What the seam is told: where to log (None: nothing to do) and seconds to add."""
    return os.environ.get("BENCH_SEAM_LOG"), int(os.environ.get("BENCH_SEAM_DELAY_MS", "0")) / 1000
