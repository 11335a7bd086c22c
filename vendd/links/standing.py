"""What the forwarder says of itself."""

from dataclasses import dataclass
from typing import Literal

from vendd.ports import Trouble

State = Literal["starting", "caught_up", "sending", "waiting", "saving", "stopped"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the forwarder does, for health and metrics.

    `depth`: events committed and not delivered. `lag_s`: how long the oldest of
    them has waited, since the start of the daemon at most. `taken`: the last seq that is on its
    way or kept to be sent next. `held`: telemetry that waits for the next day's budget.
    """

    state: State
    depth: int
    lag_s: float
    watermark: int
    last_error: str | None
    reopened: int
    buried: int
    taken: int = 0
    bytes_today: int = 0
    held: int = 0
    trouble: Trouble | None = None
