"""Days on which a machine's past or its clock isn't what its broker believes."""

import asyncio
import shutil
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from kafka_server import KafkaServer
from store_to_kafka import CONTEXT, SAMPLES, machine
from test_bad_days import IMPATIENT, everything
from test_secure_kafka import Told

from hw_sim.consumer import read_all
from vendd.events import TOPICS
from vendd.fleet.completeness import completeness
from vendd.fleet.contract import checks
from vendd.fleet.database import migrate, open_database
from vendd.fleet.envelope import Record
from vendd.fleet.inventory import Inventory
from vendd.fleet.pump import Offsets, Pump
from vendd.ports import Trouble

_AGREE = {"message.timestamp.before.max.ms": "9223372036854775807"}


@pytest.mark.real_server
@pytest.mark.timeout(300)
def test_a_broker_that_refuses_our_time_is_told_and_waited_for(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    # What is sent is always too old for this one, as all is for a machine whose clock stands in
    # 1970, or too new (an hour is the default of Kafka 4) for one whose clock is ahead.
    kafka.create_topics("wrong-time.", **{"message.timestamp.before.max.ms": "0"})
    told = Told()

    async def main() -> int:
        async with machine(
            tmp_path, kafka.bootstrap, "wrong-time.", told=told, options=IMPATIENT
        ) as running:
            await running.commit(*SAMPLES * 5)  # in batches it is called an invalid record
            await told.heard()
            await running.commit(*SAMPLES)
            assert await running.outbox.dead_letters(0, 9) == []
            await asyncio.to_thread(kafka.configure_topics, "wrong-time.", **_AGREE)
            await running.delivered(120)
            return running.last_seq

    last_seq = asyncio.run(main())
    assert {trouble for trouble, _ in told.said} == {Trouble.CLOCK_REFUSED}
    assert told.said[-1] == (Trouble.CLOCK_REFUSED, False)
    everything(kafka, "wrong-time.", last_seq)


class _Noon:
    def now_ms(self) -> int:
        return 1_800_000_000_000


def test_a_machine_restored_from_an_old_backup_is_found_out_and_never_merged(
    tmp_path: Path, mock_kafka: str
) -> None:
    prefix = f"backup{uuid.uuid4().hex[:8]}."

    async def life(boot: str, count: int, commits: int) -> int:
        context = replace(CONTEXT, boot_id=boot, boot_count=count)
        async with machine(tmp_path / "store", mock_kafka, prefix, context=context) as running:
            for _ in range(commits):
                await running.commit(*SAMPLES)
            await running.delivered()
            return running.last_seq

    assert asyncio.run(life("first", 1, 3)) == 12
    shutil.copytree(tmp_path / "store", tmp_path / "backup")
    assert asyncio.run(life("second", 2, 4)) == 28
    shutil.rmtree(tmp_path / "store")
    shutil.copytree(tmp_path / "backup", tmp_path / "store")
    assert asyncio.run(life("third", 2, 2)) == 20  # counts on from where the backup stood

    assert _report(tmp_path, mock_kafka, prefix) == [
        "machine demo-0001: seq 1..28, nothing missing",
        "machine demo-0001, epoch 2 (went back from 28): seq 13..20, nothing missing,"
        " 0 duplicates ignored",
    ]


def _report(folder: Path, bootstrap: str, prefix: str) -> list[str]:
    """What the backend's own consumer says of everything that stands in the topics."""
    database = open_database(f"sqlite:///{folder}/fleet.db")
    migrate(database)
    clock = _Noon()
    pump = Pump(
        database,
        Offsets("inventory", "test"),
        Inventory(database, "test", clock),
        checks(),
        lambda _record, _reason: False,
        clock,
        lambda _seconds: None,
    )
    pump.assigned([(topic, 0) for topic in TOPICS])
    places = dict.fromkeys(TOPICS, 0)
    records = []
    for received in read_all(bootstrap, TOPICS, prefix):
        topic = received.topic.removeprefix(prefix)
        headers = tuple((name, value.encode()) for name, value in received.headers.items())
        offset, places[topic] = places[topic], places[topic] + 1
        now_ms = clock.now_ms()
        records.append(
            Record(topic, 0, offset, now_ms, received.key, received.value, headers, now_ms)
        )
    pump.take(records)
    with database.transaction() as session:
        lines = completeness(session, CONTEXT.machine).lines()
    database.close()
    return lines
