"""Plays one history from its first guest to the judgement."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import process_time
from typing import Final

from hw_sim.auditor import Auditor, Verdict
from hw_sim.explore.history import Guest, History
from hw_sim.explore.judge import judge
from hw_sim.explore.lives import Lives
from hw_sim.explore.mishaps import STOPS_SERVICE, Mishaps
from hw_sim.explore.site import Site, opener
from hw_sim.loop import empty_graves, run_virtual
from hw_sim.shop import history as digest_of
from hw_sim.shopper import Shopper, Tray
from hw_sim.signs import Sign, sign
from hw_sim.technician import Technician
from hw_sim.trouble import Trouble
from hw_sim.visit import Visit

OPENS_S: Final = 30.0
LINGERS_S: Final = 420.0  # five minutes of idle credit, and paying it
OUT_S: Final = 150.0  # what stops service is over, faults of devices are retried
DELIVERED_S: Final = 120.0  # the forwarder's longest pause, and what there is to send
MISSES_S: Final = 45.0  # a bill is claimed half a minute after its validator came up
LOOK_S: Final = 0.5
TAKE_S: Final = 0.5
PER_HOUR: Final = 400  # guests, more than ever come
_MINE: Final = (Sign.CREDIT, Sign.FAILED, Sign.OWED)
Until = Callable[[Callable[[str], bool], float], Awaitable[str]]
_OPEN: Final = (Sign.IDLE, Sign.OUT)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a history. `broken`: the promises that were, in words. `lines`: every guest
    and every mishap, as they came. `trace`: a digest of everything that could be seen."""

    history: History
    broken: tuple[str, ...]
    lines: tuple[str, ...]
    names: frozenset[str]
    guests: int
    sold: int
    mishaps: int
    deaths: int
    seconds: float
    trace: str
    cpu_s: float = 0.0  # processor time that it took


def play(history: History, depth: str = "wire") -> Played:
    """On a virtual loop of its own."""
    began = process_time()
    try:
        played = run_virtual(_play(history, depth))
        return replace(played, cpu_s=process_time() - began)
    finally:
        empty_graves()


async def _play(history: History, depth: str) -> Played:
    most = int(history.hours * PER_HOUR) + len(history.kept or ())
    async with opener(depth)(history.machine, history.seed, most) as site:
        return await Stage(site, history).play()


