"""The notification service: one pair of facts per fault, no storm, nothing forgotten."""

from dataclasses import replace

import pytest

from vendd.core.facts import Fault, Severity
from vendd.core.policy import Policy
from vendd.core.rows import SettingSet
from vendd.core.sale.bill_reports import BillValidatorLost
from vendd.core.sale.card_reports import CardReaderLost, CardReaderReady
from vendd.core.sale.reports import (
    ChangerLost,
    DeviceIdentity,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    KeyPressed,
    Started,
)
from vendd.core.snapshot import BillValidator, CardReader, Changer, Moment, Snapshot
from vendd.services.notification import SETTING, TOLD_PER_HOUR, Notification

JAM = FaultStarted("tube_jam", "changer", "in payout")
JAM_OVER = FaultEnded("tube_jam", "changer")


def at(uptime_ms: int, wall: str = "1970-01-01T00:00:00.000Z") -> Snapshot:
    return Snapshot({}, Policy(), now=Moment(uptime_ms, wall))


def faults(records: list[object]) -> list[tuple[str, str, int]]:
    return [(r.code, r.state, r.count) for r in records if isinstance(r, Fault)]


def test_a_fault_is_told_once_when_it_starts_and_once_when_it_ends() -> None:
    service = Notification()
    assert faults([*service.records(JAM, at(0))]) == [("tube_jam", "started", 1)]
    assert service.records(JAM, at(100)) == []
    assert service.records(JAM, at(200)) == []
    assert service.open_faults() == ["tube_jam:changer"]
    (ended, _) = service.records(JAM_OVER, at(5_000))
    assert isinstance(ended, Fault)
    assert (ended.state, ended.count, ended.duration_s) == ("ended", 3, 5)
    assert service.open_faults() == []


def test_the_end_of_a_fault_that_never_started_says_nothing() -> None:
    assert Notification().records(JAM_OVER, at(0)) == []


def test_a_flapping_fault_is_told_a_few_times_an_hour() -> None:
    service = Notification()
    told = 0
    for round_ in range(100):
        told += len(faults([*service.records(JAM, at(round_ * 1_000))]))
        service.records(JAM_OVER, at(round_ * 1_000 + 500))
    assert told == TOLD_PER_HOUR
    assert faults([*service.records(JAM, at(4_000_000))]) == [("tube_jam", "started", 1)]


def test_a_fault_that_a_restart_cured_is_ended() -> None:
    before = Notification()
    (_, setting) = before.records(JAM, at(0))
    assert isinstance(setting, SettingSet)
    assert setting.name == SETTING
    after = Notification(setting.value)
    assert faults([*after.records(Started("crash"), at(10))]) == [("tube_jam", "ended", 1)]
    assert after.records(Started("crash"), at(20)) == []


def test_other_reports_are_none_of_its_business() -> None:
    assert Notification().records(KeyPressed("A"), at(0)) == []


def test_a_fault_says_when_it_started_who_cleared_it_and_what_was_held_back() -> None:
    service = Notification()
    began = at(1_000, "2026-01-31T12:00:00.000Z")
    (started, _) = service.records(JAM, began)
    (ended, _) = service.records(JAM_OVER, at(61_000, "2026-01-31T12:01:00.000Z"))
    assert isinstance(started, Fault)
    assert isinstance(ended, Fault)
    assert started.started_at == ended.started_at == began.now.wall
    assert (ended.cleared_by, ended.duration_s) == ("device", 60)
    for round_ in range(20):
        service.records(JAM, at(70_000 + round_ * 1_000))
        service.records(JAM_OVER, at(70_500 + round_ * 1_000))
    (later, _) = service.records(JAM, at(8_000_000))
    assert isinstance(later, Fault)
    assert later.suppressed == 20 - (TOLD_PER_HOUR - 1)


def test_a_fault_of_an_earlier_life_keeps_its_start() -> None:
    before = Notification()
    (_, setting) = before.records(JAM, at(0, "2026-01-31T12:00:00.000Z"))
    assert isinstance(setting, SettingSet)
    (ended, _) = Notification(setting.value).records(Started("crash"), at(5))
    assert isinstance(ended, Fault)
    assert (ended.started_at, ended.cleared_by) == ("2026-01-31T12:00:00.000Z", "restart")
    old = '[["changer", "tube_jam", null]]'  # as the first release wrote it
    (ended, _) = Notification(old).records(Started("crash"), at(5))
    assert isinstance(ended, Fault)
    assert (ended.fault_id, ended.started_at) == ("tube_jam:changer", None)


