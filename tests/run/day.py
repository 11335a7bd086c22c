"""Days at the simulated machine, for the tests of this folder."""

from dataclasses import dataclass

from hw_sim.audit.books import Books
from hw_sim.auditor import Auditor, Verdict
from hw_sim.loop import run_virtual
from hw_sim.machines import PLAIN
from hw_sim.opening import SAMPLE, in_virtual_time
from hw_sim.received import Received
from hw_sim.shop import Day, Shop


@dataclass
class Evidence:
    """A finished day with everything that the auditor looked at."""

    day: Day
    shop: Shop
    books: Books
    received: list[Received]
    lines: list[str]

    @property
    def auditor(self) -> Auditor:
        return self.shop.auditor

    def compare(self) -> Verdict:
        return self.auditor.compare(self.day.visits, self.books, self.received)


def virtual_day(purchases: int, seed: int, machine: str = PLAIN) -> Evidence:
    """One day in virtual time."""

    async def run() -> Evidence:
        async with in_virtual_time(SAMPLE, seed, purchases, machine=machine) as front:
            lines: list[str] = []
            shop = Shop(front, seed, patient=True, say=lines.append)
            day = await shop.day(purchases)
            books = Books.read(front.books())
            return Evidence(day, shop, books, await front.events(), lines)

    return run_virtual(run())
