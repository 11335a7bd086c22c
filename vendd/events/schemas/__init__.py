"""One JSON Schema (2020-12) per event type, shipped beside this file as ``<type>.json``.

Generated from the fact classes by ``python -m vendd.events.schemas``; a test
checks that they are up to date. They describe the data, not the envelope.
Enumerations are the members known today: consumers must read any other member
as ``other``, and must ignore fields that they do not know.
"""

import json
from importlib.resources import files
from typing import Any

from vendd.events.kinds import BY_TYPE


def load(event_type: str) -> dict[str, Any]:
    """The shipped schema of a type such as ``vend.sale-closed.v1``; `KeyError` if unknown."""
    if event_type not in BY_TYPE:
        raise KeyError(event_type)
    text = files(__name__).joinpath(f"{event_type}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
