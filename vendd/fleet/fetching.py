"""Single records by their place, and what a cluster is called: for the commands of operators."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from vendd.fleet.envelope import Record
from vendd.fleet.stream import BrokerDown, record_of

_ANSWER_S: Final = 10.0


class Fetcher:
    """Reads without being a member of any group's rotation. Raises `BrokerDown`."""

    def __init__(self, bootstrap: str, prefix: str, options: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._consumer = Consumer(
            {
                **options,
                "bootstrap.servers": bootstrap,
                "group.id": f"{prefix}vendd-fleet-operator",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "log_level": 2,
            }
        )

    def cluster(self) -> str:
        try:
            return str(self._consumer.list_topics(timeout=_ANSWER_S).cluster_id or "")
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error

    def fetch(self, topic: str, part: int, offset: int) -> Record | None:
        """The record at this place; None where Kafka has it no longer."""
        place = TopicPartition(self._prefix + topic, part, offset)
        try:
            low, high = self._consumer.get_watermark_offsets(place, timeout=_ANSWER_S)
            if not low <= offset < high:
                return None
            self._consumer.assign([place])
            message = self._consumer.poll(_ANSWER_S)
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error
        if message is None:
            raise BrokerDown(f"{topic}/{part}/{offset} did not come within {_ANSWER_S:.0f} s")
        failure = message.error()
        if failure is not None:
            raise BrokerDown(failure.str())
        record = record_of(message, self._prefix, 0)
        return record if record.offset == offset else None  # compacted away

    def close(self) -> None:
        self._consumer.close()
