"""One machine of a chaos campaign: customers buy, its daemon dies and comes back, all is judged."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hw_sim import cut_verdict
from hw_sim.audit.stock import MAY_RUN_ON_S
from hw_sim.auditor import Auditor, Verdict
from hw_sim.chaos_harm import CLOCK_MS, Blow, Harm
from hw_sim.chaos_plan import Death, Phase, Seam
from hw_sim.cut import Cut, ruling, take, unrecorded
from hw_sim.cut_verdict import Closed, Losses
from hw_sim.habits import Habit
from hw_sim.harm_board import HarmBoard
from hw_sim.process import ProcessMachine
from hw_sim.pulls import Moment, Pulls
from hw_sim.replay.flight import Player, Tally
from hw_sim.replay.flight_file import read as read_flight
from hw_sim.seam_board import SeamBoard
from hw_sim.seams import ACT_FIRST
from hw_sim.section9 import Row, Ruling
from hw_sim.shop import settled
from hw_sim.shopper import Shopper, Tray
from hw_sim.signs import Sign, sign, words
from hw_sim.spiral import Fate
from hw_sim.stored import read
from hw_sim.visit import Visit
from hw_sim.witness import Witness
from vendd.store.ring import FOLDER, lines

GRACE_S: Final = 1.0  # what was seen earlier than this before the end must be on record
_LOOK_S: Final = 0.003
_STILL_S: Final = 0.6  # after a death: supply off, cam at rest
_SEAM_S: Final = 8.0  # a seam that nobody came to by then is struck from outside
_SERVED_S: Final = 200.0
_TURNED_AWAY_S: Final = 40.0
_GAP_S: Final = 0.1
_PATIENCE: Final = 6  # customers who may refuse to get as far as a death wants them
Say = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What one machine's part of a campaign came to."""

    findings: list[str]
    verdict: Verdict
    losses: Losses
    rows: Counter[Row] = field(default_factory=Counter)
    ran_on: list[float] = field(default_factory=list)
    harms: Counter[Harm] = field(default_factory=Counter)
    flight: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Marks:
    """What can be seen of a sale from outside, as counts that only grow; `current` flows now."""

    inserted: int
    left: int
    released: int
    drops: int
    current: bool


