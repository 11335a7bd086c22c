"""What looks like mischief or a broken sensor, told without a storm.

A beam that flickers ten times a second would otherwise fill the books in a day,
and a machine whose books are full sells nothing.
"""

from dataclasses import replace
from typing import Final

from vendd.core.facts import Security
from vendd.core.sale.draft import Draft
from vendd.core.sale.states import (
    Told,
)

TOLD_PER_HOUR: Final = 30
"""Of one kind. What is held back beyond that is in the next one's count."""

_HOUR_MS: Final = 3_600_000


def tell(d: Draft, kind: str, device: str, count: int, action: str) -> None:
    """A `Security` fact now, or counted for the next of its kind."""
    told = next((t for t in d.state.told if t.kind == kind), None)
    if told is None:
        told = Told(kind, d.now_ms)
    elif d.now_ms - told.since_ms >= _HOUR_MS:
        told = Told(kind, d.now_ms, held_back=told.held_back)
    if told.facts < TOLD_PER_HOUR:
        d.record(Security(kind, device, count + told.held_back, action))
        told = replace(told, facts=told.facts + 1, held_back=0)
    else:
        told = replace(told, held_back=told.held_back + count)
    d.set(told=(*(t for t in d.state.told if t.kind != kind), told))
