"""Alarms from events and rules, each one row from raised to over."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fleet_rig import SetClock
from machine_stream import ModelMachine

from vendd.fleet.alarms.book import Alarm, AlarmBook, Lease, acknowledge, open_alarms
from vendd.fleet.alarms.condition import Condition, Severity
from vendd.fleet.alarms.from_events import turns
from vendd.fleet.alarms.handler import Alarming
from vendd.fleet.alarms.rules import Limits
from vendd.fleet.contract import checks
from vendd.fleet.database import migrate
from vendd.fleet.database.sqlite import Sqlite
from vendd.fleet.envelope import Event, Record, decode

CHECKS = checks()
QUIET_MS = 30 * 60_000
LOW = Condition("m-1", "low_stock", "A1", Severity.WARNING, "2 left")


@pytest.fixture
def database() -> Iterator[Sqlite]:
    opened = Sqlite(":memory:")
    migrate(opened)
    yield opened
    opened.close()


def act(database: Sqlite, now_ms: int, *raised: Condition, clear: bool = False) -> list[Alarm]:
    with database.transaction() as session:
        book = AlarmBook(session, now_ms, QUIET_MS)
        for condition in raised:
            if clear:
                book.clear(*condition.subject)
            else:
                book.raise_(condition)
        return open_alarms(session)


def test_an_alarm_is_raised_once_and_its_words_renewed(database: Sqlite) -> None:
    act(database, 1, LOW)
    (alarm,) = act(database, 2, replace(LOW, said="1 left"))
    assert (alarm.id, alarm.raised_ms, alarm.times, alarm.said) == (1, 1, 1, "1 left")
    assert str(alarm) == "machine m-1: low stock: 1 left"


def test_what_flutters_is_one_alarm(database: Sqlite) -> None:
    act(database, 1, LOW)
    assert act(database, 2, LOW, clear=True) == []
    (alarm,) = act(database, 2 + QUIET_MS, LOW)
    assert (alarm.id, alarm.times) == (1, 2)


def test_what_comes_back_much_later_is_a_new_one(database: Sqlite) -> None:
    act(database, 1, LOW)
    act(database, 2, LOW, clear=True)
    (alarm,) = act(database, 3 + QUIET_MS, LOW)
    assert (alarm.id, alarm.times) == (2, 1)


def test_rules_settle_their_own_kinds_only(database: Sqlite) -> None:
    silent = Condition("m-1", "silent", "", Severity.CRITICAL, "silent")
    gap = Condition("m-2", "seq_gap", "1", Severity.CRITICAL, "gap")
    act(database, 1, LOW, silent, gap)
    with database.transaction() as session:
        book = AlarmBook(session, 2, QUIET_MS)
        book.settle([], {"silent", "seq_gap"}, undecided=["m-2"])
        assert [alarm.kind for alarm in open_alarms(session)] == ["low_stock", "seq_gap"]
        book.settle([silent], {"silent", "seq_gap"})
        assert [alarm.kind for alarm in open_alarms(session)] == ["low_stock", "silent"]


def test_an_alarm_is_taken_on_once(database: Sqlite) -> None:
    act(database, 1, LOW)
    with database.transaction() as session:
        assert acknowledge(session, 1, "ann", 5).acked_by == "ann"
        assert acknowledge(session, 1, "bob", 6).acked_by == "ann"
        with pytest.raises(KeyError):
            acknowledge(session, 7, "bob", 6)


def test_a_lease_has_one_holder_and_falls_free(database: Sqlite) -> None:
    one, other = Lease("x", "one", 100), Lease("x", "other", 100)
    with database.transaction() as session:
        assert one.take(session, 1_000)
        assert not other.take(session, 1_050)
        assert one.take(session, 1_090)
        assert not other.take(session, 1_190)
        assert other.take(session, 1_191)
        assert not one.take(session, 1_200)


# --- events --------------------------------------------------------------------------------


def event(type_: str, **data: object) -> Event:
    machine = ModelMachine()
    machine.fault("started")
    record = machine.records[-1]
    headers = tuple(
        (n, f"vend.{type_}.v1".encode() if n == "ce_type" else v) for n, v in record.headers
    )
    actor = {"kind": "system"}
    value = json.dumps({**data, "actor": actor}).encode()
    return decode(replace(record, headers=headers, value=value), CHECKS)


MONEY = {"currency": "EUR", "exponent": 2}
VERSIONS = {"planogram_ver": 1, "price_ver": 1, "config_hash": "c", "software": "1"}
SLOT = {"slot": "A1", "product_id": "cola", **VERSIONS}
LOW_STOCK = {"level": 2, "threshold": 2, "par": 8, "needed": 6, "product_level_machine": 2, **SLOT}
SOLD_OUT = {
    "kind": "counted",
    "slots_left_for_product": 0,
    "machine_sold_out_share": 0.1,
    **SLOT,
}
EXPIRY = {"earliest_expiry": "2027-01-01", "locked": False, **SLOT}
FAULT = {
    "fault_id": "f1",
    "code": "EJS",
    "device": "motor",
    "stops": ["A1"],
    "count": 1,
    "detail": "stuck",
}
DOOR = {"credit_at_open": 0, "sale_in_flight": False, **MONEY}
SECURITY = {"kind": "tilt", "device": "cabinet", "count": 2, "action_taken": "locked", **MONEY}
COUNTED = {"collection_no": 7, "counted": [], "by": "room", **MONEY}
VISIT = {
    "visit_id": "v1",
    "operator": "ann",
    "role": "driver",
    "door_seconds": 9,
    "tasks": [],
    "faults_before": [],
    "sellable_slots_before": 1,
}

# (event, its data, kind and item, on or off; None: nothing)
ROWS: list[tuple[str, dict[str, object], tuple[str, str, bool] | None]] = [
    ("low-stock-alert", {**LOW_STOCK, "state": "raised"}, ("low_stock", "A1", True)),
    ("low-stock-alert", {**LOW_STOCK, "state": "cleared"}, ("low_stock", "A1", False)),
    ("sold-out", {**SOLD_OUT, "state": "raised"}, ("sold_out", "A1", True)),
    ("sold-out", {**SOLD_OUT, "state": "cleared"}, ("sold_out", "A1", False)),
    ("expiry-alert", {**EXPIRY, "level": 3}, ("expiry", "A1", True)),
    ("expiry-alert", {**EXPIRY, "level": 0}, ("expiry", "A1", False)),
    ("fault", {**FAULT, "state": "started", "severity": "down"}, ("fault", "f1", True)),
    ("fault", {**FAULT, "state": "ended", "severity": "down"}, ("fault", "f1", False)),
    ("door", {**DOOR, "state": "left_open"}, ("door_left_open", "", True)),
    ("door", {**DOOR, "state": "closed"}, ("door_left_open", "", False)),
    ("security", SECURITY, ("security", "tilt", True)),
    ("cash-counted", {**COUNTED, "difference": -500}, ("cash_short", "7", True)),
    ("cash-counted", {**COUNTED, "difference": -499}, None),
    ("visit", {**VISIT, "state": "entered"}, None),
    ("visit", {**VISIT, "state": "left", "faults_after": []}, None),
    (
        "visit",
        {**VISIT, "state": "left", "faults_after": ["f1"]},
        ("visit_left_fault", "v1", True),
    ),
]


@pytest.mark.parametrize(("type_", "data", "expected"), ROWS)
def test_what_an_event_means(
    type_: str, data: dict[str, object], expected: tuple[str, str, bool] | None
) -> None:
    found = turns(event(type_, **data), Limits())
    told = [(turn.condition.kind, turn.condition.item, turn.on) for turn in found]
    assert told == ([] if expected is None else [expected])
    assert all(turn.condition.said for turn in found)


def test_a_fault_is_as_severe_as_the_machine_says() -> None:
    def severity(word: str) -> Severity:
        data = {**FAULT, "state": "started", "severity": word}
        return turns(event("fault", **data), Limits())[0].condition.severity

    words = ["info", "degraded", "no_cash", "slot_off", "down", "grave"]
    assert [severity(word) for word in words] == [1, 2, 2, 2, 3, 2]


class Consumer:
    """The notification group's handler on a database."""

    def __init__(self, database: Sqlite) -> None:
        self._database = database
        self._alarming = Alarming("notify", Limits(), QUIET_MS, SetClock())

    def take(self, records: list[Record]) -> tuple[int, int]:
        events = [decode(record, CHECKS) for record in records]
        with self._database.transaction() as session:
            handled = self._alarming.handle(session, events, [])
        return handled.new, handled.duplicates

    def open(self) -> list[str]:
        with self._database.transaction() as session:
            return [f"{alarm.kind} {alarm.item}" for alarm in open_alarms(session)]


def test_an_event_that_comes_again_raises_nothing_again(database: Sqlite) -> None:
    machine, consumer = ModelMachine(), Consumer(database)
    machine.fault("started")
    machine.fault("ended")
    assert consumer.take(machine.records) == (3, 0)
    assert consumer.take(machine.records[:2]) == (0, 2)
    assert consumer.open() == []


def test_a_restored_machine_is_heard_again(database: Sqlite) -> None:
    machine, consumer = ModelMachine(), Consumer(database)
    backup = machine.backup()
    machine.fault("started", "f1")
    machine.fault("ended", "f1")
    machine.restore(backup)
    machine.fault("started", "f2")
    assert consumer.take(machine.records) == (len(machine.records), 0)
    assert consumer.open() == ["fault f2"]
