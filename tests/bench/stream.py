"""``python -m tests.bench.stream [--quick]``: the event stream's figures with Apache Kafka itself.

Lag is what a consumer sees, not what the producer is told. Every figure stands beside a simple
program that does the same with the same client settings in the same run.
"""

import asyncio
import contextlib
import json
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

from confluent_kafka import OFFSET_END, Consumer, TopicPartition
from persistqueue import Empty, SQLiteAckQueue

from tests.bench import delivery
from tests.bench.delivery import Life, drained, fill, plain_loop, produce, producer_of
from tests.bench.samples import FACTS
from tests.bench.table import Goal, Row, percentile, render
from vendd.events import TOPICS, StoredEvent

sys.path.insert(0, str(Path(__file__).parents[1] / "kafka"))  # the broker and what cuts it off

from cut_network import relay, unnoticed_death
from kafka_server import KafkaServer

OUTAGE_S: Final = 5.0  # longer than the client's waits between attempts grow
_WARM: Final = 50  # commits that find a broker just started, whose code isn't compiled yet
_BATCH: Final = 500
_QUEUE_PART: Final = 5  # it would take minutes for all; its table grows, so less is in its favour
_LAG: Final = (
    f"{len(FACTS)} events per commit, from durable to the poll of a consumer of its own thread that"
    " returns it; bare: the same events from produce on, in turn with ours;"
    f" the first {_WARM} commits at the fresh broker aren't counted."
)
_BACK: Final = (
    f"An event is committed while connections are refused, for {OUTAGE_S:.0f} s; from the moment"
    " that the way is open again to its delivery report."
)
_LOST: Final = (
    "Nothing passes through the old connection any more and nobody says so (a router forgot it, or"
    " the machine has a new address); from the commit to its delivery report."
)
_DRAIN: Final = (
    "All get the same backlog and the same client settings, started anew each time, in turn; the"
    " queue as the library makes it (every get and every ack is a commit) with a fifth of the"
    " backlog, its filling not counted."
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    commits: int
    reconnects: int
    backlog: int
    rounds: int


FULL: Final = Scale(commits=400, reconnects=5, backlog=20_000, rounds=5)
QUICK: Final = Scale(commits=60, reconnects=1, backlog=5_000, rounds=3)


class Viewer:
    """A consumer that notes when it saw each seq. Starts at the end of the topics."""

    def __init__(self, bootstrap: str, prefix: str = "") -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "viewer",
                "enable.auto.commit": False,
                "log_level": 2,
            }
        )
        topics = [TopicPartition(prefix + topic, 0, OFFSET_END) for topic in TOPICS]
        self._consumer.assign(topics)
        self._consumer.poll(3.0)  # it has to stand at the end before anything is sent
        self._stop = threading.Event()
        self.seen: dict[int, float] = {}
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.2)
            if message is None or message.error() is not None:
                continue
            at = time.perf_counter()
            headers = dict(message.headers() or ())
            self.seen.setdefault(int(headers["ce_seq"]), at)

    def lags(self, sent: dict[int, float]) -> list[float]:
        """Milliseconds from when each seq was sent to when it was seen; then it leaves.

        Waits for all of them, ten seconds at most. Raises `KeyError` for one that never came.
        """
        end = time.perf_counter() + 10
        while not sent.keys() <= self.seen.keys() and time.perf_counter() < end:
            time.sleep(0.01)  # noqa: TID251  # another thread's progress, in real time
        self._stop.set()
        self._thread.join()
        self._consumer.close()
        return [(self.seen[seq] - at) * 1000 for seq, at in sent.items()]


# --- lag ----------------------------------------------------------------------------------------


class _Bare:
    """A producer with a consumer of its own: what the client and the broker cost alone."""

    def __init__(self, bootstrap: str, warmup: Sequence[StoredEvent]) -> None:
        self._producer = producer_of(bootstrap)
        self.sent: dict[int, float] = {}
        self.send(warmup)
        self.sent.clear()
        self.viewer = Viewer(bootstrap, "bare.")

    def send(self, events: Sequence[StoredEvent]) -> None:
        for event in events:
            self.sent[event.seq] = time.perf_counter()
            produce(self._producer, event, "bare.")
        while len(self._producer):
            self._producer.poll(0.1)


async def lag(folder: Path, bootstrap: str, commits: int) -> list[Row]:
    """From durable to consumer-visible, while connected; each commit beside a bare one."""
    life = await Life.start(folder, bootstrap)
    first = await life.commit(FACTS)
    await life.outbox.reached(len(FACTS))  # connected
    viewer = await asyncio.to_thread(Viewer, bootstrap)
    bare = await asyncio.to_thread(_Bare, bootstrap, first)
    committed: dict[int, float] = {}
    for _ in range(_WARM + commits):
        events = await life.commit(FACTS)
        at = time.perf_counter()
        committed |= {event.seq: at for event in events}
        await asyncio.sleep(delivery.PAUSE_S)
        await asyncio.to_thread(bare.send, events)
        await asyncio.sleep(delivery.PAUSE_S)
    cold = _WARM * len(FACTS)
    ours = (await asyncio.to_thread(viewer.lags, committed))[cold:]
    theirs = (await asyncio.to_thread(bare.viewer.lags, bare.sent))[cold:]
    await life.end()
    return [
        Row(
            f"commit to consumer while connected, p{share}, n={len(ours)}",
            percentile(ours, share),
            "ms",
            percentile(theirs, share),
            "bare produce to consumer",
            goal,
            note=_LAG,
        )
        for share, goal in ((50, None), (99, Goal("<", 50)))
    ]


# --- after an outage ----------------------------------------------------------------------------


