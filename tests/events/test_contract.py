"""Events as a contract: what was promised to consumers stays so, and the documents say the same."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from vendd.events.kinds import BY_TYPE, TOPICS
from vendd.events.schemas import asyncapi
from vendd.events.schemas.compatibility import breaks
from vendd.events.schemas.generate import catalogue

RELEASED = Path(__file__).parent / "released.json"
REMEDY = """
Give the type a new version (Kind.version in vendd/events/kinds.py) and keep the old class as long
as machines send it. What only adds optional fields or values needs none."""


def released() -> dict[str, Any]:
    catalogue: dict[str, Any] = json.loads(RELEASED.read_text(encoding="utf-8"))
    return catalogue


def test_nothing_that_was_released_is_broken() -> None:
    broken = list(breaks(released(), catalogue()))
    assert not broken, "\n".join([*broken, REMEDY])


Change = Callable[[dict[str, Any]], None]


def schema(catalogue: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = catalogue[f"vend.{name}.v1"]["schema"]
    return found


def _removed(new: dict[str, Any]) -> None:
    del schema(new, "fault")["properties"]["slot"]


def _renamed(new: dict[str, Any]) -> None:
    fields = schema(new, "door")["properties"]
    fields["condition"] = fields.pop("state")


def _retyped(new: dict[str, Any]) -> None:
    schema(new, "cash-moved")["properties"]["value"]["type"] = "number"


def _retyped_inside(new: dict[str, Any]) -> None:
    items = schema(new, "exact-change")["properties"]["tubes"]["items"]
    items["properties"]["count"] = {"type": "string"}


def _made_required(new: dict[str, Any]) -> None:
    schema(new, "fault")["required"].append("slot")


def _made_optional(new: dict[str, Any]) -> None:
    schema(new, "fault")["required"].remove("code")


def _new_and_required(new: dict[str, Any]) -> None:
    schema(new, "fault")["properties"]["colour"] = {"type": "string"}
    schema(new, "fault")["required"].append("colour")


def _narrowed(new: dict[str, Any]) -> None:
    schema(new, "sale-closed")["properties"]["outcome"]["enum"].remove("doubtful")


def _closed(new: dict[str, Any]) -> None:
    schema(new, "fault")["properties"]["code"]["enum"] = ["beam_blocked"]


def _opened(new: dict[str, Any]) -> None:
    del schema(new, "sale-closed")["properties"]["outcome"]["enum"]


def _shorter_pairs(new: dict[str, Any]) -> None:
    evidence = schema(new, "sale-doubtful")["properties"]["evidence"]
    evidence["properties"]["tubes_now"]["items"]["prefixItems"].pop()


def _moved(new: dict[str, Any]) -> None:
    new["vend.fault.v1"]["topic"] = "inventory-alerts"


def _gone(new: dict[str, Any]) -> None:
    del new["vend.door.v1"]


BREAKING = [
    (_removed, "vend.fault.v1.slot: is gone or renamed"),
    (_renamed, "vend.door.v1.state: is gone or renamed"),
    (_retyped, "vend.cash-moved.v1.value: was integer, is number"),
    (_retyped_inside, "vend.exact-change.v1.tubes[].count: was integer, is string"),
    (_made_required, "vend.fault.v1.slot: was optional, is required"),
    (_made_optional, "vend.fault.v1.code: was always there, is optional"),
    (_new_and_required, "vend.fault.v1.colour: is new and required"),
    (_narrowed, "vend.sale-closed.v1.outcome: no longer has doubtful"),
    (_closed, "vend.fault.v1.code: was any value, is a closed list"),
    (_opened, "vend.sale-closed.v1.outcome: was a closed list, is any value"),
    (_shorter_pairs, "tubes_now[]: had 2 places, has 1"),
    (_moved, "vend.fault.v1: moved from machine-events to inventory-alerts"),
    (_gone, "vend.door.v1: is gone"),
]


@pytest.mark.parametrize(("change", "said"), BREAKING, ids=[c.__name__ for c, _ in BREAKING])
def test_a_breaking_change_is_refused_in_words(change: Change, said: str) -> None:
    new = copy.deepcopy(released())
    change(new)
    assert any(said in line for line in breaks(released(), new))


def _new_field(new: dict[str, Any]) -> None:
    schema(new, "fault")["properties"]["colour"] = {"type": "string"}


def _new_value(new: dict[str, Any]) -> None:
    schema(new, "sale-closed")["properties"]["outcome"]["enum"].append("given_away")


def _new_type(new: dict[str, Any]) -> None:
    new["vend.parrot.v1"] = new["vend.door.v1"]


def _next_version(new: dict[str, Any]) -> None:
    new["vend.door.v2"] = new.pop("vend.door.v1")


@pytest.mark.parametrize("change", [_new_field, _new_value, _new_type, _next_version])
def test_what_only_adds_is_allowed(change: Change) -> None:
    new = copy.deepcopy(released())
    change(new)
    assert list(breaks(released(), new)) == []


# --- AsyncAPI ---------------------------------------------------------------------------


def shipped() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(asyncapi.FILE.read_text(encoding="utf-8"))
    return document


def test_the_asyncapi_document_is_up_to_date() -> None:
    current = asyncapi.rendered()
    said = "run python -m vendd.events.schemas"
    assert asyncapi.FILE.read_text(encoding="utf-8") == current, said


def test_every_type_stands_in_its_topics_channel() -> None:
    channels = shipped()["channels"]
    assert set(channels) == set(TOPICS) | {f"{topic}.dlq" for topic in TOPICS}
    for kind in BY_TYPE.values():
        assert kind.type in channels[kind.topic]["messages"]
    assert sum(len(channels[topic]["messages"]) for topic in TOPICS) == len(BY_TYPE)


def test_every_reference_leads_somewhere() -> None:
    document = shipped()

    def walk(part: Any) -> None:
        if isinstance(part, list):
            for each in part:
                walk(each)
        elif isinstance(part, dict):
            target: Any = document
            for step in part.get("$ref", "#").split("/")[1:]:
                target = target[step]
            for each in part.values():
                walk(each)

    walk(document)


@pytest.mark.parametrize("name", sorted(BY_TYPE))
def test_payloads_are_schemas_of_the_documents_own_dialect(name: str) -> None:
    payload = shipped()["components"]["messages"][name]["payload"]
    Draft7Validator.check_schema(payload)
    assert "prefixItems" not in json.dumps(payload)
