"""``python -m hw_sim fleet``: the event streams of many machines, at the rate that is asked for.

The machines' own time runs as fast as the rate wants it. It begins now and soon runs ahead, so
they say that their clocks are not synchronised, and a backend goes by arrival.
"""

import heapq
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Carried

from hw_sim.fleet.day import DAY_MS, FleetMachine
from vendd.ports import Message

_AHEAD_S: Final = 0.005  # how far sending may run ahead of the rate
_SHARE_MET: Final = 0.95
_TOLD_EVERY_S: Final = 5.0
_ARRIVES_S: Final = 30.0
_SETTINGS: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "message.timeout.ms": int(_ARRIVES_S * 1000),
    "linger.ms": 5,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
    "queue.buffering.max.messages": 100_000,
    "log_level": 2,
}  # as a machine's forwarder, but that a message may time out: nobody keeps it


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for: `rate` events per second of all machines together, until `seconds` are
    over or, without, until it is stopped."""

    bootstrap: str
    machines: int
    rate: float
    seconds: float | None
    name: str
    topic_prefix: str = ""
    seed: int = 1


@dataclass(slots=True)
class Achieved:
    """What came of it. `full_s`: how long the client's queue was full because Kafka took no more;
    `spare_s`: how long there was nothing to do; `days`: the time that a machine lived."""

    sent: int = 0
    delivered: int = 0
    bytes: int = 0
    seconds: float = 0.0
    full_s: float = 0.0
    spare_s: float = 0.0
    days: float = 0.0
    failure: str = ""
    failed: int = 0

    @property
    def rate(self) -> float:
        return self.sent / self.seconds if self.seconds else 0.0


class Crowd:
    """The machines in the order of their next events."""

    def __init__(self, load: Load, publish: Callable[[Message], None], born_ms: int) -> None:
        digits = len(str(load.machines))
        self._born_ms = born_ms
        self.machines = [
            FleetMachine(
                f"{load.name}-{number:0{digits}}",
                born_ms,
                publish,
                random.Random(f"{load.seed}/{number}"),
            )
            for number in range(1, load.machines + 1)
        ]
        self._order = [(machine.next_ms, n) for n, machine in enumerate(self.machines)]
        heapq.heapify(self._order)

    def act(self) -> None:
        """The next thing that happens anywhere."""
        _, number = self._order[0]
        machine = self.machines[number]
        machine.act()
        heapq.heapreplace(self._order, (machine.next_ms, number))

    @property
    def days(self) -> float:
        return (self._order[0][0] - self._born_ms) / DAY_MS


class Sender:
    """Hands messages to Kafka at the rate; whoever publishes waits."""

    def __init__(self, load: Load) -> None:
        self.achieved = Achieved()
        self._rate = load.rate
        self._prefix = load.topic_prefix
        self._producer = Producer(
            {**_SETTINGS, "bootstrap.servers": load.bootstrap, "on_delivery": self._carried}
        )
        self._begun = time.perf_counter()

    def send(self, message: Message) -> None:
        achieved = self.achieved
        while True:
            try:
                self._producer.produce(
                    self._prefix + message.topic,
                    message.value,
                    message.key,
                    headers=list(message.headers),
                )
                break
            except BufferError:
                begun = time.perf_counter()
                self._producer.poll(0.1)
                achieved.full_s += time.perf_counter() - begun
        achieved.sent += 1
        achieved.bytes += message.size()
        if not achieved.sent % 64:
            self._producer.poll(0)
        self._pace()

    def elapsed(self) -> float:
        return time.perf_counter() - self._begun

    def end(self) -> None:
        """What is on its way arrives, or is counted as failed."""
        self.achieved.seconds = self.elapsed()
        self._producer.flush(2 * _ARRIVES_S)

    def _pace(self) -> None:
        due_s = self.achieved.sent / self._rate
        while (early_s := due_s - self.elapsed()) > _AHEAD_S and not self.achieved.failed:
            self._producer.poll(early_s)  # also carries the reports; they end it early
            self.achieved.spare_s += max(0.0, early_s - (due_s - self.elapsed()))

    def _carried(self, error: KafkaError | None, _: Carried) -> None:
        if error is None:
            self.achieved.delivered += 1
        else:
            self.achieved.failed += 1
            self.achieved.failure = self.achieved.failure or error.str()


def run(load: Load, stop: threading.Event, say: Callable[[str], None]) -> Achieved:
    """Until the time is over, `stop` is set or Kafka takes nothing any more."""
    sender = Sender(load)
    crowd = Crowd(load, sender.send, int(time.time() * 1000))
    told_s = _TOLD_EVERY_S
    while not stop.is_set() and not sender.achieved.failed:
        elapsed_s = sender.elapsed()
        if load.seconds is not None and elapsed_s >= load.seconds:
            break
        if elapsed_s >= told_s:
            told_s += _TOLD_EVERY_S
            sent = sender.achieved.sent
            say(f"{elapsed_s:5.0f} s  {sent:,} events  {sent / elapsed_s:,.0f} /s")
        crowd.act()
    sender.end()
    sender.achieved.days = crowd.days
    return sender.achieved


def verdict(load: Load, achieved: Achieved) -> tuple[int, list[str]]:
    """The exit code, 1 when the rate was missed or something did not arrive; and what to say."""
    summary = (
        f"{achieved.sent:,} events of {load.machines:,} machines in {achieved.seconds:.1f} s:"
        f" {achieved.rate:,.0f} /s, asked for {load.rate:,.0f} /s;"
        f" {achieved.bytes / max(1, achieved.sent):,.0f} bytes each before compression"
    )
    lines = [summary]
    if achieved.days >= 1:
        each = achieved.sent / load.machines / achieved.days
        lines.append(
            f"each machine lived {achieved.days:.1f} days, with {each:,.0f} events per day"
        )
    lines.append(f"{achieved.delivered:,} delivered, {achieved.failed:,} failed")
    if achieved.delivered < achieved.sent:
        lines.append(f"FAILED: Kafka did not take everything: {achieved.failure or 'no answer'}")
        return 1, lines
    if achieved.rate < _SHARE_MET * load.rate:
        lines.append(f"FELL SHORT of the rate: {_limit(achieved)}")
        return 1, lines
    return 0, lines


def _limit(achieved: Achieved) -> str:
    if achieved.full_s > 0.1 * achieved.seconds:
        return f"Kafka took no more for {achieved.full_s:.1f} s"
    return (
        "this process can't encode more; share the machines between several, each with a"
        " --name of its own"
    )
