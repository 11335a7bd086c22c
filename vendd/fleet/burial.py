"""The way to the dead-letter topics: ``<topic>.dlq``, with the reason in headers."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from vendd.fleet.clock import Clock
from vendd.fleet.deadletters import CUT_HEADER, SOURCE_HEADER
from vendd.fleet.envelope import DLQ_SUFFIX, REASON_HEADER, Record, shown_time
from vendd.fleet.stream import BrokerDown

DLQ_HEADERS: Final = "dlq_"
REPLAYS_HEADER: Final = "dlq_replays"
_ARRIVES_S: Final = 15.0
_TOO_LARGE: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
_NO_TOPIC: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
    }
)
Headers = tuple[tuple[str, bytes], ...]


class Burial:
    """Puts records on topics and returns when they are durable. Raises `BrokerDown`."""

    def __init__(
        self, bootstrap: str, prefix: str, group: str, options: Mapping[str, str], clock: Clock
    ) -> None:
        self._prefix = prefix
        self._group = group
        self._clock = clock
        self._producer = Producer(
            {
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": int(_ARRIVES_S * 1000),
                "partitioner": "murmur2_random",
                "topic.metadata.propagation.max.ms": 3_000,  # so long a topic may be in the making
                **options,
                "bootstrap.servers": bootstrap,
                "log_level": 2,
            }
        )

    def bury(self, record: Record, reason: str) -> bool:
        """As it came, with why and whence. What is too large goes without its data. False: the
        topic doesn't exist, or isn't for us."""
        headers = (
            *original(record.headers),
            *((name, value) for name, value in record.headers if name == REPLAYS_HEADER),
            (REASON_HEADER, reason.encode(errors="replace")),
            (SOURCE_HEADER, record.place.encode()),
            ("dlq_group", self._group.encode()),
            ("dlq_at", shown_time(self._clock.now_ms()).encode()),
        )
        topic = record.topic + DLQ_SUFFIX
        failure = self._send(topic, record.key, record.value, headers)
        if failure is not None and failure.code() in _TOO_LARGE:
            bare = (*headers, (CUT_HEADER, b"too large to keep"))
            failure = self._send(topic, record.key, b"", bare)
        if failure is not None and failure.code() in _NO_TOPIC:
            return False
        if failure is not None:
            raise BrokerDown(f"{self._prefix}{topic}: {failure.str()}")
        return True

    def send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        """A record to any topic. Raises `BrokerDown`."""
        failure = self._send(topic, key, value, headers)
        if failure is not None:
            raise BrokerDown(f"{self._prefix}{topic}: {failure.str()}")

    def close(self) -> None:
        self._producer.flush(_ARRIVES_S)

    def _send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> KafkaError | None:
        reports: list[KafkaError | None] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            reports.append(error)

        try:
            self._producer.produce(
                self._prefix + topic, value, key, headers=list(headers), on_delivery=delivered
            )
        except KafkaException as error:
            refused: KafkaError = error.args[0]
            return refused
        self._producer.flush(2 * _ARRIVES_S)
        return reports[0] if reports else KafkaError(KafkaError._TIMED_OUT)


def original(headers: Headers) -> Headers:
    """Without what an earlier burial added."""
    return tuple((name, value) for name, value in headers if not name.startswith(DLQ_HEADERS))
