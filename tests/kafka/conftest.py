"""An embedded Kafka in its own process, one per test module."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from kafka_server import KafkaServer


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """Apache Kafka with every kind of listener: one for all tests of this folder."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"), secure=True)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def mock_kafka() -> Iterator[str]:
    """The bootstrap address of a running mock cluster."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hw_sim.broker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    word, _, bootstrap = process.stdout.readline().strip().partition(" ")
    assert word == "bootstrap"
    yield bootstrap
    process.stdin.close()
    assert process.wait(timeout=20) == 0
    process.stdout.close()
