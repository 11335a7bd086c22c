"""CloudEvents 1.0, Kafka protocol binding, binary content mode."""

from vendd.events.stored import StoredEvent
from vendd.ports import Message


def message(event: StoredEvent, topic_prefix: str = "") -> Message:
    """The event as a Kafka message: attributes in ``ce_`` headers, the data as the value.

    The key is the machine, so that one machine's events share a partition and
    stay in order (E1).
    """
    headers = [
        (f"ce_{name}", value.encode())
        for name, value in event.attributes.items()
        if name != "datacontenttype"  # section 3.2.1: it is the content-type header
    ]
    headers.append(("content-type", event.attributes["datacontenttype"].encode()))
    return Message(
        topic=topic_prefix + event.topic,
        key=event.attributes["machine"].encode(),
        value=event.data,
        headers=tuple(headers),
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
        headers=(*refused.headers, ("dlq_reason", reason.encode())),
    )
