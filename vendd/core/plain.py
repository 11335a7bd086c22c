"""Dataclasses as plain JSON values and back: for what is written down to be read elsewhere.

Fields that have their default are left out, so a reader of another version reads what it knows;
a field that it does not know is left out, too. `vendd.core.sale.persist` is the durable form of
a sale, with versions of its own; this here is for recordings.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

KIND: Final = "is"
_PLAIN: Final = (int, bool, float, NoneType)
_NONE: Final = object()
_TOLD: Final = object()
Text = Callable[[str], str]


class Unreadable(ValueError):
    """No value of that kind; the text says what is wrong."""


def plain(value: Any, text: Text = str, untold: Mapping[str, Any] | None = None) -> Any:
    """What JSON can hold. `text` is applied to every text; `untold`: fields, by name
    or as ``Class.field``, and what stands in their place where they have a value."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is str:
        return text(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [plain(one, text, untold) for one in value]
    if isinstance(value, frozenset):
        return sorted(plain(one, text, untold) for one in value)
    if isinstance(value, Mapping):
        return {str(key): plain(one, text, untold) for key, one in value.items()}
    return _body(value, kind, text, untold or {})


def _body(value: Any, kind: type, text: Text, untold: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {KIND: kind.__name__}
    for name, default in _fields(kind):
        one = getattr(value, name)
        if one is default or one == default:
            continue
        instead = untold.get(name, untold.get(f"{kind.__name__}.{name}", _TOLD))
        if instead is _TOLD:
            body[name] = plain(one, text, untold)
        elif instead != default:
            body[name] = instead
    return body


@cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    if not is_dataclass(kind):  # a mere sign: its name says it all
        return ()
    return tuple((field.name, _default(field)) for field in fields(kind))


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return _NONE if field.default_factory is MISSING else field.default_factory()


def value_of(hint: Any, told: Any, kinds: Mapping[str, type] | None = None) -> Any:
    """A value of that type hint from its plain form. `kinds`: by name, where the hint is a class
    that has these as subclasses. Raises `Unreadable`."""
    try:
        return _value(hint, told, kinds or {})
    except Unreadable:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"no {_name(hint)}: {str(error)[:200]}") from None


def _value(hint: Any, told: Any, kinds: Mapping[str, type]) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _one_of(get_args(hint), told, kinds)
    if origin is tuple:
        return _tuple(get_args(hint), told, kinds)
    if origin is Literal:
        return _literal(get_args(hint), told)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(get_args(hint), told, kinds)
    if isinstance(hint, type) and isinstance(told, dict):
        return _object(hint, told, kinds)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(told)
    if hint is float and type(told) is int:
        return float(told)
    if hint is object or hint is Any or type(told) is hint:
        return told
    raise Unreadable(f"{told!r:.60} is no {_name(hint)}")


def _one_of(hints: tuple[Any, ...], told: Any, kinds: Mapping[str, type]) -> Any:
    if told is None and NoneType in hints:
        return None
    if isinstance(told, dict) and KIND in told:
        named = [hint for hint in hints if _name(hint) == told[KIND]]
        hints = tuple(named) or hints
    others = [hint for hint in hints if hint is not NoneType]
    for hint in others[:-1]:
        try:
            return _value(hint, told, kinds)
        except (ValueError, KeyError, TypeError):
            continue
    return _value(others[-1], told, kinds)


def _literal(allowed: tuple[Any, ...], told: Any) -> Any:
    if told not in allowed:
        raise Unreadable(f"{told!r:.60} is none of {allowed}")
    return told


def _tuple(hints: tuple[Any, ...], told: Any, kinds: Mapping[str, type]) -> tuple[Any, ...]:
    if not isinstance(told, list):
        raise Unreadable(f"{told!r:.60} is no list")
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_value(hints[0], one, kinds) for one in told)
    return tuple(_value(hint, one, kinds) for hint, one in zip(hints, told, strict=True))


def _mapping(hints: tuple[Any, ...], told: Any, kinds: Mapping[str, type]) -> dict[Any, Any]:
    if not isinstance(told, dict):
        raise Unreadable(f"{told!r:.60} is no object")
    key, value = hints
    return {key(name): _value(value, one, kinds) for name, one in told.items()}


def _object(hint: type, told: dict[str, Any], kinds: Mapping[str, type]) -> Any:
    kind = hint
    if not is_dataclass(hint):
        name = str(told.get(KIND))
        if name not in kinds or not issubclass(kinds[name], hint):
            raise Unreadable(f"{name!r:.60} is no {_name(hint)} that this software knows")
        kind = kinds[name]
    hints = _hints(kind) if is_dataclass(kind) else {}
    body = {name: _value(hints[name], one, kinds) for name, one in told.items() if name in hints}
    return kind(**body)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))
