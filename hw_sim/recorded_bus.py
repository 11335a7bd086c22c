"""``python -m hw_sim bus --trace``: what went over the serial lines, in words."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hw_sim.loop import run_virtual
from hw_sim.opening import in_virtual_time
from hw_sim.shop import Say, Shop
from vendd.wire import trace
from vendd.wire.trace import BadTrace, Header, Trace
from vendd.wire.words import Said, folded, narrate

UNREADABLE: Final = 2
CUSTOMERS: Final = 3
MAX_LINE: Final = trace.MAX_TEXT + 1  # bytes; a longer one is refused without reading it all


def read_file(path: Path) -> Trace:
    """Raises `BadTrace`, its text beginning with the file's name, also when there is no file."""
    try:
        with path.open("rb") as file:
            return trace.read(iter(lambda: file.readline(MAX_LINE), b""))
    except OSError as error:
        raise BadTrace(f"{path}: {error.strerror or error}") from error
    except BadTrace as error:
        raise BadTrace(f"{path}: {error}") from error


def show_file(path: Path, *, every: bool) -> int:
    """Print a recording; the exit code. `every`: idle polls one by one."""
    try:
        recording = read_file(path)
    except BadTrace as error:
        print(f"hw_sim: {error}", file=sys.stderr)
        return UNREADABLE
    show(recording, every=every)
    return 0


def show_live(source: Path, seed: int, *, every: bool) -> int:
    """Some customers at the simulated machine in virtual time, and the bus meanwhile."""
    show(run_virtual(some_customers(source, seed, CUSTOMERS)), every=every)
    return 0


async def some_customers(source: Path, seed: int, customers: int, say: Say = print) -> Trace:
    """What the daemon of a simulated machine recorded while it served them."""
    async with in_virtual_time(source, seed, customers) as machine:
        shop = Shop(machine, seed, patient=True, say=say)
        await shop.open()
        for number in range(1, customers + 1):
            await shop.serve(number)
        assert machine.daemon is not None
        tracing = machine.daemon.tracing
        recording = Trace(tracing.header(), tuple(tracing.recorder.pieces()))
        await machine.stop()
    return recording


def show(recording: Trace, *, every: bool) -> None:
    """Print it, times counted from the start of the recording."""
    header = recording.header
    print("\n".join(_about(header)))
    told = narrate(header, recording.pieces)
    several = len(header.lines) > 1
    for one in told if every else folded(told):
        print(_line(one, header.start, several=several))


def _about(it: Header) -> Iterator[str]:
    yield f"machine {it.machine or '?'}, vendd {it.software or '?'}, {it.currency or '?'}"
    for number, line in enumerate(it.lines):
        yield f"line {number}: {line.port}, {line.baud} baud, {line.adapter or 'adapter unknown'}"
    if it.wall:
        yield f"written at {it.at - it.start:.3f} s = {it.wall}"


def _line(one: Said, start: float, *, several: bool) -> str:
    where = f"{one.line}  " if several else ""
    times = f"  (x {one.times})" if one.times > 1 else ""
    return f"{one.at - start:12.3f}  {where}{one.text}{times}"
