"""From a configuration file to a machine that stands there, in virtual or in real time."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from hw_sim.broker import embedded_kafka
from hw_sim.machines import PLAIN, describe
from hw_sim.process import ProcessMachine
from hw_sim.virtual import VirtualMachine
from hw_sim.world import World
from vendd.config import Config, load

SAMPLE: Final = Path(__file__).parents[1] / "config" / "snack-4x6.toml"
HURRIED: Final[Mapping[str, int]] = {
    "idle_credit_ms": 5_000,
    "entry_ms": 2_000,
    "tap_ms": 10_000,
    "session_ms": 10_000,
}
"""Times of ``[sale]`` for a day in real time: nobody wants to watch five minutes of waiting."""

_PER_CUSTOMER: Final = 2  # products a slot holds for each customer it may get on average


def deepened(config: Config, purchases: int) -> Config:
    """The same machine with spirals that are long enough for that many customers."""
    enough = -(-purchases * _PER_CUSTOMER // len(config.slot))
    slots = []
    for slot in config.slot:
        level = max(slot.level, enough)
        full = max(slot.capacity, enough)
        par = full if slot.par is None else max(slot.par, enough)
        slots.append(slot.model_copy(update={"level": level, "capacity": full, "par": par}))
    return config.model_copy(update={"slot": tuple(slots)})


def described(source: Path, purchases: int, machine: str) -> Config:
    """The configuration of a machine that is deep enough. `machine`: one of `MACHINES`."""
    with tempfile.TemporaryDirectory(prefix="vendd-run-") as folder:
        return deepened(load(describe(source, machine, Path(folder))), purchases)


@asynccontextmanager
async def in_virtual_time(
    source: Path, seed: int, purchases: int, *, machine: str = PLAIN
) -> AsyncIterator[VirtualMachine]:
    """Inside a running `VirtualLoop`. `machine`: one of `MACHINES`."""
    virtual = VirtualMachine(described(source, purchases, machine), seed)
    try:
        yield virtual
    finally:
        virtual.close()


@asynccontextmanager
async def in_real_time(
    source: Path,
    seed: int,
    *,
    bootstrap: str | None = None,
    sale: Mapping[str, int] | None = None,
    machine: str = PLAIN,
) -> AsyncIterator[ProcessMachine]:
    """With an embedded Kafka, or the one at `bootstrap`. `sale`: keys of ``[sale]`` that differ.

    On somebody's broker the machine takes a name of its own for each run: what other runs left
    in the topics is not ours to judge.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vendd-run-")))
        kept = describe(source, machine, folder)
        changes = kept.with_name(f"{kept.name}.d")
        own = load(source).machine.id
        name = "" if bootstrap is None else f"{own}-{os.urandom(4).hex()}"
        (changes / "80-run.toml").write_text(
            _toml("sale", sale or {}) + _toml("machine", {"id": name} if name else {})
        )
        config = load(kept)
        if bootstrap is None:
            bootstrap = await stack.enter_async_context(embedded_kafka())
        world = World(config, asyncio.get_running_loop(), seed)
        process = ProcessMachine(config, kept, bootstrap, world)
        stack.push_async_callback(process.close)
        await process.open()
        for change in changes.iterdir():
            shutil.copy(change, process.folder / "vendd.toml.d")
        yield process


def _toml(section: str, values: Mapping[str, int | str]) -> str:
    if not values:
        return ""
    lines = (f"{key} = {value!r}".replace("'", '"') for key, value in values.items())
    return "\n".join([f"[{section}]", *lines, ""])
