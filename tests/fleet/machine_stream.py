"""A machine of the fleet's simulator whose records stand as Kafka would hold them."""

import copy
import random

from hw_sim.fleet.machine import CAPACITY, PRICE, Books, StreamMachine
from vendd.core import facts
from vendd.core.facts import Fact
from vendd.fleet.envelope import Record
from vendd.ports import Message

__all__ = ["BORN_MS", "CAPACITY", "PRICE", "ModelMachine"]

BORN_MS = 1_800_000_000_000


class ModelMachine(StreamMachine):
    """`records` stand per topic in offset order; its clock goes on with every commit."""

    def __init__(self, name: str = "m-1", slots: int = 3, chance: random.Random | None = None):
        names = [f"A{n + 1}" for n in range(slots)]
        super().__init__(name, names, BORN_MS, self._record, chance or random.Random(1))
        self.records: list[Record] = []
        self.commits: list[tuple[Fact, ...]] = []
        self._offsets: dict[str, int] = {}
        self.start()

    def random_day(self, events: int) -> None:
        """Until at least `events` more are published."""
        last = self.books.seq + events
        while self.books.seq < last:
            slot = self.chance.choice(list(self.books.stock))
            match self.chance.randrange(12):
                case 0:
                    self.refill(slot)
                case 1:
                    self.claim(close=self.chance.random() < 0.5)
                case 2:
                    self.fault(self.chance.choice(["started", "ended"]))
                case 3:
                    self.commit(facts.Door("opened", 0, sale_in_flight=False))
                case 4:
                    moved = (facts.CoinCount(50, 2),)
                    self.commit(facts.CashMoved("tube", "operator", moved, 100, "fill", True))
                case 5 if self.chance.random() < 0.3:
                    self.start(power_cut=self.chance.random() < 0.5)
                case _:
                    kind = self.chance.choice([facts.TenderKind.COIN, facts.TenderKind.CARD])
                    self.sell(slot, kind)

    def backup(self) -> Books:
        return copy.deepcopy(self.books)

    def restore(self, backup: Books) -> None:
        """The SD card died: an old backup is put in, and the machine starts."""
        self.books = copy.deepcopy(backup)
        self.start()

    def commit(self, *published: Fact) -> None:
        self.ms += self.chance.randrange(1, 60_000)
        self.commits.append(published)
        super().commit(*published)

    def _record(self, sent: Message) -> None:
        offset = self._offsets[sent.topic] = self._offsets.get(sent.topic, -1) + 1
        self.records.append(
            Record(sent.topic, 0, offset, self.ms, sent.key, sent.value, sent.headers)
        )
