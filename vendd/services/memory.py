"""The one durable blob of the engine: the sale's state and the service state, versioned (L6)."""

import json
from dataclasses import asdict, dataclass, field

from vendd.core.sale import persist
from vendd.core.sale.states import (
    State,
)
from vendd.core.service import Service


@dataclass(frozen=True, slots=True)
class Memory:
    sale: State = field(default_factory=State)
    service: Service = field(default_factory=Service)


def dump(memory: Memory) -> bytes:
    service = json.dumps(asdict(memory.service), separators=(",", ":")).encode()
    return b'{"service":' + service + b',"sale":' + persist.dump(memory.sale) + b"}"


def load(data: bytes | None) -> Memory:
    """Raises `persist.NewerState`, or ValueError in plain words; None is a first start."""
    if data is None:
        return Memory()
    try:
        document = json.loads(data)
        service = document["service"]
        sale = json.dumps(document["sale"]).encode()
        reasons = tuple(str(r) for r in service["reasons"])
        door_open = bool(service["door_open"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"stored state is not readable: {error!r}") from None
    return Memory(persist.load(sale), Service(reasons, door_open))
