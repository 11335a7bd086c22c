"""A member of a consumer group: partitions come and go, records come out.

Offsets are the database's business: partitions that were just assigned stand still
until `place` says where to begin. What is committed to Kafka is a courtesy to
whoever watches the group with Kafka's own tools.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from vendd.fleet.clock import Clock
from vendd.fleet.envelope import Record
from vendd.fleet.pump import Part

Said = Callable[[str], None]

_ANSWER_S: Final = 15.0
_SETTINGS: Final[Mapping[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",  # also where the offset's record is gone: nothing is skipped
    "partition.assignment.strategy": "range",  # one machine's topics to one consumer
    "topic.metadata.refresh.interval.ms": 10_000,  # a dead-letter topic appears with its first
    "queued.max.messages.kbytes": 16_384,
    "fetch.wait.max.ms": 100,
}


class BrokerDown(Exception):
    """Kafka doesn't answer or won't have us now."""


class Stream:
    """The topics of one group. `revoked` is called at once with partitions that are not ours any
    more."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        prefix: str,
        options: Mapping[str, str],
        clock: Clock,
        said: Said,
    ) -> None:
        self._clock = clock
        self._prefix = prefix
        self._said = said
        self.revoked: Callable[[Sequence[Part]], None] = _nobody
        self._complained: set[str] = set()
        self.unplaced: list[Part] = []
        self._assigned: list[Part] = []
        self._consumer = Consumer(
            {
                **_SETTINGS,
                **options,
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "log_level": 2,
                "error_cb": self._erred,
            }
        )
        self._consumer.subscribe(
            [prefix + topic for topic in topics],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def cluster(self) -> str:
        """The cluster's id: offsets of another cluster mean nothing here. Raises `BrokerDown`."""
        try:
            return str(self._consumer.list_topics(timeout=_ANSWER_S).cluster_id or "")
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error

    def read(self, limit: int, wait_s: float) -> list[Record]:
        """What there is, at most `limit`; waits up to `wait_s` for the first."""
        first = self._consumer.poll(wait_s)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(limit - 1, 0)]
        now_ms = self._clock.now_ms()
        found = (self._record(message, now_ms) for message in messages)
        return [record for record in found if record is not None]

    def place(self, begin: Mapping[Part, int]) -> None:
        """Read on from these offsets; they are those of all our partitions."""
        places = [
            TopicPartition(self._prefix + topic, part, at) for (topic, part), at in begin.items()
        ]
        self._consumer.assign(places)
        self._consumer.resume(places)
        self.unplaced = []

    def replace(self) -> None:
        """Stand still until `place`: what was read and not committed has to be read again."""
        self.unplaced = list(self._assigned)
        self._consumer.pause(self._partitions(self.unplaced))

    def note(self, positions: Mapping[Part, int]) -> None:
        """Tell Kafka how far the database is; whether that arrives doesn't matter."""
        partitions = [
            TopicPartition(self._prefix + topic, part, at)
            for (topic, part), at in positions.items()
            if at > 0
        ]
        if partitions:
            self._consumer.commit(offsets=partitions, asynchronous=True)

    def lags(self, positions: Mapping[Part, int]) -> dict[Part, int]:
        """Records beyond our position, where the broker has told how many there are."""
        found: dict[Part, int] = {}
        for (topic, part), at in positions.items():
            place = TopicPartition(self._prefix + topic, part)
            try:
                low, high = self._consumer.get_watermark_offsets(place, cached=True)
            except KafkaException:
                continue
            if high >= 0:
                found[topic, part] = max(0, high - max(at, low))
        return found

    def went_back(self, positions: Mapping[Part, int]) -> dict[Part, int]:
        """Partitions that end before our position, and where they begin: their topic was made
        anew, or a broker lost the end of its log. Of one that has grown beyond our position
        since, only the machines' numbers tell that something is missing."""
        found: dict[Part, int] = {}
        for (topic, part), at in positions.items():
            place = TopicPartition(self._prefix + topic, part)
            try:
                _, high = self._consumer.get_watermark_offsets(place, cached=True)
                if 0 <= high < at:
                    low, high = self._consumer.get_watermark_offsets(place, timeout=_ANSWER_S)
                    if high < at:
                        found[topic, part] = low
            except KafkaException:
                continue
        return found

    def close(self) -> None:
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        still = [
            TopicPartition(each.topic, each.partition, OFFSET_BEGINNING) for each in partitions
        ]
        consumer.assign(still)
        consumer.pause(still)
        self._assigned = [self._part(each) for each in partitions]
        self.unplaced = list(self._assigned)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.revoked([self._part(each) for each in partitions])
        self._assigned, self.unplaced = [], []
        consumer.unassign()

    def _record(self, message: Message, now_ms: int) -> Record | None:
        error = message.error()
        if error is not None:
            self._complain(error)
            return None
        return record_of(message, self._prefix, now_ms)

    def _complain(self, error: KafkaError) -> None:
        """Once per kind: a topic that doesn't exist yet is said again with every refresh."""
        if error.str() not in self._complained and len(self._complained) < 1000:
            self._complained.add(error.str())
            self._said(f"Kafka: {error.str()}")

    def _erred(self, error: KafkaError) -> None:
        self._complain(error)

    def _part(self, partition: TopicPartition) -> Part:
        return partition.topic.removeprefix(self._prefix), partition.partition

    def _partitions(self, parts: Sequence[Part]) -> list[TopicPartition]:
        return [TopicPartition(self._prefix + topic, part) for topic, part in parts]


def _nobody(_parts: Sequence[Part]) -> None:
    """No partition was placed yet: nobody has to hear that it is gone."""


def record_of(message: Message, prefix: str, now_ms: int) -> Record:
    """A message without error, in our terms. The broker's time stamp counts where the topic is
    set to it; a machine's own says what its clock said, and a Pi starts with an old one."""
    kind, stamp_ms = message.timestamp()
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return Record(
        topic=topic.removeprefix(prefix),
        partition=partition,
        offset=offset,
        arrived_ms=stamp_ms if kind == TIMESTAMP_LOG_APPEND_TIME else now_ms,
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=_headers(message),
        stamp_ms=max(0, stamp_ms),
    )


def _headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    headers = message.headers() or ()
    pairs = headers.items() if isinstance(headers, dict) else headers
    for _, value in pairs:
        if type(value) is not bytes:  # a null: rare, so the rest is not copied one by one
            return tuple((name, _bytes(each)) for name, each in pairs)
    return cast(tuple[tuple[str, bytes], ...], tuple(pairs))


def _bytes(raw: bytes | str | None) -> bytes:
    return raw.encode() if isinstance(raw, str) else raw or b""
