"""``python -m hw_sim chaos``: the daemon is killed again and again while customers buy.

Every death is followed by what systemd would do and by a new start; the customer goes on.
In the end everything must balance to the unit and every sale must have the one outcome that
the behaviour rules name. Last, a daemon that acts before it commits must be found out.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hw_sim.chaos_harm import Blow, Harm, blows
from hw_sim.chaos_plan import Death, Phase, Seam, plan
from hw_sim.chaos_site import Outcome, Site
from hw_sim.harm_board import compiled
from hw_sim.opening import SAMPLE, in_real_time
from hw_sim.seam_board import Kind, When
from hw_sim.section9 import Row

PER_SITE: Final = 7  # deaths of one machine: a slot whose spiral stands askew stays off sale
AT_ONCE: Final = 4  # machines side by side
HARMS: Final = len(Harm)  # each kind once, and again for every
KILLS_PER_HARMS: Final = 25
PER_HARMED: Final = 4  # blows to one machine
SALE: Final = {"idle_credit_ms": 20_000, "entry_ms": 2_000, "claim_ms": 5_000}


def main(kills: int, seed: int) -> int:
    """0: every promise kept and the planted fault caught; 1 otherwise."""
    return asyncio.run(chaos(kills, seed))


async def chaos(kills: int, seed: int) -> int:
    began = time.monotonic()
    suffering = blows(HARMS * max(1, kills // KILLS_PER_HARMS), seed)
    print(
        f"SIMULATED machines, {kills} deaths, {len(suffering)} other blows, seed {seed}.",
        flush=True,
    )
    deaths = plan(kills, seed)
    halves = [suffering[n : n + PER_HARMED] for n in range(0, len(suffering), PER_HARMED)]
    shares = [deaths[n : n + PER_SITE] for n in range(0, len(deaths), PER_SITE)]
    gate = asyncio.Semaphore(AT_ONCE)
    with tempfile.TemporaryDirectory(prefix="vendd-harm-") as folder:
        library = compiled(Path(folder))
        killed, harmed, (caught, unjust) = await asyncio.gather(
            asyncio.gather(*(_site(gate, share, f"{seed}/{n}") for n, share in enumerate(shares))),
            asyncio.gather(
                *(_harmed(gate, half, f"{seed}/h{n}", library) for n, half in enumerate(halves))
            ),
            planted(seed, gate),
        )
    outcomes = [*killed, *harmed]
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    findings += [f"killed like the planted one: {finding}" for finding in unjust]
    report(outcomes, findings, caught)
    print(f"{time.monotonic() - began:.0f} s")
    return int(bool(findings) or not caught)


async def _site(gate: asyncio.Semaphore, deaths: Sequence[Death], seed: str) -> Outcome:
    number = int(seed.split("/")[1])
    async with gate, in_real_time(SAMPLE, number, sale=SALE) as machine:
        site = Site(machine, seed, _say)
        await site.open()
        half = len(deaths) // 2
        for death in deaths[:half]:
            await site.die(death)
        phase, delay_s = HANGS[number % len(HANGS)]
        await site.strike(Blow(Harm.STOPPED, phase, delay_s, 2.0))
        for death in deaths[half:]:
            await site.die(death)
        return await site.close()


async def _harmed(
    gate: asyncio.Semaphore, share: Sequence[Blow], seed: str, library: Path | None
) -> Outcome:
    """A machine that nobody kills. Without a C compiler some blows can't be struck."""
    number = 1_000 + int(seed.split("/h")[1])
    async with gate, in_real_time(SAMPLE, number, sale=SALE) as machine:
        site = Site(machine, seed, _say, library=library)
        await site.open()
        for blow in share:
            if library is not None or blow.harm in (Harm.STOPPED, Harm.LINE):
                await site.strike(blow)
        return await site.close()


HANGS: Final = (
    (Phase.TURNING, 0.2),
    (Phase.RELEASED, 0.0),
    (Phase.TURNING, 0.9),
    (Phase.STARTED, 0.0),
    (Phase.TURNING, 1.5),
    (Phase.RELEASED, 0.3),
)
AIMED: Final = (
    # the motor has started, its intent is not committed
    (Phase.KEYED, Seam(Kind.COMMIT, When.BEFORE, 1)),
    # the product is out, and the intent still not committed
    (Phase.KEYED, Seam(Kind.COMMIT, When.BEFORE, 1, stall_ms=4_000)),
    # coins are out, the payout is not committed
    (Phase.DROPPED, Seam(Kind.COMMIT, When.BEFORE, 2, stall_ms=1_500)),
)


async def planted(seed: int, gate: asyncio.Semaphore) -> tuple[list[str], list[str]]:
    """What the verdict says of a daemon that acts before it commits, and of a sound one that is
    killed in the same way."""
    broken, sound = await asyncio.gather(
        _aimed(gate, seed, broken=True), _aimed(gate, seed, broken=False)
    )
    return broken, sound


async def _aimed(gate: asyncio.Semaphore, seed: int, *, broken: bool) -> list[str]:
    async with gate, in_real_time(SAMPLE, seed, sale=SALE) as machine:
        site = Site(machine, f"{seed}/planted", lambda _: None, broken=broken)
        await site.open()
        for number, (phase, seam) in enumerate(AIMED, 1):
            await site.die(Death(number, phase, 0.0, seam, 0.3))
        return (await site.close()).findings


def _say(line: str) -> None:
    print(line, flush=True)


def report(outcomes: Sequence[Outcome], findings: Sequence[str], caught: Sequence[str]) -> None:
    """The closing table of a campaign."""
    print()
    rows: Counter[Row] = sum((outcome.rows for outcome in outcomes), Counter())
    for row in Row:
        if rows[row]:
            print(f"{rows[row]:>5}  {row}")
    verdicts = [outcome.verdict for outcome in outcomes]
    lost = sum(outcome.losses.in_box for outcome in outcomes)
    unseen = sum(outcome.losses.unseen.total() for outcome in outcomes)
    ran_on = max((ran for outcome in outcomes for ran in outcome.ran_on), default=0.0)
    for text, numbers in (
        ("customers", [v.customers for v in verdicts]),
        ("sold", [v.sold for v in verdicts]),
        ("refunded", [v.refunded for v in verdicts]),
        ("published as doubtful", [v.doubtful for v in verdicts]),
        ("events committed", [v.committed for v in verdicts]),
        ("events delivered", [v.delivered for v in verdicts]),
        ("events missing", [v.missing for v in verdicts]),
        ("duplicates seen", [v.duplicates for v in verdicts]),
    ):
        print(f"{sum(numbers):>5}  {text}")
    print(f"{unseen:>5}  products fell while no daemon lived: refunded, seen by nobody")
    print(f"{lost / 100:>5.2f}  in the box that no commit knew: no evidence, by section 9")
    harms: Counter[Harm] = sum((outcome.harms for outcome in outcomes), Counter())
    for harm in Harm:
        print(f"{harms[harm]:>5}  {harm}" + ("" if harms[harm] else " (no C compiler here)"))
    tallies = [outcome.flight for outcome in outcomes]
    print(f"{sum(t.decisions for t in tallies):>5}  decisions replayed from the flight recorders")
    print(f"{sum(t.incomplete for t in tallies):>5}  lives whose recording lacks its end")
    print(f"{ran_on * 1000:>5.0f}  ms of motor current after a death or stop, at most")
    print()
    for line in findings:
        print(f"BROKEN: {line}")
    if not findings:
        print("SIMULATED. Every promise was kept.")
    print("planted act-before-commit:", f"caught ({caught[0]})" if caught else "NOT CAUGHT")