async def reconnect(folder: Path, kafka: KafkaServer, times: int) -> list[Row]:
    """How soon the first event arrives when the network is back."""
    address = f"127.0.0.1:{kafka.relay_port}"
    life = await Life.start(folder, address)
    took: list[float] = []
    for _ in range(times):
        async with relay(kafka.at["BEHIND"], kafka.relay_port):
            events = await life.commit(FACTS)
            await life.outbox.reached(events[-1].seq)
        events = await life.commit(FACTS)
        await asyncio.sleep(OUTAGE_S)
        async with relay(kafka.at["BEHIND"], kafka.relay_port):
            back = time.perf_counter()
            took.append(await life.outbox.reached(events[0].seq) - back)
    await life.end()
    name = f"first delivery after the network is back, worst of {times}"
    return [Row(name, max(took), "s", goal=Goal("<=", 2), note=_BACK)]


async def lost(folder: Path, kafka: KafkaServer) -> list[Row]:
    """How soon a connection is given up that died without a word."""
    life = await Life.start(folder, f"127.0.0.1:{kafka.relay_port}")
    async with unnoticed_death(kafka.at["BEHIND"], kafka.relay_port) as die:
        events = await life.commit(FACTS)
        await life.outbox.reached(events[-1].seq)
        await die()
        began = time.perf_counter()
        events = await life.commit(FACTS)
        took = await life.outbox.reached(events[0].seq) - began
        await life.end()
    return [Row("delivery when the connection died unnoticed", took, "s", note=_LOST)]


# --- backlog ------------------------------------------------------------------------------------


async def drain(folder: Path, bootstrap: str, scale: Scale) -> list[Row]:
    """A backlog after days offline, against two simple relays."""
    store = folder / "store"
    await fill(store, scale.backlog)
    rates: dict[str, list[float]] = {"ours": [], "plain": [], "queue": []}
    for number in range(scale.rounds):
        turn = number % len(rates)
        for who in [*rates][turn:] + [*rates][:turn]:
            with _copy(store, f"{number}-{who}") as copy:
                rates[who].append(await _rate(who, copy, bootstrap, scale.backlog))
    name = f"drain of a backlog of {scale.backlog:,} events, median of {scale.rounds}"
    return [
        Row(
            name,
            median(rates["ours"]),
            "events/s",
            median(rates[who]),
            words,
            Goal(">=", limit, "ratio"),
            _DRAIN,
        )
        for who, words, limit in (
            ("plain", "select 500, produce, flush, one delete", 1),
            ("queue", "persist-queue SQLiteAckQueue", 10),
        )
    ]


async def _rate(who: str, store: Path, bootstrap: str, backlog: int) -> float:
    """Events per second of one drain."""
    if who == "ours":
        return backlog / await drained(store, bootstrap, backlog)
    if who == "plain":
        return backlog / await asyncio.to_thread(plain_loop, store, bootstrap)
    part = backlog // _QUEUE_PART
    return part / await asyncio.to_thread(_queue_loop, store, bootstrap, part)


@contextmanager
def _copy(store: Path, name: str) -> Iterator[Path]:
    copy = store.with_name(f"copy-{name}")
    shutil.copytree(store, copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def _queue_loop(store: Path, bootstrap: str, backlog: int) -> float:
    """The same events in a SQLiteAckQueue: get 500, produce, flush, acknowledge each. Seconds."""
    queue = SQLiteAckQueue(str(store / "queue"), auto_commit=True)
    for event in islice(_events(store), backlog):
        queue.put((event.seq, event.topic, event.type, dict(event.attributes), event.data))
    began = time.perf_counter()
    producer = producer_of(bootstrap)
    while items := _some(lambda: queue.get(block=False)):
        for seq, topic, type_, attributes, data in items:
            produce(producer, StoredEvent(seq, topic, type_, attributes, data), "q.")
        producer.flush()
        for item in items:
            queue.ack(item)
    took = time.perf_counter() - began
    queue.close()
    return took


def _some(
    get: Callable[[], tuple[int, str, str, dict[str, str], bytes]],
) -> list[tuple[int, str, str, dict[str, str], bytes]]:
    items = []
    with contextlib.suppress(Empty):
        while len(items) < _BATCH:
            items.append(get())
    return items


def _events(store: Path) -> Iterator[StoredEvent]:
    (file,) = store.glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        select = "SELECT seq, topic, type, attributes, data FROM outbox ORDER BY seq"
        for seq, topic, type_, attributes, data in connection.execute(select):
            yield StoredEvent(seq, topic, type_, json.loads(attributes), data)


def main(arguments: list[str]) -> int:
    """1 when a goal was missed."""
    scale = QUICK if "--quick" in arguments else FULL
    with tempfile.TemporaryDirectory(prefix="vendd-bench-") as name:
        folder = Path(name)
        (folder / "kafka").mkdir()
        kafka = KafkaServer(folder / "kafka", secure=True)
        kafka.start()
        try:
            for prefix in ("", "bare.", "p.", "q."):
                kafka.create_topics(prefix)
            rows = asyncio.run(_measure(folder, kafka, scale))
        finally:
            kafka.kill()
    print(render(rows))
    return 1 if any(row.verdict == "MISSED" for row in rows) else 0


async def _measure(folder: Path, kafka: KafkaServer, scale: Scale) -> list[Row]:
    return [
        *await lag(folder / "lag", kafka.bootstrap, scale.commits),
        *await reconnect(folder / "reconnect", kafka, scale.reconnects),
        *await lost(folder / "lost", kafka),
        *await drain(folder, kafka.bootstrap, scale),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
