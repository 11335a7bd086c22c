"""Events as a consumer sees them, and the proof that none is missing (E1)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from vendd.ports import Message


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a consumer sees it."""

    topic: str
    key: bytes
    headers: dict[str, str]
    value: bytes

    @classmethod
    def of(cls, message: Message) -> "Received":
        """What a consumer gets from a message that stands in a `ModelCluster`."""
        headers = {name: value.decode() for name, value in message.headers}
        return cls(message.topic, message.key, headers, message.value)

    @property
    def seq(self) -> int:
        return int(self.headers["ce_seq"])

    @property
    def machine(self) -> str:
        return self.headers["ce_machine"]


@dataclass(frozen=True, slots=True)
class Audit:
    """`missing` seqs up to the last one expected, `duplicates` beyond the first copy, and per
    topic whether the first copies stand in order."""

    received: int
    missing: tuple[int, ...]
    duplicates: int
    in_order: bool


def audit(received: Iterable[Received], last_seq: int) -> Audit:
    """Compare with what one machine committed: seq 1 to `last_seq`."""
    messages = list(received)
    copies = Counter(message.seq for message in messages)
    firsts: dict[str, dict[int, None]] = {}
    for message in messages:
        firsts.setdefault(message.topic, {})[message.seq] = None
    return Audit(
        received=len(messages),
        missing=tuple(seq for seq in range(1, last_seq + 1) if seq not in copies),
        duplicates=len(messages) - len(copies),
        in_order=all(list(seqs) == sorted(seqs) for seqs in firsts.values()),
    )
