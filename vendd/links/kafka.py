"""Kafka through librdkafka: the production side of `ports.Broker`.

Settings that carry promises: acks of all replicas and idempotence keep the order
and make no duplicates within one producer's life; a message never times out
(`message.timeout.ms` 0), because one that did could be overtaken by the next of
its topic, so an absent broker is librdkafka's to wait for; and its queue is
capped, because the outbox is the buffer.

One thread blocks in `poll` and carries reports to the loop in bunches.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from vendd.links.kafka_errors import classify
from vendd.ports import DeliveryFailed, Message

Done = Callable[[DeliveryFailed | None], None]
Said = Callable[[int, str], None]

POLL_S: Final = 0.5  # only how soon the thread notices `close`; a report ends the wait at once
FLUSH_S: Final = 2.0  # an orderly stop gives what is on its way this long
_MAX_MESSAGES: Final = 4800  # of at most 850 bytes on average, or the next one is the limit
_MAX_KBYTES: Final = 4096

_SETTINGS: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "message.timeout.ms": 0,
    "queue.buffering.max.messages": _MAX_MESSAGES,
    "queue.buffering.max.kbytes": _MAX_KBYTES,
    "linger.ms": 2,
    "batch.size": 262_144,  # a broker refuses whole batches: keep them well below its limit
    "compression.type": "lz4",  # many machines hang on metered SIM cards
    "partitioner": "murmur2_random",  # where the Java clients would put the key
    "socket.keepalive.enable": True,
    "reconnect.backoff.max.ms": 1_000,  # a customer's sale is known soon after the network is back
    # Packets that vanish are sent again by TCP ever more rarely: after 30 s without a network it
    # was silent for 26 s more. A connection that gives no answer is better given up.
    "socket.timeout.ms": 10_000,
    "socket.connection.setup.timeout.ms": 10_000,
    "statistics.interval.ms": 60_000,
}
Heard = Callable[[DeliveryFailed], None]
Carried = Callable[[int], None]


class LibrdkafkaBroker:
    """One producer. `said(syslog level, text)` gets its log lines, on the loop's thread.

    `options` are librdkafka's own (TLS, SASL, batching) and win over the settings above.
    Raises `DeliveryFailed` when librdkafka refuses them or can't start.
    """

    def __init__(
        self,
        bootstrap: str,
        client_id: str,
        options: Mapping[str, str] | None = None,
        said: Said | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._said = said
        self._heard: Heard = lambda _failure: None
        self._counted: Carried = lambda _count: None
        self._wire_bytes = 0
        self._reports: list[tuple[Done, DeliveryFailed | None]] = []
        self._lines: list[tuple[int, str]] = []
        self._closing = threading.Event()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        settings = {
            **_SETTINGS,
            "bootstrap.servers": bootstrap,
            "client.id": client_id,
            "logger": _Log(self._lines),
            "error_cb": self._erred,
            "stats_cb": self._measured,
            **(options or {}),
        }
        try:
            self._producer = Producer(settings)
        except KafkaException as error:
            raise classify(error.args[0]) from error
        self._thread = threading.Thread(target=self._serve, name="kafka-poll", daemon=True)
        self._thread.start()

    def listen(self, heard: Heard, carried: Carried) -> None:
        """See `ports.Broker`."""
        self._heard, self._counted = heard, carried

    def send(self, message: Message, done: Done) -> bool:
        assert not self._closing.is_set(), "sent on a closed connection"
        try:
            self._producer.produce(
                message.topic,
                message.value,
                message.key,
                headers=list(message.headers),
                on_delivery=partial(self._delivered, done),
            )
        except BufferError:
            return False
        except KafkaException as error:
            self._loop.call_soon(done, classify(error.args[0]))
        return True

    async def close(self) -> None:
        """What is on its way gets `FLUSH_S`; the rest is reported as failed."""
        self._closing.set()
        await asyncio.shield(self._closed)

    # --- the poll thread ----------------------------------------------------

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._guarded(self._producer.poll, POLL_S)
            self._hand_over()
        self._guarded(self._producer.flush, FLUSH_S)
        self._producer.purge()
        self._guarded(self._producer.flush, FLUSH_S)
        self._hand_over()
        del self._producer  # joins librdkafka's threads: not on the loop's time
        self._on_loop(self._set_closed)

    def _guarded(self, serve: Callable[[float], object], seconds: float) -> None:
        """The client raises its fatal error where callbacks are served, and nowhere else."""
        try:
            serve(seconds)
        except KafkaException as error:
            self._on_loop(self._hear, classify(error.args[0]))

    def _delivered(self, done: Done, error: KafkaError | None, _: object) -> None:
        self._reports.append((done, None if error is None else classify(error)))

    def _erred(self, error: KafkaError) -> None:
        self._lines.append((3 if error.fatal() else 5, error.str()))
        self._on_loop(self._hear, classify(error))

    def _measured(self, statistics: str) -> None:
        known = json.loads(statistics)
        total = int(known["tx_bytes"]) + int(known["rx_bytes"])
        moved, self._wire_bytes = total - self._wire_bytes, total
        self._on_loop(self._count, moved)

    def _hear(self, failure: DeliveryFailed) -> None:
        self._heard(failure)

    def _count(self, moved: int) -> None:
        self._counted(moved)

    def _hand_over(self) -> None:
        if self._reports:
            self._on_loop(_run, self._reports)
            self._reports = []
        if self._lines:
            lines = self._lines.copy()
            del self._lines[: len(lines)]  # the log object keeps the same list
            if self._said is not None:
                self._on_loop(_say, self._said, lines)

    def _on_loop(self, callback: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed: the process ends
            self._closing.set()

    def _set_closed(self) -> None:
        if not self._closed.done():
            self._closed.set_result(None)


class _Log:
    """What confluent-kafka takes for a logger: called from `poll`."""

    def __init__(self, lines: list[tuple[int, str]]) -> None:
        self._lines = lines

    def log(self, level: int, text: str, *args: object) -> None:
        self._lines.append((level, text % args if args else text))


def _run(reports: list[tuple[Done, DeliveryFailed | None]]) -> None:
    for done, failure in reports:
        done(failure)


def _say(said: Said, lines: list[tuple[int, str]]) -> None:
    for level, text in lines:
        said(level, text)
