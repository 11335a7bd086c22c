"""Garbage on a topic: put aside with its reason, and the rest flows on."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from fleet_rig import CHECKS, Rig, numbered
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_stream import ModelMachine

from vendd.fleet.database import DatabaseDown, DatabaseRefused, Session
from vendd.fleet.database.sqlite import Sqlite
from vendd.fleet.deadletters import filed
from vendd.fleet.envelope import Event, Identity, Poison, Record, decode
from vendd.fleet.pump import ATTEMPTS, Fenced
from vendd.fleet.replay import ready


@pytest.fixture
def rig() -> Iterator[Rig]:
    database = Sqlite(":memory:")
    yield Rig(database)
    database.close()


def good() -> Record:
    machine = ModelMachine(slots=1)
    machine.sell("A1")
    return next(r for r in machine.records if b"sale-closed" in dict(r.headers)["ce_type"])


def header(record: Record, name: str, value: bytes | None) -> Record:
    kept = tuple((n, v) for n, v in record.headers if n != name)
    return replace(record, headers=kept if value is None else (*kept, (name, value)))


def data(record: Record, **changes: object) -> Record:
    value = {**json.loads(record.value), **changes}
    return replace(record, value=json.dumps(value).encode())


# (what is wrong with it, what is said, whether its headers still tell which event it is)
ROWS: list[tuple[Callable[[Record], Record], str, bool]] = [
    (lambda r: replace(r, value=b"\xff\xfe"), "the data is not JSON", True),
    (lambda r: replace(r, value=b""), "the data is not JSON", True),
    (lambda r: replace(r, value=b"[1]"), "the data is no object", True),
    (lambda r: replace(r, value=b'{"a": NaN}'), "NaN is not JSON", True),
    (lambda r: replace(r, value=b"[" * 100_000), "the data is not JSON", True),
    (lambda r: replace(r, value=b"9" * 10_000), "the data is not JSON", True),
    (lambda r: data(r, price_charged="1.50"), "price_charged is no integer", True),
    (lambda r: data(r, price_charged=2**64), "outside", True),
    (lambda r: data(r, slot="A\0"), "slot contains NUL", True),
    (lambda r: data(r, tenders=[{}]), "tenders.applied is missing", True),
    (lambda r: header(r, "ce_specversion", b"2.0"), "ce_specversion is b'2.0'", False),
    (lambda r: header(r, "ce_specversion", None), "ce_specversion is None", False),
    (lambda r: header(r, "ce_machine", None), "ce_machine is missing", False),
    (lambda r: header(r, "ce_machine", b"\xff"), "not UTF-8", False),
    (lambda r: header(r, "ce_seq", b"-1"), "ce_seq is b'-1'", False),
    (lambda r: header(r, "ce_seq", b"9" * 30), "ce_seq is", False),
    (lambda r: header(r, "ce_seq", "١".encode()), "ce_seq is", False),
    (lambda r: header(r, "ce_bootcount", b"0"), "ce_bootcount is b'0'", False),
    (lambda r: header(r, "ce_topicseq", b"x"), "ce_topicseq is b'x'", True),
    (lambda r: header(r, "ce_uptimems", None), "ce_uptimems is b''", True),
    (lambda r: header(r, "ce_type", None), "ce_type is missing or no name", True),
    (lambda r: replace(r, key=b"m-2"), "is not that of ce_machine 'm-1'", False),
    (lambda r: replace(r, headers=()), "ce_specversion is None", False),
]


@pytest.mark.parametrize(("spoil", "said", "known"), ROWS)
def test_poison_is_named(spoil: Callable[[Record], Record], said: str, known: bool) -> None:
    with pytest.raises(Poison) as caught:
        decode(spoil(good()), CHECKS)
    assert said in caught.value.reason
    assert (caught.value.who is not None) == known


@pytest.mark.parametrize(("spoil", "said", "_known"), ROWS)
def test_the_rest_flows_on(
    rig: Rig, spoil: Callable[[Record], Record], said: str, _known: bool
) -> None:
    machine = ModelMachine(slots=1)
    for _ in range(3):
        machine.sell("A1")
    poison = spoil(replace(good(), offset=1))
    records = [machine.records[0], poison, *machine.records[1:]]
    handled = rig.take(numbered(records))
    assert handled.new == len(machine.records)
    ((_, reason),) = rig.buried
    assert said in reason
    assert rig.completeness().complete


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=30))))
def test_arbitrary_bytes_are_an_event_or_poison(
    value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    record = replace(good(), value=value, headers=(*good().headers, *headers))
    with suppress(Poison):
        assert isinstance(decode(record, CHECKS), Event)


def test_a_type_of_the_future_counts_and_is_counted(rig: Rig) -> None:
    machine = ModelMachine()
    machine.fault("started")
    later = header(machine.records[1], "ce_type", b"vend.hologram.v1")
    rig.take([machine.records[0], replace(later, value=b"\xff")])
    assert rig.buried == []
    assert rig.completeness().complete
    assert rig.projection()["unknowns"] == [("m-1", "type", "vend.hologram.v1", 1)]


def test_a_version_of_the_future_waits_for_a_consumer_that_reads_it(rig: Rig) -> None:
    machine = ModelMachine()
    machine.fault("started")
    later = header(machine.records[1], "ce_type", b"vend.fault.v2")
    rig.take([machine.records[0], later])
    ((buried, reason),) = rig.buried
    assert reason == (
        "vend.fault.v2 is not the version that this vendd-fleet reads (v1):"
        " install the one that does, then replay this"
    )
    told = (*buried.headers, ("dlq_reason", reason.encode()))
    rig.take([replace(buried, topic="machine-events.dlq", offset=0, headers=told)])
    of = "machine m-1: seq 1..2, nothing missing"
    assert rig.lines() == [f"{of}, 1 dead letter (2), 0 duplicates ignored"]
    rig.pump._checks = {**CHECKS, "vend.fault.v2": CHECKS["vend.fault.v1"]}  # the one that does
    rig.take([replace(later, offset=2)])
    assert rig.lines() == [f"{of}, 0 duplicates ignored"]


def test_a_member_of_the_future_is_read_as_other(rig: Rig) -> None:
    machine = ModelMachine()
    machine.sell("A1")
    sale = machine.records[-1]
    rig.take([*machine.records[:-1], data(sale, channel="telepathy")])
    assert rig.buried == []
    projection = rig.projection()
    assert projection["sales"][0][6] == "other"
    assert projection["unknowns"] == [("m-1", "vend.sale-closed.v1.channel", "telepathy", 1)]


BACKWARDS = {"ranges": [{"from_seq": 5, "to_seq": 2, "topic": "*", "types": {}}]}


@pytest.mark.parametrize(
    ("type_", "changes", "said"),
    [
        ("vend.outbox-thinned.v1", {**BACKWARDS, "reason": "space"}, "a range from 5 to 2"),
        ("vend.fault.v1", {"fault_id": "f" * 300}, "a name of 300 characters"),
    ],
)
def test_what_fits_its_schema_and_no_projection_is_put_aside(
    rig: Rig, type_: str, changes: dict[str, object], said: str
) -> None:
    machine = ModelMachine()
    machine.fault("started")
    spoiled = data(header(machine.records[1], "ce_type", type_.encode()), **changes)
    rig.take([machine.records[0], spoiled])
    ((_, reason),) = rig.buried
    assert reason == f"{type_}: {said}"
    assert rig.lines() == ["machine m-1: seq 1..2, missing 2, 0 duplicates ignored"]


class Refusing(Sqlite):
    """Refuses every transaction that would store a certain number."""

    def __init__(self, seq: int, error: type[Exception] = DatabaseRefused) -> None:
        super().__init__(":memory:")
        self._seq, self._error = seq, error

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            yield session
            stored = "SELECT count(*) FROM sqlite_master WHERE name = 'inbox'"
            if session.rows(stored) == [(1,)] and session.rows(
                "SELECT 1 FROM inbox WHERE seq = ?", (self._seq,)
            ):
                raise self._error(f"number {self._seq} again")


def test_what_the_database_refuses_alone_is_put_aside_after_bounded_attempts() -> None:
    machine = ModelMachine()
    machine.random_day(30)
    rig = Rig(Refusing(seq=7))
    handled = rig.take(machine.records)
    assert handled.new == len(machine.records) - 1
    ((record, reason),) = rig.buried
    assert dict(record.headers)["ce_seq"] == b"7"
    assert reason == f"refused {ATTEMPTS} times: number 7 again"
    assert rig.waited == [0.2, 0.4, 0.8]
    assert rig.lines()[0].split(", ")[1] == "missing 7"


def test_a_database_that_is_down_commits_nothing_and_buries_nothing() -> None:
    machine = ModelMachine()
    machine.random_day(30)
    rig = Rig(Refusing(seq=7, error=DatabaseDown))
    with pytest.raises(DatabaseDown):
        rig.take(machine.records)
    assert rig.buried == []
    rig.restart()
    assert set(rig.begun.values()) == {0}


def test_a_dead_letter_topic_that_is_away_holds_the_offsets_back(rig: Rig) -> None:
    class Away(Exception):
        pass

    def away(_record: Record, _reason: str) -> bool:
        raise Away

    poison = replace(good(), value=b"", offset=0)
    rig.pump._bury = away
    with pytest.raises(Away):
        rig.take([poison])
    rig.restart()
    assert rig.begun["transaction-events", 0] == 0
    rig.take([poison])
    assert len(rig.buried) == 1


def test_poison_without_a_grave_is_noted_where_it_lies(rig: Rig) -> None:
    rig.no_grave = True
    machine = ModelMachine()
    machine.random_day(20)
    spoiled = replace(machine.records[7], value=b"")
    rig.take([*machine.records[:7], spoiled, *machine.records[8:]])
    last = machine.books.seq
    assert rig.lines() == [
        f"machine m-1: seq 1..{last}, nothing missing, 1 dead letter (8), 0 duplicates ignored"
    ]
    with rig.database.transaction() as session:
        (letter,) = filed(session, "test")
    assert (letter.id, letter.at_home) == (spoiled.place, True)
    assert ready(letter, spoiled).record == spoiled


def test_a_consumer_that_lost_its_partition_is_fenced(rig: Rig) -> None:
    machine = ModelMachine(chance=random.Random(5))
    machine.random_day(60)
    slow = rig.pump
    rig.take(machine.records[:20])
    rig.restart()
    rig.take(machine.records[20:40])
    rig.pump = slow
    with pytest.raises(Fenced):
        rig.take(machine.records[20:])
    rig.restart()
    rig.take(machine.records)
    proof = rig.completeness()
    assert (proof.complete, proof.duplicates) == (True, 0)


def test_garbage_on_a_dead_letter_topic_goes_no_further(rig: Rig) -> None:
    rig.take([Record("machine-events.dlq", 0, 0, 1, b"\xff", b"", (("dlq_reason", b"\xff"),))])
    assert rig.buried == []
    assert rig.pump.positions["machine-events.dlq", 0] == 1


def test_the_identity_is_that_of_the_headers() -> None:
    assert decode(good(), CHECKS).who == Identity("m-1", "m-1-boot-1", 1, 4)


ARRIVED_MS = 1_800_000_000_000
DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("time", "clocksync", "at_ms"),
    [
        ("2027-01-14T08:00:00.000Z", b"true", ARRIVED_MS - DAY_MS),
        ("2027-01-14T09:00:00.000+01:00", b"true", ARRIVED_MS - DAY_MS),
        ("2027-01-14T08:00:00.000Z", b"false", ARRIVED_MS),
        ("2027-01-14T08:00:00.000Z", None, ARRIVED_MS),
        ("2099-01-14T08:00:00.000Z", b"true", ARRIVED_MS),  # jumped ahead
        ("1970-01-01T00:00:09.000Z", b"true", ARRIVED_MS),  # jumped back
        ("2027-01-14T08:00:00.000", b"true", ARRIVED_MS),  # no zone
        ("yesterday", b"true", ARRIVED_MS),
    ],
)
def test_a_clock_that_jumps_misleads_nobody(time: str, clocksync: bytes | None, at_ms: int) -> None:
    """A sale of 2099 would keep "no sale" silent until then."""
    told = header(good(), "ce_time", time.encode())
    event = decode(header(replace(told, arrived_ms=ARRIVED_MS), "ce_clocksync", clocksync), CHECKS)
    assert event.at_ms == at_ms
