"""What every event of one commit shares (events.md section 1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """Identity, time and versions at the moment of a commit.

    `time` is RFC 3339 UTC with milliseconds; `clocksync` says whether to believe
    it (E4). `uptime_ms` counts from this boot. `actor_kind` is one of customer,
    technician, driver, owner, remote, system.
    """

    machine: str
    boot_id: str
    boot_count: int
    uptime_ms: int
    time: str
    clocksync: bool
    currency: str
    exponent: int
    software: str
    config_hash: str
    planogram_ver: int
    price_ver: int
    actor_kind: str = "customer"
    actor_id: str | None = None
    traceparent: str | None = None
