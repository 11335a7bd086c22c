"""The durable part of the state as versioned JSON (L6).

A reader of a newer version reads all older ones: fields that did not exist yet
get their defaults, and `UPGRADES` turns older shapes into today's. A newer
version than ours is refused: an old daemon must not guess at a sale in flight.
"""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from vendd.core.sale import states
from vendd.core.sale.states import (
    EPHEMERAL,
    Phase,
    State,
)

VERSION: Final = 1
# version -> what makes the JSON object of that version one of the next
UPGRADES: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}


class NewerState(ValueError):
    """The state was written by a newer vendd."""


def dump(state: State) -> bytes:
    """The durable part only."""
    body = {f.name: _out(getattr(state, f.name)) for f in fields(state) if f.name not in EPHEMERAL}
    return json.dumps({"version": VERSION, "state": body}, separators=(",", ":")).encode()


def load(data: bytes) -> State:
    """Raises `NewerState`, or ValueError with what is wrong in plain words."""
    try:
        return _load(json.loads(data))
    except NewerState:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"stored sale state is not readable: {error!r}") from None


def _load(document: Any) -> State:
    version, body = int(document["version"]), dict(document["state"])
    if version > VERSION:
        raise NewerState(
            f"stored sale state has version {version}, this vendd reads up to {VERSION}:"
            " install the newer vendd again"
        )
    while version < VERSION:
        body = UPGRADES[version](body)
        version += 1
    loaded = _in(State, body)
    assert isinstance(loaded, State)
    if loaded.credit < 0:
        raise ValueError(f"credit is {loaded.credit}")
    return loaded


_PHASES: Final = {c.__name__: c for c in get_args(Phase)}


def _out(value: Any) -> Any:
    if is_dataclass(value):
        body = {f.name: _out(getattr(value, f.name)) for f in fields(value)}
        if type(value).__name__ in _PHASES:
            body["phase"] = type(value).__name__
        return body
    if isinstance(value, tuple):
        return [_out(v) for v in value]
    return value.value if isinstance(value, Enum) else value


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, vars(states))


def _in(hint: Any, value: Any) -> Any:
    """`value` as the type hint wants it; ValueError, KeyError or TypeError when it can't be."""
    if hint == Phase:
        return _dataclass(_PHASES[value["phase"]], value)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _in(next(a for a in get_args(hint) if a is not type(None)), value)
    if origin is tuple:
        return _tuple(get_args(hint), value)
    if origin is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{value!r} is none of {get_args(hint)}")
        return value
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is no {hint}")
    return value


def _dataclass(cls: type, value: Any) -> Any:
    hints = _hints(cls)
    return cls(**{k: _in(hints[k], v) for k, v in value.items() if k in hints})


def _tuple(args: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_in(args[0], v) for v in value)
    return tuple(_in(a, v) for a, v in zip(args, value, strict=True))
