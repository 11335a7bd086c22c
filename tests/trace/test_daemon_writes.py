"""The daemon records from its first byte on, and writes what it has when it is asked."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from hw_sim.__main__ import main
from hw_sim.loop import run_virtual
from hw_sim.machines import coins_only
from hw_sim.opening import SAMPLE
from hw_sim.virtual import VirtualMachine
from vendd.config import load
from vendd.daemon import main as process
from vendd.daemon.tracing import KEEP
from vendd.drivers.bus_trace import LIMIT
from vendd.wire.trace import Trace, Way, read


def files(machine: VirtualMachine) -> list[str]:
    return sorted(path.name for path in machine.books().glob("bus-trace*"))


def machine_story(story) -> None:
    async def run() -> None:
        machine = VirtualMachine(coins_only(load(SAMPLE)), 1)
        try:
            await machine.start()
            await asyncio.sleep(3.0)
            await story(machine)
            await machine.stop()
        finally:
            machine.close()

    run_virtual(run())


def written(path: Path) -> Trace:
    with path.open("rb") as file:
        return read(file)


def test_a_file_is_written_beside_the_books_and_shown_in_words(capsys):
    async def story(machine: VirtualMachine) -> None:
        machine.daemon.tracing.ask()
        machine.daemon.tracing.ask()  # one at a time
        await asyncio.sleep(1.0)
        assert files(machine) == ["bus-trace-1-1.jsonl"]
        path = machine.books() / "bus-trace-1-1.jsonl"
        trace = written(path)
        assert trace.header.machine == machine.config.machine.id
        assert trace.header.lines[0].adapter == "qibixx"
        assert trace.pieces[0].way is Way.OPENED
        assert any(p.data == b"R,09\n" for p in trace.pieces)
        assert main(["bus", "--trace", str(path)]) == 0
        assert "CHANGER SETUP -> level 3, currency 1978" in capsys.readouterr().out

    machine_story(story)


def test_the_oldest_files_go_and_names_count_boots():
    async def story(machine: VirtualMachine) -> None:
        for _ in range(KEEP + 2):
            assert await machine.daemon.tracing.write() is not None
        assert files(machine) == [f"bus-trace-1-{n}.jsonl" for n in range(3, KEEP + 3)]
        await machine.stop()
        await machine.start()
        await asyncio.sleep(1.0)
        path = await machine.daemon.tracing.write()
        assert path is not None
        assert path.name == "bus-trace-2-1.jsonl"
        assert len(files(machine)) == KEEP
        (machine.books() / "bus-trace-900-1.jsonl").write_text("of other books")
        assert (await machine.daemon.tracing.write()).name == "bus-trace-2-2.jsonl"
        assert len(files(machine)) == KEEP  # and what was just written is among them
        assert "bus-trace-2-2.jsonl" in files(machine)

    machine_story(story)


def test_a_disk_that_does_not_take_it_costs_nothing_else(monkeypatch):
    async def story(machine: VirtualMachine) -> None:
        def full(*_args, **_kwargs):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", full)
            assert await machine.daemon.tracing.write() is None
        assert machine.running

    machine_story(story)


def test_while_a_full_recording_is_written_the_loop_has_its_turns():
    async def story(machine: VirtualMachine) -> None:
        recorder = machine.daemon.tracing.recorder
        while recorder.dropped == 0:
            recorder.note(Way.SENT, 0, b"R,0B\n")
            recorder.note(Way.RECEIVED, 0, b"p,ACK\n")
        assert recorder.size <= LIMIT
        turns = 0
        writing = asyncio.ensure_future(machine.daemon.tracing.write())
        while not writing.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 300
        assert (await writing).stat().st_size < 4 * 1024 * 1024

    machine_story(story)


def test_sigusr1_asks(monkeypatch):
    lives = []

    class Told:
        def __init__(self, *_args) -> None:
            self.tracing = self
            self.asked = asyncio.Event()
            self.ask = self.asked.set
            lives.append(self)

        async def run(self, stop: asyncio.Event) -> None:
            os.kill(os.getpid(), signal.SIGUSR1)
            await self.asked.wait()

    monkeypatch.setattr(sys.modules[process.__module__], "Daemon", Told)
    assert process(load(SAMPLE), object()) == 0
    assert lives[0].asked.is_set()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory"),
        (b"", "line 1: the file is empty"),
        (b"\x00" * 1000, "line 1: not JSON"),
        (b"x" * 3_000_000, "line 1: too long for a recording"),
        (
            b'{"vendd_bus_trace": 1, "lines": [{"port": "a", "baud": 1}]}\n{}',
            'line 2: "t" has to be',
        ),
    ],
)
@pytest.mark.parametrize("command", [["bus", "--trace"], ["replay"]])
def test_a_file_that_is_none_is_refused_clearly(tmp_path, capsys, command, content, says):
    path = tmp_path / "some.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert main([*command, str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"hw_sim: {path}: ")
    assert says in told.err
    assert "Traceback" not in told.err


def test_without_a_file_some_simulated_customers_are_shown(capsys):
    assert main(["bus", "--trace", "--seed", "2"]) == 0
    told = capsys.readouterr().out
    assert "CHANGER SETUP -> " in told
    assert " to tube, " in told
