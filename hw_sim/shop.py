"""A day at the machine: opening, customers one after the other, closing, the audit."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hw_sim.auditor import Auditor, Verdict
from hw_sim.closing_table import closing_table
from hw_sim.front import Front
from hw_sim.received import Received
from hw_sim.shopper import Shopper, Tray
from hw_sim.signs import Sign, sign
from hw_sim.technician import Technician
from hw_sim.trouble import Trouble
from hw_sim.visit import Visit

GAP_S: Final = 0.3  # between two customers
OPENS_S: Final = 30.0
DELIVERED_S: Final = 30.0
READY_S: Final = 90.0  # a claim stands on the display for a minute
LOOK_S: Final = 0.5
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Day:
    """What a day leaves behind. `history`: a digest of all that could be seen."""

    visits: tuple[Visit, ...]
    verdict: Verdict
    history: str


class Shop:
    """Runs one day on a machine that is open (its daemon not yet started).

    `patient`: the technician may come; a visit takes minutes. `customer` may replace how a
    customer is served (somebody else's scenario).
    """

    def __init__(self, front: Front, seed: int, *, patient: bool, say: Say = print) -> None:
        self.front = front
        self.seed = seed
        self.auditor = Auditor(front)
        self.trouble = Trouble(front, seed, patient=patient)
        self.technician = Technician(front) if patient else None
        self.tray = Tray(len(front.cabinet.tray))
        self.visits: list[Visit] = []
        self.say = say
        self.names = {s: slot.product.name for s, slot in front.config.slots().items()}
        self.exponent = front.config.currency().exponent

    async def day(self, purchases: int) -> Day:
        """Open, serve `purchases` customers, close, judge."""
        await self.open()
        for number in range(1, purchases + 1):
            await self.serve(number)
        return await self.close()

    async def open(self) -> None:
        """Start the daemon and wait until it invites customers. Raises RuntimeError if not."""
        await self.front.start()
        said = await self.front.until(lambda t: sign(t) is Sign.IDLE, OPENS_S)
        if sign(said) is not Sign.IDLE:
            raise RuntimeError(f"the machine does not open: its display says {said!r}")

    async def serve(self, number: int) -> Visit:
        """One customer, and the technician if it is time."""
        rescue = self.technician.go if self.technician is not None else None
        shopper = Shopper(self.front, self.tray, self.seed, number, rescue)
        self.trouble.strike(shopper.visit.wants)
        self.visits.append(shopper.visit)
        visit = await shopper.go()
        visit.pulled += await self.trouble.over()
        self.say(visit.line(self.names, self.exponent))
        if self.technician is not None and self.technician.needed():
            await self.technician.go()
            self.say("   the technician cleared what had jammed and filled the tubes")
        await asyncio.sleep(GAP_S)
        return visit

    async def close(self) -> Day:
        """Wait until the machine is ready again and its events are out, stop the daemon in order,
        and judge. Whatever has failed is over by now: a machine that is not ready has hung."""
        said = await self._ready_again()
        await settled(self.front)
        await self.front.stop()
        verdict = await self.auditor.judge(self.visits)
        if sign(said) is not Sign.IDLE:
            hung = f"the machine does not get ready again: {said!r}"
            verdict = replace(verdict, violations=(*verdict.violations, hung))
        return Day(tuple(self.visits), verdict, await history(self.front, self.visits))

    async def _ready_again(self) -> str:
        """The display's words once nothing is under way in any device, or after `READY_S`."""
        front, end = self.front, self.front.loop.time() + READY_S
        said = await front.until(lambda t: sign(t) is Sign.IDLE, READY_S)
        while front.till.busy and front.loop.time() < end:
            await asyncio.sleep(LOOK_S)
            said = await front.until(lambda t: sign(t) is Sign.IDLE, READY_S)
        return said


async def settled(front: Front) -> None:
    """Wait until no more events arrive."""
    end = front.loop.time() + DELIVERED_S
    before = -1
    while front.loop.time() < end:
        seen = len(await front.events())
        if seen == before:
            return
        before = seen
        await asyncio.sleep(LOOK_S)


async def history(front: Front, visits: Sequence[Visit]) -> str:
    """A digest of every visit, every event, every fall and every motor current."""
    digest = hashlib.sha256()
    for thing in (
        *visits,
        *front.cabinet.tray,
        *front.cabinet.currents.intervals,
        *(_seen(message) for message in await front.events()),
    ):
        digest.update(repr(thing).encode())
    return digest.hexdigest()[:16]


def _seen(message: Received) -> tuple[object, ...]:
    """Without the configuration's hash: it covers the path of the books, a new one each time."""
    data = json.loads(message.value)
    data.pop("config_hash", None)
    return message.topic, message.key, sorted(message.headers.items()), json.dumps(data)


def report(day: Day, shop: Shop, say: Say = print) -> int:
    """Print the closing table and the judgement; 0 when every promise was kept, else 1."""
    say("")
    for line in closing_table(day.verdict, shop.names, shop.exponent):
        say(line)
    troubles = ", ".join(sorted(set(shop.trouble.happened))) or "none"
    say(f"troubles put in the way: {len(shop.trouble.happened)} ({troubles})")
    say(f"history {day.history}")
    say("")
    if not day.verdict.violations:
        say("SIMULATED. Every promise was kept.")
        return 0
    say(f"SIMULATED. {len(day.verdict.violations)} PROMISES BROKEN:")
    for violation in day.verdict.violations:
        say(f"  - {violation}")
    return 1
