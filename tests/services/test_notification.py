"""The notification service: one pair of facts per fault, no storm, nothing forgotten."""

from vendd.core.facts import Fault
from vendd.core.rows import SettingSet
from vendd.core.sale.reports import FaultEnded, FaultStarted, KeyPressed, Started
from vendd.services.notification import SETTING, TOLD_PER_HOUR, Notification

JAM = FaultStarted("tube_jam", "changer", "in payout")
JAM_OVER = FaultEnded("tube_jam", "changer")


def faults(records: list[object]) -> list[tuple[str, str, int]]:
    return [(r.code, r.state, r.count) for r in records if isinstance(r, Fault)]


def test_a_fault_is_told_once_when_it_starts_and_once_when_it_ends() -> None:
    service = Notification()
    assert faults([*service.records(JAM, 0)]) == [("tube_jam", "started", 1)]
    assert service.records(JAM, 100) == []
    assert service.records(JAM, 200) == []
    assert service.open_faults() == ["tube_jam:changer"]
    (ended, _) = service.records(JAM_OVER, 5_000)
    assert isinstance(ended, Fault)
    assert (ended.state, ended.count, ended.duration_s) == ("ended", 3, 5)
    assert service.open_faults() == []


def test_the_end_of_a_fault_that_never_started_says_nothing() -> None:
    assert Notification().records(JAM_OVER, 0) == []


def test_a_flapping_fault_is_told_a_few_times_an_hour() -> None:
    service = Notification()
    told = 0
    for round_ in range(100):
        told += len(faults([*service.records(JAM, round_ * 1_000)]))
        service.records(JAM_OVER, round_ * 1_000 + 500)
    assert told == TOLD_PER_HOUR
    assert faults([*service.records(JAM, 4_000_000)]) == [("tube_jam", "started", 1)]


def test_a_fault_that_a_restart_cured_is_ended() -> None:
    before = Notification()
    (_, setting) = before.records(JAM, 0)
    assert isinstance(setting, SettingSet)
    assert setting.name == SETTING
    after = Notification(setting.value)
    assert faults([*after.records(Started("crash"), 10)]) == [("tube_jam", "ended", 1)]
    assert after.records(Started("crash"), 20) == []


def test_other_reports_are_none_of_its_business() -> None:
    assert Notification().records(KeyPressed("A"), 0) == []
