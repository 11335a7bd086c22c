"""``[kafka]``: how the machine logs in, and that no secret can stand there."""

from pathlib import Path

import pytest

from tests.config.machines import SNACK, changed, written
from vendd.config import Config, ConfigError, load
from vendd.daemon.edge import production

HERE = 'bootstrap = "kafka.example:9092"'


def kafka(folder: Path, more: str) -> Config:
    return load(written(folder, changed(SNACK, "[gpio]", f"{more}\n[gpio]")))


def problem(folder: Path, more: str) -> str:
    with pytest.raises(ConfigError) as caught:
        kafka(folder, more)
    return str(caught.value)


def test_tls_and_scram_with_the_units_own_credential(tmp_path: Path) -> None:
    config = kafka(tmp_path, '[kafka.tls]\n[kafka.sasl]\nusername = "snack-0001"').kafka
    assert config.tls is not None
    assert config.sasl is not None
    assert config.sasl.mechanism == "SCRAM-SHA-512"
    assert config.sasl.password_from == "credential:vendd.kafka-password"
    unit = (Path(__file__).parents[2] / "systemd" / "vendd.service").read_text()
    assert "LoadCredential=vendd.kafka-password" in unit


def test_a_certificate_of_the_machine(tmp_path: Path) -> None:
    more = (
        '[kafka.tls]\nca_file = "/etc/vendd/ca.pem"\ncertificate_file = "/etc/vendd/me.pem"\n'
        'key_from = "/etc/vendd/me.key"'
    )
    tls = kafka(tmp_path, more).kafka.tls
    assert tls is not None
    assert (tls.ca_file, tls.key_from) == ("/etc/vendd/ca.pem", "/etc/vendd/me.key")


def test_half_a_pair_is_named(tmp_path: Path) -> None:
    said = problem(tmp_path, '[kafka.tls]\nkey_from = "credential:key"')
    assert "certificate_file and key_from belong together" in said


def test_a_password_where_its_place_belongs_is_refused_and_not_shown(tmp_path: Path) -> None:
    said = problem(tmp_path, '[kafka.sasl]\nusername = "m"\npassword_from = "hunter2"')
    assert "hunter2" not in said
    assert '"credential:NAME" for a systemd credential' in said
    said = problem(tmp_path, '[kafka.sasl]\nusername = "m"\npassword = "hunter2"')
    assert "hunter2" not in said
    assert "secrets never stand in a configuration" in said


@pytest.mark.parametrize(
    ("more", "batching"),
    [
        ("", ("lz4", 2)),
        ("budget_mib_per_day = 5", ("zstd", 1_000)),
        ('budget_mib_per_day = 5\nlinger_ms = 20\ncompression = "gzip"', ("gzip", 20)),
    ],
)
def test_a_metered_link_gets_larger_batches(
    tmp_path: Path, more: str, batching: tuple[str, int]
) -> None:
    config = load(written(tmp_path, changed(SNACK, HERE, f"{HERE}\n{more}")))
    assert config.kafka.batching() == batching


def test_production_asks_for_secrets_with_each_connection_not_at_the_start(tmp_path: Path) -> None:
    more = f'[kafka.sasl]\nusername = "m"\npassword_from = "{tmp_path}/absent"'
    assert production(kafka(tmp_path, more)).open_broker is not None
