"""The adapter's lines and their timing, on a memory line in virtual time."""

import random

import pytest
from changer_bench import Bench, Host

from hw_sim.devices.qibixx import GENERIC_MASTER
from hw_sim.devices.wire_faults import (
    Delays,
    DropsAll,
    DropsBytes,
    Duplicates,
    FlipsBits,
    InsertsNoise,
    Mangled,
    Truncates,
)

LINES = [
    ("V\n", ["v,4.0.2.0,4d4442000001"]),
    ("M,1\n", ["m,ACK"]),
    ("R,0B\n", ["r,0B"]),
    ("R,0b\r\n", ["r,0B"]),
    ("R,0B\nR,0B\n", ["r,0B", "r,ACK"]),
    ("R,0C0001FFFF\n", ["r,ACK"]),
    ("R,0C,0001FFFF\n", ["r,ACK"]),
    ("R,0F,00\n", ["r,53494D" + b"000000000001CHANGER-1   ".hex().upper() + "012700000007"]),
    ("R,0E\n", ["r,TIMEOUT"]),  # no such command
    ("R,10\n", ["r,TIMEOUT"]),  # nobody at that address
    ("R,\nR,0\nR,0G\nhello\n\n\xff\xfe\nV\n", ["v,4.0.2.0,4d4442000001"]),
    ("R," + "0B" * 36 + "\nV\n", ["v,4.0.2.0,4d4442000001"]),  # longer than any block
    ("x" * 5000 + "\nV\n", ["v,4.0.2.0,4d4442000001"]),  # longer than any line
    ("R,RESET\n", []),  # 100 ms and the line's own time
]


@pytest.mark.parametrize(("sent", "lines"), LINES)
@pytest.mark.parametrize("torn", [0.0, 1.0])
def test_lines(bench: Bench, sent: str, lines: list[str], torn: float) -> None:
    bench.changer.fill_tube(5, 1)
    assert Host(bench, torn=torn).say(sent, 0.6 if len(sent) > 99 else 0.1) == lines


def test_the_end_of_an_overlong_line_is_not_a_command(bench: Bench) -> None:
    host = Host(bench)
    host.say("x" * 200)
    assert host.say("R,0B\n") == []
    assert host.say("R,0B\n") == ["r,0B"]


def test_vendor_dialect(bench: Bench) -> None:
    host = Host(bench, GENERIC_MASTER)
    assert host.say("R,0B\nM,1\n") == ["p,NACK", "m,ACK"]  # no master yet
    assert host.say("R,0B\nR,0B\nR,10\n") == ["p,0B", "p,ACK", "p,NACK"]
    host.line.unplug()
    host.line.replug()
    host.open()
    assert host.say("R,0B\n") == ["p,NACK"]  # a fresh adapter has forgotten


def test_bad_chk_is_told_and_the_data_kept(bench: Bench) -> None:
    host = Host(bench)
    bench.changer.inject("bad_chk")
    assert host.say("R,0B\nR,0B\n") == ["r,ERR,CHK", "r,0B"]


def test_an_exchange_takes_its_time(bench: Bench) -> None:
    """Host line 5 bytes at 115200, block 2 bytes and answer 2 bytes at 9600, line back."""
    host = Host(bench)
    byte = 11 / 9600
    for sent, answer_bytes, reply in (("R,0B\n", 2, 5), ("R,0B\n", 1, 6), ("R,09\n", 24, 49)):
        start = bench.loop.time()
        host.say(sent)
        took = host.chunks[-1][0] - start
        fixed = (len(sent) + reply) * 10 / 115200 + 2 * 0.001 + (2 + answer_bytes) * byte
        assert fixed + 0.0008 <= took <= fixed + 0.0035 + 1e-9, sent


def test_no_answer_costs_t_response(bench: Bench) -> None:
    host = Host(bench)
    start = bench.loop.time()
    host.say("R,10\n")
    took = host.chunks[-1][0] - start
    assert took == pytest.approx(15 * 10 / 115200 + 0.002 + 2 * 11 / 9600 + 0.005, abs=1e-9)


def test_commands_wait_for_the_bus_and_too_many_are_dropped(bench: Bench) -> None:
    host = Host(bench)
    assert len(host.say("R,09\n" * 30, 1.0)) < 20
    assert host.adapter.lines_dropped > 0
    assert host.say("V\n") == ["v,4.0.2.0,4d4442000001"]


FAULTS = [DropsBytes, DropsAll, InsertsNoise, FlipsBits, Truncates, Duplicates]


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_wire_never_breaks_the_adapter(bench: Bench, fault: type[Mangled]) -> None:
    host = Host(bench)
    wrapped = fault(host.adapter, random.Random(9), 0.5)
    host.line.__init__(bench.loop, wrapped)  # type: ignore[misc]
    host.open()
    for _ in range(200):
        host.wire.write(b"R,0B\n")
        bench.wait(0.05)
    assert wrapped.hits > 100
    wrapped.on = False
    host.say("\n", 0.5)
    assert host.say("R,09\n", 0.5)[-1].startswith("r,0319780502")


def test_delays(bench: Bench) -> None:
    host = Host(bench)
    late = Delays(host.adapter, random.Random(9), 1.0, loop=bench.loop, late_s=(0.2, 0.2))
    host.line.__init__(bench.loop, late)  # type: ignore[misc]
    host.open()
    assert host.say("V\n", 0.39) == []
    assert host.say("", 0.1) == ["v,4.0.2.0,4d4442000001"]