class Site:
    """`machine` is open and not started; `broken`: its daemon acts before it commits. `library`:
    of `hw_sim.harm_board`, None where there is none."""

    def __init__(
        self,
        machine: ProcessMachine,
        seed: str,
        say: Say,
        *,
        broken: bool = False,
        library: Path | None = None,
    ) -> None:
        self.machine = machine
        self._say = say
        self._chance = random.Random(f"{seed}/site")
        self._board = SeamBoard(machine.folder / "seams")
        self._witness = Witness(machine.cabinet)
        self._auditor = Auditor(machine)
        self._tray = Tray(len(machine.cabinet.tray))
        self._visits: list[Visit] = []
        self._closed: list[Closed] = []
        self._findings: list[str] = []
        self._ran_on: list[float] = []
        self._harms: Counter[Harm] = Counter()
        self._began = 0.0
        self._harm = HarmBoard(machine.folder / "harm")
        if library is not None:
            machine.environment.update(
                self._harm.environment(library, machine.books(), machine.bootstrap)
            )
        flag = (ACT_FIRST,) if broken else ()
        machine.command = (
            *(sys.executable, "-m", "hw_sim.seams"),
            *(str(machine.folder / "seams"), *flag),
        )

    async def open(self) -> None:
        self._board.clear()
        await self.machine.start()
        self._began = self.machine.loop.time()
        await self.machine.until(lambda t: sign(t) is Sign.IDLE, 30.0)

    async def close(self) -> Outcome:
        """Everybody has left: stop in order, and judge."""
        await settled(self.machine)
        await self.machine.stop()
        after = read(self.machine.books())
        drops = self._witness.drops
        findings = list(self._findings)
        for closed in self._closed:
            findings += cut_verdict.outcome(closed, after, drops)
        cabinet, changer = self.machine.cabinet, self.machine.changer
        found, losses = cut_verdict.whole(self._closed, after, changer, cabinet, drops)
        self._auditor.unseen = losses.unseen
        verdict = await self._auditor.judge(self._visits)
        self._board.close()
        self._harm.close()
        flight = self._replayed()
        rows = Counter(cut_verdict.final_ruling(c, after, drops).row for c in self._closed)
        return Outcome(
            [*findings, *found, *verdict.violations, *(flight.differences or [])],
            verdict,
            losses,
            rows,
            self._ran_on,
            self._harms,
            flight,
        )

    def _replayed(self) -> Tally:
        """Every decision of all lives, decided again from the flight recorder's ring."""
        tally = Player(lambda _: None).play(read_flight(lines(self.machine.books() / FOLDER)))
        found = [f"replayed: {one} was decided otherwise" for one in tally.differences or []]
        tally.differences = found or None
        return tally

    # --- deaths ------------------------------------------------------------------------

    async def die(self, death: Death) -> None:
        """A customer comes, the daemon dies as planned, comes back, and the customer goes on."""
        shopper, going = await self._customer(death.phase, disturbed=True)
        how = await self._strike(death)
        stalled_s = death.seam.stall_ms / 1000 if death.seam is not None else 0.0
        first = await self._cut(how, GRACE_S + stalled_s)
        await asyncio.sleep(death.off_s)
        second = await self._start_killed(death.again_s) if death.again_s is not None else None
        cuts = [first] if second is None else [first, second]
        await asyncio.sleep(max(0.0, cuts[-1].at + _STILL_S - self.machine.loop.time()))
        rulings = [self._rule(cut) for cut in cuts]
        self._board.clear()
        await self.machine.start()
        self._began = self.machine.loop.time()
        for cut, ruled in zip(cuts, rulings, strict=True):
            self._closed.append(Closed(cut, ruled, self._began))
        visit = await self._leaves(shopper, going)
        for n, (cut, ruled) in enumerate(zip(cuts, rulings, strict=True)):
            self._say(self._line(death.number + n, cut, ruled, visit))

    async def strike(self, blow: Blow) -> None:
        """Something other than death, while a customer buys: afterwards all goes on."""
        shopper, going = await self._customer(blow.phase, disturbed=False)
        await asyncio.sleep(blow.delay_s)
        await self._suffer(blow)
        self._harms[blow.harm] += 1
        if blow.harm is Harm.FULL:
            visit = await self._comes_back(shopper, going)
        else:
            visit = await self._leaves(shopper, going)
        self._say(
            f"      {blow.harm}, {blow.phase} +{blow.delay_s:.2f} s, {blow.for_s:.1f} s:"
            f" {words(visit.said)}, products: {len(visit.products)}"
        )

    async def _suffer(self, blow: Blow) -> None:
        board = self._harm
        match blow.harm:
            case Harm.STOPPED:
                await self._stopped(blow.for_s)
                return
            case Harm.LINE:
                await self._unplugged(blow.for_s)
                return
            case Harm.STALL:
                board.stall(100)
            case Harm.LONG_STALL:
                board.stall(1_000)
            case Harm.FULL:
                board.fill()
            case Harm.BROKER:
                board.cut_broker()
            case Harm.CLOCK_ON | Harm.CLOCK_BACK:
                board.set_clock(CLOCK_MS[blow.harm])
        await asyncio.sleep(blow.for_s)
        board.calm()

    async def _stopped(self, for_s: float) -> None:
        """SIGSTOP and, after a while, SIGCONT: only the current must be off soon."""
        os.kill(self.machine.pid, signal.SIGSTOP)
        at = self.machine.loop.time()
        self._auditor.died(at)
        await asyncio.sleep(for_s)
        self._note_current(at)
        os.kill(self.machine.pid, signal.SIGCONT)

    async def _unplugged(self, for_s: float) -> None:
        pulls = Pulls(self.machine, self._chance, patient=False)
        pulls.begin(Moment("mdb adapter", "at once", lambda: True), 0.0, for_s)
        await pulls.over()

    async def _strike(self, death: Death) -> str:
        """How it died. A seam that does not come is struck from outside."""
        if death.seam is not None:
            number = self._arm(death.seam)
            name = death.seam.name(number)
            try:
                async with asyncio.timeout(_SEAM_S + death.seam.stall_ms / 1000):
                    await self.machine.died()
                return name
            except TimeoutError:
                await self.machine.kill()
                return f"{name} never came"
        await asyncio.sleep(death.delay_s)
        await self.machine.kill()
        return f"{death.phase} +{death.delay_s:.2f} s"

    def _arm(self, seam: Seam) -> int:
        return self._board.arm(seam.kind, seam.when, seam.ahead, seam.stall_ms)

    async def _start_killed(self, after_s: float) -> Cut:
        """The next start does not live long either."""
        self._board.clear()
        self._began = self.machine.loop.time()
        starting = asyncio.create_task(self.machine.start())
        await asyncio.sleep(after_s)
        await asyncio.wait({starting}, timeout=0)
        os.kill(self.machine.pid, signal.SIGKILL)
        await asyncio.wait({starting})
        if starting.exception() is not None and not isinstance(starting.exception(), RuntimeError):
            await starting
        await self.machine.died()
        return await self._cut(f"starting +{after_s:.2f} s", GRACE_S)

    async def _cut(self, how: str, grace_s: float) -> Cut:
        machine = self.machine
        assert machine.died_at is not None
        self._auditor.died(machine.died_at)
        cut = take(
            how,
            machine.books(),
            self._witness,
            machine.changer,
            (self._began, machine.died_at),
            grace_s,
        )
        await asyncio.sleep(max(0.0, cut.at + MAY_RUN_ON_S + 0.1 - machine.loop.time()))
        self._note_current(cut.at)
        self._findings += [f"{how}: {f}" for f in unrecorded(cut, machine.config)]
        return cut

    def _note_current(self, at: float) -> None:
        self._ran_on.append(self.machine.cabinet.currents.ran_after(at))

    def _rule(self, cut: Cut) -> Ruling:
        twice = (Row.HOME_AGAIN, Row.HOME_AGAIN_TWICE)
        before = {c.ruling.sale_id for c in self._closed if c.ruling.row in twice}
        sale = cut.stored.state.sale
        before -= {sale.id if sale is not None else None}
        return ruling(cut, self.machine.config, self.machine.cabinet, len(before))

    # --- customers ---------------------------------------------------------------------

    async def _customer(
        self, phase: Phase, *, disturbed: bool
    ) -> tuple[Shopper, asyncio.Task[Visit]]:
        """Whoever comes first that far in buying; others come and go undisturbed."""
        for _ in range(_PATIENCE):
            shopper = self._shopper()
            if phase is Phase.WAITING:
                self.machine.cabinet.slot(shopper.visit.wants).fates.append(Fate.LATE)
            self._visits.append(shopper.visit)
            before = self._marks()
            going = asyncio.create_task(shopper.go())
            if await self._reach(phase, before, going):
                shopper.visit.disturbed = disturbed
                return shopper, going
            await self._leaves(shopper, going)
        raise RuntimeError(f"no customer of {_PATIENCE} got as far as: {phase}")

    def _shopper(self) -> Shopper:
        """Somebody who wants something that is on sale and expects change."""
        off = {closed.ruling.slot_off for closed in self._closed}
        sold = self.machine.config.slots().keys() - off
        while True:
            shopper = Shopper(self.machine, self._tray, self._chance.randrange(1 << 30), 1)
            if shopper.visit.wants in sold:
                shopper.visit.number = len(self._visits) + 1
                shopper.visit.habit = Habit.OVERPAYS
                return shopper

    async def _leaves(self, shopper: Shopper, going: asyncio.Task[Visit]) -> Visit:
        try:
            async with asyncio.timeout(_SERVED_S):
                await going
        except TimeoutError:
            shopper.visit.gave_up = f"nothing for {_SERVED_S:.0f} s"
        await self.machine.until(lambda t: sign(t) is Sign.IDLE, 90.0)
        await asyncio.sleep(_GAP_S)
        return shopper.visit

    async def _comes_back(self, shopper: Shopper, going: asyncio.Task[Visit]) -> Visit:
        """Whoever reads OUT OF SERVICE turns away, and is called when the money is out."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TURNED_AWAY_S):
                await going
        await asyncio.sleep(self.machine.config.sale.idle_credit_ms / 1000 + _GAP_S)
        await self.machine.until(lambda t: sign(t) is Sign.IDLE, 90.0)
        await asyncio.sleep(_STILL_S)
        shopper.collect()
        shopper.visit.gave_up = ""
        return shopper.visit

    def _marks(self) -> Marks:
        cabinet = self.machine.cabinet
        return Marks(
            inserted=self.machine.changer.truth.inserted,
            left=len(self._witness.left),
            released=sum(cabinet.released.values()),
            drops=len(self._witness.drops),
            current=bool(cabinet.currents.flowing()),
        )

    async def _reach(self, phase: Phase, before: Marks, going: asyncio.Task[Visit]) -> bool:
        """Wait for the begin of a phase; False when the customer has left before it."""
        while not self._begun(phase, before, self._marks()):
            if going.done():
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    def _begun(self, phase: Phase, before: Marks, now: Marks) -> bool:
        match phase:
            case Phase.ARRIVED:
                return True
            case Phase.CREDIT:
                return now.inserted > before.inserted
            case Phase.KEYED:
                return self.machine.lines()[0].startswith("SELECTION")
            case Phase.STARTED:
                return now.current
            case Phase.TURNING:
                return now.left > before.left
            case Phase.RELEASED:
                return now.released > before.released
            case Phase.WAITING:
                over = now.released > before.released and not now.current
                return over and now.drops == before.drops
            case Phase.DROPPED:
                return now.drops > before.drops
            case Phase.PAYOUT:
                return self.machine.changer.payout.busy

    def _line(self, number: int, cut: Cut, ruled: Ruling, visit: Visit) -> str:
        what = ruled.sale_id or ""
        if ruled.outcome is not None:
            what += f" -> {ruled.outcome}" + (", doubtful" if ruled.doubtful else "")
        if ruled.slot_off:
            what += f", {ruled.slot_off} off"
        down = self._began - cut.at
        return (
            f"{number:>4}  {cut.how:<34} {ruled.row:<48} {what:<32} back after {down:.1f} s:"
            f" {words(visit.said)}"
        )
