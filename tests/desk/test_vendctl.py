"""vendctl against the real daemon in a process of its own: a visit, from arriving to leaving."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
from jsonschema import Draft202012Validator

from hw_sim.opening import SAMPLE
from hw_sim.process import ProcessMachine
from hw_sim.world import World
from vendd.api import envelope
from vendd.cli import vendctl
from vendd.config import load

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "vendd/cli/vendctl.schema.json").read_text(encoding="utf-8"))
ENVELOPE = Draft202012Validator(SCHEMA)


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
        ENVELOPE.validate(envelope)
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
        before = {s["slot"]: s["level"] for s in (await anna.reads("slots"))["slots"]}
        assert "add --yes" in await anna.types("test", "motor", "B3", exit_=2)
        await anna.reads("test", "motor", "B3", "--yes")
        assert [p.selection for p in anna.machine.cabinet.tray] == ["B3"]
        await anna.reads("test", "put-back", "B3")
        await anna.reads("refill", "D4=2", "--why", "refill")
        await anna.reads("stock", "count", "A1=7", "--why", "counted", "--yes")
        await anna.reads("stock", "remove", "C1", "1", "--reason", "expired")
        await anna.reads("price", "set", "A3", "1.35", "--yes")
        await anna.reads("slot", "disable", "A2")
        await anna.reads("slot", "enable", "A2")
        await anna.reads("inhibit", "on", "--yes")
        await anna.reads("inhibit", "off")
        slots = (await anna.reads("slots"))["slots"]
        moved = {s["slot"]: s["level"] - before[s["slot"]] for s in slots}
        assert {slot: by for slot, by in moved.items() if by} == {"D4": 2, "A1": -3, "C1": -1}
        assert {s["slot"]: s["prices"]["cash"] for s in slots}["A3"] == 135
        for words in ("status", "faults", "sales", "claims list", "doubtful list", "cash levels"):
            await anna.reads(*words.split())
        assert not (await anna.reads("sales"))["sales"]  # a test is no sale
        await anna.reads("events", "dead")
        tail = await anna.reads("events", "tail", "--type", "stock-changed")
        assert [e["data"]["reason"] for e in tail["events"]] == [
            *("test", "test", "refill", "count_correction", "removed_expired")
        ]
        assert {e["data"]["actor"]["kind"] for e in tail["events"]} == {"owner"}
        await anna.types("events", "replay", "9000", "9001", "--yes", exit_=4)
        await anna.types("claims", "close", "0000", "--how", "written_off", "--yes", exit_=10)
        await anna.types("service", "leave")
        text = await anna.machine.until(lambda t: "MAKE A SELECTION" in t, 5)
        assert "MAKE A SELECTION" in text
        entries = (await anna.reads("journal"))["entries"]
        assert {e["action"] for e in entries} == {
            *("service enter", "test motor", "test put-back", "refill", "stock count"),
            *("stock remove", "price set", "slot disable", "slot enable", "inhibit"),
            "service leave",
        }
        await anna.machine.stop()
        failed = json.loads((await anna.types("status", "--json", exit_=8)).splitlines()[0])
        ENVELOPE.validate(failed)

    visit(scenario)


def test_the_schema_of_the_envelope_is_that_of_the_commands() -> None:
    assert envelope.FILE.read_text(encoding="utf-8") == envelope.text(), (
        "python -m vendd.api.envelope writes it anew"
    )
    assert set(envelope.ANSWERS) == set(_names(vendctl.group()))


def _names(group: click.Group, before: str = "") -> list[str]:
    found: list[str] = []
    for name, one in group.commands.items():
        words = f"{before} {name}".strip()
        found += _names(one, words) if isinstance(one, click.Group) else [words]
    return found


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
