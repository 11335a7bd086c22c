"""The yardstick of a poll: a bare loop whose timer writes a line to a port, nothing else.

``python -m tests.bench.metronome PORT INTERVAL_S``, until it is told to stop. It counts from when
it wrote, as the bus does: what came late once is not caught up with.
"""

import asyncio
import os
import sys
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from hw_sim.daemon_process import die_with_parent

LINE: Final = b"R,0B\n"


async def beat(port: int, interval_s: float) -> None:
    loop = asyncio.get_running_loop()

    def write() -> None:
        loop.call_at(loop.time() + interval_s, write)
        os.write(port, LINE)

    write()
    await asyncio.Event().wait()


@asynccontextmanager
async def beating(port: Path, interval_s: float) -> AsyncIterator[None]:
    """A metronome in a process of its own."""
    command = (sys.executable, "-m", "tests.bench.metronome", str(port), str(interval_s))
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


if __name__ == "__main__":
    die_with_parent()
    descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    asyncio.run(beat(descriptor, float(sys.argv[2])))
