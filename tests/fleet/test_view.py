"""What the rules get to see of a projection, in both databases."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fleet_rig import PARTS, Rig, numbered
from machine_stream import CAPACITY, ModelMachine

from vendd.core import facts
from vendd.fleet.alarms.rules import Limits, evaluate
from vendd.fleet.alarms.sender import AppriseSender
from vendd.fleet.alarms.telling import Manners
from vendd.fleet.alarms.view import FleetView, look
from vendd.fleet.alarms.watch import Watch, Watching
from vendd.fleet.database import open_database
from vendd.fleet.envelope import Record

pytestmark = pytest.mark.real_server
MIN = 60_000


@pytest.fixture
def rig(new_database: Callable[[], str]) -> Iterator[Rig]:
    database = open_database(new_database())
    yield Rig(database)
    database.close()


def seen(rig: Rig, now_ms: int, *, caught_up_ms: int | None = None) -> FleetView:
    if caught_up_ms is not None:
        rig.clock.ms = caught_up_ms
        rig.pump.caught_up(PARTS)
    with rig.database.transaction() as session:
        return look(session, now_ms, rig.group, 10 * MIN)


def kinds(view: FleetView) -> list[str]:
    return [each.kind for each in evaluate(view, Limits(), {})]


def test_a_complete_machine_is_no_suspect(rig: Rig) -> None:
    machine = ModelMachine()
    machine.random_day(200)
    rig.take(machine.records)
    view = seen(rig, machine.ms, caught_up_ms=machine.ms)
    (seen_machine,) = view.machines
    assert seen_machine.proof is None
    assert seen_machine.last_ms == machine.ms
    assert view.horizon_ms == machine.ms
    assert kinds(view) == []


def test_without_a_consumer_at_the_end_nothing_is_silent(rig: Rig) -> None:
    machine = ModelMachine()
    rig.take(machine.records)
    late = machine.ms + 90 * 86_400_000
    assert seen(rig, late).horizon_ms is None
    assert kinds(seen(rig, late)) == []
    assert kinds(seen(rig, late, caught_up_ms=late)) == ["silent"]


def test_the_slowest_partition_is_the_horizon(rig: Rig) -> None:
    rig.take(ModelMachine().records)
    view = seen(rig, 9_000, caught_up_ms=5_000)
    assert view.horizon_ms == 5_000
    rig.clock.ms = 8_000
    rig.pump.caught_up(PARTS[:1])
    assert seen(rig, 9_000).horizon_ms == 5_000


def lose(machine: ModelMachine, place: int) -> list[Record]:
    return numbered([r for n, r in enumerate(machine.records) if n != place])


def test_a_gap_is_told_when_it_is_ripe(rig: Rig) -> None:
    machine = ModelMachine()
    for _ in range(4):
        machine.fault("started")
    rig.take(lose(machine, 2))
    after = machine.records[3].arrived_ms
    young = seen(rig, after + MIN, caught_up_ms=after + 9 * MIN)
    assert young.machines[0].unripe == ((3, 3),)
    assert kinds(young) == []
    ripe = seen(rig, after + MIN, caught_up_ms=after + 11 * MIN)
    assert kinds(ripe) == ["seq_gap"]


@pytest.mark.parametrize("lost", ["stock-changed", "sale-closed"])
def test_sums_that_do_not_chain_make_a_suspect(rig: Rig, lost: str) -> None:
    machine = ModelMachine(slots=1)
    for _ in range(4):
        machine.sell("A1")
    place = [lost.encode() in dict(r.headers)["ce_type"] for r in machine.records].index(True)
    records = lose(machine, place + 3)
    rig.take(records)
    found = kinds(seen(rig, machine.ms, caught_up_ms=machine.ms + 60 * MIN))
    assert found[0] == "seq_gap"
    assert set(found[1:]) == {"counter_mismatch"}


def test_a_restored_machine_is_told(rig: Rig) -> None:
    machine = ModelMachine(slots=1)
    backup = machine.backup()
    machine.sell("A1")
    machine.restore(backup)
    rig.take(machine.records)
    assert kinds(seen(rig, machine.ms, caught_up_ms=machine.ms)) == ["seq_back"]


def test_matters_are_open_until_they_are_closed(rig: Rig) -> None:
    machine = ModelMachine()
    machine.claim(close=True)
    machine.claim(close=False)
    machine.books.claims -= 1  # the reference is used again, much later
    machine.claim(close=False)
    machine.start()
    rig.take(machine.records)
    (view,) = seen(rig, machine.ms).machines
    assert [matter.ref for matter in view.matters] == ["K2", "K2"]
    assert {matter.amount for matter in view.matters} == {50}


def test_tenders_are_told_apart(rig: Rig) -> None:
    machine = ModelMachine()
    machine.random_day(60)
    rig.take(machine.records)
    (view,) = seen(rig, machine.ms).machines
    assert view.sold_ms == max(view.cash_ms or 0, view.card_ms or 0)
    assert view.cash_ms != view.card_ms


def test_slots_are_counted_by_what_became_of_their_sales(rig: Rig) -> None:
    machine = ModelMachine(slots=1)
    for _ in range(CAPACITY + 3):
        machine.sell("A1")
    rig.take(machine.records)
    view = seen(rig, machine.ms)
    (slot,) = view.slots
    assert (view.tried, view.failed) == (CAPACITY + 3, 3)
    assert (slot.machine, slot.slot, slot.tried, slot.failed) == ("m-1", "A1", CAPACITY + 3, 3)
    assert seen(rig, machine.ms + 30 * 86_400_000).slots == ()


def test_dead_letters_are_counted_by_topic(rig: Rig) -> None:
    machine = ModelMachine()
    letter = replace(machine.records[0], topic="machine-events.dlq", value=b"")
    rig.take([letter, replace(letter, offset=1)])
    assert seen(rig, machine.ms).dead_letters == {"machine-events.dlq": 2}


def test_types_that_nobody_here_knows_are_told_until_somebody_does(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = ModelMachine()
    for name in ("hologram", "hologram", "tea"):
        machine.fault("started")
        record = machine.records[-1]
        kept = [header for header in record.headers if header[0] != "ce_type"]
        later = (*kept, ("ce_type", f"vend.{name}.v1".encode()))
        machine.records[-1] = replace(record, headers=later)
    rig.take(machine.records)
    view = seen(rig, machine.ms)
    assert view.unknown == ("vend.hologram.v1", "vend.tea.v1")
    assert kinds(view) == ["unknown_events"]
    monkeypatch.setattr("vendd.fleet.alarms.view.BY_TYPE", {"vend.hologram.v1", "vend.tea.v1"})
    assert kinds(seen(rig, machine.ms)) == []


def test_a_closing_closes_what_was_opened_before_it_across_lives(rig: Rig) -> None:
    machine = ModelMachine()
    machine.claim(close=False)
    machine.start()
    machine.commit(facts.SaleDoubtful("s-9", 150, "coin", "p", "sold", facts.Evidence(), True))
    machine.commit(facts.RefundDue("s-9", "R9", 150, "card", 1, facts.Reason.NO_DROP))
    machine.commit(facts.ClaimClosed("K1", 50, "paid_by_hand", "driver"))
    rig.take(machine.records)
    (view,) = seen(rig, machine.ms).machines
    assert [matter.kind for matter in view.matters] == ["doubtful", "refund_due"]


def test_pruning_keeps_the_proof(rig: Rig) -> None:
    machine = ModelMachine()
    machine.random_day(80)
    machine.fault("started", "old")
    machine.fault("ended", "old")
    machine.fault("started", "open")
    rig.take(machine.records)
    before = rig.lines()
    watching = Watching("inventory", Limits(), {}, (), Manners(), 1, inbox_ms=1)
    rig.clock.ms = machine.ms + 100 * 86_400_000
    Watch(rig.database, watching, AppriseSender(), rig.clock, print).turn()
    with rig.database.transaction() as session:
        assert session.rows("SELECT count(*) FROM inbox") == [(0,)]
        faults = {item for (item,) in session.rows(FAULTS)}
    assert "open" in faults
    assert "old" not in faults
    assert rig.lines() == before
    rig.restart()
    again = [replace(record, offset=record.offset + 10_000) for record in machine.records]
    assert rig.take(again).duplicates == len(machine.records)


FAULTS = "SELECT item FROM latest WHERE subject = 'fault'"
