"""Facts into the outbox, inside somebody's transaction: the next `seq`s and `topicseq`s (E1)."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from vendd import events
from vendd.core.facts import Fact
from vendd.events.context import Context
from vendd.ports import StoredEvent

Encode = Callable[[Fact, int, int, Context], StoredEvent]
TopicOf = Callable[[Fact], str]

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ADVANCE: Final = "UPDATE meta SET seq = seq + ?, last_commit_at = ?, machine = ? RETURNING seq"
_TOPIC: Final = (
    "INSERT INTO topics (topic, topicseq) VALUES (?, ?)"
    " ON CONFLICT DO UPDATE SET topicseq = topicseq + excluded.topicseq RETURNING topicseq"
)
_OUTBOX: Final = (
    "INSERT INTO outbox (seq, topic, type, at, money, attributes, data)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True)
class Publisher:
    """`encode` and `topic_of` turn facts into outbox rows."""

    encode: Encode = events.encode
    topic_of: TopicOf = events.topic_of

    def append(
        self, facts: Sequence[Fact], context: Context, connection: Connection
    ) -> tuple[int, list[StoredEvent]]:
        """Note the commit and publish its facts, if any. The newest seq of all, and the events."""
        advanced = (len(facts), context.time, context.machine)
        (last,) = connection.execute(_ADVANCE, advanced).fetchone()
        if not facts:
            return last, []
        topics = [self.topic_of(fact) for fact in facts]
        next_of = {
            topic: connection.execute(_TOPIC, (topic, count)).fetchone()[0] - count
            for topic, count in Counter(topics).items()
        }
        seq = last - len(facts)
        stored = []
        for fact, topic in zip(facts, topics, strict=True):
            seq += 1
            next_of[topic] += 1
            stored.append(self.encode(fact, seq, next_of[topic], context))
        connection.executemany(_OUTBOX, [outbox_row(event, context.time) for event in stored])
        return last, stored


def outbox_row(event: StoredEvent, at: str) -> tuple[int, str, str, str, int, str, bytes]:
    """The columns of the outbox, in order."""
    attributes = _dumps(event.attributes)
    return event.seq, event.topic, event.type, at, int(event.money), attributes, event.data
