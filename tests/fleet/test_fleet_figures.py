"""What Prometheus is told: a series stays while its subject does, whenever somebody looks."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from fleet_rig import SetClock
from prometheus_client import Gauge, generate_latest

from vendd.fleet.database import migrate, open_database
from vendd.fleet.metrics import Metrics


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[Metrics]:
    database = open_database(f"sqlite:///{tmp_path}/fleet.db")
    migrate(database)
    yield Metrics(database, SetClock())
    database.close()


def shown(metrics: Metrics, name: str) -> list[str]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return sorted(line for line in lines if line.startswith(name + "{"))


LAG = 'vendd_fleet_lag{{partition="{}",topic="machine-events"}} {}.0'


def test_a_scrape_while_lags_are_told_sees_them(metrics: Metrics) -> None:
    metrics.lags({("machine-events", 0): 7, ("machine-events", 1): 8})
    scraped: list[int] = []
    set_ = Gauge.set

    def scraping(gauge: Gauge, value: float) -> None:
        scraped.append(len(shown(metrics, "vendd_fleet_lag")))
        set_(gauge, value)

    with patch.object(Gauge, "set", scraping):
        metrics.lags({("machine-events", 0): 3, ("machine-events", 1): 4})
    assert scraped == [2, 2]


def test_the_lag_of_a_partition_that_went_elsewhere_is_not_told(metrics: Metrics) -> None:
    metrics.lags({("machine-events", 0): 7, ("machine-events", 1): 8})
    metrics.lags({("machine-events", 1): 0})
    assert shown(metrics, "vendd_fleet_lag") == [LAG.format(1, 0)]
    metrics.lags({("machine-events", 0): 2, ("machine-events", 1): 1})
    assert shown(metrics, "vendd_fleet_lag") == [LAG.format(0, 2), LAG.format(1, 1)]
