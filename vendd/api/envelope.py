"""The envelope of `vendctl --json` as a JSON Schema, made from the response types.

``python -m vendd.api.envelope`` writes it anew beside the commands; a test says when it is due.
"""

import json
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from vendd.api import looking, owed, stream
from vendd.api.orders import Done
from vendd.api.problems import Response

FILE: Final = Path(__file__).parents[1] / "cli" / "vendctl.schema.json"
ENVELOPE: Final = "vendctl/1"
ANSWERS: Final[dict[str, type[Response]]] = {
    "status": looking.Status,
    "watch": looking.Status,
    "slots": looking.Slots,
    "faults": looking.Faults,
    "journal": looking.Journal,
    "claims list": owed.Claims,
    "doubtful list": owed.Doubts,
    "events tail": stream.Events,
    "events dead": stream.DeadLetters,
    "events replay": stream.Replayed,
    "sales": stream.Sales,
    "cash levels": stream.Cash,
    **dict.fromkeys(
        (
            "service enter",
            "service leave",
            "inhibit",
            "refill",
            "stock remove",
            "stock count",
            "slot enable",
            "slot disable",
            "slot clear-jam",
            "price set",
            "claims close",
            "doubtful resolve",
            "test motor",
            "test put-back",
        ),
        Done,
    ),
}
"""What each command answers."""


def document() -> dict[str, Any]:
    """The whole schema."""
    models = sorted(set(ANSWERS.values()), key=lambda model: model.__name__)
    refs, shared = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/$defs/{model}"
    )
    done = [_done(command, refs[model, "serialization"]) for command, model in ANSWERS.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:vendd:schema:vendctl.v1",
        "title": "What vendctl --json prints",
        "oneOf": [*done, _FAILED],
        "$defs": shared["$defs"],
    }


def _done(command: str, data: dict[str, Any]) -> dict[str, Any]:
    fixed = {"schema": ENVELOPE, "command": command, "ok": True}
    properties: dict[str, Any] = {name: {"const": value} for name, value in fixed.items()}
    return _object(properties | {"data": data})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_FAILED: Final = _object(
    {
        "schema": {"const": ENVELOPE},
        "command": {"type": "string"},
        "ok": {"const": False},
        "error": _object(
            {
                "code": {"type": "string"},
                "exit": {"enum": [1, 2, 3, 4, 5, 6, 8, 10]},
                "message": {"type": "string"},
                "remedy": {"type": "string"},
            }
        ),
    }
)


def text() -> str:
    """As it stands in the file."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
