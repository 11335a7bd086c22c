"""One customer at a simulated machine, one plug that comes out in the middle, and what remained."""

import asyncio
from dataclasses import dataclass

import pytest

from hw_sim import shopper
from hw_sim.auditor import Verdict
from hw_sim.habits import Habit
from hw_sim.loop import run_virtual
from hw_sim.opening import SAMPLE, in_virtual_time
from hw_sim.pulls import moments
from hw_sim.shop import Shop
from hw_sim.signs import Sign, sign
from hw_sim.virtual import VirtualMachine
from hw_sim.visit import Visit
from vendd.wire.words import Said, narrate

READY_S = 60.0
SHOWS_S = 1.0  # a device is polled far more often


@dataclass(frozen=True)
class Case:
    """`moment` is one of `hw_sim.pulls`, `after_s` into it the plug comes out, for `off_s`.
    `trace`: how the recording names the device. `lost`: nothing drops, money has to go back.
    `before`: customers who paid exactly before, so that hoppers hold something."""

    device: str
    moment: str
    habit: Habit
    off_s: float = 6.0
    after_s: float = 0.05
    machine: str = "full"
    seed: int = 1
    trace: str = ""
    lost: bool = False
    before: int = 0

    def __str__(self) -> str:
        return f"{self.device}, {self.moment}, {self.off_s:g} s, {self.habit.name.lower()}"


@dataclass(frozen=True)
class Aftermath:
    visit: Visit
    verdict: Verdict
    off: tuple[float, float]
    told: tuple[Said, ...]
    idle: str

    def shown(self, words: tuple[str, ...], device: str) -> list[str]:
        """What the recording says of the device while it was out."""
        began, ended = self.off
        return [
            one.text
            for one in self.told
            if began <= one.at <= ended + SHOWS_S
            and (device in one.text or not device)
            and any(word in one.text for word in words)
        ]


def play(case: Case, monkeypatch: pytest.MonkeyPatch) -> Aftermath:
    """The whole story in virtual time."""
    habits = iter([Habit.SMALL_COINS] * case.before + [case.habit])
    monkeypatch.setattr(shopper, "some_habit", lambda _chance, **_fitted: next(habits))

    async def run() -> Aftermath:
        customers = 1 + case.before
        async with in_virtual_time(SAMPLE, case.seed, customers, machine=case.machine) as machine:
            shop = Shop(machine, case.seed, patient=True, say=lambda _line: None)
            shop.trouble._shares = {}
            await shop.open()
            await machine.until(_all_tenders, READY_S)
            await asyncio.sleep(SHOWS_S)  # until all of them are enabled, too
            return await _served(case, machine, shop)

    return run_virtual(run())


async def _served(case: Case, machine: VirtualMachine, shop: Shop) -> Aftermath:
    for number in range(1, case.before + 1):
        await shop.serve(number)
    if case.lost:
        for slot in machine.cabinet.slots:
            slot.queue.clear()
    for moment in moments(machine):
        if (moment.device, moment.name) == (case.device, case.moment):
            shop.trouble.pulls.begin(moment, case.after_s, case.off_s)
    visit = await shop.serve(case.before + 1)
    idle = await machine.until(_all_tenders, READY_S)
    assert machine.daemon is not None
    ((_, began, ended),) = shop.trouble.pulls.done
    tracing = machine.daemon.tracing
    pieces = (p for p in tracing.recorder.pieces() if began - 1 < p.at < ended + 2 * SHOWS_S)
    told = tuple(narrate(tracing.header(), pieces))
    day = await shop.close()
    return Aftermath(visit, day.verdict, (began, ended), told, idle)


def _all_tenders(text: str) -> bool:
    exact = text.endswith("USE EXACT CHANGE")
    return sign(text) is Sign.IDLE and (exact or text.endswith("COINS BILLS CARD"))