class Stage:
    """`site` is made and not started."""

    def __init__(self, site: Site, history: History) -> None:
        self._site = site
        self._history = history
        self._auditor = Auditor(site)
        self._trouble = Trouble(site, history.seed, patient=True)
        self._lives = Lives(site, self._auditor)
        self._mishaps = Mishaps(site, self._trouble, self._lives)
        self._technician = Technician(site)
        self._tray = Tray(len(site.cabinet.tray))
        self._visits: list[Visit] = []
        self._names: set[str] = set()
        self._lines: list[str] = []
        self._products = {s: slot.product.name for s, slot in site.config.slots().items()}

    async def play(self) -> Played:
        site, began = self._site, self._site.loop.time()
        try:
            verdict = await self._run(began)
            broken = verdict.violations
        except (RuntimeError, ExceptionGroup, AssertionError, OSError) as error:
            verdict, broken = None, (f"the daemon failed: {error!r}",)
        seen = await digest_of(site, self._visits)
        trace = hashlib.sha256(f"{seen} {site.trace()} {self._lines}".encode()).hexdigest()[:16]
        return Played(
            history=self._history,
            broken=broken,
            lines=tuple(self._lines),
            names=frozenset(self._names),
            guests=len(self._visits),
            sold=len(site.cabinet.tray) if verdict is None else verdict.sold,
            mishaps=len(self._mishaps.told),
            deaths=len(self._auditor.deaths),
            seconds=site.loop.time() - began,
            trace=trace,
        )

    async def _run(self, began: float) -> Verdict:
        site = self._site
        site.launch()
        await site.ready(OPENS_S)
        await site.until(lambda t: sign(t) is Sign.IDLE, OPENS_S)
        for guest in self._history.guests():
            if self._history.kept is None and site.loop.time() - began > self._history.hours * 3600:
                break
            await self._serve(guest)
        return await self._close()

    # --- guests ------------------------------------------------------------------------

    async def _serve(self, guest: Guest) -> None:
        await asyncio.sleep(guest.after_s)
        shopper = Shopper(
            self._site, self._tray, self._history.seed, guest.number, self._technician.go
        )
        visit = shopper.visit
        self._visits.append(visit)
        self._names |= {str(guest.number), *(m.name for m in guest.mishaps)}
        told, deaths = len(self._mishaps.told), len(self._auditor.deaths)
        for mishap in guest.mishaps:
            self._mishaps.begin(mishap, visit, self._history.chance_of(mishap.name))
        await shopper.go()
        visit.pulled += await self._mishaps.over()
        visit.disturbed = len(self._auditor.deaths) > deaths
        if any(mishap.kind in STOPS_SERVICE for mishap in guest.mishaps):
            await self._linger(shopper)
        self._lines += [f"   {line}" for line in self._mishaps.told[told:]]
        self._lines.append(visit.line(self._products, self._site.config.currency().exponent))
        await self._look_after()

    async def _linger(self, shopper: Shopper) -> None:
        """Nobody goes while the machine is busy with something of theirs."""
        visit = shopper.visit
        said = await shopper.watch(lambda t: sign(t) in (*_OPEN, *_MINE), LINGERS_S)
        if sign(said) in _MINE:
            await shopper.take_money()
        visit.said = await self._open_again(shopper.watch, LINGERS_S)
        shopper.collect()
        if visit.disturbed and shopper.misses_money():
            await shopper.watch(lambda t: sign(t) not in (*_OPEN, Sign.OTHER), MISSES_S)
            visit.said = await self._open_again(shopper.watch, LINGERS_S)
            shopper.collect()
        visit.gave_up = "" if sign(visit.said) in _OPEN else visit.said or "a dark display"

    async def _open_again(self, until: Until, seconds: float) -> str:
        """The display's words once it invites, or says for a good while that it is out."""
        site, end = self._site, self._site.loop.time() + seconds
        said = ""
        while site.loop.time() < end:
            said = await until(lambda t: sign(t) in _OPEN, end - site.loop.time())
            if sign(said) is Sign.OUT:
                await until(lambda t: sign(t) not in (Sign.OUT, Sign.OTHER), OUT_S)
            await asyncio.sleep(TAKE_S)
            said = "|".join(site.lines()[:2])
            if sign(said) in _OPEN and not site.till.busy:
                break
        return said

    async def _look_after(self) -> None:
        if self._technician.needed():
            await self._technician.go()
            self._lines.append("   the technician cleared what had jammed and filled the tubes")

    # --- the end -----------------------------------------------------------------------

    async def _close(self) -> Verdict:
        """Faults stop, everybody has left: the machine must be ready and its outbox empty."""
        self._mishaps.end()
        said = await self._open_again(self._site.until, LINGERS_S)
        late = await self._undelivered()
        found = await self._site.failed()
        if found is not None:
            raise RuntimeError(f"{found!r}")
        await self._site.stop()
        verdict = await judge(self._site, self._auditor, self._visits, self._lives.blind)
        hung = [*late, *self._lives.broken]
        if sign(said) not in _OPEN:
            hung.append(f"the machine does not get ready again: {said!r}")
        return replace(verdict, violations=(*verdict.violations, *hung))

    async def _undelivered(self) -> list[str]:
        """Whether the outbox gets empty within a bound."""
        site, end = self._site, self._site.loop.time() + DELIVERED_S
        while pending := await site.pending():
            if site.loop.time() > end:
                break
            await asyncio.sleep(LOOK_S)
        late = f"{pending} events are not out {DELIVERED_S:.0f} s after the network is back"
        return [late] if pending else []
