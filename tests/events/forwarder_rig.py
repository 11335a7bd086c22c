"""A machine that commits, a forwarder, a cluster: all in virtual time."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hw_sim.loop import run_virtual
from hw_sim.model_broker import ModelCluster
from vendd.events import StoredEvent
from vendd.links.forwarder import Forwarder
from vendd.ports import Message, Replay, StoreFailed

TOPICS = ("transaction-events", "inventory-updates")


def event(seq: int, size: int = 2) -> StoredEvent:
    attributes = {"seq": str(seq), "machine": "m1", "datacontenttype": "application/json"}
    return StoredEvent(seq, TOPICS[seq % 2], "vend.door.v1", attributes, b"x" * size)


@dataclass
class FakeOutbox:
    """The store's side: what is committed, what is known to be delivered."""

    rows: list[StoredEvent] = field(default_factory=list)
    mark: int = 0
    buried: list[tuple[int, str]] = field(default_factory=list)
    reads: int = 0
    failing: int = 0
    thinned: list[int] = field(default_factory=list)
    asked: Replay | None = None
    refused: frozenset[int] = frozenset()
    link: tuple[str, int] = ("", 0)

    async def read(self, after_seq: int, limit: int) -> list[StoredEvent]:
        self._maybe_fail()
        self.reads += 1
        found = [row for row in self.rows if row.seq > after_seq][:limit]
        await asyncio.sleep(0.001)  # commits go on meanwhile
        return found

    async def watermark(self) -> int:
        self._maybe_fail()
        return self.mark

    def delivered(self, up_to_seq: int) -> None:
        assert up_to_seq > self.mark, "the watermark never stands still or goes back"
        self.mark = up_to_seq

    async def thin(self, seqs: Sequence[int]) -> list[StoredEvent]:
        self._maybe_fail()
        record = replace(event(self.last + 1), money=True)
        gone = [row.seq for row in self.rows if row.seq in seqs]
        self.rows = [row for row in self.rows if row.seq not in seqs]
        self.thinned += gone
        self.rows.append(record)
        return [record]

    @property
    def last(self) -> int:
        return self.rows[-1].seq if self.rows else 0

    async def ask_replay(self, from_seq: int, to_seq: int) -> Replay | None:
        self.asked = Replay(1, from_seq, to_seq, to_seq - from_seq + 1)
        return self.asked

    async def next_replay(self) -> Replay | None:
        return self.asked

    async def read_again(self, replay: Replay, limit: int) -> list[StoredEvent]:
        self._maybe_fail()
        found = [row for row in self.rows if replay.next_seq <= row.seq <= replay.to_seq]
        return found[:limit]

    async def replayed(self, replay: Replay, next_seq: int, refused: frozenset[int]) -> None:
        self.refused |= refused
        done = next_seq > replay.to_seq
        self.asked = None if done else replace(replay, next_seq=next_seq)

    async def carried(self) -> tuple[str, int]:
        return self.link

    def carry(self, day: str, total: int) -> None:
        self.link = (day, total)

    async def bury(self, event: StoredEvent, reason: str) -> None:
        self._maybe_fail()
        self.buried.append((event.seq, reason))

    def _maybe_fail(self) -> None:
        if self.failing:
            self.failing -= 1
            raise StoreFailed("disk full")


class Shop:
    """A machine that commits events, a forwarder, a cluster."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()
        self.cluster = ModelCluster(random.Random(7))
        self.forwarder = self.new_forwarder()

    def new_forwarder(self) -> Forwarder:
        return Forwarder(self.outbox, self.cluster.connect, random.Random(3))

    def commit(self, count: int = 1, size: int = 2) -> None:
        first = len(self.outbox.rows) + 1
        events = [event(seq, size) for seq in range(first, first + count)]
        self.outbox.rows.extend(events)
        self.forwarder.committed(events)

    def seqs(self, topic: str | None = None) -> list[int]:
        logs = [log for name, log in self.cluster.topics.items() if topic in {None, name}]
        return [seq_of(message) for log in logs for message in log if message.value]

    def assert_all_delivered(self) -> None:
        """Nothing missing; per topic the first copies stand in order."""
        buried = {seq for seq, _ in self.outbox.buried}
        assert set(self.seqs()) == {row.seq for row in self.outbox.rows} - buried
        for topic in TOPICS:
            first_copies = list(dict.fromkeys(self.seqs(topic)))
            assert first_copies == sorted(first_copies)
        assert self.outbox.mark == len(self.outbox.rows)
        assert self.forwarder.standing().state == "caught_up"
        assert self.forwarder.standing().depth == 0

    def duplicates(self) -> int:
        return len(self.seqs()) - len(set(self.seqs()))


def seq_of(message: Message) -> int:
    return int(dict(message.headers)["ce_seq"])


def play(scenario: Callable[[Shop], Coroutine[Any, Any, None]]) -> Shop:
    async def main() -> Shop:
        shop = Shop()
        async with asyncio.timeout(100 * 86_400):
            task = asyncio.create_task(shop.forwarder.run())
            await scenario(shop)
            assert not task.done(), task.exception()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return shop

    return run_virtual(main())


async def settle(seconds: float = 120.0) -> None:
    await asyncio.sleep(seconds)
