"""A machine in virtual time for the tests of whole days: scenario in, front out."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hw_sim.loop import run_virtual
from hw_sim.machines import coins_only
from hw_sim.virtual import VirtualMachine
from vendd.config import Config, load

CONFIG = Path(__file__).parents[2] / "config" / "snack-4x6.toml"


def config(**sale: Any) -> Config:
    """The snack machine with coins only, its ``[sale]`` section changed."""
    loaded = coins_only(load(CONFIG))
    return loaded.model_copy(update={"sale": loaded.sale.model_copy(update=sale)})


def play(scenario: Callable[[VirtualMachine], Awaitable[None]], seed: int = 1, **sale: Any) -> None:
    """Run a scenario on a started machine that is ready to sell; stop it in order."""

    async def run() -> None:
        machine = VirtualMachine(config(**sale), seed)
        try:
            await machine.start()
            await seen(machine, "MAKE A SELECTION")
            await scenario(machine)
            if machine.running:
                await machine.stop()
        finally:
            machine.close()

    run_virtual(run())


async def seen(machine: VirtualMachine, words: str, seconds: float = 60.0) -> str:
    """Wait for words on the display."""
    text = await machine.until(lambda t: words in t, seconds)
    assert words in text, f"the display says {text!r}, not {words!r}"
    return text


async def select(machine: VirtualMachine, selection: str) -> None:
    for key in selection:
        machine.cabinet.press(key)
        await asyncio.sleep(0.3)


async def types(machine: VirtualMachine) -> list[str]:
    """The types of all events in the order of their seq, without prefix and version."""
    received = sorted(await machine.events(), key=lambda r: r.seq)
    return [r.headers["ce_type"].removeprefix("vend.").removesuffix(".v1") for r in received]


async def of_type(machine: VirtualMachine, name: str) -> list[dict[str, Any]]:
    """The data of every event of one type, first copies only."""
    found = {r.seq: r for r in await machine.events() if r.headers["ce_type"] == f"vend.{name}.v1"}
    return [json.loads(found[seq].value) for seq in sorted(found)]


def credit_of(machine: VirtualMachine) -> int:
    assert machine.daemon is not None
    assert machine.daemon.engine is not None
    return machine.daemon.engine.memory.sale.credit
