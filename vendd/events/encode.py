"""A fact becomes one CloudEvents 1.0 event with JSON data.

Runs inside the commit of every decision, so each class's fields are looked up
once. Enums, strings and tuples are JSON already; only nested dataclasses are
turned into dicts. ``None`` means "does not apply" and is left out.
"""

import json
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, get_args, get_type_hints

from vendd.core.facts import Fact
from vendd.core.privacy import card_numbers, masked
from vendd.events.context import Context
from vendd.events.kinds import BY_FACT, WIRE_NAMES, Kind, kind_of
from vendd.events.stored import StoredEvent

_SUBJECTS = ("sale_id", "claim_ref", "session_id", "slot", "device")
_dumps = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def encode(fact: Fact, seq: int, topicseq: int, context: Context) -> StoredEvent:
    """The event of `fact` as number `seq` of the machine and `topicseq` of its topic.

    Both count from 1. `id` is stable, so a resent event is the same event (E1).
    """
    kind = kind_of(fact)
    return StoredEvent(
        seq=seq,
        topic=kind.topic,
        type=kind.type,
        attributes=_attributes(kind, fact, seq, topicseq, context),
        data=_published(_data(kind, fact, context)).encode(),
        money=kind.money,
    )


def _published(data: dict[str, Any]) -> str:
    """The data as JSON, without texts that could be card numbers. Numbers are our own."""
    text = _dumps(data)
    return _dumps(_hidden(data)) if card_numbers(text) else text


def _hidden(part: Any) -> Any:
    match part:
        case str():
            return masked(part)
        case dict():
            return {name: _hidden(value) for name, value in part.items()}
        case list() | tuple():
            return [_hidden(value) for value in part]
        case _:
            return part


def _attributes(
    kind: Kind, fact: Fact, seq: int, topicseq: int, context: Context
) -> dict[str, str]:
    attributes = {
        "specversion": "1.0",
        "id": f"{context.machine}:{seq}",
        "source": f"/machines/{context.machine}",
        "type": kind.type,
        "time": context.time,
        "datacontenttype": "application/json",
        "dataschema": kind.dataschema,
        "machine": context.machine,
        "seq": str(seq),
        "topicseq": str(topicseq),
        "bootid": context.boot_id,
        "bootcount": str(context.boot_count),
        "uptimems": str(context.uptime_ms),
        "clocksync": "true" if context.clocksync else "false",
    }
    subject = _SUBJECT_FIELDS[kind.fact]
    if subject is not None and (value := getattr(fact, subject)):
        attributes["subject"] = masked(value)
    if context.traceparent is not None:
        attributes["traceparent"] = context.traceparent
    return attributes


def _data(kind: Kind, fact: Fact, context: Context) -> dict[str, Any]:
    data = _PLANS[kind.fact](fact)
    if kind.amounts:
        data["currency"] = context.currency
        data["exponent"] = context.exponent
    if kind.versions:
        data["planogram_ver"] = context.planogram_ver
        data["price_ver"] = context.price_ver
        data["config_hash"] = context.config_hash
        data["software"] = context.software
    actor = {"kind": context.actor_kind}
    if context.actor_id is not None:
        actor["id"] = context.actor_id
    data["actor"] = actor
    return data


def _plan(cls: type) -> Callable[[Any], dict[str, Any]]:
    """The function that turns an instance of the dataclass `cls` into JSON's terms."""
    names = tuple(field.name for field in fields(cls))
    aliases = WIRE_NAMES.get(cls, {})
    wire_names = tuple(aliases.get(name, name) for name in names)
    hints = get_type_hints(cls)
    nested = {
        wire: plan
        for name, wire in zip(names, wire_names, strict=True)
        if (plan := _nested(hints[name])) is not None
    }
    values = attrgetter(*names)

    def convert(instance: Any) -> dict[str, Any]:
        data = {
            wire: value
            for wire, value in zip(wire_names, values(instance), strict=True)
            if value is not None
        }
        for wire, plan in nested.items():
            if wire in data:
                data[wire] = plan(data[wire])
        return data

    return convert


def _nested(hint: Any) -> Callable[[Any], Any] | None:
    """How to convert a field whose type holds dataclasses; None when JSON takes it as it is."""
    if isinstance(hint, type) and hasattr(hint, "__dataclass_fields__"):
        return _plan(hint)
    inner = [plan for arg in get_args(hint) if (plan := _nested(arg)) is not None]
    if not inner:
        return None
    (convert,) = inner  # one nested class per field is all that facts use
    if getattr(hint, "__origin__", None) is tuple:
        return lambda items: [convert(item) for item in items]
    return convert


def _subject_field(cls: type) -> str | None:
    names = {field.name for field in fields(cls)}
    return next((name for name in _SUBJECTS if name in names), None)


_PLANS: Final = {cls: _plan(cls) for cls in BY_FACT}
_SUBJECT_FIELDS: Final = {cls: _subject_field(cls) for cls in BY_FACT}
