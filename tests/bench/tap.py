"""A tap on a serial line: a process of its own between host and adapter, that writes down when.

``python -m tests.bench.tap LOG LINK [FAR]``. LINK becomes a pty for the host; what the host
writes goes on to FAR and back. Without FAR nothing answers. The log has one line per read: seconds
of CLOCK_MONOTONIC (the clock of asyncio's loops), ``>`` from the host or ``<`` to it, the bytes in
hex. Whatever else the measuring process has to do, it does not blur these times.
"""

import asyncio
import os
import select
import sys
import time
import tty
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from hw_sim.daemon_process import die_with_parent
from tests.bench.customers import NotMeasured

READ_SIZE: Final = 4096
POLL: Final = b"\x0b"  # of a changer
_ADDRESS: Final = 0xF8
_DEPOSITED, _REJECTED = 0x40, 0x30  # upper bits of a coin's first byte; routing within them


@dataclass(frozen=True, slots=True)
class Heard:
    """One exchange as it passed: a command's last byte at `asked`, its answer's at `answered`."""

    asked: float
    command: bytes
    answered: float = 0.0
    answer: bytes = b""

    @property
    def coin(self) -> bool:
        """A poll's answer that begins with a coin in tube or box."""
        first = self.answer[:1] or b"\x00"
        paid = first[0] & 0xC0 == _DEPOSITED and first[0] & 0x30 != _REJECTED
        return self.command == POLL and len(self.answer) > 1 and paid


def conversation(lines: Iterable[str]) -> list[Heard]:
    """The raw requests of a Qibixx adapter in a tap's log, each with its answer."""
    heard: list[Heard] = []
    for at, way, line in _lines(lines):
        if way == ">" and line.startswith(b"R,"):
            heard.append(Heard(at, _hex(line[2:])))
        elif way == "<" and line.startswith((b"p,", b"r,")) and heard and not heard[-1].answered:
            last = heard[-1]
            heard[-1] = Heard(last.asked, last.command, at, _hex(line[2:]))
    return heard


def _lines(lines: Iterable[str]) -> Iterator[tuple[float, str, bytes]]:
    """Whole lines of either way, at the time of their last byte."""
    open_ = {">": b"", "<": b""}
    for line in lines:
        at, way, data = line.split()
        *whole, open_[way] = (open_[way] + bytes.fromhex(data)).split(b"\n")
        yield from ((float(at), way, each) for each in whole)


def _hex(text: bytes) -> bytes:
    """Empty for what is none: ACK, NACK and the like."""
    try:
        return bytes.fromhex(text.replace(b",", b"").decode("ascii"))
    except ValueError:
        return b""


def poll_gaps(heard: Iterable[Heard]) -> list[float]:
    """Seconds between one POLL of the changer and its next, whatever came between."""
    polls = [each.asked for each in heard if each.command == POLL]
    return [after - before for before, after in pairwise(polls)]


def free_gaps(heard: Iterable[Heard]) -> list[float]:
    """The same where nothing else was said to the changer in between: these follow the clock
    alone, for a command of its own is followed by a POLL at once."""
    own = [each for each in heard if each.command[:1] and each.command[0] & _ADDRESS == 0x08]
    pairs = pairwise(own)
    return [b.asked - a.asked for a, b in pairs if a.command == b.command == POLL]


@asynccontextmanager
async def tapped(log: Path, link: Path, far: Path | None = None) -> AsyncIterator[None]:
    """A tap that runs; `link` is there."""
    command = (sys.executable, "-m", "tests.bench.tap", str(log), str(link))
    process = await asyncio.create_subprocess_exec(
        *command, *([str(far)] if far is not None else []), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        if await process.stdout.readline() != b"ready\n":
            raise NotMeasured("the tap on the serial line did not come up")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def relay(log: Path, link: Path, far: Path | None) -> None:
    """Until killed."""
    ours, theirs = os.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    link.symlink_to(os.ttyname(theirs))
    beyond = None if far is None else os.open(far, os.O_RDWR | os.O_NOCTTY)
    ways = {ours: (">", beyond)} if beyond is None else {ours: (">", beyond), beyond: ("<", ours)}
    with log.open("w") as file:
        print("ready", flush=True)
        while True:
            for ready in select.select(list(ways), [], [])[0]:
                data = os.read(ready, READ_SIZE)
                at = time.monotonic()  # noqa: TID251  # the clock is the subject
                way, onward = ways[ready]
                file.write(f"{at:.6f} {way} {data.hex()}\n")
                file.flush()  # before anybody can know
                if onward is not None:
                    os.write(onward, data)


if __name__ == "__main__":
    die_with_parent()
    log_, link_, *far_ = map(Path, sys.argv[1:])
    relay(log_, link_, far_[0] if far_ else None)
