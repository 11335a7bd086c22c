"""A Kafka cluster for virtual time: keeps a log per topic, has outages, refuses when told to.

`ModelCluster` outlives the daemon, `connect` gives one life's connection. Like
the real client a connection never gives up on a message by itself: while the
cluster is away, messages wait in its queue, and their order stays.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from vendd.ports import DeliveryFailed, Message, Trouble

Done = Callable[[DeliveryFailed | None], None]
Heard = Callable[[DeliveryFailed], None]
Carried = Callable[[int], None]
_AWAY: Final = Trouble.UNREACHABLE


@dataclass(slots=True)
class ModelCluster:
    """What stands in the topics, and how the cluster behaves. Latencies in seconds.

    `refuses` says why a message is not taken (its failure), or None; like a real
    broker it then refuses everything that travelled with it. `fail_next`
    counts acknowledgements that get lost: the message is in the log, the client
    is told that delivery failed, so it will be sent again.
    """

    chance: random.Random
    latency_s: tuple[float, float] = (0.002, 0.02)
    queue_limit: int = 4800
    max_bytes: int = 1_000_000
    refuses: Callable[[Message], DeliveryFailed | None] = lambda message: None
    fail_next: int = 0
    topics: dict[str, list[Message]] = field(default_factory=dict)
    connections: int = 0
    _up: bool = True
    _shut: DeliveryFailed | None = None
    _open: list["ModelBroker"] = field(default_factory=list)

    def connect(self) -> "ModelBroker":
        """A new connection; works while the cluster is away, as a real client does."""
        self.connections += 1
        broker = ModelBroker(self)
        self._open.append(broker)
        if self._shut is not None:
            asyncio.get_running_loop().call_later(0.1, self._say_shut, broker)
        return broker

    @property
    def up(self) -> bool:
        return self._up and self._shut is None

    def _say_shut(self, broker: "ModelBroker") -> None:
        if self._shut is not None:
            broker.say(self._shut)

    def outage(self) -> None:
        """The cluster or the way to it is gone."""
        self._up = False

    def restore(self) -> None:
        self._up = True
        for broker in list(self._open):
            broker.resume()

    def break_producers(self) -> None:
        """Every open connection gets a fatal error; only a new one works again."""
        for broker in list(self._open):
            broker.fail(DeliveryFailed("producer fenced", fatal=True))

    def shut_out(self, failure: DeliveryFailed) -> None:
        """Nobody gets in for that reason until `let_in`: every connection is told so."""
        self._shut = failure
        for broker in list(self._open):
            broker.say(failure)

    def let_in(self) -> None:
        self._shut = None

    def purge(self) -> None:
        """Everything on its way is thrown away by the clients, and said to be."""
        for broker in list(self._open):
            broker.fail(DeliveryFailed("purged", trouble=_AWAY))

    def messages(self) -> int:
        return sum(len(log) for log in self.topics.values())

    def drop_connections(self) -> None:
        """The daemon was killed: what its clients had not sent is gone, and nobody is told."""
        for broker in self._open:
            broker.vanish()
        self._open.clear()

    def forget(self, broker: "ModelBroker") -> None:
        if broker in self._open:
            self._open.remove(broker)


class ModelBroker:
    """One connection (`ports.Broker`), on the loop that runs when it is used."""

    def __init__(self, cluster: ModelCluster) -> None:
        self._cluster = cluster
        self._waiting: deque[tuple[Message, Done]] = deque()
        self._delivering: asyncio.TimerHandle | None = None
        self._fatal: DeliveryFailed | None = None
        self._closed = False
        self._heard: Heard = lambda _failure: None
        self._carried: Carried = lambda _count: None

    def listen(self, heard: Heard, carried: Carried) -> None:
        """See `ports.Broker`. What is carried is counted with each batch, uncompressed."""
        self._heard, self._carried = heard, carried

    def say(self, failure: DeliveryFailed) -> None:
        """The client learnt why it can't deliver."""
        self._heard(failure)

    def send(self, message: Message, done: Done) -> bool:
        assert not self._closed, "sent on a closed connection"
        loop = asyncio.get_running_loop()
        if self._fatal is not None:
            loop.call_soon(done, self._fatal)
            return True
        if len(message.value) > self._cluster.max_bytes:
            loop.call_soon(done, DeliveryFailed("message too large", permanent=True))
            return True
        if len(self._waiting) >= self._cluster.queue_limit:
            return False
        self._waiting.append((message, done))
        self.resume()
        return True

    async def close(self) -> None:
        """What is on its way arrives if it can; the rest is given up."""
        if not self._closed:
            self._closed = True
            self._cluster.forget(self)
            self._stop_timer()
            self._deliver()
            self.fail(DeliveryFailed("closed", trouble=_AWAY))

    def vanish(self) -> None:
        """Gone without a word."""
        self._closed = True
        self._waiting.clear()
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._delivering is not None:
            self._delivering.cancel()
            self._delivering = None

    def resume(self) -> None:
        if self._cluster.up and self._waiting and self._delivering is None and not self._closed:
            delay = self._cluster.chance.uniform(*self._cluster.latency_s)
            self._delivering = asyncio.get_running_loop().call_later(delay, self._deliver)

    def fail(self, failure: DeliveryFailed) -> None:
        if failure.fatal:
            self._fatal = failure
        waiting, self._waiting = self._waiting, deque()
        for _, done in waiting:
            done(failure)

    def _deliver(self) -> None:
        """All that waits arrives in order, unless the cluster went away meanwhile."""
        self._delivering = None
        if not self._cluster.up:
            return
        waiting, self._waiting = self._waiting, deque()
        topics = {message.topic for message, _ in waiting}
        refusals = {topic: self._refusal(topic, waiting) for topic in topics}
        if waiting and not self._closed:
            self._carried(sum(message.size() for message, _ in waiting))
        for message, done in waiting:
            done(refusals[message.topic] or self._take(message))
        self.resume()

    def _refusal(self, topic: str, batch: Iterable[tuple[Message, Done]]) -> DeliveryFailed | None:
        for message, _ in batch:
            if message.topic == topic and (refusal := self._cluster.refuses(message)) is not None:
                return refusal
        return None

    def _take(self, message: Message) -> DeliveryFailed | None:
        self._cluster.topics.setdefault(message.topic, []).append(message)
        if self._cluster.fail_next > 0:
            self._cluster.fail_next -= 1
            return DeliveryFailed("acknowledgement lost", trouble=_AWAY)
        return None
