"""vendctl against the real daemon in a process of its own: a visit, from arriving to leaving."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hw_sim.opening import SAMPLE
from hw_sim.process import ProcessMachine
from hw_sim.world import World
from vendd.config import load

ROOT = Path(__file__).parents[2]


class Visitor:
    """Somebody with a shell at one machine."""

    def __init__(self, machine: ProcessMachine) -> None:
        self.machine = machine
        self.socket = str(machine.folder / "vendd.sock")

    async def types(self, *words: str, exit_: int = 0) -> str:
        """What `vendctl` prints; it has to end with this exit code."""
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vendd.cli.vendctl", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "VENDD_SOCKET": self.socket, "PYTHONPATH": str(ROOT)},
        )
        out, err = await child.communicate()
        assert child.returncode == exit_, (words, out.decode(), err.decode())
        return out.decode() + err.decode()

    async def reads(self, *words: str) -> dict[str, Any]:
        """The data of its JSON envelope."""
        envelope: dict[str, Any] = json.loads(await self.types(*words, "--json"))
        assert envelope["ok"]
        data: dict[str, Any] = envelope["data"]
        return data


def visit(scenario: Callable[[Visitor], Awaitable[None]]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        config = load(SAMPLE)
        machine = ProcessMachine(config, SAMPLE, "127.0.0.1:1", World(config, loop, 1))
        await machine.open()
        try:
            await machine.start()
            await machine.until(lambda t: "MAKE A SELECTION" in t, 20)
            await scenario(Visitor(machine))
        finally:
            await machine.close()

    asyncio.run(run())


def test_a_visit() -> None:
    async def scenario(anna: Visitor) -> None:
        status = await anna.types("status")
        assert "snack-0001  in service" in status
        assert "faults    none" in status
        await anna.types("service", "enter", "--why", "first visit")
        await anna.machine.until(lambda t: "OUT OF SERVICE" in t, 5)
        assert "is in service since" in await anna.types("service", "enter", exit_=4)
        assert len((await anna.reads("slots"))["slots"]) == 23
        await anna.types("service", "leave")
        text = await anna.machine.until(lambda t: "MAKE A SELECTION" in t, 5)
        assert "MAKE A SELECTION" in text
        entries = (await anna.reads("journal"))["entries"]
        assert [e["action"] for e in entries] == ["service leave", "service enter"]
        await anna.machine.stop()
        await anna.types("status", exit_=8)

    visit(scenario)


def test_help_is_there_at_once() -> None:
    """Imports are what it costs: none of the heavy ones for a line of help."""
    code = "import sys; from vendd.cli import vendctl; vendctl.group(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"pydantic", "rich", "asyncio", "sqlite3", "structlog", "confluent_kafka"}
    assert heavy.isdisjoint(loaded)
