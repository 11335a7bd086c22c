"""What a person sees of a machine: everything as committed, nothing asked of a device."""

from dataclasses import dataclass

from vendd.core.facts import OutboxLoad, Severity
from vendd.core.operator.kept import Kept
from vendd.core.sale.states import State
from vendd.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A fault that is open now. `since` by the wall clock; `count`: how often it came."""

    id: str
    device: str
    code: str
    slot: str | None
    severity: Severity
    stops: tuple[str, ...]
    since: str
    count: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What does not change during a life."""

    machine: str
    software: str
    config_hash: str
    boot_count: int


@dataclass(frozen=True, slots=True)
class Sight:
    """One moment of the machine. `now` by the wall clock, believed if `synchronised`.

    `failing`: nothing can be written to the books.
    """

    identity: Identity
    now: str
    uptime_ms: int
    synchronised: bool
    state: State
    world: Snapshot
    kept: Kept
    faults: tuple[OpenFault, ...]
    outbox: OutboxLoad
    failing: bool = False


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of the audit journal as it was written. `seq`: the newest event of its commit."""

    id: int
    at: str
    boot: int
    seq: int
    uid: int
    user: str
    role: str
    action: str
    target: str
    why: str
    before: str
    after: str
    outcome: str
