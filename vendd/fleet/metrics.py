"""What Prometheus is told of a consumer."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from vendd.fleet.alarms.view import GAPS
from vendd.fleet.clock import Clock
from vendd.fleet.database import Database
from vendd.fleet.pump import Handled, Part

_LOOK_MS: Final = 15_000
_AGES: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600, 86_400)
_Labels = tuple[str, ...]


class Metrics:
    """One process's figures. `look` adds those that only the database knows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._looked_ms = 0
        self._told_lags: set[_Labels] = set()
        self._told_letters: set[_Labels] = set()
        self._told_alarms: set[_Labels] = set()
        self.registry = CollectorRegistry()
        registry = self.registry
        self._events = Counter(
            "vendd_fleet_events",
            "Records by what became of them",
            ["outcome"],
            registry=registry,
        )
        self._batch = Histogram(
            "vendd_fleet_batch_seconds", "From records read to transaction committed",
            registry=registry,
        )  # fmt: skip
        self._age = Histogram(
            "vendd_fleet_latency_seconds",
            "From Kafka's time stamp to transaction committed, newest record of each batch",
            buckets=_AGES,
            registry=registry,
        )
        self._lag = Gauge(
            "vendd_fleet_lag", "Records not read yet", ["topic", "partition"], registry=registry
        )
        self._letters = Gauge(
            "vendd_fleet_dead_letters", "Dead letters that wait", ["topic"], registry=registry
        )
        self._alarms = Gauge(
            "vendd_fleet_alarms", "Alarms that are raised", ["kind"], registry=registry
        )
        self._duplicates = Gauge(
            "vendd_fleet_duplicates", "Events that came again, all machines", registry=registry
        )
        self._gaps = Gauge(
            "vendd_fleet_machines_with_gaps",
            "Machines whose numbers have room for more events than came, thinned ones included",
            registry=registry,
        )

    def serve(self, host: str, port: int) -> None:
        """On ``http://host:port/metrics``, in a thread of its own."""
        start_http_server(port, host, registry=self.registry)

    def batch(self, handled: Handled, seconds: float, age_s: float) -> None:
        """A batch was committed; its newest record is `age_s` old."""
        counts = {
            "new": handled.new,
            "duplicate": handled.duplicates,
            "dead_letter": handled.letters,
            "refused": len(handled.refused),
        }
        for outcome, count in counts.items():
            self._events.labels(outcome).inc(count)
        self._batch.observe(seconds)
        self._age.observe(max(0.0, age_s))

    def lags(self, lags: Mapping[Part, int]) -> None:
        """Of all partitions that are ours: those of others are told by others."""
        told: dict[_Labels, int] = {(topic, str(part)): lag for (topic, part), lag in lags.items()}
        _tell(self._lag, self._told_lags, told)

    def look(self) -> None:
        """Every `_LOOK_MS` at most. Raises `DatabaseDown`."""
        now_ms = self._clock.now_ms()
        if abs(now_ms - self._looked_ms) < _LOOK_MS:
            return
        self._looked_ms = now_ms
        with self._database.transaction() as session:
            letters = session.rows(
                "SELECT topic, count(*) FROM dead_letters WHERE state = 'open' GROUP BY topic"
            )
            alarms = session.rows(
                "SELECT kind, count(*) FROM alarms WHERE cleared_ms IS NULL GROUP BY kind"
            )
            ((duplicates,),) = session.rows("SELECT sum(duplicates) FROM machines")
            ((gaps,),) = session.rows(f"SELECT count(DISTINCT machine) FROM ({GAPS}) g")
        _tell(self._letters, self._told_letters, {(topic,): count for topic, count in letters})
        _tell(self._alarms, self._told_alarms, {(kind,): count for kind, count in alarms})
        self._duplicates.set(int(duplicates or 0))
        self._gaps.set(gaps)


def _tell(gauge: Gauge, told: set[_Labels], values: Mapping[_Labels, int]) -> None:
    """Exactly these; a scrape in between sees some old and some new, never none."""
    for labels, value in values.items():
        gauge.labels(*labels).set(value)
    for labels in told - values.keys():
        gauge.remove(*labels)
    told.clear()
    told.update(values)
