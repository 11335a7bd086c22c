"""Customers of a measured machine: they pay exactly and press keys like people.

The world's motors and falling products are made quick: nothing of that lies between a key and
the start of a motor, and more customers fit into a minute.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from hw_sim import motor, spiral
from hw_sim.machines import MACHINES, PLAIN, coins_only
from hw_sim.process import ProcessMachine
from hw_sim.world import World
from vendd.config import load

SAMPLE: Final = Path("config/snack-4x6.toml")
COINS: Final = (200, 100, 50, 20, 10, 5)
PATIENCE_S: Final = 20.0
SHRUG_S: Final = 6.0  # nothing happens and the half typed selection lapsed: press again
PRESSES: Final = 3
TURN_S: Final = (0.30, 0.35)
FALL_S: Final = (0.05, 0.10)
NEXT_KEY_S: Final = (0.25, 0.45)
HOLD_MS: Final = 90


class NotMeasured(Exception):
    """A figure could not be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Bought:
    """Seconds of CLOCK_MONOTONIC."""

    pressed: float  # the second key's contact closed
    current: float  # the motor got current


@dataclass(frozen=True, slots=True)
class Paid:
    """One coin: when it went into the slot, and the credit that shows once it counts."""

    inserted: float
    shows: str


class Customers:
    """They come one after the other to one machine. `purse`: values of coins, largest first."""

    def __init__(
        self, machine: ProcessMachine, seed: int = 1, purse: tuple[int, ...] = COINS
    ) -> None:
        self.machine = machine
        self._purse = purse
        self.coins: list[Paid] = []
        self.repeated = 0  # selections that had to be pressed again
        self._chance = random.Random(seed)
        self._slots = cycle(machine.config.slots().values())

    async def wait_for_opening(self) -> None:
        """Until money is taken."""
        await self._shown("COINS")

    async def buy(self) -> Bought:
        """One product; who gets no answer presses again. Raises `NotMeasured` in vain."""
        slot = next(self._slots)
        await self._pay(slot.prices["cash"])
        for _ in range(PRESSES):
            bought = await self._choose(*slot.selection)
            if bought is not None:
                return bought
            self.repeated += 1
        raise NotMeasured(f"{PRESSES} times {slot.selection} was pressed in vain")

    async def _choose(self, first: str, second: str) -> Bought | None:
        """Press and wait for the product; None when the machine takes no notice."""
        self.machine.cabinet.press(first, HOLD_MS)
        await asyncio.sleep(self._chance.uniform(*NEXT_KEY_S))
        currents = self.machine.cabinet.currents.intervals
        before = len(currents)
        pressed = self.machine.loop.time()
        self.machine.cabinet.press(second, HOLD_MS)
        await self.machine.until(lambda shown: "VENDING" in shown or "THANK" in shown, SHRUG_S)
        if len(currents) == before:
            return None
        await self._shown("THANK")
        return Bought(pressed, currents[before].begin)

    async def _pay(self, price: int) -> None:
        paid = 0
        while paid < price:
            coin = next(value for value in self._purse if value <= price - paid)
            self.coins.append(Paid(self.machine.loop.time(), f"{(paid + coin) / 100:.2f}"))
            self.machine.changer.insert_coin(coin)
            paid += coin
            await self._shown(self.coins[-1].shows)

    async def _shown(self, words: str) -> None:
        text = await self.machine.until(lambda shown: words in shown, PATIENCE_S)
        if words not in text:
            tail = self.machine.log_tail(3)
            raise NotMeasured(f"the display says {text!r} instead of {words!r}; {tail}")


@contextmanager
def quick_mechanics() -> Iterator[None]:
    """For worlds made inside."""
    kept = motor.TURN_S, spiral.FALL_S
    motor.TURN_S, spiral.FALL_S = TURN_S, FALL_S
    try:
        yield
    finally:
        motor.TURN_S, spiral.FALL_S = kept


@asynccontextmanager
async def machine_with(bootstrap: str, *, kafka: bool = True) -> AsyncIterator[ProcessMachine]:
    """A machine for coins in its world, not started; stopped and removed at the end."""
    config, loop = coins_only(load(SAMPLE)), asyncio.get_running_loop()
    with quick_mechanics():
        machine = ProcessMachine(config, SAMPLE, bootstrap, World(config, loop, 1))
    await machine.open()
    (machine.folder / "vendd.toml.d" / "70-machine.toml").write_text(MACHINES[PLAIN])
    if not kafka:
        off = machine.folder / "vendd.toml.d" / "95-bench.toml"
        off.write_text("[kafka]\nenabled = false\n")
    try:
        yield machine
    finally:
        await machine.close()
