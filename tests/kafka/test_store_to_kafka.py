"""From a commit in SQLite to a consumer that is not ours (E1): CloudEvents and schemas."""

import asyncio
import json
import subprocess
import uuid
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from servers import need
from store_to_kafka import SAMPLES, machine

from hw_sim.consumer import read_all
from hw_sim.received import audit
from vendd.events import TOPICS
from vendd.events.schemas import load


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:8]}."


def test_what_is_committed_is_delivered_once_and_in_order(
    tmp_path: Path, mock_kafka: str, prefix: str
) -> None:
    async def main() -> int:
        async with machine(tmp_path, mock_kafka, prefix) as running:
            for _ in range(25):
                await running.commit(*SAMPLES)
            await running.delivered()
            return running.last_seq

    last_seq = asyncio.run(main())
    received = read_all(mock_kafka, TOPICS, prefix)
    result = audit(received, last_seq)
    assert (result.received, result.missing, result.duplicates) == (100, (), 0)
    assert result.in_order
    for topic in TOPICS:
        topicseqs = [r.headers["ce_topicseq"] for r in received if r.topic == prefix + topic]
        assert topicseqs == [str(number) for number in range(1, 26)]


def test_what_one_life_could_not_deliver_the_next_one_does(
    tmp_path: Path, mock_kafka: str, prefix: str
) -> None:
    async def offline() -> None:
        async with machine(tmp_path, "127.0.0.1:1", prefix) as running:
            for _ in range(700):
                await running.commit(SAMPLES[0])
            assert running.forwarder.standing().depth == 700

    async def online() -> int:
        async with machine(tmp_path, mock_kafka, prefix) as running:
            assert running.last_seq == 700
            await running.commit(SAMPLES[0])
            await running.delivered()
            return running.last_seq

    asyncio.run(offline())
    assert asyncio.run(online()) == 701
    result = audit(read_all(mock_kafka, TOPICS, prefix), 701)
    assert (result.missing, result.duplicates, result.in_order) == ((), 0, True)


def test_the_watermark_survives_so_the_next_life_sends_nothing_again(
    tmp_path: Path, mock_kafka: str, prefix: str
) -> None:
    async def life() -> None:
        async with machine(tmp_path, mock_kafka, prefix) as running:
            await running.commit(*SAMPLES)
            await running.delivered()

    asyncio.run(life())
    asyncio.run(life())
    result = audit(read_all(mock_kafka, TOPICS, prefix), 8)
    assert (result.missing, result.duplicates) == ((), 0)


def test_kcat_reads_cloudevents_whose_data_fits_the_schemas(
    tmp_path: Path, mock_kafka: str, prefix: str
) -> None:
    need("kcat")

    async def main() -> None:
        async with machine(tmp_path, mock_kafka, prefix) as running:
            await running.commit(*SAMPLES)
            await running.delivered()

    asyncio.run(main())
    for topic in TOPICS:
        command = ["kcat", "-b", mock_kafka, "-t", prefix + topic, "-C", "-e", "-J", "-q"]
        said = subprocess.run(command, capture_output=True, check=True, timeout=30)
        (message,) = [json.loads(line) for line in said.stdout.splitlines()]
        headers = dict(zip(message["headers"][::2], message["headers"][1::2], strict=True))
        assert message["key"] == "demo-0001"
        assert headers["ce_specversion"] == "1.0"
        assert headers["content-type"] == "application/json"
        assert headers["ce_id"] == f"demo-0001:{headers['ce_seq']}"
        data = json.loads(message["payload"])
        Draft202012Validator(load(headers["ce_type"])).validate(data)
