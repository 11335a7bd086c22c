"""Both consumers and the operators' commands, as processes on the embedded broker."""

import json
import re
import socket
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
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


def figures_when(port: int, true: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """The figures once this holds: counted after the commit that a test sees, lags told every
    few seconds."""
    pause = threading.Event()
    for _ in range(int(30 / LOOK_S)):
        if true(seen := figures(port)):
            return seen
        pause.wait(LOOK_S)
    raise AssertionError(f"not what was waited for: {seen}")


def told(webhook: Webhook, wanted: str) -> str:
    """The message with these words in its title, once it came."""
    pause = threading.Event()
    for _ in range(int(30 / LOOK_S)):
        for message in webhook.got:
            if wanted in message["title"]:
                return str(message["message"])
        pause.wait(LOOK_S)
    raise AssertionError(f"{wanted!r} was not told: {webhook.got}")


class Scene:
    """A machine whose first sale arrived without its data, and both consumers at work."""

    def __init__(self, bootstrap: str, prefix: str, consumers: Consumers, folder: Path) -> None:
        self.machine = ModelMachine(slots=1)
        for _ in range(8):
            self.machine.sell("A1")
        records = self.machine.records
        place = next(n for n, r in enumerate(records) if r.topic == "transaction-events")
        self.whole, self.number = records[place], place + 1
        self.consumers, self.port = consumers, free_port()
        consumers.start("inventory", "--metrics-port", str(self.port))
        consumers.start("notify")
        self.mended = (bootstrap, prefix, [self.whole])
        publish(bootstrap, prefix, [*records[:place], spoiled(self.whole), *records[place + 1 :]])
        self.database = open_database(f"sqlite:///{folder}/fleet.db")
        until(self.database, "SELECT count(*) FROM dead_letters", 1)

    def report(self) -> str:
        return self.consumers.run("report").stdout.removeprefix("machine m-1: seq 1..")

    def show(self, letter: str) -> dict[str, str]:
        shown = json.loads(self.consumers.run("dlq", "show", letter, "--json").stdout)
        headers: dict[str, str] = shown["headers"]
        return headers


def test_from_the_machine_to_the_admin_and_back_from_the_dead_letters(
    mock_kafka: str, prefix: str, consumers: Consumers, webhook: Webhook, tmp_path: Path
) -> None:
    scene = Scene(mock_kafka, prefix, consumers, tmp_path)
    last = scene.machine.books.seq
    admin_is_told_and_takes_it_on(consumers, webhook)
    letter = dead_letter_is_replayed_under_its_id(scene)
    assert consumers.run("dlq", "drop", "--all", "--yes").stdout == "1 dropped\n"
    assert letter.endswith("/1")
    publish(*scene.mended)
    until(scene.database, "SELECT count(*) FROM inbox", last)
    assert scene.report() == f"{last}, nothing missing, 0 duplicates ignored\n"
    lag = 'vendd_fleet_lag{partition="0",topic="transaction-events"}'
    new = 'vendd_fleet_events_total{outcome="new"}'
    seen = figures_when(scene.port, lambda now: now.get(new) == last and lag in now)
    assert seen[new] == last
    assert seen['vendd_fleet_events_total{outcome="refused"}'] == 2
    assert seen['vendd_fleet_events_total{outcome="dead_letter"}'] == 2
    assert seen["vendd_fleet_latency_seconds_count"] > 0
    scene.database.close()
    assert consumers.stop() == [0, 0]


def admin_is_told_and_takes_it_on(consumers: Consumers, webhook: Webhook) -> None:
    assert "has 2 left, 6 to its par level" in told(webhook, "low stock m-1")
    assert "transaction-events.dlq: 1" in told(webhook, "dead letters")
    listed = json.loads(consumers.run("alarms", "--json", code=1).stdout)["alarms"]
    number = next(alarm["id"] for alarm in listed if alarm["kind"] == "low_stock")
    assert "taken on by ann" in consumers.run("ack", str(number), "--by", "ann").stdout


def dead_letter_is_replayed_under_its_id(scene: Scene) -> str:
    """It can't be mended by that: it comes back as the next letter, whose id is returned."""
    consumers, number = scene.consumers, scene.number
    (line, count) = consumers.run("dlq", "list").stdout.splitlines()
    letter, state, who, *_ = line.split("  ")
    assert (state, who, count) == ("open", f"m-1:{number}", "1 dead letter")
    assert re.fullmatch(r"transaction-events\.dlq/\d/0", letter)
    headers = scene.show(letter)
    assert headers["dlq_source"] == letter.replace(".dlq", "")
    assert "not JSON" in headers["dlq_reason"]
    assert f"nothing missing, 1 dead letter ({number})," in scene.report()
    refused = consumers.run("dlq", "replay", letter, code=1)
    assert "replay 1 dead letter? Nothing was done; say --yes" in refused.stderr
    assert consumers.run("dlq", "replay", letter, "--yes").stdout == "1 replayed\n"
    until(scene.database, "SELECT count(*) FROM dead_letters", 2)
    (again,) = json.loads(consumers.run("dlq", "list", "--json").stdout)["letters"]
    assert again["id"] == letter[:-1] + "1"
    headers = scene.show(again["id"])
    assert headers["dlq_replays"] == "1"
    assert headers["ce_id"] == f"m-1:{number}"
    return str(again["id"])
