"""The servers that the fleet's consumers talk to; started once, when a test asks for them."""

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka_server import KafkaServer
from postgres_server import PostgresServer
from webhook import Webhook, running_webhook


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    # Not in pytest's folder: the server runs as another user, and its socket wants a short path.
    with tempfile.TemporaryDirectory(prefix="vendd-postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    server = KafkaServer(tmp_path_factory.mktemp("fleet-kafka"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def mock_kafka() -> Iterator[str]:
    """The bootstrap address of librdkafka's mock cluster: no Java needed."""
    command = [sys.executable, "-m", "hw_sim.broker"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        word, _, bootstrap = process.stdout.readline().strip().partition(" ")
        assert word == "bootstrap"
        yield bootstrap
        process.stdin.close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as server:
        yield server


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes an empty database and gives its URL; once for each kind."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/fleet-{next(_numbers)}.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda: server.create(f"fleet{next(_numbers)}")
