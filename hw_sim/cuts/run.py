"""One sale in virtual time, cut at a given instant, settled, named and judged."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from hw_sim.audit.books import Books
from hw_sim.auditor import Auditor
from hw_sim.cuts.moments import VENDING, moment, unbooked, vending
from hw_sim.cuts.outcomes import outcome
from hw_sim.cuts.stories import BEFORE, OTHER, SLOT, Do, Story, config_for
from hw_sim.devices.bill_validator import BillValidator
from hw_sim.loop import run_virtual
from hw_sim.received import audit
from hw_sim.signs import Sign, credit, sign
from hw_sim.spiral import Fate
from hw_sim.stored import Stored, read
from hw_sim.virtual import VirtualMachine

SEED: Final = 1
GRACE_S: Final = 0.6  # what was seen so shortly before the end need not be on record
SEES_S: Final = 0.5  # READY is said before the first decision is committed
DOUBT_AT_S: Final = 5.0  # a product hangs, its spiral is home again, the drop is waited for
_READY_S: Final = 4.0  # every device is up


@dataclass(frozen=True, slots=True)
class How:
    """`power`: the controller lost it, otherwise its process was killed; `dark`: all devices lost
    it, too. `lands`: the commit under way became durable. `off_s`: until the next start."""

    name: str
    power: bool = False
    dark: bool = False
    lands: bool = False
    off_s: float = 1.0


KILLED: Final = How("killed")
LANDS: Final = How("killed, commit lands", lands=True)
POWER: Final = How("controller dark", power=True)
DARK: Final = How("all dark", power=True, dark=True, off_s=1.5)
HOWS: Final = (KILLED, LANDS, POWER, DARK)


@dataclass(slots=True)
class Seen:
    """What a cut was, and what came of it."""

    story: str
    how: str
    at: float
    row: str = ""
    outcome: str = ""
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.story}, {self.how} at {self.at:.3f} s: {self.row}: {self.outcome}"


def cut(story: Story, how: How, at: float) -> Seen:
    """The story, cut `at` seconds after the customer came."""
    seen = Seen(story.name, how.name, at)

    async def run() -> None:
        machine = VirtualMachine(config_for(story), SEED)
        try:
            await _Run(machine, story, how, seen).run()
        finally:
            machine.close()

    run_virtual(run())
    return seen


def landings(story: Story) -> list[float]:
    """When, undisturbed, the commits of the story became durable; as `cut` counts."""
    moments: list[float] = []

    async def run() -> None:
        machine = VirtualMachine(config_for(story), SEED)
        try:
            it = _Run(machine, story, KILLED, Seen(story.name, "", 0.0))
            await it.undisturbed(moments)
        finally:
            machine.close()

    run_virtual(run())
    return moments


class _Run:
    def __init__(self, machine: VirtualMachine, story: Story, how: How, seen: Seen) -> None:
        self._machine = machine
        self._story = story
        self._how = how
        self._seen = seen
        self._auditor = Auditor(machine)
        self._filled = machine.changer.truth.tubes_total() + machine.changer.truth.box_total()
        self._blind: list[tuple[float, float]] = []

    async def run(self) -> None:
        machine, seen = self._machine, self._seen
        await self._arrive()
        buying = machine.loop.create_task(self._customer())
        await asyncio.sleep(seen.at)
        before = self._cut()
        buying.cancel()
        coins, seen.row = self._coins, self._row
        shown = await self._back()
        if seen.row == VENDING:  # where the motors came to rest decides
            seen.row = vending(before, machine.config, self._homes, doubted=self._story.doubted)
        await machine.stop()
        after = read(machine.books())
        seen.outcome = outcome(machine, before, after, shown)
        seen.findings += [f"{seen}: {one}" for one in await self._broken(coins)]

    async def undisturbed(self, moments: list[float]) -> None:
        """The story to its end, in seconds since the customer came."""
        machine = self._machine
        await self._arrive()
        assert machine.writer is not None
        writer, began = machine.writer, machine.loop.time()
        known = writer.counts.commits
        buying = machine.loop.create_task(self._customer())
        while machine.loop.time() < began + self._story.span_s:
            await asyncio.sleep(0.0005)
            if writer.counts.commits != known:
                known = writer.counts.commits
                moments.append(machine.loop.time() - began)
        await buying
        machine.cut()

    async def _arrive(self) -> None:
        """Until the customer comes."""
        await self._machine.start()
        await asyncio.sleep(_READY_S)
        if self._story.doubted:
            await self._doubt()
        self._machine.cabinet.slot(SLOT).fates.append(self._story.fate)

    async def _customer(self, steps: Sequence[tuple[float, Do]] = ()) -> None:
        began = self._machine.loop.time()
        for at, do in steps or self._story.steps:
            await asyncio.sleep(began + at - self._machine.loop.time())
            do(self._machine)

    def _cut(self) -> Stored:
        machine, how = self._machine, self._how
        self._auditor.died(machine.loop.time())
        machine.cut(power=how.power, in_flight_lands=how.lands)
        stored = read(machine.books())
        self._coins = unbooked(machine, stored, self._filled)
        self._row = moment(machine, stored, self._coins)
        if how.dark:
            machine.changer.power_cycle(how.off_s)
            assert isinstance(machine.till.bills, BillValidator)
            machine.till.bills.power_cycle(how.off_s)
            for reader in machine.till.readers.values():
                reader.power_cycle(how.off_s)
        return stored

    async def _back(self) -> int:
        """The next life, until nothing is open; the credit that was shown meanwhile."""
        machine, died = self._machine, self._machine.loop.time()
        await asyncio.sleep(self._how.off_s)
        self._homes = _homes(machine)
        await machine.start()
        self._blind.append((died - GRACE_S, machine.loop.time() + SEES_S))
        shown = 0
        for _ in range(4):
            text = await machine.until(lambda t: sign(t) not in (Sign.BUSY, Sign.OTHER), 120)
            await asyncio.sleep(_READY_S)
            text = "|".join(machine.lines())
            shown = shown or (credit(text) or 0)
            for reader in machine.till.readers.values():
                reader.remove()
            if sign(text) is Sign.IDLE:
                break
            machine.changer.press_lever()
            await asyncio.sleep(1.0)
        await machine.until(lambda t: sign(t) is Sign.IDLE, 900)
        await asyncio.sleep(70.0 if self._how.dark else 40.0)  # readers and validators may be late
        self._hand_out()
        return shown

    def _hand_out(self) -> None:
        """The customer takes what came back."""
        bills = self._machine.till.bills
        assert bills is not None
        bills.truth.take_hand()
        self._machine.changer.truth.take_cup()

    async def _doubt(self) -> None:
        """One vend earlier that day whose outcome nobody knows."""
        machine = self._machine
        machine.cabinet.slot(OTHER).fates.append(Fate.HANGS)
        buying = machine.loop.create_task(self._customer(BEFORE))
        await asyncio.sleep(DOUBT_AT_S)
        buying.cancel()
        how, self._how = self._how, KILLED
        self._cut()
        await self._back()
        self._how = how

    # --- judgement -------------------------------------------------------------------------

    async def _broken(self, coins: int) -> list[str]:
        """Promises that were broken; what section 9 allows to be lost is none of them."""
        machine, events = self._machine, await self._machine.events()
        books = Books.read(machine.books())
        self._auditor.unseen = self._unseen(books)
        found = self._auditor.compare([], books, events).violations
        delivered = audit(events, books.seq)
        if delivered.missing or not delivered.in_order:
            found = (*found, f"events: {delivered}")
        judged = [one for one in found if not self._excused(one, coins)]
        return [*judged, *self._balance(books, coins)]

    def _balance(self, books: Books, coins: int) -> Iterator[str]:
        """What customers and holders left, against what the books say became of it."""
        till = self._machine.till
        assert till.bills is not None
        coin, bills = till.coins.truth, till.bills.truth
        left = coin.inserted - coin.returned + bills.inserted - bills.returned - bills.paid
        left += sum(reader.truth.paid() for reader in till.readers.values())
        owed = -books.closing("sales") + books.owed() + books.owed(due=True)
        # Published as due although nobody paid, or as a claim although it came back: a person
        # finds that out, and nobody can say it before.
        doubt = books.owed(due=True) + sum(
            c.amount for c in books.claims.values() if c.open and c.reason == "bill_unclear"
        )
        if not -doubt <= left - owed <= max(0, coins):
            yield f"{left} was left here, {owed} is booked as sold or owed"

    def _excused(self, violation: str, coins: int) -> bool:
        """A coin that no commit knew and that left no evidence: box, or a tube without power."""
        if violation.startswith("customers left"):  # nobody counted for them: see `_balance`
            return True
        if self._seen.row == "home_again_twice" and violation.startswith(f"slot {SLOT}:"):
            return True  # booked as delivered by policy, published as doubtful; it still hangs
        stores = ("coin_box:", "tube:") if self._how.dark else ("coin_box:",)
        return coins > 0 and violation.startswith(stores) and "but" in violation

    def _unseen(self, books: Books) -> Counter[str]:
        machine = self._machine
        fell = [p.selection for p in machine.cabinet.tray if any(self._dead(p.at))]
        booked = machine.config.first_levels()[SLOT] - books.levels.get(SLOT, 0)
        missing = len(machine.cabinet.tray) - booked
        return Counter({SLOT: min(max(0, missing), len(fell))})

    def _dead(self, at: float) -> Iterator[bool]:
        return (begin <= at <= end for begin, end in self._blind)


def _homes(machine: VirtualMachine) -> dict[str, bool]:
    return {motor.name: motor.contact for motor in machine.cabinet.motors}