# --- payment devices ------------------------------------------------------------------------

ALL = Snapshot(
    {},
    Policy(),
    changer=Changer(ready=True),
    validator=BillValidator(fitted=True, ready=True),
    readers=(CardReader(1, ready=True), CardReader(2, ready=True)),
)
NO_COINS = replace(ALL, changer=Changer())
NO_BILLS = replace(ALL, validator=BillValidator(fitted=True))
NO_CASH = replace(NO_COINS, validator=BillValidator(fitted=True))
ONE_READER = replace(ALL, readers=(CardReader(1), CardReader(2, ready=True)))
NO_CARD = replace(ALL, readers=(CardReader(1), CardReader(2)))
BUS = {"mdb": ("COINS", "BILLS", "CARD"), "cctalk": ("COINS",)}
LOST = [
    (ChangerLost("gone"), NO_COINS, Severity.DEGRADED, ("coins",)),
    (ChangerLost("gone"), NO_CASH, Severity.NO_CASH, ("coins",)),
    (BillValidatorLost("gone"), NO_BILLS, Severity.DEGRADED, ("bills",)),
    (BillValidatorLost("gone"), NO_CASH, Severity.NO_CASH, ("bills",)),
    (CardReaderLost(1, "gone"), ONE_READER, Severity.DEGRADED, ()),
    (CardReaderLost(1, "gone"), NO_CARD, Severity.NO_CARD, ("card",)),
    (FaultStarted("bus_lost", "mdb"), ALL, Severity.DOWN, ("coins", "bills", "card")),
    (FaultStarted("bus_lost", "cctalk"), ALL, Severity.DEGRADED, ("coins",)),
    (FaultStarted("bus_lost", "cctalk"), NO_BILLS, Severity.NO_CASH, ("coins",)),
    (FaultStarted("tube_jam", "changer"), ALL, Severity.DEGRADED, ()),
    (FaultStarted("stacker_full", "bill_validator"), NO_COINS, Severity.NO_CASH, ("bills",)),
    (FaultStarted("hopper_empty", "hopper_3"), ALL, Severity.DEGRADED, ()),
    (FaultStarted("no_edges", "keypad"), ALL, Severity.DOWN, ("everything",)),
    (DropSensorChanged(blocked=True), ALL, Severity.SLOT_OFF, ("slots",)),
]


@pytest.mark.parametrize(("report", "world", "severity", "stops"), LOST)
def test_a_fault_is_as_bad_as_what_still_works(report, world, severity, stops) -> None:
    (fault, _) = Notification(on_bus=BUS).records(report, world)
    assert isinstance(fault, Fault)
    assert (fault.severity, fault.stops) == (severity, stops)


def _ready(number: int) -> CardReaderReady:
    return CardReaderReady(number, DeviceIdentity(), 5, True, False, True, False)


def test_a_device_that_comes_and_goes_is_one_pair_each_time_and_then_counted() -> None:
    """One event per transition; the end weighs what the start did, whatever works by then."""
    service, told = Notification(on_bus=BUS), []
    for _ in range(50):
        told += service.records(CardReaderLost(2, "no answer"), NO_CARD)
        told += service.records(CardReaderLost(2, "no answer"), NO_CARD)
        told += service.records(_ready(1), ALL)  # another one
        told += service.records(_ready(2), ALL)
    facts = [fact for fact in told if isinstance(fact, Fault)]
    assert [fact.state for fact in facts] == ["started", "ended"] * TOLD_PER_HOUR
    assert {(f.code, f.device, f.severity, f.stops) for f in facts} == {
        ("card_reader_lost", "card_reader_2", Severity.NO_CARD, ("card",))
    }


def test_a_bill_validator_that_a_restart_cured_is_ended() -> None:
    (_, setting) = Notification().records(BillValidatorLost("gone"), NO_CASH)
    assert isinstance(setting, SettingSet)
    (ended, _) = Notification(setting.value).records(Started("crash"), ALL)
    assert isinstance(ended, Fault)
    assert (ended.code, ended.state) == ("bill_validator_lost", "ended")
