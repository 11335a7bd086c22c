"""One event on its way."""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Flight:
    """Only its number: the broker has a copy, the outbox has it."""

    seq: int
    alone: bool = False
    delivered: bool = False
