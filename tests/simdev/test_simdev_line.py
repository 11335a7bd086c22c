"""The two kinds of line: in memory, and on a pty with a plain serial client."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import serial
from changer_bench import Bench, Host

from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import MemoryLine, MemoryPorts, PtyLine
from hw_sim.devices.qibixx import QibixxAdapter
from vendd.ports import WireLost, WireOpener


def test_unplug_tells_the_host_once_and_replug_works(bench: Bench) -> None:
    host = Host(bench)
    host.wire.write(b"R,0B\n")
    host.line.unplug()
    bench.wait(0.1)
    assert len(host.lost) == 1
    assert isinstance(host.lost[0], WireLost)
    assert host.chunks == []
    with pytest.raises(WireLost):
        host.wire.write(b"V\n")
    with pytest.raises(WireLost):
        host.open()
    host.wire.close()
    host.line.replug()
    host.open()
    assert host.say("R,0B\n") == ["r,0B"]


def test_one_host_at_a_time_and_silence_after_close(bench: Bench) -> None:
    host = Host(bench)
    with pytest.raises(WireLost):
        host.line.open("sim", 115200, host.heard.extend, host.lost.append)
    host.wire.write(b"V\n")
    host.wire.close()
    bench.wait(0.1)
    assert host.chunks == []
    assert host.lost == []


def test_a_dead_host_leaves_the_device_alone(bench: Bench) -> None:
    host = Host(bench)
    with bench.loop.life() as life:
        host.wire.close()
        host.open()
        host.wire.write(b"R,0B\n")
    bench.loop.abandon(life)
    host.line.abandon()
    bench.wait(0.1)
    assert host.adapter.exchanges == 1  # what was on the wire arrives
    assert host.chunks == []
    host.open()
    assert host.say("R,0B\n") == ["r,ACK"]  # and what it answered is gone


class Talker:
    """A device that says what the test wants, when it wants."""

    def connect(self, transmit: Callable[[bytes], None]) -> None:
        self.transmit = transmit

    def received(self, data: bytes) -> None: ...

    def power_on(self) -> None: ...


def test_bytes_follow_each_other_and_none_arrive_after_close(bench: Bench) -> None:
    talker = Talker()
    line = MemoryLine(bench.loop, talker, latency_s=0.0)
    heard: list[tuple[float, bytes]] = []
    start = bench.loop.time()
    wire = line.open("x", 10_000, lambda data: heard.append((bench.loop.time(), data)), print)
    talker.transmit(b"ab")
    talker.transmit(b"cde")
    talker.transmit(b"f")
    bench.wait(0.0055)  # a byte takes 1 ms
    assert [(round(at - start, 6), data) for at, data in heard] == [(0.002, b"ab"), (0.005, b"cde")]
    wire.close()
    bench.wait(1.0)
    assert len(heard) == 2


def test_slow_baud_rate(bench: Bench) -> None:
    host = Host(bench)
    host.wire.close()
    wire = host.line.open("sim", 300, lambda data: host.chunks.append((0, data)), print)
    wire.write(b"V\n")
    bench.wait(2 * 10 / 300 + 23 * 10 / 300 - 0.01)
    assert host.chunks == []
    bench.wait(0.1)
    assert host.chunks[0][1] == b"v,4.0.2.0,4d4442000001\n"


def test_ports_by_name(bench: Bench) -> None:
    line = MemoryLine(bench.loop, QibixxAdapter(bench.loop, [bench.changer]))
    opener: WireOpener = MemoryPorts({"/dev/mdb": line})
    with pytest.raises(WireLost):
        opener("/dev/other", 115200, print, print)
    heard: list[bytes] = []
    opener("/dev/mdb", 115200, heard.append, print).write(b"V\n")
    bench.wait(0.1)
    assert heard == [b"v,4.0.2.0,4d4442000001\n"]


def ask(port: Path, lines: list[bytes]) -> list[bytes]:
    """A plain client in a thread: opens, asks, closes."""
    answers = []
    with serial.Serial(str(port), 115200, timeout=5) as client:
        for line in lines:
            client.write(line)
            answers.append(client.readline())
    return answers


def test_pty_with_a_plain_serial_client(tmp_path: Path) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        changer = CoinChanger(loop, random.Random(1))
        link = tmp_path / "mdb"
        line = PtyLine(loop, QibixxAdapter(loop, [changer]), link)
        try:
            first = await asyncio.to_thread(ask, link, [b"V\n", b"R,0B\n", b"R,0B\n"])
            assert first == [b"v,4.0.2.0,4d4442000001\n", b"r,0B\n", b"r,ACK\n"]
            # closed and opened again; noise before the line end
            again = await asyncio.to_thread(ask, link, [b"R,0C,001FFFFF\n", b"\xff\x03\nR,10\n"])
            assert again == [b"r,ACK\n", b"r,TIMEOUT\n"]
        finally:
            line.close()
        assert not link.exists()

    asyncio.run(scenario())


def test_pty_unplugged_under_an_open_client(tmp_path: Path) -> None:
    def until_lost(link: Path, plugged_out: "asyncio.Future[None]") -> str:
        with serial.Serial(str(link), 115200, timeout=5) as client:
            client.write(b"V\n")
            client.readline()
            plugged_out.get_loop().call_soon_threadsafe(plugged_out.set_result, None)
            try:
                return repr(client.read(1))
            except (serial.SerialException, OSError):
                return "lost"

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        changer = CoinChanger(loop, random.Random(1))
        line = PtyLine(loop, QibixxAdapter(loop, [changer]), tmp_path / "mdb")
        opened: asyncio.Future[None] = loop.create_future()
        client = loop.run_in_executor(None, until_lost, tmp_path / "mdb", opened)
        await opened
        line.unplug()
        assert await client == "lost"
        line.replug()
        try:
            assert await asyncio.to_thread(ask, tmp_path / "mdb", [b"V\n"]) == [
                b"v,4.0.2.0,4d4442000001\n"
            ]
        finally:
            line.close()

    asyncio.run(scenario())
