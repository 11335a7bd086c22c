"""The compiled checks promise what JSON Schema promises, beside what they add on purpose."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from machine_stream import ModelMachine

from vendd.events.kinds import BY_TYPE
from vendd.events.schemas import load
from vendd.fleet.contract import Violation, checks, compiled
from vendd.fleet.envelope import decode

CHECKS = checks()
VALIDATORS = {name: Draft202012Validator(load(name)) for name in BY_TYPE}


def samples() -> list[tuple[str, dict[str, Any]]]:
    machine = ModelMachine(chance=random.Random(3))
    machine.random_day(200)
    found: dict[str, dict[str, Any]] = {}
    for record in machine.records:
        event = decode(record, CHECKS)
        found[event.type] = dict(event.data)
    return sorted(found.items())


SAMPLES = samples()
junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        found += [p for name, inner in value.items() for p in places(inner, (*path, name))]
    if isinstance(value, list):
        found += [p for n, inner in enumerate(value) for p in places(inner, (*path, n))]
    return found


def spoiled(value: Any, path: tuple[Any, ...], new: Any, *, remove: bool) -> Any:
    if not path:
        return new
    inside = value
    for part in path[:-1]:
        inside = inside[part]
    if remove:
        del inside[path[-1]]
    else:
        inside[path[-1]] = new
    return value


@given(st.sampled_from(SAMPLES), st.data(), junk, st.booleans())
def test_a_spoiled_event_is_judged_as_its_schema_judges_it(
    sample: tuple[str, dict[str, Any]], data: st.DataObject, new: Any, remove: bool
) -> None:
    name, value = sample
    path = data.draw(st.sampled_from(places(value)))
    bad = spoiled(copy.deepcopy(value), path, new, remove=remove)
    errors = [e for e in VALIDATORS[name].iter_errors(bad) if e.validator != "enum"]
    errors += [e for e in VALIDATORS[name].iter_errors(bad)
               if e.validator == "enum" and type(e.instance) is not str]  # fmt: skip
    stored = all(
        "\0" not in text and not any(0xD800 <= ord(c) <= 0xDFFF for c in text)
        for text in [new] if isinstance(text, str)
    )  # fmt: skip
    small = not isinstance(new, (int, float)) or -(2**63) <= new < 2**63
    if not (stored and small):
        return
    try:
        CHECKS[name](bad, name, [])
    except Violation:
        assert errors
    else:
        assert errors == []


def test_an_unknown_member_is_read_as_other() -> None:
    others: list[tuple[str, str]] = []
    data = {"kind": "crypto", "list": ["a", "new"]}
    schema = {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["coin"]},
            "list": {"type": "array", "items": {"enum": ["a"]}},
        },
    }
    assert compiled(schema)(data, "x", others) == {"kind": "other", "list": ["a", "other"]}
    assert others == [("x.kind", "crypto"), ("x.list", "new")]


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer"}, 2**63, "outside"),
        ({"type": "integer"}, True, "no integer"),
        ({"type": "integer", "minimum": 1}, 0, "outside 1"),
        ({"type": "string"}, "a\0b", "NUL"),
        ({"type": "string"}, "\ud800", "surrogate"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "A", "does not match"),
        ({"type": "string", "minLength": 2}, "a", "1 characters"),
        ({"type": "number"}, float("inf"), "too large"),
        ({"type": "object", "additionalProperties": False}, {"a": 1}, "not allowed"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": 1}, "no text"),
        ({"type": "array", "maxItems": 1}, [1, 2], "2 entries"),
        ({"type": ["string", "null"]}, 5, "none of the kinds"),
        ({"const": 3}, 4, "is not 3"),
    ],
)
def test_what_is_refused_is_named(schema: dict[str, Any], value: Any, said: str) -> None:
    with pytest.raises(Violation, match=said):
        compiled(schema)(value, "field", [])


def test_a_keyword_that_is_not_checked_stops_the_start() -> None:
    with pytest.raises(ValueError, match="uniqueItems"):
        compiled({"type": "array", "uniqueItems": True})


def test_every_shipped_schema_compiles() -> None:
    assert CHECKS.keys() == BY_TYPE.keys()
