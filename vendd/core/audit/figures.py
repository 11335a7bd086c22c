"""The audit as it stands in the books: what a report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vendd.core.audit.vend import Count
from vendd.core.sale.reports import Tube


@dataclass(frozen=True, slots=True)
class Both:
    """Since initialisation, and since the interval counters were last reset."""

    total: int = 0
    interval: int = 0


@dataclass(frozen=True, slots=True)
class EventFigure:
    """One event code (EA2). `since`: when it began, while it is active."""

    code: str
    counts: Both
    active: bool
    since: str | None = None


@dataclass(frozen=True, slots=True)
class EventEnded:
    """One event that is over (EA1)."""

    code: str
    began: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Reads:
    """How often the audit was read and reset, and when last (EA3). Times RFC 3339 UTC."""

    reads: int = 0
    resets: int = 0
    last_at: str | None = None
    last_by: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """What a payment device says of itself."""

    manufacturer: str
    model: str
    serial: str
    firmware: str


@dataclass(frozen=True, slots=True)
class Suspense:
    """Doubtful sales that nobody has decided: in no counter, but in the account ``sales``."""

    sales: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """`levels` and `last_sales` by selection, `devices` by our names of them."""

    counts: Mapping[Count, Both] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)
    last_sales: Mapping[str, str] = field(default_factory=dict)
    tubes: tuple[Tube, ...] = ()
    events: tuple[EventFigure, ...] = ()
    ended: tuple[EventEnded, ...] = ()
    reads: Reads = Reads()
    suspense: Suspense = Suspense()
    devices: Mapping[str, Device] = field(default_factory=dict)

    def of(self, segment: str, what: str = "value", subject: str = "") -> Both:
        """One counter; one that never moved is 0."""
        return self.counts.get(Count(segment, subject, what), _NONE)


_NONE = Both()
