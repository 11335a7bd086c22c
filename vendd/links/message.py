"""CloudEvents 1.0, Kafka protocol binding, binary content mode."""

from typing import Final

from vendd.events.stored import StoredEvent
from vendd.ports import Message


class _Headers(dict[str, str]):
    """Header names by attribute, made once: a backlog is sent as fast as this goes."""

    def __missing__(self, name: str) -> str:
        self[name] = header = f"ce_{name}"
        return header


_HEADERS: Final = _Headers(datacontenttype="content-type")  # section 3.2.1
_REPLAY: Final = (("replay", b"true"),)


def message(event: StoredEvent, topic_prefix: str = "", *, replay: bool = False) -> Message:
    """The event as a Kafka message: attributes in ``ce_`` headers, the data as the value.

    The key is the machine, so that one machine's events share a partition and
    stay in order (E1). `replay` marks a copy that somebody asked for: it is out of order.
    """
    attributes = event.attributes
    return Message(
        topic=topic_prefix + event.topic,
        key=attributes["machine"].encode(),
        value=event.data,
        headers=tuple([(_HEADERS[name], value.encode()) for name, value in attributes.items()])
        + (_REPLAY if replay else ()),
    )


def dead_letter(event: StoredEvent, reason: str, topic_prefix: str = "") -> Message:
    """What stands on ``<topic>.dlq`` for an event that its topic never takes.

    The headers are the event's own and the reason; the data stays in the
    machine's dead letters, as its size may be what was refused.
    """
    refused = message(event, topic_prefix)
    return Message(
        topic=f"{refused.topic}.dlq",
        key=refused.key,
        value=b"",
        headers=(
            *refused.headers,
            ("dlq_topic", refused.topic.encode()),
            ("dlq_reason", reason.encode()),
        ),
    )
