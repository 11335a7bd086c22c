"""The notification service: one pair of facts per fault, no storm, nothing forgotten."""

from vendd.core.facts import Fault
from vendd.core.rows import SettingSet
from vendd.core.sale.reports import FaultEnded, FaultStarted, KeyPressed, Started
from vendd.core.snapshot import Moment
from vendd.services.notification import SETTING, TOLD_PER_HOUR, Notification

JAM = FaultStarted("tube_jam", "changer", "in payout")
JAM_OVER = FaultEnded("tube_jam", "changer")


def faults(records: list[object]) -> list[tuple[str, str, int]]:
    return [(r.code, r.state, r.count) for r in records if isinstance(r, Fault)]


def test_a_fault_is_told_once_when_it_starts_and_once_when_it_ends() -> None:
    service = Notification()
    assert faults([*service.records(JAM, Moment(0))]) == [("tube_jam", "started", 1)]
    assert service.records(JAM, Moment(100)) == []
    assert service.records(JAM, Moment(200)) == []
    assert service.open_faults() == ["tube_jam:changer"]
    (ended, _) = service.records(JAM_OVER, Moment(5_000))
    assert isinstance(ended, Fault)
    assert (ended.state, ended.count, ended.duration_s) == ("ended", 3, 5)
    assert service.open_faults() == []


def test_the_end_of_a_fault_that_never_started_says_nothing() -> None:
    assert Notification().records(JAM_OVER, Moment(0)) == []


def test_a_flapping_fault_is_told_a_few_times_an_hour() -> None:
    service = Notification()
    told = 0
    for round_ in range(100):
        told += len(faults([*service.records(JAM, Moment(round_ * 1_000))]))
        service.records(JAM_OVER, Moment(round_ * 1_000 + 500))
    assert told == TOLD_PER_HOUR
    assert faults([*service.records(JAM, Moment(4_000_000))]) == [("tube_jam", "started", 1)]


def test_a_fault_that_a_restart_cured_is_ended() -> None:
    before = Notification()
    (_, setting) = before.records(JAM, Moment(0))
    assert isinstance(setting, SettingSet)
    assert setting.name == SETTING
    after = Notification(setting.value)
    assert faults([*after.records(Started("crash"), Moment(10))]) == [("tube_jam", "ended", 1)]
    assert after.records(Started("crash"), Moment(20)) == []


def test_other_reports_are_none_of_its_business() -> None:
    assert Notification().records(KeyPressed("A"), Moment(0)) == []


def test_a_fault_says_when_it_started_who_cleared_it_and_what_was_held_back() -> None:
    service = Notification()
    began = Moment(1_000, "2026-01-31T12:00:00.000Z")
    (started, _) = service.records(JAM, began)
    (ended, _) = service.records(JAM_OVER, Moment(61_000, "2026-01-31T12:01:00.000Z"))
    assert isinstance(started, Fault)
    assert isinstance(ended, Fault)
    assert started.started_at == ended.started_at == began.wall
    assert (ended.cleared_by, ended.duration_s) == ("device", 60)
    for round_ in range(20):
        service.records(JAM, Moment(70_000 + round_ * 1_000))
        service.records(JAM_OVER, Moment(70_500 + round_ * 1_000))
    (later, _) = service.records(JAM, Moment(8_000_000))
    assert isinstance(later, Fault)
    assert later.suppressed == 20 - (TOLD_PER_HOUR - 1)


def test_a_fault_of_an_earlier_life_keeps_its_start() -> None:
    before = Notification()
    (_, setting) = before.records(JAM, Moment(0, "2026-01-31T12:00:00.000Z"))
    assert isinstance(setting, SettingSet)
    (ended, _) = Notification(setting.value).records(Started("crash"), Moment(5))
    assert isinstance(ended, Fault)
    assert (ended.started_at, ended.cleared_by) == ("2026-01-31T12:00:00.000Z", "restart")
    old = '[["changer", "tube_jam", null]]'  # as the first release wrote it
    (ended, _) = Notification(old).records(Started("crash"), Moment(5))
    assert isinstance(ended, Fault)
    assert (ended.fault_id, ended.started_at) == ("tube_jam:changer", None)
