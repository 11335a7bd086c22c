"""The AsyncAPI 3.0 document of everything that leaves the machine, from the fact classes.

One channel per topic and one for its dead letters, one message per event type. Payloads are
written in AsyncAPI's own schema dialect, which is that of JSON Schema draft 7.
"""

import json
from pathlib import Path
from typing import Any, Final

from vendd.events.kinds import BY_TYPE, TOPICS, Kind
from vendd.events.schemas.generate import schema

FILE: Final = Path(__file__).parents[1] / "asyncapi.json"
Document = dict[str, Any]

_TEXT: Final[Document] = {"type": "string"}
_NUMBER: Final[Document] = {"type": "string", "pattern": "^[1-9][0-9]*$"}
_HEADERS: Final[Document] = {
    "type": "object",
    "properties": {
        "content-type": {"type": "string", "const": "application/json"},
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {**_TEXT, "description": "machine:seq; the same for every copy of an event"},
        "ce_source": _TEXT,
        "ce_type": _TEXT,
        "ce_time": {**_TEXT, "format": "date-time", "description": "see ce_clocksync"},
        "ce_dataschema": _TEXT,
        "ce_subject": _TEXT,
        "ce_machine": {**_TEXT, "description": "also the message's key"},
        "ce_seq": {**_NUMBER, "description": "gapless per machine over all topics"},
        "ce_topicseq": {**_NUMBER, "description": "gapless per machine and topic"},
        "ce_bootid": _TEXT,
        "ce_bootcount": _NUMBER,
        "ce_uptimems": {"type": "string", "pattern": "^[0-9]+$"},
        "ce_clocksync": {"type": "string", "enum": ["true", "false"]},
        "ce_traceparent": _TEXT,
        "replay": {
            "type": "string",
            "const": "true",
            "description": "sent again because somebody asked: out of order, known by its seq",
        },
    },
    "required": [
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_machine",
        "ce_seq",
        "ce_topicseq",
        "ce_bootid",
        "ce_bootcount",
        "ce_uptimems",
        "ce_clocksync",
    ],
}
_DEAD_HEADERS: Final[Document] = {
    "type": "object",
    "properties": {
        "dlq_reason": {**_TEXT, "description": "why its topic never takes it"},
        "dlq_topic": {**_TEXT, "description": "where it should have gone"},
    },
    "required": ["dlq_reason", "dlq_topic"],
}
_DEAD_TEXT: Final = (
    "An event that its topic never takes. Headers are the event's own and the reason; the data"
    " stays in the machine's dead letters, as its size may be what was refused."
)
_TEXT_OF: Final = {
    "transaction-events": "Sales, refusals, claims, credit: what customers got and paid.",
    "inventory-updates": "Every change of a slot's level, and nightly snapshots.",
    "inventory-alerts": "Low stock, sold out, expiry: each crossing once.",
    "machine-events": "Money in the machine, state, faults, service.",
}
_ABOUT: Final = (
    "At least once; in order per machine and topic. `(machine, seq)` is unique and gapless, so a"
    " consumer drops copies and proves that nothing is missing: a gap is explained by an"
    " outbox-thinned event or a dead letter. Money is integer minor units of `currency`. Unknown"
    " values of an enumeration are read as `other`. Topics may carry a deployment's prefix."
)


def rendered() -> str:
    """The file's text."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> Document:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "vendd", "version": "1.0.0", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            **{topic: _channel(topic) for topic in TOPICS},
            **{f"{topic}.dlq": _dead_channel(topic) for topic in TOPICS},
        },
        "operations": {
            f"{verb}-{topic}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic}{tail}"},
            }
            for verb, tail in (("publish", ""), ("bury", ".dlq"))
            for topic in TOPICS
        },
        "components": {
            "messages": {
                **{kind.type: _message(kind) for kind in BY_TYPE.values()},
                "dead-letter": _dead_letter(),
            },
            "schemas": {"cloudevents-headers": _HEADERS},
        },
    }


def _channel(topic: str) -> Document:
    kinds = [kind for kind in BY_TYPE.values() if kind.topic == topic]
    return {
        "address": topic,
        "description": _TEXT_OF[topic],
        "messages": {kind.type: {"$ref": f"#/components/messages/{kind.type}"} for kind in kinds},
    }


def _dead_channel(topic: str) -> Document:
    return {
        "address": f"{topic}.dlq",
        "description": f"Dead letters of {topic}.",
        "messages": {"dead-letter": {"$ref": "#/components/messages/dead-letter"}},
    }


def _message(kind: Kind) -> Document:
    payload = _draft_7(schema(kind))
    message: Document = {"name": kind.type, "title": kind.name}
    if "description" in payload:
        message["summary"] = payload["description"]
    return message | {
        "headers": {"$ref": "#/components/schemas/cloudevents-headers"},
        "payload": payload,
        "bindings": _bindings(),
    }


def _dead_letter() -> Document:
    return {
        "name": "dead-letter",
        "summary": _DEAD_TEXT,
        "headers": {"allOf": [{"$ref": "#/components/schemas/cloudevents-headers"}, _DEAD_HEADERS]},
        "payload": {"type": "string", "maxLength": 0},
        "bindings": _bindings(),
    }


def _bindings() -> Document:
    key = {**_TEXT, "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "description": "the machine"}
    return {"kafka": {"key": key, "bindingVersion": "0.5.0"}}


def _draft_7(part: Any) -> Any:
    """The same schema in draft 7: places of an array are ``items`` there."""
    if isinstance(part, list):
        return [_draft_7(each) for each in part]
    if not isinstance(part, dict):
        return part
    names = {"prefixItems": "items"}
    return {
        names.get(key, key): _draft_7(value)
        for key, value in part.items()
        if key not in {"$schema", "$id"}
    }
