"""The bus recording of one life: recorded always, written to a file when somebody asks.

SIGUSR1 asks (`kill -USR1`, `systemctl kill -s USR1 vendd`); so may whoever holds the daemon
(`Tracing.write`). Files lie beside the books, `bus-trace-<boot count>-<n>.jsonl`; the oldest
go when there are more than `KEEP`. `python -m hw_sim bus --trace FILE` shows one in words,
`python -m hw_sim replay FILE` plays it against the drivers.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, TextIO

import structlog

from vendd import __version__
from vendd.config import Config
from vendd.drivers.bus_trace import BusTrace
from vendd.ports import WallClock, WireOpener
from vendd.wire.trace import Header, Line, header_text, piece_text

KEEP: Final = 5
SLICE: Final = 100  # lines that are written before others get their turn
_NAME: Final = re.compile(r"bus-trace-(\d{1,12})-(\d{1,6})\.jsonl")
_log = structlog.get_logger()


class Tracing:
    """See the module. On the loop's thread; `boot` is told once the books are open."""

    def __init__(self, config: Config, loop: asyncio.AbstractEventLoop, wall: WallClock) -> None:
        self._config = config
        self._loop = loop
        self._wall = wall
        self._folder = Path(config.store.path)
        self._writing: asyncio.Task[Path | None] | None = None
        self.recorder = BusTrace(loop.time)
        self.boot = 0

    def through(self, opener: WireOpener) -> WireOpener:
        """`opener`, everything on its wires recorded."""
        return self.recorder.through(opener)

    def ask(self) -> None:
        """Write a file soon; one at a time."""
        if self._writing is None or self._writing.done():
            self._writing = self._loop.create_task(self.write(), name="bus-trace")

    async def write(self) -> Path | None:
        """Write a file and tell its path; None when the disk does not take it (the log says why).

        A Pi takes most of a second for a full recording, so others get their turn in between.
        """
        part = self._folder / "bus-trace.part"
        try:
            path = self._next_path()
            with part.open("w", encoding="utf-8") as file:
                for _ in self.dump(file):
                    await asyncio.sleep(0)
            part.replace(path)
            self._prune(path)
        except OSError as error:
            _log.error("bus_trace_not_written", why=str(error))
            return None
        _log.info("bus_trace_written", path=str(path))
        return path

    def dump(self, file: TextIO) -> Iterator[int]:
        """Write the recording as it is now, masked. Yields its line count every `SLICE` lines,
        so that the caller may let others have their turn; it has to be exhausted."""
        # It brings every decoder along: 1 MiB that a life without a recording doesn't need.
        from vendd.wire.masking import masked

        header = self.header()
        file.write(header_text(header) + "\n")
        lines = 1
        for piece in masked(header, self.recorder.pieces()):
            file.write(piece_text(piece) + "\n")
            lines += 1
            if lines % SLICE == 0:
                yield lines

    def header(self) -> Header:
        """Of a recording that is written now."""
        config, mdb = self._config, self._config.mdb
        return Header(
            software=__version__,
            lines=tuple(self._named(line) for line in self.recorder.lines),
            start=self.recorder.began,
            at=self._loop.time(),
            wall=self._wall.now(),
            machine=config.machine.id,
            currency=config.machine.currency,
            poll_ms=0 if mdb is None else mdb.poll_ms,
            payout="" if mdb is None else config.coin_payout(),
        )

    def _named(self, line: Line) -> Line:
        mdb, cctalk = self._config.mdb, self._config.cctalk
        if mdb is not None and line.port == mdb.port:
            return replace(line, adapter=mdb.adapter)
        return replace(line, adapter="cctalk") if cctalk and line.port == cctalk.port else line

    def _next_path(self) -> Path:
        numbers = [n for boot, n, _ in self._files() if boot == self.boot]
        number = max(numbers, default=0) + 1
        return self._folder / f"bus-trace-{self.boot}-{number}.jsonl"

    def _prune(self, newest: Path) -> None:
        others = [path for _, _, path in self._files() if path != newest]
        for path in others[: 1 - KEEP]:
            path.unlink(missing_ok=True)

    def _files(self) -> list[tuple[int, int, Path]]:
        """Oldest first."""
        found = [
            (int(name[1]), int(name[2]), path)
            for path in self._folder.iterdir()
            if (name := _NAME.fullmatch(path.name))
        ]
        return sorted(found)
