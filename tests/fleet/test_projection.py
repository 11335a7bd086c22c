"""Events in, tables and proofs out: once each, whatever comes twice, late or mixed."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fleet_rig import Rig, numbered, shuffled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine_stream import CAPACITY, PRICE, ModelMachine

from vendd.fleet.database import open_database
from vendd.fleet.database.sqlite import Sqlite
from vendd.fleet.envelope import Record
from vendd.fleet.reconcile import stock


@pytest.fixture
def rig() -> Iterator[Rig]:
    database = Sqlite(":memory:")
    yield Rig(database)
    database.close()


def levels(rig: Rig, machine: str = "m-1") -> dict[str, int]:
    with rig.database.transaction() as session:
        return {each.slot: each.level for each in stock(session, machine)}


def test_a_day_is_projected_and_proven_complete(rig: Rig) -> None:
    machine = ModelMachine()
    machine.random_day(300)
    rig.take(machine.records)
    assert rig.lines() == [
        f"machine m-1: seq 1..{machine.books.seq}, nothing missing, 0 duplicates ignored"
    ]
    assert rig.differences() == []
    moved = {slot for slot, level in machine.books.stock.items() if level != CAPACITY}
    assert {slot: levels(rig)[slot] for slot in moved} == {
        slot: machine.books.stock[slot] for slot in moved
    }
    assert rig.buried == []


def test_duplicates_are_counted_and_change_nothing(rig: Rig) -> None:
    machine = ModelMachine()
    machine.random_day(100)
    rig.take(machine.records)
    before = rig.projection()
    rig.take(numbered([*machine.records, *machine.records[20:57]])[len(machine.records) :])
    assert rig.lines()[0].endswith("nothing missing, 37 duplicates ignored")
    assert rig.projection() == before


def test_a_missing_event_is_named_and_shows_in_the_sums(rig: Rig) -> None:
    machine = ModelMachine(slots=1)
    for _ in range(5):
        machine.sell("A1")
    lost = [r for r in machine.records if b"stock-changed" in dict(r.headers)["ce_type"]][2]
    seq = int(dict(lost.headers)["ce_seq"])
    rig.take([record for record in machine.records if record is not lost])
    assert rig.lines() == [
        f"machine m-1: seq 1..{machine.books.seq}, missing {seq}, 0 duplicates ignored"
    ]
    assert rig.differences() == ["machine m-1: stock A1 is 6 by the events, 5 by the machine"]


def test_a_lost_sale_shows_in_the_totals(rig: Rig) -> None:
    machine = ModelMachine(slots=1)
    for _ in range(4):
        machine.sell("A1")
    closed = [r for r in machine.records if b"sale-closed" in dict(r.headers)["ce_type"]]
    rig.take([record for record in machine.records if record is not closed[1]])
    assert rig.differences() == [
        "machine m-1: sales_count is 3 by the events, 4 by the machine",
        f"machine m-1: sales_value is {3 * PRICE} by the events, {4 * PRICE} by the machine",
    ]


def test_a_restored_machine_opens_an_epoch_and_is_never_merged(rig: Rig) -> None:
    machine = ModelMachine(slots=1)
    machine.sell("A1")
    backup = machine.backup()
    machine.sell("A1")
    machine.refill("A1")
    old = machine.books.seq
    machine.restore(backup)
    machine.sell("A1")
    rig.take(machine.records)
    assert rig.lines() == [
        f"machine m-1: seq 1..{old}, nothing missing",
        f"machine m-1, epoch 2 (went back from {old}): seq {backup.seq + 1}.."
        f"{machine.books.seq}, nothing missing, 0 duplicates ignored",
    ]
    assert rig.differences() == []
    assert levels(rig) == {"A1": CAPACITY - 2}
    assert rig.completeness().conflicts == 0


def test_a_restore_that_is_first_seen_beyond_the_old_numbers_is_still_found(rig: Rig) -> None:
    machine = ModelMachine(slots=1)
    backup = machine.backup()
    machine.sell("A1")
    machine.restore(backup)
    for _ in range(4):
        machine.sell("A1")
    old = [r for r in machine.records if b"boot-1" in dict(r.headers)["ce_bootid"]]
    new = [r for r in machine.records if r not in old]
    rig.take([*old, *(r for r in new if r.topic == "transaction-events")])
    rig.take([r for r in new if r.topic != "transaction-events"])
    assert [epoch.number for epoch in rig.completeness().epochs] == [1, 2]
    assert rig.completeness().complete
    assert rig.differences() == []


def test_a_number_used_twice_in_one_life_is_refused(rig: Rig) -> None:
    machine = ModelMachine()
    machine.fault("started")
    last = machine.records[-1]
    rig.take(machine.records)
    other = replace(last, offset=last.offset + 1, value=last.value.replace(b"EJS", b"EXX"))
    rig.take([other])
    ((record, reason),) = rig.buried
    assert record == other
    assert reason == "number 2 was used before, for something else"
    assert rig.lines()[0].endswith("0 duplicates ignored, 1 number used twice")


def test_a_time_that_was_corrected_makes_no_conflict(rig: Rig) -> None:
    machine = ModelMachine()
    first = machine.records[0]
    headers = tuple((n, b"true" if n == "ce_clocksync" else v) for n, v in first.headers)
    rig.take([first, replace(first, offset=1, headers=headers)])
    assert rig.lines()[0].endswith("1 duplicate ignored")


def thinning(machine: ModelMachine, first: int, last: int) -> Record:
    """The record of thinned telemetry, as the machine's next event."""
    machine.fault("started")
    record = machine.records.pop()
    headers = tuple(
        (n, b"vend.outbox-thinned.v1" if n == "ce_type" else v) for n, v in record.headers
    )
    ranges = [{"from_seq": first, "to_seq": last, "topic": "machine-events", "types": {}}]
    data = {**json.loads(record.value), "ranges": ranges, "reason": "space"}
    return replace(record, headers=headers, value=json.dumps(data).encode())


