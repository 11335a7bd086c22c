"""The serial wire on a real pty: bytes both ways, a full line, a line that hangs up."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from vendd.drivers.serial_wire import MAX_QUEUED, open_serial
from vendd.ports import Wire, WireLost


@dataclass
class Pty:
    """The far end; `path` is what the driver opens."""

    far: int
    near: int
    path: str
    closed: bool = False

    def hang_up(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self.far)
            os.close(self.near)


@pytest.fixture
def pty() -> Iterator[Pty]:
    far, near = os.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    it = Pty(far, near, os.ttyname(near))
    yield it
    it.hang_up()


@dataclass
class Ears:
    """What the opener is called back with."""

    data: bytearray = field(default_factory=bytearray)
    lost: list[Exception] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def received(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def gone(self, error: Exception) -> None:
        self.lost.append(error)
        self.news.set()

    def open(self, path: str) -> Wire:
        return open_serial(path, 115200, self.received, self.gone)

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not done():
                self.news.clear()
                await self.news.wait()


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    asyncio.run(main())


async def far_reads(pty: Pty, size: int) -> bytes:
    """`size` bytes at the far end, woken by the loop."""
    loop, got, enough = asyncio.get_running_loop(), bytearray(), asyncio.Event()

    def readable() -> None:
        got.extend(os.read(pty.far, 65536))
        if len(got) >= size:
            enough.set()

    loop.add_reader(pty.far, readable)
    try:
        async with asyncio.timeout(5):
            await enough.wait()
    finally:
        loop.remove_reader(pty.far)
    return bytes(got)


def test_bytes_both_ways(pty: Pty) -> None:
    async def story() -> None:
        ears = Ears()
        wire = ears.open(pty.path)
        everything = bytes(range(256))
        wire.write(everything)
        assert await far_reads(pty, 256) == everything
        os.write(pty.far, everything)
        await ears.until(lambda: len(ears.data) == 256)
        assert bytes(ears.data) == everything
        wire.close()

    play(story)


def test_a_full_line_queues_and_keeps_the_order(pty: Pty) -> None:
    async def story() -> None:
        ears = Ears()
        wire = ears.open(pty.path)
        blocks = [bytes([n]) * 1000 for n in range(40)]  # a pty holds 4 KiB or so
        for block in blocks:
            wire.write(block)
        assert await far_reads(pty, 40_000) == b"".join(blocks)
        wire.close()

    play(story)


def test_a_line_that_takes_nothing_counts_as_lost(pty: Pty) -> None:
    async def story() -> None:
        ears = Ears()
        wire = ears.open(pty.path)
        for _ in range(4 * MAX_QUEUED // 1024):
            with contextlib.suppress(WireLost):
                wire.write(bytes(1024))
        with pytest.raises(WireLost):
            wire.write(b"x")
        await ears.until(lambda: ears.lost)
        assert isinstance(ears.lost[0], WireLost)

    play(story)


def test_a_hang_up_is_told_once_and_writes_fail_from_then_on(pty: Pty) -> None:
    async def story() -> None:
        ears = Ears()
        wire = ears.open(pty.path)
        pty.hang_up()
        await ears.until(lambda: ears.lost)
        with pytest.raises(WireLost):
            wire.write(b"x")
        wire.close()
        await asyncio.sleep(0)
        assert len(ears.lost) == 1

    play(story)


def test_closed_is_closed(pty: Pty) -> None:
    async def story() -> None:
        ears = Ears()
        wire = ears.open(pty.path)
        wire.close()
        wire.close()
        os.write(pty.far, b"late")
        with pytest.raises(WireLost):
            wire.write(b"x")
        again = ears.open(pty.path)
        os.write(pty.far, b"new")
        await ears.until(lambda: ears.data.endswith(b"new"))
        assert ears.lost == []
        again.close()

    play(story)


@pytest.mark.parametrize("path", ["/dev/does-not-exist", "/dev/null", "/"])
def test_ports_that_can_not_be_opened(path: str) -> None:
    async def story() -> None:
        with pytest.raises(WireLost):
            Ears().open(path)

    play(story)
