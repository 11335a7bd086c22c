"""What a machine saw, remembered, recorded and did, in words: any of its dataclasses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Final

_MOST: Final = 160  # characters of one value


def sentence(value: object) -> str:
    """``coin accepted: type 5, value 200, path box``; what has its default is left out."""
    said = ", ".join(f"{_spaced(name)} {_short(one)}" for name, one in _told(value))
    name = _name(value)
    return f"{name}: {said}" if said else name


def changes(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """``phase Idle -> Credit``, ``phase sale left home no -> yes``."""
    if before == after:
        return
    if is_dataclass(before) and type(before) is type(after):
        for field in fields(before):
            name = f"{path} {_spaced(field.name)}".strip()
            yield from changes(getattr(before, field.name), getattr(after, field.name), name)
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from changes(before.get(key), after.get(key), f"{path} {key}".strip())
        return
    yield f"{path} {_short(before)} -> {_short(after)}"


def _told(value: Any) -> Iterator[tuple[str, object]]:
    if not is_dataclass(value):
        return
    for field in fields(value):
        one = getattr(value, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if one != default:
            yield field.name, one


def _short(value: Any) -> str:
    text = _said(value)
    return text if len(text) <= _MOST else text[: _MOST - 3] + "..."


def _said(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "nothing"
        case Enum():
            return str(value.value)
        case str():
            return value or '""'
        case tuple() | list():
            return "[" + ", ".join(_said(one) for one in value) + "]"
        case Mapping():
            return "{" + ", ".join(f"{key}: {_said(one)}" for key, one in value.items()) + "}"
        case _ if is_dataclass(value):
            inner = ", ".join(f"{_spaced(name)} {_said(one)}" for name, one in _told(value))
            return f"{_name(value)} ({inner})" if inner else _name(value)
        case _:
            return str(value)


def _name(value: object) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(value).__name__).lower()


def _spaced(name: str) -> str:
    return name.replace("_", " ")
