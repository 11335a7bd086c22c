"""The topics that a fleet publishes to: there, or made with as many partitions as asked for."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from vendd.events import TOPICS

_ANSWER_S: Final = 10.0


class NoTopic(RuntimeError):
    """Kafka doesn't answer, or a topic is missing and can't be made; the message says which."""


def make(bootstrap: str, prefix: str, partitions: int) -> Mapping[str, int]:
    """The partitions that each topic has: as they are, or `partitions` in one that is new. Dead
    letters get theirs as well. Raises `NoTopic`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    names = [prefix + topic + suffix for topic in TOPICS for suffix in ("", ".dlq")]
    before = _cluster(admin, bootstrap)
    missing = [name for name in names if name not in before.topics]
    if not before.governed:
        for name in missing:
            admin.list_topics(name, timeout=_ANSWER_S)
    elif missing:
        wanted = [NewTopic(name, partitions, -1) for name in missing]
        for name, made in admin.create_topics(wanted, request_timeout=_ANSWER_S).items():
            _wait(name, made)
    after = _cluster(admin, bootstrap).topics
    return {topic: after.get(prefix + topic, partitions) for topic in TOPICS}


@dataclass(frozen=True, slots=True)
class _Cluster:
    """`topics` with their partitions. Not `governed`: the embedded one, which has no controller to
    make topics, but has every one that is asked for."""

    topics: Mapping[str, int]
    governed: bool


def _cluster(admin: AdminClient, bootstrap: str) -> _Cluster:
    try:
        found = admin.list_topics(timeout=_ANSWER_S)
    except KafkaException as failure:
        raise NoTopic(f"Kafka at {bootstrap} does not answer: {failure.args[0].str()}") from None
    topics = {name: len(topic.partitions) for name, topic in found.topics.items()}
    return _Cluster(topics, found.controller_id in found.brokers)


def _wait(name: str, made: Future[None]) -> None:
    try:
        made.result()
    except KafkaException as failure:
        error: KafkaError = failure.args[0]
        if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise NoTopic(f"topic {name} does not exist and can't be made: {error.str()}") from None
