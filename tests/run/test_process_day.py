"""The command as people start it: real processes, real time, nothing left behind."""

import os
import pty
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

ROOT = Path(__file__).parents[2]
MARK = "VENDD_TEST_MARK"
GONE_S = 8.0
LOOK_S = 0.1


class Started:
    """`python -m hw_sim ...`, and every process that comes of it: they inherit a mark."""

    def __init__(self, *options: str, stdin: int = subprocess.PIPE, stdout: int = subprocess.PIPE):
        self.mark = uuid.uuid4().hex
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hw_sim", *options],
            cwd=ROOT,
            env={**os.environ, MARK: self.mark, "KAFKA_BOOTSTRAP": ""},
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def read_until(self, words: str, seconds: float = 20.0, fd: int | None = None) -> None:
        """Collect output until `words` are in it."""
        if fd is None:
            assert self.process.stdout is not None
            fd = self.process.stdout.fileno()
        patience = round(seconds / LOOK_S)
        while words not in self.output:
            assert patience, f"{words!r} never came:\n{self.output}"
            if not select.select([fd], [], [], LOOK_S)[0]:
                patience -= 1
                continue
            data = os.read(fd, 4096)
            assert data, f"it ended before {words!r} came:\n{self.output}"
            self.output += data.decode(errors="replace")

    def family(self) -> list[int]:
        """Every living process with our mark."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"{MARK}={self.mark}".encode() in environment:
                found.append(int(entry.name))
        return found

    def alone(self) -> list[int]:
        """Who is left some seconds later; nobody should be."""
        for _ in range(round(GONE_S / LOOK_S)):
            if not self.family():
                return []
            select.select([], [], [], LOOK_S)
        return self.family()

    def close(self) -> None:
        for pid in self.family():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


Start = Callable[..., Started]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Started] = []

    def begin(*options: str, **more: int) -> Started:
        started.append(Started(*options, **more))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def test_three_customers_in_real_time_on_somebodys_broker(start: Start) -> None:
    broker = start("broker")
    broker.read_until("\n")
    address = broker.output.split()[1]
    stranger = Producer({"bootstrap.servers": address})
    stranger.produce(
        "machine-events", b"{}", b"other-0001", headers={"ce_machine": "other-0001", "ce_seq": "7"}
    )
    assert stranger.flush(10) == 0
    run = start("run", "--purchases", "3", "--seed", "63", "--bootstrap", address)
    output = run.process.communicate(timeout=60)[0].decode()
    assert run.process.returncode == 0, output
    assert output.startswith("SIMULATED")
    assert f"kcat -b {address}" in output
    assert all(f"\n#{n} wants " in output for n in (1, 2, 3))
    assert "3 customers: 3 sold" in output
    assert "missing seq 0, duplicates seen 0" in output
    assert "Every promise was kept." in output
    assert run.alone() == []
    assert broker.process.poll() is None


def test_by_hand_through_a_pipe_to_the_end_of_the_input(start: Start) -> None:
    run = start("run")
    run.read_until("COINS BILLS CARD")
    run.type("+1.00\nra1")
    run.read_until("CREDIT      1.50")
    run.read_until("VENDING A1")
    run.read_until("in the tray")
    run.type("s+0.33\n")
    run.read_until("events at 127.0.0.1:")
    run.read_until("0.33 in the cup")
    assert run.process.stdin is not None
    run.process.stdin.close()
    run.read_until("stopped in order.")
    assert run.process.wait(10) == 0
    assert run.alone() == []


def test_by_hand_at_a_terminal(start: Start) -> None:
    here, there = pty.openpty()
    run = start("run", stdin=there, stdout=there)
    os.close(there)
    run.read_until("MAKE A SELECTION", fd=here)
    os.write(here, b"b")  # no Enter
    run.read_until("SELECTION B_", fd=here)
    assert "\x1b[4A\x1b[J" in run.output  # redrawn in its place
    os.write(here, b"x")
    run.read_until("stopped in order.", fd=here)
    assert run.process.wait(10) == 0
    os.close(here)
    assert run.alone() == []


@pytest.mark.parametrize(
    ("options", "number", "status"),
    [(["--purchases", "50"], signal.SIGINT, 130), ([], signal.SIGTERM, 0)],
)
def test_a_signal_stops_all_in_order(
    start: Start, options: list[str], number: signal.Signals, status: int
) -> None:
    run = start("run", *options)
    run.read_until("#1 wants" if options else "MAKE A SELECTION")
    run.process.send_signal(number)
    run.read_until("stopped.")
    assert run.process.wait(15) == status
    assert run.alone() == []


def test_nobody_outlives_a_killed_simulator(start: Start) -> None:
    run = start("run")
    run.read_until("COINS BILLS CARD")
    assert len(run.family()) >= 3  # the world, the daemon, Kafka
    run.process.kill()
    assert run.alone() == []


@pytest.mark.parametrize(
    "options",
    [["run", "--virtual"], ["run", "--purchases", "0"], ["run", "--purchases", "x"], []],
)
def test_usage_errors(start: Start, options: list[str]) -> None:
    run = start(*options)
    output = run.process.communicate(timeout=20)[0].decode()
    assert run.process.returncode == 2
    assert "usage: " in output


def test_a_configuration_that_is_refused(start: Start, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text((ROOT / "config" / "snack-4x6.toml").read_text().replace("[sale]", "[sail]"))
    run = start("run", "--config", str(wrong))
    output = run.process.communicate(timeout=20)[0].decode()
    assert run.process.returncode == 2
    assert str(wrong) in output
    assert "Traceback" not in output
    assert run.alone() == []
