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


class Metrics:
    """One process's figures. `look` adds those that only the database knows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._looked_ms = 0
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
        self._lag.clear()
        for (topic, part), lag in lags.items():
            self._lag.labels(topic, part).set(lag)

    def look(self) -> None:
        """Every `_LOOK_MS` at most. Raises `DatabaseDown`."""
        now_ms = self._clock.now_ms()
        if now_ms - self._looked_ms < _LOOK_MS:
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
        for gauge, rows in ((self._letters, letters), (self._alarms, alarms)):
            gauge.clear()
            for label, count in rows:
                gauge.labels(label).set(count)
        self._duplicates.set(int(duplicates or 0))
        self._gaps.set(gaps)
