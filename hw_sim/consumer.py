"""The auditor's consumer: reads what stands in the topics of a real or embedded Kafka."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from hw_sim.received import Received
from vendd.events import TOPICS

_ANSWER_S: Final = 10.0


def read_all(
    bootstrap: str, topics: Sequence[str] = TOPICS, topic_prefix: str = ""
) -> list[Received]:
    """Everything that stands in the topics now, in order per topic. Topics that don't exist are
    empty. Raises `KafkaException` when the broker doesn't answer."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "vendd-audit",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 2,
        }
    )
    try:
        partitions = _partitions(consumer, [topic_prefix + topic for topic in topics])
        return _drain(consumer, partitions)
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topics: Sequence[str]) -> list[TopicPartition]:
    known = consumer.list_topics(timeout=_ANSWER_S).topics
    return [
        TopicPartition(topic, partition, OFFSET_BEGINNING)
        for topic in topics
        if topic in known and known[topic].error is None
        for partition in known[topic].partitions
    ]


def _drain(consumer: Consumer, partitions: list[TopicPartition]) -> list[Received]:
    if not partitions:
        return []
    consumer.assign(partitions)
    ended = 0
    received: list[Received] = []
    while ended < len(partitions):
        message = consumer.poll(_ANSWER_S)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        error = message.error()
        if error is None:
            headers = dict(message.headers() or ())
            received.append(
                Received(
                    topic=message.topic() or "",
                    key=_bytes(message.key()),
                    headers={name: _bytes(value).decode() for name, value in headers.items()},
                    value=_bytes(message.value()),
                )
            )
        elif error.code() == KafkaError._PARTITION_EOF:
            ended += 1
        else:
            raise KafkaException(error)
    return received


def _bytes(raw: bytes | str | None) -> bytes:
    return raw.encode() if isinstance(raw, str) else raw or b""
