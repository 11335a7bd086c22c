"""Turns what pydantic found into problems with a remedy, unknown keys with the nearest known."""

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from vendd.config.problems import Problem, looks_secret, shown
from vendd.config.reading import Path_, Tree

_SECRETS = "secrets never stand in a configuration: hand them over as a systemd credential"

_TYPES: Mapping[str, tuple[str, str]] = {
    "int_type": ("is not a whole number", "write digits without quotes or a point"),
    "bool_type": ("is not a switch", "write true or false, without quotes"),
    "string_type": ("is not text", "write it in quotes"),
    "string_too_short": ("is empty", "write a text"),
    "tuple_type": ("is not a list", "write [..., ...]"),
    "dict_type": ("is not a table", "write { name = value, ... }"),
    "mapping_type": ("is not a table", "write { name = value, ... }"),
    "model_type": ("is not a section", "write it as a table with the keys of this section"),
}

FORMS: Mapping[str, str] = {
    "id": "lower-case letters, digits and '-' in ASCII, as in \"demo-0001\"",
    "currency": 'three capital letters (ISO 4217), as in "EUR"',
    "bootstrap": 'host:port, several with commas, as in "kafka.example:9092"',
    "topic_prefix": "only letters, digits, '.', '_' and '-'",
    "selection": "one to four capital letters or digits, as they stand on the keys",
    "keys": 'one capital letter, digit, * or # each, "clear", or "" where no key is',
    "country": 'the two capital letters that coin and bill ids begin with, as in "EU"',
    "age": 'bytes in hexadecimal, as in "9F10"',
    "password_from": '"credential:NAME" for a systemd credential, or the absolute path of a file',
    "key_from": '"credential:NAME" for a systemd credential, or the absolute path of a file',
    "ca_file": "the absolute path of a PEM file",
    "certificate_file": "the absolute path of a PEM file",
    "rows": "a row is one capital letter; a pin is named by a name of [pins]",
}
_PIN_FORM = "a name of [pins]: lower-case letters, digits and '_', as in \"tray_a\""


def problem(tree: Tree, model: Any, prefix: Path_, error: ErrorDetails) -> Problem:
    """`error` was found validating `model` against what stands at `prefix`."""
    loc = tuple(part for part in error["loc"] if part != "[key]")
    path = (*prefix, *loc)
    key = str(path[-1]) if path else ""
    what, remedy = _words(error, path, fields(model, loc[:-1]))
    value = "" if error["type"] == "missing" else shown(error["input"], key)
    return Problem(tree.origin(path), tree.name(path), value, what, remedy)


def unknown(key: str, known: list[str]) -> tuple[str, str]:
    """What to say of a key that nobody reads."""
    if looks_secret(key):
        return "is an unknown key", _SECRETS
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        return "is an unknown key", f'did you mean "{near[0]}"?'
    return "is an unknown key", f"known here: {', '.join(sorted(known))}"


def fields(model: Any, loc: Path_) -> list[str]:
    """The keys that may stand where `loc` leads to inside `model`."""
    models = list(_models(model))
    for part in loc:
        nexts = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        if nexts:  # list places and names chosen by the operator lead to the same models
            models = [found for annotation in nexts for found in _models(annotation)]
    return [name for m in models for name in m.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def _words(error: ErrorDetails, path: Path_, known: list[str]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    if kind == "extra_forbidden":
        return unknown(key, known)
    if kind == "missing":
        return "is missing", "add it; config/ holds two complete samples"
    if kind in ("literal_error", "enum"):
        return _choice(error["input"], str(context["expected"]))
    if kind == "pair":
        return f"is half of a pair: {error['msg']}", "add the other one, or remove it"
    if kind == "string_pattern_mismatch":
        form = FORMS.get(key, _PIN_FORM)
        return "has not the right form", f"write {form}"
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        side = "at least" if "ge" in context else "at most"
        return "is out of range", f"write {side} {bound}"
    if kind in ("too_short", "too_long", "string_too_long"):
        bound = context.get("min_length", context.get("max_length"))
        side = "at least" if "min_length" in context else "at most"
        unit = "characters" if kind == "string_too_long" else "entries"
        return "has the wrong length", f"write {side} {bound} {unit}"
    return _TYPES.get(kind, (f"is not valid ({error['msg']})", "correct or remove it"))


def _choice(value: object, expected: str) -> tuple[str, str]:
    near = difflib.get_close_matches(str(value), re.findall(r"'([^']*)'", expected), n=1)
    hint = f', did you mean "{near[0]}"?' if near else ""
    return "is none of the choices", f"write {expected}{hint}".replace("'", '"')
