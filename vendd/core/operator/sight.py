"""What a person sees of a machine: everything as committed, nothing asked of a device."""

from dataclasses import dataclass

from vendd.core.facts import OutboxLoad, Severity
from vendd.core.operator.kept import Kept
from vendd.core.rows import ClaimSet, DoubtSet, PricePending, PriceSet
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
class ClaimLine:
    """A claim as the books have it; `closed_how` None: open."""

    ref: str
    amount: int
    reason: str
    sale_id: str | None
    opened_at: str
    closed_how: str | None
    closed_by: str | None
    changed_at: str


@dataclass(frozen=True, slots=True)
class DoubtLine:
    """A doubtful sale as the books have it; `decision` None: open."""

    number: int
    at: str
    sale_id: str
    amount: int
    tender: str
    policy: str
    booked_as: str
    evidence: str
    decision: str | None
    decided_at: str | None
    decided_by: str | None
    why: str | None


@dataclass(frozen=True, slots=True)
class OperatorRows:
    """What people decided and what waits for them, as a start finds it. `doubts_ever`: the
    newest number of a doubtful sale."""

    claims: tuple[ClaimSet, ...] = ()
    doubts: tuple[DoubtSet, ...] = ()
    doubts_ever: int = 0
    prices: tuple[PriceSet, ...] = ()
    prices_pending: tuple[PricePending, ...] = ()


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
