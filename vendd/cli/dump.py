"""``vendd dump``: the flight recording of a machine, as one file."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path


def dump(lines: Iterable[bytes], out: Path | None) -> int:
    """Write the recording to `out`, or to stdout. 0: done, 1: there is none, or it can't be
    written or read; stderr says which."""
    try:
        count, size = _to_stdout(lines) if out is None else _to_file(lines, out)
    except BrokenPipeError:  # `| head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"vendd dump: {error}", file=sys.stderr)
        return 1
    if not count:
        print("vendd dump: nothing is recorded here (store.flight_mib)", file=sys.stderr)
        return 1
    where = "" if out is None else f" in {out}"
    print(f"{count} lines, {size} bytes{where}", file=sys.stderr)
    return 0


def _to_stdout(lines: Iterable[bytes]) -> tuple[int, int]:
    count = size = 0
    for line in lines:
        sys.stdout.buffer.write(line)
        count, size = count + 1, size + len(line)
    sys.stdout.buffer.flush()
    return count, size


def _to_file(lines: Iterable[bytes], out: Path) -> tuple[int, int]:
    """All of it, or nothing."""
    part = out.with_name(out.name + ".part")
    count = size = 0
    try:
        with part.open("wb") as file:
            for line in lines:
                file.write(line)
                count, size = count + 1, size + len(line)
        if count:
            part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return count, size
