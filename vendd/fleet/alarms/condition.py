"""One thing that is wrong, as a rule or an event found it."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    INFO = 1
    WARNING = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Condition:
    """`machine`, `kind` and `item` together are the alarm; `said` is for people."""

    machine: str
    kind: str
    item: str
    severity: Severity
    said: str

    @property
    def subject(self) -> tuple[str, str, str]:
        return self.machine, self.kind, self.item