def test_thinned_numbers_are_accounted_for(rig: Rig) -> None:
    machine = ModelMachine()
    for _ in range(9):
        machine.fault("started")
    kept = [machine.records[0], machine.records[-1], thinning(machine, 2, 9)]
    rig.take(numbered(kept))
    assert rig.lines() == [
        "machine m-1: seq 1..11, nothing missing, 8 thinned, 0 duplicates ignored"
    ]


def test_a_dead_letter_is_accounted_for_until_it_is_replayed(rig: Rig) -> None:
    machine = ModelMachine()
    for _ in range(3):
        machine.fault("started")
    dead = machine.records.pop(2)
    letter = replace(
        dead,
        topic="machine-events.dlq",
        offset=0,
        value=b"",
        headers=(*dead.headers, ("dlq_reason", b"too large")),
    )
    rig.take([*machine.records, letter])
    assert rig.lines() == [
        "machine m-1: seq 1..4, nothing missing, 1 dead letter (3), 0 duplicates ignored"
    ]
    rig.take([replace(dead, offset=9)])
    assert rig.lines() == ["machine m-1: seq 1..4, nothing missing, 0 duplicates ignored"]


def test_a_new_process_goes_on_where_the_last_transaction_ended(tmp_path: Path) -> None:
    machine = ModelMachine()
    machine.random_day(120)
    rig = Rig(open_database(f"sqlite:///{tmp_path}/fleet.db"))
    rig.take(machine.records[:60])
    rig.restart()
    assert sum(rig.begun.values()) == 60
    done = rig.take(machine.records)  # Kafka hands out nothing behind the offsets; the pump neither
    assert (done.new, done.duplicates) == (len(machine.records) - 60, 0)
    assert rig.completeness().complete


days = st.integers(0, 2**32)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days, st.integers(20, 150), st.booleans(), st.lists(st.integers(0, 10_000), max_size=20))
def test_order_mixture_and_repetition_make_no_difference(
    seed: int, events: int, restored: bool, repeated: list[int]
) -> None:
    chance = random.Random(seed)
    machine = ModelMachine(chance=chance)
    machine.random_day(events)
    if restored:
        backup = machine.backup()
        machine.random_day(events // 2)
        machine.restore(backup)
        machine.random_day(events)
    straight = Rig(Sqlite(":memory:"))
    straight.take(machine.records)
    mixed = shuffled(machine.records, chance)
    for place in repeated:
        again = mixed[place % len(mixed)]
        mixed.insert(chance.randrange(mixed.index(again) + 1, len(mixed) + 1), again)
    other = Rig(Sqlite(":memory:"))
    other.take(numbered(mixed), size=chance.randrange(1, 40))
    assert other.projection() == straight.projection()
    proof = other.completeness()
    assert proof.complete
    assert proof.duplicates == len(repeated)
    assert len(proof.epochs) == 1 + restored
    assert other.differences() == []
    assert proof.epochs[-1].last == machine.books.seq


@settings(max_examples=25, deadline=None)
@given(days, st.sets(st.integers(0, 200), max_size=12))
def test_what_is_missing_is_named_exactly(seed: int, lost: set[int]) -> None:
    chance = random.Random(seed)
    machine = ModelMachine(chance=chance)
    machine.random_day(80)
    last = len(machine.records)
    gone = {place % last for place in lost} - {last - 1}
    kept = [record for place, record in enumerate(machine.records) if place not in gone]
    rig = Rig(Sqlite(":memory:"))
    rig.take(numbered(shuffled(kept, chance)))
    (epoch,) = rig.completeness().epochs
    named = [n for first, last in epoch.missing for n in range(first, last + 1)]
    assert named == sorted(place + 1 for place in gone)
