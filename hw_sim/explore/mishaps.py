"""Carries out what a history says goes wrong. Is NOT responsible for judging what comes of it."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from hw_sim.explore.history import BEAM, Mishap
from hw_sim.explore.lives import Blind, Lives
from hw_sim.explore.site import Site
from hw_sim.pulls import moments
from hw_sim.trouble import Trouble
from hw_sim.visit import Visit

STOPS_SERVICE: Final = frozenset(
    {
        *("kill", "kill at commit", "power", "mains", "restart"),
        *("disk full", "i/o errors", "door", BEAM),
    }
)
"""Whoever meets one of these may have to wait until it is over."""

_LOOK_S: Final = 0.02
_COMES_S: Final = 20.0  # a moment that does not come by then: now
_AFTER_S: Final = (0.0, 3.0)
_DISK_S: Final = (0.05, 90.0)
_FAILS: Final = 6  # commits in a row
_DOOR_S: Final = (2.0, 40.0)
_BEAM_S: Final = (2.0, 60.0)
_BEAM_GRACE_S: Final = 1.0
_AWAY_S: Final = (1.0, 7_200.0)
_JUMPS_S: Final = (-86_400.0 * 400, -3_600.0, -5.0, 5.0, 3_600.0, 86_400.0 * 400)
_ACKS: Final = 20
_AT_COMMIT_SOON: Final = 0.6  # share of those after a selection was keyed
_SOON: Final = 4  # commits: the intent, the cam that left home, the drop, the change

Action = Callable[[random.Random], Coroutine[Any, Any, str]]


class Mishaps:
    """`begin` those of one guest; `over` when the guest has left. `told`: what happened."""

    def __init__(self, site: Site, trouble: Trouble, lives: Lives) -> None:
        self._site = site
        self._trouble = trouble
        self._lives = lives
        self._tasks: list[asyncio.Task[None]] = []
        self._restoring: asyncio.TimerHandle | None = None
        self._keyed: list[str] = []  # selections that this guest has keyed
        self.told: list[str] = []
        self._actions: Mapping[str, Action] = {
            "kill": self._kill,
            "kill at commit": self._kill_at_commit,
            "power": lambda chance: self._kill(chance, power=True),
            "mains": self._mains,
            "restart": self._restart,
            "network": self._network,
            "producer": self._producer,
            "acknowledgements": self._acknowledgements,
            "disk full": self._disk_full,
            "i/o errors": self._io_errors,
            "clock": self._clock,
            "door": self._door,
            BEAM: self._beam,
        }

    def begin(self, mishap: Mishap, visit: Visit, chance: random.Random) -> None:
        """It strikes while this guest is there."""
        self._keyed = visit.keyed
        if mishap.of_device:
            what = self._trouble.happen(mishap.kind, visit.wants, chance)
            self._tell(mishap, what or "nothing")
            return
        self._tasks.append(self._site.loop.create_task(self._strike(mishap, chance)))

    async def over(self) -> tuple[str, ...]:
        """Everything that stops the machine has ended. Gives what was pulled meanwhile."""
        tasks, self._tasks = self._tasks, []
        await asyncio.gather(*tasks)
        self._site.fail_commits(0)
        return await self._trouble.over()

    def end(self) -> None:
        """The network, too, is back for good."""
        if self._restoring is not None:
            self._restoring.cancel()
        self._site.cluster.restore()

    def _tell(self, mishap: Mishap, what: str) -> None:
        self.told.append(f"{mishap.name} {mishap.kind}: {what}")

    async def _strike(self, mishap: Mishap, chance: random.Random) -> None:
        self._tell(mishap, await self._actions[mishap.kind](chance))

    async def _moment(self, chance: random.Random) -> str:
        """Wait for one of a sale, and a little longer."""
        loop = self._site.loop
        names = {moment.name: moment.when for moment in moments(self._site)}
        name = chance.choice(list(names))
        end = loop.time() + _COMES_S
        while not names[name]() and loop.time() < end:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(_LOOK_S)
        after_s = chance.uniform(*_AFTER_S) if chance.random() < 0.5 else 0.0
        await asyncio.sleep(after_s)
        return f"{name} +{after_s:.2f} s, "

    # --- deaths ------------------------------------------------------------------------

    async def _kill(self, chance: random.Random, *, power: bool = False) -> str:
        return await self._moment(chance) + await self._lives.kill(chance, power=power)

    async def _kill_at_commit(self, chance: random.Random) -> str:
        """At one of the next commits, or at one of the first after a selection was keyed."""
        if chance.random() < _AT_COMMIT_SOON:
            end = self._site.loop.time() + _COMES_S
            while not self._keyed and self._site.loop.time() < end:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
            return await self._lives.kill_at_commit(chance, _SOON)
        await asyncio.sleep(chance.uniform(*_AFTER_S))
        return await self._lives.kill_at_commit(chance)

    async def _mains(self, chance: random.Random) -> str:
        return await self._moment(chance) + await self._lives.unplug(chance)

    async def _restart(self, chance: random.Random) -> str:
        return await self._moment(chance) + await self._lives.restart(chance)

    # --- network and store ---------------------------------------------------------------

    async def _network(self, chance: random.Random) -> str:
        """It stays away although the guest leaves."""
        short, long = _AWAY_S
        away_s = min(long, short * 10 ** chance.uniform(0.0, 4.0))
        if self._restoring is not None:
            self._restoring.cancel()
        self._site.cluster.outage()
        self._restoring = self._site.loop.call_later(away_s, self._site.cluster.restore)
        return f"away for {away_s:.0f} s"

    async def _producer(self, chance: random.Random) -> str:
        await asyncio.sleep(chance.uniform(*_AFTER_S))
        if chance.random() < 0.5:
            self._site.cluster.break_producers()
            return "fenced"
        self._site.cluster.purge()
        return "purged"

    async def _acknowledgements(self, chance: random.Random) -> str:
        self._site.cluster.fail_next = chance.randint(1, _ACKS)
        return f"{self._site.cluster.fail_next} lost"

    async def _disk_full(self, chance: random.Random) -> str:
        said = await self._moment(chance)
        self._site.fill_disk(full=True)
        full_s = chance.uniform(*_DISK_S)
        await asyncio.sleep(full_s)
        self._site.fill_disk(full=False)
        return said + f"for {full_s:.2f} s"

    async def _io_errors(self, chance: random.Random) -> str:
        said = await self._moment(chance)
        number = chance.randint(1, _FAILS)
        self._site.fail_commits(number)
        return said + f"{number} commits fail"

    # --- the machine ---------------------------------------------------------------------

    async def _clock(self, chance: random.Random) -> str:
        said = await self._moment(chance)
        jump_s = chance.choice(_JUMPS_S)
        self._site.wall.set_synchronised(chance.random() < 0.7)
        self._site.wall.jump(jump_s)
        return said + f"jumps by {jump_s:.0f} s"

    async def _door(self, chance: random.Random) -> str:
        said = await self._moment(chance)
        open_s = chance.uniform(*_DOOR_S)
        self._site.cabinet.set_door(is_open=True)
        await asyncio.sleep(open_s)
        self._site.cabinet.set_door(is_open=False)
        return said + f"open for {open_s:.1f} s"

    async def _beam(self, chance: random.Random) -> str:
        """Never while a spiral turns: a hand that comes in then looks like a product."""
        cabinet, loop = self._site.cabinet, self._site.loop
        await asyncio.sleep(chance.uniform(*_AFTER_S))
        await self._quiet()
        blind = Blind(loop.time() - _BEAM_GRACE_S, float("inf"))
        self._lives.blind.append(blind)
        cabinet.beam.block(True)
        self._lives.beam_blocked = True
        blocked_s = chance.uniform(*_BEAM_S)
        await asyncio.sleep(blocked_s)
        await self._quiet()
        cabinet.beam.block(False)
        self._lives.beam_blocked = True
        blind.end = loop.time() + _BEAM_GRACE_S
        return f"blocked for {blocked_s:.1f} s"

    async def _quiet(self) -> None:
        while not self._site.cabinet.quiet():  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(_LOOK_S)
