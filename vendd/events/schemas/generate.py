"""JSON Schemas from the fact classes: needed when they change, never while the daemon runs."""

import json
from dataclasses import fields, is_dataclass
from enum import StrEnum
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from vendd.events.kinds import BY_TYPE, WIRE_NAMES, Kind

Schema = dict[str, Any]

_SCALARS: dict[type, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
}
_ACTOR: Schema = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["customer", "technician", "driver", "owner", "remote", "system"]},
        "id": {"type": "string"},
    },
    "required": ["kind"],
}
_AMOUNTS: Schema = {
    "currency": {"type": "string", "description": "ISO 4217, of every amount here"},
    "exponent": {"type": "integer", "description": "minor units are 10**-exponent"},
}
_VERSIONS: Schema = {
    "planogram_ver": {"type": "integer"},
    "price_ver": {"type": "integer"},
    "config_hash": {"type": "string"},
    "software": {"type": "string"},
}


def rendered(kind: Kind) -> str:
    """The schema file's text."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


def catalogue() -> dict[str, dict[str, Any]]:
    """Every type with its topic and schema, without prose: what compatibility is judged by."""
    return {
        kind.type: {"topic": kind.topic, "schema": _without_prose(schema(kind))}
        for kind in BY_TYPE.values()
    }


def _without_prose(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_prose(each) for each in part]
    if not isinstance(part, dict):
        return part
    prose = {"description", "title", "$schema", "$id"}
    return {
        name: _without_prose(value)
        for name, value in part.items()
        if name not in prose or isinstance(value, dict)  # a field may be called so
    }


def schema(kind: Kind) -> Schema:
    """The schema of one event type's data: the fact's fields and the common context."""
    body = _object(kind.fact)
    extra = {"actor": _ACTOR}
    if kind.amounts:
        extra |= _AMOUNTS
    if kind.versions:
        extra |= _VERSIONS
    clash = extra.keys() & body["properties"].keys()
    assert not clash, f"{kind.type}: {clash} is both a fact's field and common context"
    body["properties"] |= extra
    body["required"] += extra
    head: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": kind.dataschema,
        "title": kind.type,
    }
    return head | body


def _object(cls: type) -> Schema:
    hints = get_type_hints(cls)
    aliases = WIRE_NAMES.get(cls, {})
    names = [field.name for field in fields(cls)]
    body: Schema = {"type": "object"}
    said = _description(cls, aliases)
    if said:
        body["description"] = said
    body["properties"] = {aliases.get(n, n): _of(_present(hints[n])) for n in names}
    body["required"] = [aliases.get(n, n) for n in names if _present(hints[n]) is hints[n]]
    return body


def _description(cls: type, aliases: dict[str, str]) -> str:
    said = " ".join(cleandoc(cls.__doc__ or "").split())
    if said.startswith(f"{cls.__name__}("):  # what dataclass makes up where there is no docstring
        return ""
    for name, wire in aliases.items():
        said = said.replace(f"`{name}`", f"`{wire}`")
    return said


def _present(hint: Any) -> Any:
    """`X` for ``X | None``: None never reaches the wire."""
    if get_origin(hint) is UnionType:
        (present,) = (arg for arg in get_args(hint) if arg is not NoneType)
        return present
    return hint


def _of(hint: Any) -> Schema:
    if get_origin(hint) is tuple:
        return _array(get_args(hint))
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _of(get_args(hint)[1])}
    if is_dataclass(hint) and isinstance(hint, type):
        return _object(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"type": "string", "enum": [member.value for member in hint]}
    return dict(_SCALARS[hint])


def _array(items: tuple[Any, ...]) -> Schema:
    if items[-1] is Ellipsis:
        return {"type": "array", "items": _of(items[0])}
    size = len(items)
    return {
        "type": "array",
        "prefixItems": [_of(item) for item in items],
        "minItems": size,
        "maxItems": size,
    }
