"""One cash sale in virtual time, cut at a given instant, settled, and judged."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hw_sim import cut_verdict
from hw_sim.audit.stock import MAY_RUN_ON_S
from hw_sim.cut import Cut, ruling, take, unrecorded
from hw_sim.cut_verdict import Closed, Losses
from hw_sim.loop import run_virtual
from hw_sim.received import audit
from hw_sim.section9 import Row, expected_credit
from hw_sim.signs import Sign, credit, sign
from hw_sim.spiral import Fate
from hw_sim.stored import Stored, read
from hw_sim.virtual import VirtualMachine
from hw_sim.witness import Witness
from tests.daemon.virtual import config, seen
from vendd.core import ledger

GRACE_S: Final = 0.4  # a bus poll, a coin's report, a slow commit of an SD card
SLOT: Final = "A3"
SEED: Final = 1
Step = tuple[float, str]
"""Seconds since the customer came, and what they do: a coin's value, or a key."""

EXACT_TUBES: Final[tuple[Step, ...]] = ((0.0, "100"), (1.0, "50"), (2.0, "A"), (2.3, "3"))
ROLLING: Final[tuple[Step, ...]] = ((1.2, "50"),)
BOX_COIN: Final[tuple[Step, ...]] = ((0.0, "200"), (1.0, "A"), (1.3, "3"))


@dataclass(frozen=True, slots=True)
class How:
    """`power`: the whole controller loses it; `changer_too`: so does the changer. `lands`: the
    commit under way became durable. `off_s`: until the next start."""

    power: bool = False
    changer_too: bool = False
    lands: bool = False
    off_s: float = 1.0


@dataclass(slots=True)
class Story:
    """What came of one cut."""

    at: float
    findings: list[str] = field(default_factory=list)
    row: Row | None = None
    cut: Cut | None = None
    after: Stored | None = None
    losses: Losses = field(default_factory=Losses)
    got: int = 0  # products in the tray
    back: int = 0  # money in the cup


async def customer(machine: VirtualMachine, steps: Sequence[Step]) -> None:
    began = machine.loop.time()
    for at, what in steps:
        await asyncio.sleep(began + at - machine.loop.time())
        if what.isdigit() and len(what) > 1:
            machine.changer.insert_coin(int(what))
        else:
            machine.cabinet.press(what)


def tell(steps: Sequence[Step], at: float, how: How, fate: Fate = Fate.FALLS) -> Story:
    """The sale, cut `at` seconds after the customer came. `fate`: of the first product."""
    story = Story(at)

    async def run() -> None:
        machine = VirtualMachine(config(), SEED)
        try:
            machine.cabinet.slot(SLOT).fates.append(fate)
            await _run(machine, steps, how, story)
        finally:
            machine.close()

    run_virtual(run())
    return story


async def _run(machine: VirtualMachine, steps: Sequence[Step], how: How, story: Story) -> None:
    witness = Witness(machine.cabinet)
    await machine.start()
    began = machine.loop.time()
    await seen(machine, "MAKE A SELECTION")
    buying = machine.loop.create_task(customer(machine, steps))
    await asyncio.sleep(story.at)
    died = machine.loop.time()
    machine.cut(power=how.power, in_flight_lands=how.lands)
    if how.changer_too:
        machine.changer.power_cycle(how.off_s)
    story.cut = take("cut", machine.books(), witness, machine.changer, (began, died), GRACE_S)
    buying.cancel()
    story.findings += unrecorded(story.cut, machine.config)
    await asyncio.sleep(how.off_s)
    await machine.start()
    if machine.cabinet.currents.ran_after(died) > MAY_RUN_ON_S:
        story.findings.append("a motor ran on")
    judged = ruling(story.cut, machine.config, machine.cabinet, 0)
    closed = Closed(story.cut, judged, machine.loop.time(), how.changer_too)
    shown, counted = await settle(machine)
    await machine.stop()
    story.after = after = read(machine.books())
    story.findings += cut_verdict.outcome(closed, after, witness.drops)
    truth = machine.changer.truth
    found, story.losses = cut_verdict.whole(
        [closed], after, machine.changer, machine.cabinet, witness.drops
    )
    story.findings += found
    delivered = audit(await machine.events(), after.last_seq)
    if delivered.missing or not delivered.in_order:
        story.findings.append(f"events: {delivered}")
    judged = cut_verdict.final_ruling(closed, after, witness.drops)
    story.row = judged.row
    expected = expected_credit(judged, story.cut.stored, counted)
    if expected is not None:  # and what fell into the box, where the changer could tell of it
        expected += _in_box(after) - _in_box(story.cut.stored)
    if expected is not None and expected != shown:
        story.findings.append(f"the display showed {shown}, the credit was {expected}")
    story.got, story.back = len(machine.cabinet.tray), truth.returned


def _in_box(stored: Stored) -> int:
    return stored.balances.get(ledger.COIN_BOX, 0)


async def settle(machine: VirtualMachine) -> tuple[int | None, dict[int, int]]:
    """The customer waits, reads the display, and takes what money is left. Gives the credit that
    was shown, and the coins per tube at that moment."""
    await machine.until(lambda t: sign(t) not in (Sign.BUSY, Sign.OTHER), 120)
    await asyncio.sleep(2.0)
    shown, counted = credit("|".join(machine.lines())), _counted(machine)
    for _ in range(3):
        text = await machine.until(lambda t: sign(t) is not Sign.BUSY, 120)
        if sign(text) in (Sign.IDLE, Sign.CLAIM):
            break
        machine.changer.press_lever()
        await asyncio.sleep(1.0)
    await machine.until(lambda t: sign(t) is Sign.IDLE, 600)
    await asyncio.sleep(3.0)
    return shown, counted


def _counted(machine: VirtualMachine) -> dict[int, int]:
    """Coins per tube as the changer itself counts them."""
    changer = machine.changer
    types = changer.model.tube_types()
    return {changer.model.value(t): changer.memory.counted[t] for t in types}


def landings(steps: Sequence[Step]) -> list[float]:
    """When, in an undisturbed sale, the commits became durable; seconds since the customer came."""
    moments: list[float] = []

    async def run() -> None:
        machine = VirtualMachine(config(), SEED)
        try:
            await machine.start()
            await seen(machine, "MAKE A SELECTION")
            began = machine.loop.time()
            assert machine.writer is not None
            writer, known = machine.writer, machine.writer.counts.commits
            machine.loop.create_task(customer(machine, steps))
            while machine.loop.time() < began + 12:
                await asyncio.sleep(0.0005)
                if writer.counts.commits != known:
                    known = writer.counts.commits
                    moments.append(machine.loop.time() - began)
            await machine.stop()
        finally:
            machine.close()

    run_virtual(run())
    return moments
