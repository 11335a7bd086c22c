"""Deaths and starts of the daemon in a history, and the times at which nobody could see."""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from hw_sim.auditor import Auditor
from hw_sim.explore.site import Site
from hw_sim.pulls import TELLING_S

GRACE_S: Final = 0.6  # what was seen so shortly before a death need not be on record
SEES_S: Final = 0.5  # READY is said before the first decision is committed
_STILL_S: Final = 0.02
_OFF_S: Final = (0.05, 20.0)
_AGAIN: Final = 0.15  # share of starts that are cut short
_AGAIN_S: Final = (0.0, 2.5)
_READY_S: Final = 120.0  # a full disk is waited for in place
COMMITS: Final = 12  # how far ahead a commit may be
_ROUNDS: Final = 25  # callbacks after a commit
_COMES_S: Final = 20.0  # a commit that does not come by then is struck from outside


@dataclass(slots=True)
class Blind:
    """From `begin` to `end` (loop seconds) nobody saw what fell. `dark`: devices neither."""

    begin: float
    end: float
    dark: bool = False

    def covers(self, at: float) -> bool:
        return self.begin <= at <= self.end


class Lives:
    """One death after the other: whoever comes second while one is under way waits."""

    def __init__(self, site: Site, auditor: Auditor) -> None:
        self._site = site
        self._auditor = auditor
        self._gate = asyncio.Lock()
        self._landed = (-1, 0.0)  # money without a trace that ever landed, and when that was seen
        self._began = site.loop.time()  # of this life
        self.blind: list[Blind] = []
        self.beam_blocked = False  # in this life: what passed it can't be counted
        self.broken: list[str] = []

    async def kill(self, chance: random.Random, *, power: bool = False) -> str:
        """SIGKILL or a power cut of the controller, now."""
        async with self._gate:
            self._died(power=power, lands=chance.random() < 0.5)
            return await self._back(chance, "power lost" if power else "killed")

    async def kill_at_commit(self, chance: random.Random, most: int = COMMITS) -> str:
        """Before the n-th commit from now (up to `most`), as it becomes durable, or some callbacks
        later."""
        async with self._gate:
            ahead, how = chance.randint(1, most), chance.choice(("lost", "lands", "later"))
            rounds = chance.randrange(_ROUNDS) if how == "later" else 0
            power = chance.random() < 0.3
            await self._at_commit(ahead, how, rounds, power)
            later = f", {rounds} callbacks later" if rounds else ""
            return await self._back(chance, f"killed at commit {ahead} ({how}{later})")

    async def unplug(self, chance: random.Random) -> str:
        """The mains plug: controller and devices. A coin in free fall is waited for, and where
        tubes are not counted one that was just told: they would leave no trace anywhere."""
        async with self._gate:
            while self._coin_under_way():  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(_STILL_S)
            self._died(power=True, lands=chance.random() < 0.5)
            self._site.darken()
            self.blind[-1].dark = True
            off_s = chance.uniform(*_OFF_S)
            await asyncio.sleep(off_s)
            self._site.lighten()
            return f"mains plug out for {off_s:.2f} s, " + await self._up(chance)

    async def restart(self, chance: random.Random) -> str:
        """In order, as an upgrade does."""
        async with self._gate:
            began = self._site.loop.time()
            await self._site.stop()
            self._auditor.died(self._site.loop.time())
            self.blind.append(Blind(began - GRACE_S, self._site.loop.time()))
            return await self._back(chance, "restarted")

    async def settled(self) -> None:
        """Until nothing is under way."""
        async with self._gate:
            return

    # --- deaths ------------------------------------------------------------------------

    def _died(self, *, power: bool, lands: bool) -> None:
        now = self._site.loop.time()
        failing_since = self._site.failing_since()  # nothing seen since then could be recorded
        self._site.cut(power=power, in_flight_lands=lands)
        self._auditor.died(now)
        self.blind.append(Blind((failing_since or now) - GRACE_S, now))
        if failing_since is None:
            self._look(now)

    def _look(self, now: float) -> None:
        """Decide, commit, act: nothing moved without a committed decision, and what was seen in
        time is on record."""
        self.broken += [
            f"died at {now:.2f} s: {finding}"
            for finding in self._site.unrecorded(self._began, now, GRACE_S)
            if not (self.beam_blocked and "beam" in finding)
        ]

    async def _at_commit(self, ahead: int, how: str, rounds: int, power: bool) -> None:
        died: asyncio.Future[None] = self._site.loop.create_future()
        left = ahead

        def die(countdown: int) -> None:
            if countdown:
                self._site.loop.call_soon(die, countdown - 1)
            elif not died.done():
                self._died(power=power, lands=how == "lands")
                died.set_result(None)

        def struck() -> bool:
            nonlocal left
            left -= 1
            if left:
                return False
            self._site.strike_at_commit(None)
            if how == "later":
                self._site.loop.call_soon(die, rounds)
                return False
            die(0)
            return True

        self._site.strike_at_commit(struck)
        await asyncio.wait({died}, timeout=_COMES_S)
        self._site.strike_at_commit(None)
        if not died.done():
            die(0)

    def _coin_under_way(self) -> bool:
        coins, now = self._site.till.coins, self._site.loop.time()
        landed = coins.truth.into_box
        if not coins.fillable:
            landed += coins.truth.into_tube.total()
        if landed != self._landed[0]:
            self._landed = (landed, now)
        return coins.untold or now - self._landed[1] < TELLING_S

    # --- starts ------------------------------------------------------------------------

    async def _back(self, chance: random.Random, what: str) -> str:
        off_s = chance.uniform(*_OFF_S) if chance.random() < 0.5 else _OFF_S[0]
        await asyncio.sleep(off_s)
        return f"{what}, down for {off_s:.2f} s, " + await self._up(chance)

    def _launch(self) -> None:
        self._began, self.beam_blocked = self._site.loop.time(), False
        self._site.launch()

    async def _up(self, chance: random.Random) -> str:
        """Started again, perhaps after a start that is cut short as well."""
        said = ""
        if chance.random() < _AGAIN:
            self._launch()
            after_s = chance.uniform(*_AGAIN_S)
            await asyncio.sleep(after_s)
            self._site.cut(power=chance.random() < 0.5, in_flight_lands=chance.random() < 0.5)
            self._auditor.died(self._site.loop.time())
            await asyncio.sleep(_OFF_S[0])
            said = f"killed again after {after_s:.2f} s, "
        self._launch()
        is_up = await self._site.ready(_READY_S)
        self.blind[-1].end = self._site.loop.time() + SEES_S
        return f"{said}up again" if is_up else f"{said}NOT UP AGAIN"
