"""Secrets by reference: read where nobody else can, refused in words, never shown."""

import os
from pathlib import Path

import pytest

from vendd.links.kafka_security import Security
from vendd.links.secrets import SecretMissing, read_secret
from vendd.ports import DeliveryFailed, Trouble

SECRET = "correct horse"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def test_a_private_file_and_a_credential_are_read_without_the_last_newline(private: Path) -> None:
    assert read_secret(str(private), {}) == SECRET
    environ = {"CREDENTIALS_DIRECTORY": str(private.parent)}
    assert read_secret("credential:password", environ) == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_file_that_others_can_touch_is_refused(private: Path, mode: int) -> None:
    private.chmod(mode)
    with pytest.raises(SecretMissing, match="chmod 600"):
        read_secret(str(private), {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(private: Path) -> None:
    os.chown(private, 12_345, 12_345)
    with pytest.raises(SecretMissing, match="another user"):
        read_secret(str(private), {})


def test_what_is_no_secret_is_refused_in_words(private: Path, tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="No such file"):
        read_secret(str(tmp_path / "absent"), {})
    with pytest.raises(SecretMissing, match="no plain file"):
        read_secret(str(tmp_path), {})
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretMissing, match="no plain file"):  # and nobody waits for a writer
        read_secret(str(tmp_path / "pipe"), {})
    for content, words in ((b"\n", "empty"), (b"\xff\xfe", "not text"), (b"x" * 70_000, "larger")):
        private.write_bytes(content)
        with pytest.raises(SecretMissing, match=words):
            read_secret(str(private), {})


def test_a_credential_that_is_not_there_says_how_to_hand_it_over(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match=r"LoadCredential=vendd\.kafka-password"):
        read_secret("credential:vendd.kafka-password", {})
    with pytest.raises(SecretMissing, match="credstore"):
        read_secret("credential:other", {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_security_becomes_the_clients_options(private: Path, tmp_path: Path) -> None:
    assert Security().options({}) == {"security.protocol": "PLAINTEXT"}
    ca = tmp_path / "ca.pem"
    ca.write_text("CA", encoding="ascii")
    scram = {"mechanism": "SCRAM-SHA-512", "username": "demo-0001", "password": str(private)}
    assert Security(tls=True, **scram).options({}) == {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "probe",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "demo-0001",
        "sasl.password": SECRET,
    }
    mutual = Security(tls=True, ca=str(ca), certificate=str(ca), key=str(private))
    assert mutual.options({}) == {
        "security.protocol": "SSL",
        "ssl.ca.pem": "CA",
        "ssl.certificate.pem": "CA",
        "ssl.key.pem": SECRET,
    }


def test_a_missing_secret_is_a_trouble_of_its_own_and_does_not_show_it(tmp_path: Path) -> None:
    security = Security(mechanism="SCRAM-SHA-512", password=str(tmp_path / "absent"))
    with pytest.raises(DeliveryFailed) as raised:
        security.options({})
    assert raised.value.trouble is Trouble.SECRET_MISSING
    assert not raised.value.fatal
    with pytest.raises(DeliveryFailed, match=r"ca\.pem can't be read"):
        Security(tls=True, ca=str(tmp_path / "ca.pem")).options({})
