"""The daemon's ear for committed events: the newest seq, and the forwarder where there is one."""

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from vendd.core.facts import OutboxLoad
from vendd.core.sale.reports import FaultEnded, FaultStarted, Report
from vendd.links.forwarder import Forwarder
from vendd.ports import StoredEvent, Trouble

_DETAIL: Final = 200  # characters: clients tell long stories
_log = structlog.get_logger()


class Telling:
    """Troubles with the broker become faults of the device ``kafka``, and one line each."""

    def __init__(self, put: Callable[[Report], None]) -> None:
        self._put = put

    def __call__(self, trouble: Trouble, detail: str | None) -> None:
        """Began, with what is known of it, or (None) is over."""
        code = f"kafka_{trouble.value}"
        if detail is None:
            _log.info("kafka_trouble_over", trouble=trouble.value)
            self._put(FaultEnded(code, "kafka"))
        else:
            _log.warning("kafka_trouble", trouble=trouble.value, why=detail)
            self._put(FaultStarted(code, "kafka", detail[:_DETAIL]))


class Stream:
    """Implements `ports.Events`. Without a forwarder events stay in the outbox."""

    def __init__(self, last_seq: int, forwarder: Forwarder | None) -> None:
        self._newest = last_seq
        self._forwarder = forwarder

    @property
    def newest(self) -> int:
        """The last seq known to be committed."""
        return self._newest

    def committed(self, events: Iterable[StoredEvent]) -> None:
        events = list(events)
        self._newest = max([self._newest, *(event.seq for event in events)])
        if self._forwarder is not None:
            self._forwarder.committed(events)

    def load(self) -> OutboxLoad:
        """What waits, for a heartbeat; zeros where nobody collects it."""
        if self._forwarder is None:
            return OutboxLoad(0, 0, 0)
        standing = self._forwarder.standing()
        return OutboxLoad(standing.depth, int(standing.lag_s), standing.bytes_today)

    def on_its_way(self) -> int:
        """The last seq that the forwarder has taken up already."""
        return 0 if self._forwarder is None else self._forwarder.standing().taken
