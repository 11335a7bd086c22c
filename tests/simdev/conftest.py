"""Fixtures for the device models."""

from collections.abc import Iterator

import pytest
from changer_bench import Bench, bench_of


@pytest.fixture
def bench() -> Iterator[Bench]:
    with bench_of() as made:
        yield made


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """A changer that was initialised, all coins enabled, ten coins in each tube."""
    for value in bench.changer.truth.tubes:
        bench.changer.fill_tube(value, 10)
    bench.ready()
    return bench
