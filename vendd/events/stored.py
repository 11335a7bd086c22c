"""One event as the outbox keeps it and the forwarder sends it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the outbox, ready to send: CloudEvents attributes and JSON data.

    `topic` is without the deployment's prefix. `money`: never thinned (E3).
    """

    seq: int
    topic: str
    type: str
    attributes: Mapping[str, str]  # CloudEvents attributes without the ce_ prefix
    data: bytes
    money: bool = True
