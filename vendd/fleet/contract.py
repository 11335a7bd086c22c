"""Whether an event's data is what its JSON Schema promises.

The shipped schemas are compiled once into closures: a consumer checks tens of
thousands of events per second, which a general validator can't. Exactly the
keywords that the schemas use are known; any other stops the start, so that no
promise is dropped silently.

Beyond the schema: a member that an enumeration doesn't know is read as ``other``
and reported, and nothing passes that a database can't keep (integers beyond
64 bits, NUL, lone surrogates).
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from vendd.events.kinds import BY_TYPE
from vendd.events.schemas import load

OTHER: Final = "other"
SMALLEST: Final = -(2**63)
LARGEST: Final = 2**63 - 1
_MEANINGLESS: Final = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated"}
)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}

Others = list[tuple[str, str]]
"""(field, member) of enumerations that a newer machine has extended."""
Check = Callable[[Any, str, Others], Any]
"""Takes a value and its field's name, gives the value to use instead."""


class Violation(Exception):
    """The data breaks its schema; the message names the field and what is wrong."""


def checks() -> dict[str, Check]:
    """A check for every event type that this version knows."""
    return {name: compiled(load(name)) for name in BY_TYPE}


def compiled(schema: Mapping[str, Any]) -> Check:
    """The check of one schema. Raises `ValueError` for a keyword that it doesn't know."""
    return _Compiler(schema.get("$defs", {})).check(schema)


class _Compiler:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def check(self, schema: Mapping[str, Any]) -> Check:
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix("#/$defs/")
            return self.check(self._definitions[name])
        unknown = schema.keys() - _MEANINGLESS - _KEYWORDS - {"$defs"}
        if unknown:
            raise ValueError(f"schema keywords that are not checked here: {sorted(unknown)}")
        if "anyOf" in schema or "oneOf" in schema:
            return self._any(schema.get("anyOf") or schema["oneOf"])
        if "const" in schema:
            return _const(schema["const"])
        if "enum" in schema:
            return _enum(schema["enum"])
        return self._typed(schema)

    def _any(self, options: list[Mapping[str, Any]]) -> Check:
        alternatives = [self.check(option) for option in options]

        def check(value: Any, where: str, others: Others) -> Any:
            for alternative in alternatives:
                try:
                    return alternative(value, where, others)
                except Violation:
                    continue
            raise Violation(f"{where} is none of the kinds allowed")

        return check

    def _typed(self, schema: Mapping[str, Any]) -> Check:
        names = schema.get("type")
        match names:
            case "string":
                return _string(schema)
            case "integer":
                return _integer(schema)
            case "array":
                return self._array(schema)
            case "object":
                return self._object(schema)
            case None:
                return _anything
            case str():
                return _plain((names,))
            case _:
                return self._any([{**schema, "type": name} for name in names])

    def _array(self, schema: Mapping[str, Any]) -> Check:
        first = [self.check(each) for each in schema.get("prefixItems", ())]
        rest = self.check(schema["items"]) if isinstance(schema.get("items"), dict) else _anything
        fewest, most = schema.get("minItems", 0), schema.get("maxItems", LARGEST)

        def check(value: Any, where: str, others: Others) -> Any:
            if type(value) is not list:
                raise Violation(f"{where} is no list")
            if not fewest <= len(value) <= most:
                raise Violation(f"{where} has {len(value)} entries")
            for place, entry in enumerate(value):
                of = first[place] if place < len(first) else rest
                value[place] = of(entry, where, others)
            return value

        return check

    def _object(self, schema: Mapping[str, Any]) -> Check:
        properties = schema.get("properties", {})
        fields = {name: self.check(each) for name, each in properties.items()}
        required = frozenset(schema.get("required", ()))
        extra = schema.get("additionalProperties")
        closed = extra is False
        rest = self.check(extra) if isinstance(extra, dict) and extra else None
        # Most fields are simple and right: they are passed without a call.
        plain = {name: kind for name, each in properties.items() if (kind := _plainly(each))}
        members = {name: frozenset(e["enum"]) for name, e in properties.items() if "enum" in e}

        def check(value: Any, where: str, others: Others) -> Any:
            if type(value) is not dict:
                raise Violation(f"{where} is no object")
            if not required <= value.keys():
                raise Violation(f"{where}.{min(required - value.keys())} is missing")
            for name, entry in value.items():
                kind = type(entry)
                if kind is plain.get(name):
                    if kind is int:
                        if SMALLEST <= entry <= LARGEST:
                            continue
                    elif kind is bool or (entry.isascii() and "\0" not in entry):
                        continue
                elif kind is str and entry in members.get(name, ()):
                    continue
                of = fields.get(name, rest)
                if of is not None:
                    value[name] = of(entry, f"{where}.{name}", others)
                elif closed:
                    raise Violation(f"{where}.{name} is not allowed")
            return value

        return check


def _plainly(schema: Mapping[str, Any]) -> type | None:
    """The Python type of a field that promises nothing beside its type."""
    if schema.keys() - _MEANINGLESS != {"type"}:
        return None
    kinds: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}
    return kinds.get(schema["type"]) if isinstance(schema["type"], str) else None


_KEYWORDS: Final = frozenset(
    {
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "oneOf",
        "pattern",
        "prefixItems",
        "properties",
        "required",
        "type",
    }
)


def _anything(value: Any, _where: str, _others: Others) -> Any:
    return value


def _const(expected: Any) -> Check:
    def check(value: Any, where: str, _others: Others) -> Any:
        if value != expected:
            raise Violation(f"{where} is not {expected!r}")
        return value

    return check


def _enum(members: list[Any]) -> Check:
    known = frozenset(members)

    def check(value: Any, where: str, others: Others) -> Any:
        if type(value) is not str:
            raise Violation(f"{where} is no text")
        if value in known:
            return value
        others.append((where, storable(value, where)))
        return OTHER

    return check


def _string(schema: Mapping[str, Any]) -> Check:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", LARGEST)
    pattern = re.compile(schema["pattern"]) if "pattern" in schema else None

    def check(value: Any, where: str, _others: Others) -> Any:
        if type(value) is not str:
            raise Violation(f"{where} is no text")
        if not shortest <= len(value) <= longest:
            raise Violation(f"{where} has {len(value)} characters")
        if pattern is not None and pattern.search(value) is None:
            raise Violation(f"{where} does not match {pattern.pattern}")
        return storable(value, where)

    return check


def _integer(schema: Mapping[str, Any]) -> Check:
    least = max(SMALLEST, schema.get("minimum", SMALLEST))
    most = min(LARGEST, schema.get("maximum", LARGEST))

    def check(value: Any, where: str, _others: Others) -> Any:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise Violation(f"{where} is no integer")
        if not least <= value <= most:
            raise Violation(f"{where} = {value} is outside {least}..{most}")
        return value

    return check


def _plain(names: tuple[str, ...]) -> Check:
    types = tuple(each for name in names for each in _TYPES[name])

    def check(value: Any, where: str, _others: Others) -> Any:
        if type(value) not in types:
            raise Violation(f"{where} is no {' or '.join(names)}")
        if type(value) is float and not math.isfinite(value):
            raise Violation(f"{where} is too large")
        return value

    return check


def storable(text: str, where: str) -> str:
    """The text, unless no database takes it. Raises `Violation`."""
    if "\0" in text:
        raise Violation(f"{where} contains NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Violation(f"{where} contains half a surrogate pair") from None
    return text
