"""The simulated fleet: what its machines tell is true, in order, and comes at the rate."""

import random
import threading
import uuid
from collections import Counter

import pytest
from fleet_rig import Rig, numbered

from hw_sim.__main__ import main
from hw_sim.consumer import read_all
from hw_sim.fleet.day import CUSTOMERS, DAY_MS, HOUR_MS, FleetMachine
from hw_sim.fleet.load import Achieved, Load, run, verdict
from hw_sim.fleet.topics import make
from vendd.events import TOPICS
from vendd.fleet.database.sqlite import Sqlite
from vendd.fleet.envelope import Record
from vendd.fleet.reconcile import stock
from vendd.ports import Message

BORN_MS = 1_800_000_000_000 // DAY_MS * DAY_MS
DAYS = 12


class Diary:
    """What one machine published, and when."""

    def __init__(self, days: int, seed: int = 1) -> None:
        self.records: list[Record] = []
        self.types: Counter[str] = Counter()
        self.sales_ms: list[int] = []
        self._now_ms = BORN_MS
        self.machine = FleetMachine("m-1", BORN_MS, self._publish, random.Random(seed))
        while self.machine.next_ms < BORN_MS + days * DAY_MS:
            self._now_ms = self.machine.next_ms
            self.machine.act()

    def _publish(self, message: Message) -> None:
        type_ = dict(message.headers)["ce_type"].decode().removeprefix("vend.")
        self.types[type_.removesuffix(".v1")] += 1
        if type_ == "sale-closed.v1":
            self.sales_ms.append(self._now_ms)
        place = len(self.records)
        self.records.append(
            Record(
                message.topic, 0, place, self._now_ms, message.key, message.value, message.headers
            )
        )


@pytest.fixture(scope="module")
def diary() -> Diary:
    return Diary(DAYS)


def test_the_projection_is_the_machines_own_truth(diary: Diary) -> None:
    machine, rig = diary.machine, Rig(Sqlite(":memory:"))
    rig.take(numbered(diary.records))
    assert rig.buried == []
    last = machine.books.seq
    assert rig.lines() == [f"machine m-1: seq 1..{last}, nothing missing, 0 duplicates ignored"]
    assert rig.differences() == []
    with rig.database.transaction() as session:
        ((sold, value),) = session.rows("SELECT sum(sold), sum(value) FROM totals")
        levels = {slot.slot: slot.level for slot in stock(session, "m-1")}
        assert session.rows("SELECT * FROM unknowns") == []
    assert (sold, value) == (machine.books.sales_count, machine.books.sales_value)
    assert levels == machine.books.stock


def test_a_day_is_as_long_and_as_busy_as_it_should_be(diary: Diary) -> None:
    types = diary.types
    for every_quarter in (types["heartbeat"], types["temperature"]):
        assert DAYS * 96 - 4 <= every_quarter <= DAYS * 96
    assert (
        DAYS * 0.8 < (types["sale-closed"] + types["credit-closed"]) / sum(CUSTOMERS) < DAYS * 1.2
    )
    assert types["stock-snapshot"] == DAYS + types["cash-collected"]
    open_hours = {hour for hour, customers in enumerate(CUSTOMERS) if customers}
    assert {sold_ms % DAY_MS // HOUR_MS for sold_ms in diary.sales_ms} <= open_hours


def test_slots_that_run_low_bring_the_driver(diary: Diary) -> None:
    types = diary.types
    assert types["low-stock-alert"] > 2 * types["visit"] > 0
    assert types["visit"] == 2 * types["cash-collected"]
    assert types["sale-refused"] < types["sale-closed"] / 20


def test_the_same_seed_makes_the_same_fleet(diary: Diary) -> None:
    again = [record.value for record in Diary(3).records]
    assert again == [record.value for record in diary.records[: len(again)]]
    assert again != [record.value for record in Diary(3, seed=2).records]


@pytest.fixture
def prefix() -> str:
    return f"load{uuid.uuid4().hex[:8]}."


def test_everything_arrives_in_order_and_not_faster_than_asked(
    mock_kafka: str, prefix: str
) -> None:
    make(mock_kafka, prefix, 4)
    load = Load(mock_kafka, 7, 1_000.0, 0.6, "sim", prefix)
    achieved = run(load, threading.Event(), str)
    assert achieved.delivered == achieved.sent > 7
    assert achieved.sent <= load.rate * (achieved.seconds + 0.1)
    received = read_all(mock_kafka, TOPICS, prefix)
    assert len(received) == achieved.sent
    seen: dict[tuple[str, str], int] = {}
    for message in received:
        topicseq = int(message.headers["ce_topicseq"])
        assert topicseq == seen.get((message.machine, message.topic), 0) + 1
        seen[message.machine, message.topic] = topicseq
    assert {machine for machine, _ in seen} == {f"sim-{n}" for n in range(1, 8)}


def test_the_command_says_what_it_achieved(
    mock_kafka: str, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--machines", "3", "--rate", "50", "--seconds", "0.3", "--name", "x"]
    main(["fleet", *options, "--bootstrap", mock_kafka, "--topic-prefix", prefix])
    said = capsys.readouterr().out
    assert "SIMULATED fleet of 3 machines called x-…, seed 1." in said
    assert "partitions: transaction-events 4" in said
    assert "events of 3 machines in 0." in said
    assert "asked for 50 /s" in said
    assert " delivered, 0 failed\n" in said


LOAD = Load("kafka:1", 10, 1_000, 10, "sim")
VERDICTS = [
    (Achieved(10_000, 10_000, 7_690_000, 10.0), 0, "10,000 delivered, 0 failed"),
    (Achieved(10_000, 9_999, 1, 10.0, failed=1, failure="gone"), 1, "not take everything: gone"),
    (Achieved(10_000, 9_999, 1, 10.0), 1, "not take everything: no answer"),
    (Achieved(9_000, 9_000, 1, 10.0), 1, "FELL SHORT of the rate: this process can't encode more"),
    (Achieved(9_000, 9_000, 1, 10.0, full_s=4), 1, "FELL SHORT of the rate: Kafka took no more"),
]


@pytest.mark.parametrize(("achieved", "status", "last"), VERDICTS)
def test_the_verdict(achieved: Achieved, status: int, last: str) -> None:
    code, lines = verdict(LOAD, achieved)
    assert code == status
    assert last in lines[-1]


def test_a_broker_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hw_sim.fleet.topics._ANSWER_S", 0.1)
    assert main(["fleet", "--bootstrap", "127.0.0.1:1"]) == 1
    assert "hw_sim: Kafka at 127.0.0.1:1 does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--machines", "0"), ("--machines", "many"), ("--rate", "-1"), ("--rate", "nan"),
     ("--rate", "inf"), ("--seconds", "0"), ("--partitions", "1.5")],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fleet", option, value])
    assert ended.value.code == 2
    assert f"argument {option}: {value} is not a number" in capsys.readouterr().err
