"""The same suite against the thread of production and the inline writer of virtual time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hw_sim.inline_writer import InlineWriter
from hw_sim.loop import VirtualLoop
from vendd.store import Database, ThreadWriter

Scenario = Callable[[Any], Awaitable[Any]]
Drive = Callable[..., Any]


@pytest.fixture(params=["thread", "virtual"])
def drive(request: pytest.FixtureRequest, tmp_path: Path) -> Drive:
    """`drive(scenario)` runs `scenario(writer)` on the books in `tmp_path` and closes them."""

    def run(scenario: Scenario, **options: Any) -> Any:
        database = Database.open(tmp_path)
        loop = VirtualLoop() if request.param == "virtual" else asyncio.new_event_loop()

        async def play() -> Any:
            writer: Any
            if request.param == "virtual":
                writer = InlineWriter(loop, database, random.Random(1), **options)
            else:
                writer = ThreadWriter(loop, database, **options)
            try:
                return await scenario(writer)
            finally:
                await writer.close()

        try:
            return loop.run_until_complete(play())
        finally:
            loop.close()

    return run
