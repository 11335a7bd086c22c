"""The one durable blob of the engine: state of sale, service and visits, versioned (L6)."""

import json
from dataclasses import asdict, dataclass, field

from vendd.core.operator.kept import Kept
from vendd.core.sale import persist
from vendd.core.sale.machine import durable_changed
from vendd.core.sale.states import (
    State,
)
from vendd.core.service import Service


@dataclass(frozen=True, slots=True)
class Memory:
    sale: State = field(default_factory=State)
    service: Service = field(default_factory=Service)
    kept: Kept = field(default_factory=Kept)

    def durable_differs(self, before: "Memory") -> bool:
        """Whether anything that must survive a power cut is different."""
        others = (self.service, self.kept) != (before.service, before.kept)
        return others or durable_changed(before.sale, self.sale)


def dump(memory: Memory) -> bytes:
    service = json.dumps(asdict(memory.service), separators=(",", ":")).encode()
    kept = json.dumps(asdict(memory.kept), separators=(",", ":")).encode()
    sale = persist.dump(memory.sale)
    return b'{"service":' + service + b',"operator":' + kept + b',"sale":' + sale + b"}"


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
        kept = Kept.of(document.get("operator", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"stored state is not readable: {error!r}") from None
    return Memory(persist.load(sale), Service(reasons, door_open), kept)
