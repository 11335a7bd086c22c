"""Beside the contract: librdkafka's errors, its log, and a stop of the loop under it."""

import asyncio

import pytest
from confluent_kafka import KafkaError

from vendd.links.kafka import LibrdkafkaBroker, classify
from vendd.ports import DeliveryFailed

PERMANENT = ["MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD"]
TRANSIENT = [
    "_TRANSPORT",
    "_ALL_BROKERS_DOWN",
    "_MSG_TIMED_OUT",
    "_PURGE_QUEUE",
    "_PURGE_INFLIGHT",
    "_UNKNOWN_TOPIC",
    "_AUTHENTICATION",
    "NOT_ENOUGH_REPLICAS",
    "TOPIC_AUTHORIZATION_FAILED",
    "UNKNOWN_TOPIC_OR_PART",
    "REQUEST_TIMED_OUT",
    "INVALID_TIMESTAMP",
]


@pytest.mark.parametrize("name", PERMANENT)
def test_what_is_about_the_message_is_permanent(name: str) -> None:
    failure = classify(KafkaError(getattr(KafkaError, name)))
    assert (failure.permanent, failure.fatal) == (True, False)
    assert name in str(failure)


@pytest.mark.parametrize("name", TRANSIENT)
def test_what_is_about_the_deployment_waits(name: str) -> None:
    failure = classify(KafkaError(getattr(KafkaError, name)))
    assert (failure.permanent, failure.fatal) == (False, False)


@pytest.mark.parametrize(
    "error",
    [
        KafkaError(KafkaError._FATAL),
        KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True),
    ],
)
def test_fatal_ends_the_producer(error: KafkaError) -> None:
    failure = classify(error)
    assert (failure.permanent, failure.fatal) == (False, True)


def test_wrong_options_are_refused_when_connecting() -> None:
    async def main() -> None:
        with pytest.raises(DeliveryFailed, match=r"no\.such\.option"):
            LibrdkafkaBroker("127.0.0.1:1", "m1", {"no.such.option": "1"})

    asyncio.run(main())


def test_the_log_reaches_the_loop_and_not_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    async def main() -> list[str]:
        lines: list[str] = []
        heard = asyncio.Event()

        def said(_: int, text: str) -> None:
            lines.append(text)
            heard.set()

        broker = LibrdkafkaBroker("127.0.0.1:1", "m1", said=said)
        async with asyncio.timeout(20):
            await heard.wait()
        await broker.close()
        return lines

    assert any("Connect" in line or "brokers" in line for line in asyncio.run(main()))
    assert capfd.readouterr().err == ""


def test_a_loop_that_is_gone_does_not_hurt_the_thread() -> None:
    async def main() -> LibrdkafkaBroker:
        return LibrdkafkaBroker("127.0.0.1:1", "m1")

    broker = asyncio.run(main())  # the daemon died on an error: nobody closed
    broker._closing.set()
    broker._thread.join(10)
    assert not broker._thread.is_alive()
