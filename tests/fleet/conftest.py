"""The servers that the fleet's consumers talk to; started once, when a test asks for them."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka_server import KafkaServer
from postgres_server import PostgresServer


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


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes an empty database and gives its URL; once for each kind."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/fleet-{next(_numbers)}.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda: server.create(f"fleet{next(_numbers)}")
