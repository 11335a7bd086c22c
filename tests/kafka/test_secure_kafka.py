"""Logging in at Apache Kafka itself: what works, and what each refusal is called."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import Authority, Signed
from kafka_server import OUTSIDER, PASSWORD, USER, KafkaServer
from store_to_kafka import SAMPLES, machine

from hw_sim.consumer import read_all
from hw_sim.received import audit
from vendd.events import TOPICS
from vendd.links import troubles
from vendd.links.kafka_security import Security
from vendd.ports import Trouble

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is half a minute in the field is half a second here."""
    monkeypatch.setattr(troubles, "SLOW_FIRST_S", 0.5)


@pytest.fixture(scope="module")
def mine(kafka: KafkaServer) -> Signed:
    """A certificate with this machine's name."""
    return kafka.authority.sign(USER)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    return secret(tmp_path / "password", PASSWORD)


def secret(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return file


def scram(kafka: KafkaServer, password: Path, user: str = USER, ca: Path | None = None) -> Security:
    return Security(
        tls=True,
        ca=str(ca or kafka.authority.ca),
        mechanism="SCRAM-SHA-512",
        username=user,
        password=str(password),
    )


def mutual(kafka: KafkaServer, signed: Signed | None) -> Security:
    security = Security(tls=True, ca=str(kafka.authority.ca))
    if signed is None:
        return security
    return Security(
        tls=True, ca=security.ca, certificate=str(signed.certificate), key=str(signed.key)
    )


class Told:
    """What a forwarder said, as a test can wait for it."""

    def __init__(self) -> None:
        self.said: list[tuple[Trouble, bool]] = []
        self.details: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, trouble: Trouble, detail: str | None) -> None:
        self.said.append((trouble, detail is not None))
        self.details.append(detail or "")
        self._news.set()

    async def heard(self, count: int = 1) -> None:
        async with asyncio.timeout(60):
            while len(self.said) < count:
                self._news.clear()
                await self._news.wait()


@pytest.mark.parametrize("listener", ["SASL", "MUTUAL"])
def test_events_arrive_over_tls_by_password_and_by_certificate(
    tmp_path: Path, kafka: KafkaServer, mine: Signed, password: Path, listener: str
) -> None:
    security = scram(kafka, password) if listener == "SASL" else mutual(kafka, mine)
    prefix = f"{listener.lower()}."
    kafka.create_topics(prefix)

    async def main() -> int:
        async with machine(tmp_path, kafka.at[listener], prefix, security) as running:
            for _ in range(10):
                await running.commit(*SAMPLES)
            await running.delivered(60)
            return running.last_seq

    last_seq = asyncio.run(main())
    result = audit(read_all(kafka.bootstrap, TOPICS, prefix), last_seq)
    assert (result.missing, result.duplicates, result.in_order) == ((), 0, True)


Case = Callable[[KafkaServer, Path, Path], tuple[str, Security]]


def _wrong_password(kafka: KafkaServer, folder: Path, _: Path) -> tuple[str, Security]:
    return "SASL", scram(kafka, secret(folder / "wrong", "guessed"))


def _nobodys_name(kafka: KafkaServer, _: Path, password: Path) -> tuple[str, Security]:
    return "SASL", scram(kafka, password, user="nobody")


def _another_authority(kafka: KafkaServer, folder: Path, password: Path) -> tuple[str, Security]:
    return "SASL", scram(kafka, password, ca=Authority(folder, "other").ca)


def _server_that_is_over(kafka: KafkaServer, _: Path, password: Path) -> tuple[str, Security]:
    return "EXPIRED", scram(kafka, password)


def _certificate_that_is_over(kafka: KafkaServer, _: Path, __: Path) -> tuple[str, Security]:
    return "MUTUAL", mutual(kafka, kafka.authority.sign("demo-old", days=-1))


def _certificate_of_a_stranger(kafka: KafkaServer, folder: Path, _: Path) -> tuple[str, Security]:
    return "MUTUAL", mutual(kafka, Authority(folder, "other").sign(USER))


def _no_certificate(kafka: KafkaServer, _: Path, __: Path) -> tuple[str, Security]:
    return "MUTUAL", mutual(kafka, None)


def _no_permission(kafka: KafkaServer, _: Path, password: Path) -> tuple[str, Security]:
    return "SASL", scram(kafka, password, user=OUTSIDER)


def _no_secret(kafka: KafkaServer, folder: Path, _: Path) -> tuple[str, Security]:
    return "SASL", scram(kafka, folder / "absent")


CASES: list[tuple[Case, Trouble]] = [
    (_wrong_password, Trouble.AUTH_REFUSED),
    (_nobodys_name, Trouble.AUTH_REFUSED),
    (_another_authority, Trouble.TLS_REFUSED),
    (_server_that_is_over, Trouble.TLS_REFUSED),
    (_certificate_that_is_over, Trouble.TLS_REFUSED),
    (_certificate_of_a_stranger, Trouble.TLS_REFUSED),
    (_no_certificate, Trouble.TLS_REFUSED),
    (_no_permission, Trouble.NOT_ALLOWED),
    (_no_secret, Trouble.SECRET_MISSING),
]


def test_each_refusal_has_its_name_and_is_told_once(
    tmp_path: Path, kafka: KafkaServer, password: Path
) -> None:
    kafka.create_topics("no.")

    async def refused(case: Case) -> tuple[str, list[tuple[Trouble, bool]]]:
        folder = tmp_path / case.__name__
        folder.mkdir()
        listener, security = case(kafka, folder, password)
        told = Told()
        async with machine(folder / "store", kafka.at[listener], "no.", security, told) as running:
            await running.commit(*SAMPLES)
            await told.heard()
            opened = running.forwarder.standing().reopened
            async with asyncio.timeout(30):
                while running.forwarder.standing().reopened < opened + 2:  # noqa: ASYNC110  # no such event
                    await asyncio.sleep(0.05)
            assert running.forwarder.standing().depth == len(SAMPLES)
            assert await running.outbox.dead_letters(0, 10) == []
        assert PASSWORD not in told.details[0]
        assert "guessed" not in told.details[0]
        return case.__name__, told.said

    async def main() -> dict[str, list[tuple[Trouble, bool]]]:
        return dict(await asyncio.gather(*(refused(case) for case, _ in CASES)))

    assert asyncio.run(main()) == {case.__name__: [(trouble, True)] for case, trouble in CASES}


def test_a_password_that_is_put_right_ends_the_trouble(tmp_path: Path, kafka: KafkaServer) -> None:
    file = secret(tmp_path / "password", "old")
    told = Told()
    kafka.create_topics("again.")

    async def main() -> None:
        store = tmp_path / "store"
        proof = scram(kafka, file)
        async with machine(store, kafka.at["SASL"], "again.", proof, told) as running:
            await running.commit(*SAMPLES)
            await told.heard()
            secret(file, PASSWORD)
            await running.delivered(60)

    asyncio.run(main())
    assert told.said == [(Trouble.AUTH_REFUSED, True), (Trouble.AUTH_REFUSED, False)]


def test_nobody_there_is_no_refusal(tmp_path: Path, kafka: KafkaServer, password: Path) -> None:
    told = Told()

    async def main() -> None:
        proof = scram(kafka, password)
        async with machine(tmp_path / "store", "127.0.0.1:1", "", proof, told) as running:
            await running.commit(*SAMPLES)
            await asyncio.sleep(3)
            standing = running.forwarder.standing()
            assert (standing.state, standing.reopened) == ("sending", 0)

    asyncio.run(main())
    assert told.said == []
