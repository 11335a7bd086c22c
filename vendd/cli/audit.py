"""``vendd audit``: the EVA-DTS report of this machine's books, and a look into anybody's."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

_MOST: Final = 2 << 20  # bytes that are looked at; no report is that long
_SHOWN: Final = 50  # findings; a file that is something else has one in each line


class Read(Protocol):
    """A report that was read; each finding in words."""

    @property
    def sound(self) -> bool: ...

    @property
    def segments(self) -> Sequence[object]: ...

    @property
    def findings(self) -> Sequence[object]: ...


class NoReport(Exception):
    """The books give none now; in words, with what to do about it."""


def export(make: Callable[[], bytes], out: Path | None) -> int:
    """Write the report to `out`, whole or not at all, else to stdout. 0: done, 1: not."""
    try:
        data = make()
        if out is None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            _write(out, data)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except NoReport as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{out or 'standard output'}: {error.strerror}; nothing was written", file=sys.stderr)
        return 1
    if out is not None:
        print(f"{out}: {len(data)} bytes", file=sys.stderr)
    return 0


def _write(out: Path, data: bytes) -> None:
    part = out.with_name(f"{out.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, out)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def verify(path: Path, read: Callable[[bytes], Read]) -> int:
    """Every finding to stdout, then one line that sums up. 0: sound (perhaps with warnings),
    1: damaged, not whole, or not to be read at all."""
    try:
        with path.open("rb") as file:
            report = read(file.read(_MOST))
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return 1
    more = len(report.findings) - _SHOWN
    verdict = "sound" if report.sound else "NOT SOUND: do not rely on its figures"
    lines = [
        *map(str, report.findings[:_SHOWN]),
        *([f"and {more} more"] if more > 0 else []),
        f"{path}: {len(report.segments)} segments, {verdict}",
    ]
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:  # `| head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if report.sound else 1
