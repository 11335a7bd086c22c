"""Both consumers and the operators' commands, as processes on the embedded broker."""

import json
import re
import socket
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from fleet_processes import LOOK_S, Consumers, publish, until
from machine_stream import ModelMachine
from webhook import Webhook

from vendd.events import TOPICS
from vendd.fleet.database import open_database
from vendd.fleet.envelope import Record


@pytest.fixture
def prefix(mock_kafka: str) -> str:
    """That of topics which exist: the mock cluster makes them when it is asked for them."""
    name = f"p{uuid.uuid4().hex[:8]}."
    asking = Producer({"bootstrap.servers": mock_kafka})
    for topic in TOPICS:
        asking.list_topics(name + topic, timeout=10)
        asking.list_topics(f"{name}{topic}.dlq", timeout=10)
    return name


@pytest.fixture
def consumers(
    mock_kafka: str, prefix: str, webhook: Webhook, tmp_path: Path
) -> Iterator[Consumers]:
    admin = f'every_s = 1\n[[admin]]\nname = "ann"\nurl = "{webhook.url}"\n'
    made = Consumers(mock_kafka, prefix, f"sqlite:///{tmp_path}/fleet.db", tmp_path, admin)
    yield made
    made.end()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def spoiled(record: Record) -> Record:
    """An event whose data is lost: its headers are fine."""
    return replace(record, value=b"\xff\xfe{")


def figures(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in pairs}


def told(webhook: Webhook, wanted: str) -> str:
    """The message with these words in its title, once it came."""
    pause = threading.Event()
    for _ in range(int(30 / LOOK_S)):
        for message in webhook.got:
            if wanted in message["title"]:
                return str(message["message"])
        pause.wait(LOOK_S)
    raise AssertionError(f"{wanted!r} was not told: {webhook.got}")


def test_from_the_machine_to_the_admin_and_back_from_the_dead_letters(
    mock_kafka: str, prefix: str, consumers: Consumers, webhook: Webhook, tmp_path: Path
) -> None:
    machine = ModelMachine(slots=1)
    for _ in range(8):
        machine.sell("A1")
    place = next(n for n, r in enumerate(machine.records) if r.topic == "transaction-events")
    poison = machine.records[place]
    records = [*machine.records[:place], spoiled(poison), *machine.records[place + 1 :]]
    port = free_port()
    consumers.start("inventory", "--metrics-port", str(port))
    consumers.start("notify")
    publish(mock_kafka, prefix, records)
    database = open_database(f"sqlite:///{tmp_path}/fleet.db")
    until(database, "SELECT count(*) FROM dead_letters", 1)

    assert "has 2 left, 6 to its par level" in told(webhook, "low stock m-1")
    assert "transaction-events.dlq: 1" in told(webhook, "dead letters")
    listed = json.loads(consumers.run("alarms", "--json", code=1).stdout)["alarms"]
    number = next(alarm["id"] for alarm in listed if alarm["kind"] == "low_stock")
    assert "taken on by ann" in consumers.run("ack", str(number), "--by", "ann").stdout

    (line, count) = consumers.run("dlq", "list").stdout.splitlines()
    letter, state, who, *_ = line.split("  ")
    assert (state, who, count) == ("open", f"m-1:{place + 1}", "1 dead letter")
    assert re.fullmatch(r"transaction-events\.dlq/\d/0", letter)
    shown = json.loads(consumers.run("dlq", "show", letter, "--json").stdout)
    assert shown["headers"]["dlq_source"] == letter.replace(".dlq", "")
    assert "not JSON" in shown["headers"]["dlq_reason"]
    report = consumers.run("report").stdout
    last = machine.books.seq
    assert f"seq 1..{last}, nothing missing, 1 dead letter ({place + 1})," in report
    refused = consumers.run("dlq", "replay", letter, code=1)
    assert "replay 1 dead letter? Nothing was done; say --yes" in refused.stderr
    consumers.run("dlq", "replay", letter, "--yes")
    until(database, "SELECT count(*) FROM dead_letters WHERE state = 'open'", 1)
    again = json.loads(consumers.run("dlq", "list", "--json").stdout)["letters"]
    assert [each["id"] for each in again] == [letter[:-1] + "1"]
    shown = json.loads(consumers.run("dlq", "show", again[0]["id"], "--json").stdout)
    assert shown["headers"]["dlq_replays"] == "1"
    assert shown["headers"]["ce_id"] == f"m-1:{place + 1}", "a replay keeps the id"
    assert consumers.run("dlq", "drop", "--all", "--yes").stdout == "1 dropped\n"

    publish(mock_kafka, prefix, [poison])  # mended at the source
    until(database, "SELECT count(*) FROM inbox", last)
    assert consumers.run("report").stdout == (
        f"machine m-1: seq 1..{last}, nothing missing, 0 duplicates ignored\n"
    )
    seen = figures(port)
    assert seen['vendd_fleet_events_total{outcome="new"}'] == last
    assert seen['vendd_fleet_events_total{outcome="refused"}'] == 2
    assert seen['vendd_fleet_events_total{outcome="dead_letter"}'] == 2
    assert seen["vendd_fleet_latency_seconds_count"] > 0
    assert 'vendd_fleet_lag{partition="0",topic="transaction-events"}' in seen
    database.close()
    assert consumers.stop() == [0, 0]
